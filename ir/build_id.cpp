// SPDX-License-Identifier: Apache-2.0
#include "ir/build_id.h"

#include <elf.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <link.h>

namespace barline::ir {
namespace {

struct BuildIdSearch {
  ElfW(Addr) address;
  std::string id;
};

/// Hex of the GNU build id in a note segment, or empty.
std::string build_id_in(const char* note, std::size_t size) {
  auto padded = [](std::size_t n) { return (n + 3) & ~std::size_t{3}; };
  while (size >= sizeof(ElfW(Nhdr))) {
    const auto* header = reinterpret_cast<const ElfW(Nhdr)*>(note);
    std::size_t whole = sizeof *header + padded(header->n_namesz) + padded(header->n_descsz);
    if (whole > size) return {};
    const auto* id =
        reinterpret_cast<const unsigned char*>(note + sizeof *header + padded(header->n_namesz));
    if (header->n_type == NT_GNU_BUILD_ID)
      return fmt::format("{:02x}", fmt::join(id, id + header->n_descsz, ""));
    note += whole;
    size -= whole;
  }
  return {};
}

int visit_object(dl_phdr_info* info, std::size_t, void* data) {
  auto* search = static_cast<BuildIdSearch*>(data);
  bool inside = false;
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    ElfW(Addr) begin = info->dlpi_addr + segment.p_vaddr;
    inside = inside || (segment.p_type == PT_LOAD && search->address >= begin &&
                        search->address < begin + segment.p_memsz);
  }
  for (int i = 0; inside && search->id.empty() && i < info->dlpi_phnum; ++i) {
    const auto& segment = info->dlpi_phdr[i];
    if (segment.p_type == PT_NOTE)
      search->id = build_id_in(reinterpret_cast<const char*>(info->dlpi_addr + segment.p_vaddr),
                               segment.p_memsz);
  }
  return inside;
}

}  // namespace

std::string build_id(const void* address) {
  BuildIdSearch search{reinterpret_cast<ElfW(Addr)>(address), {}};
  dl_iterate_phdr(visit_object, &search);
  return std::move(search.id);
}

}  // namespace barline::ir
