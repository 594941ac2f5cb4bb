// SPDX-License-Identifier: Apache-2.0
// Is an image a whole CUDA ELF file? Looks at the bounds of headers and sections only.
#include <fmt/format.h>

#include "runtime/cache/bytes_p.h"
#include "runtime/cache/entry.h"

namespace barline::runtime {
namespace {

constexpr std::size_t elf_header_bytes = 64;
constexpr std::uint16_t elf_machine_cuda = 190;
constexpr std::uint32_t section_without_bytes = 8;  // SHT_NOBITS

struct ElfHeader {
  std::uint64_t program_offset = 0, section_offset = 0;
  std::uint16_t machine = 0, program_size = 0, program_count = 0, section_size = 0,
                section_count = 0;
};

ElfHeader read_header(std::span<const std::byte> image) {
  ElfHeader header;
  ByteReader reader(image.subspan(18));
  header.machine = reader.take_int<std::uint16_t>();
  reader.take(4 + 8);  // e_version, e_entry
  header.program_offset = reader.take_int<std::uint64_t>();
  header.section_offset = reader.take_int<std::uint64_t>();
  reader.take(4 + 2);  // e_flags, e_ehsize
  header.program_size = reader.take_int<std::uint16_t>();
  header.program_count = reader.take_int<std::uint16_t>();
  header.section_size = reader.take_int<std::uint16_t>();
  header.section_count = reader.take_int<std::uint16_t>();
  return header;
}

bool fits(std::size_t size, std::uint64_t offset, std::uint64_t bytes) {
  return offset <= size && bytes <= size - offset;
}

}  // namespace

std::string cubin_problem(std::span<const std::byte> image) {
  const auto is = [&](std::size_t at, unsigned value) {
    return std::to_integer<unsigned>(image[at]) == value;
  };
  if (image.size() < elf_header_bytes) return fmt::format("{} bytes are no ELF file", image.size());
  if (!is(0, 0x7f) || !is(1, 'E') || !is(2, 'L') || !is(3, 'F')) return "not an ELF file";
  if (!is(4, 2) || !is(5, 1)) return "not a 64-bit little-endian ELF file";

  const ElfHeader header = read_header(image);
  if (header.machine != elf_machine_cuda) {
    return fmt::format("ELF machine {} is not CUDA (190)", header.machine);
  }
  if (header.section_count == 0 || header.section_size < 64) return "no section table";
  const std::uint64_t table = std::uint64_t{header.section_count} * header.section_size;
  const std::uint64_t programs = std::uint64_t{header.program_count} * header.program_size;
  if (!fits(image.size(), header.section_offset, table) ||
      !fits(image.size(), header.program_offset, programs)) {
    return fmt::format("truncated: {} bytes do not hold the section table", image.size());
  }
  for (std::uint16_t i = 0; i < header.section_count; ++i) {
    ByteReader section(
        image.subspan(header.section_offset + std::size_t{i} * header.section_size, 64));
    section.take(4);  // sh_name
    const auto type = section.take_int<std::uint32_t>();
    section.take(8 + 8);  // sh_flags, sh_addr
    const auto offset = section.take_int<std::uint64_t>();
    const auto bytes = section.take_int<std::uint64_t>();
    if (type != section_without_bytes && !fits(image.size(), offset, bytes)) {
      return fmt::format("truncated: section {} ends past {} bytes", i, image.size());
    }
  }
  return {};
}

}  // namespace barline::runtime
