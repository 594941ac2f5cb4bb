// SPDX-License-Identifier: Apache-2.0
// Header, section table, symbols, then the .nv.info records. Registers, frames and stack stand in
// the module's .nv.info, keyed by symbol number; launch bounds and barriers in each kernel's own.
#include "codegen/cubin/cubin.h"

#include <algorithm>
#include <map>
#include <set>

#include "codegen/cubin/bytes_p.h"
#include "codegen/cubin/elf_p.h"

namespace barline::codegen {
namespace {

bool without_bytes(std::uint32_t type) {
  return type == elf::type_null || type == elf::type_nobits || type == elf::type_cuda_local ||
         type == elf::type_cuda_shared || type == elf::type_cuda_shared_reserved;
}

struct Attribute {
  std::uint8_t id = 0;
  std::uint16_t value = 0;                  // of the byte and half formats
  std::span<const std::byte> payload = {};  // of the sized format
};

// Calls visit(Attribute) for each record of a .nv.info section.
template <class Visit>
void each_attribute(const Section& section, Visit visit) {
  std::span<const std::byte> bytes = section.bytes;
  for (std::uint64_t at = 0; at < bytes.size();) {
    auto format = read<std::uint8_t>(bytes, at, section.name);
    Attribute attribute{.id = read<std::uint8_t>(bytes, at + 1, section.name),
                        .value = read<std::uint16_t>(bytes, at + 2, section.name)};
    at += 4;
    if (format == elf::format_sized) {
      attribute.payload = part(bytes, at, attribute.value, section.name);
      at += attribute.value;
    } else if (format == elf::format_byte) {
      attribute.value &= 0xff;
    } else if (format != elf::format_none && format != elf::format_half) {
      throw CubinError(fmt::format("{} has a record of unknown format {}", section.name, format));
    }
    visit(attribute);
  }
}

int as_int(std::uint64_t value, std::string_view what) {
  if (value > 0x7fffffff) throw CubinError(fmt::format("{} of {} is absurd", what, value));
  return static_cast<int>(value);
}

std::vector<int> read_triple(std::span<const std::byte> payload, std::string_view what) {
  std::vector<int> out;
  for (int i = 0; i < 3; ++i)
    out.push_back(as_int(read<std::uint32_t>(payload, 4 * i, what), what));
  return out;
}

}  // namespace

// Fills a Cubin; a class only so that the steps share the tables.
class CubinReader {
 public:
  explicit CubinReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  Cubin read_all() {
    read_header();
    read_segments();
    read_sections();
    read_symbols();
    for (KernelRecord& kernel : out_.kernels_) read_kernel(kernel);
    read_module_info();
    add_callee_frames();
    return std::move(out_);
  }

 private:
  void read_header();
  void read_segments();
  void read_sections();
  void read_symbols();
  void add_symbol(const elf::Symbol& symbol, std::uint32_t number, std::string_view name);
  void read_kernel(KernelRecord& kernel);
  void read_module_info();
  KernelRecord* kernel_of_symbol(std::uint32_t number);
  void add_callee_frames();

  std::span<const std::byte> bytes_;
  elf::Header header_{};
  Cubin out_;
  std::map<std::uint32_t, std::size_t> kernel_of_;  // symbol number -> index of the kernel
  struct Function {
    std::uint16_t section;
    std::uint32_t number;
    std::string_view name;
  };
  std::vector<Function> functions_;           // those that are not kernels
  std::map<std::uint32_t, int> frames_;       // of functions that are not kernels, by symbol number
  std::set<std::string_view> unknown_stack_;  // kernels
};

void CubinReader::read_header() {
  header_ = read<elf::Header>(bytes_, 0, "the ELF header");
  const unsigned char* id = header_.ident;
  if (id[0] != 0x7f || id[1] != 'E' || id[2] != 'L' || id[3] != 'F')
    throw CubinError("it does not begin as an ELF file");
  if (id[4] != 2 || id[5] != 1) throw CubinError("it is not a 64-bit little-endian ELF file");
  if (header_.machine != elf::machine_cuda)
    throw CubinError(
        fmt::format("its machine is {}, not CUDA's {}", header_.machine, elf::machine_cuda));
  if (header_.shentsize != sizeof(elf::SectionHeader))
    throw CubinError(fmt::format("its section headers have {} bytes", header_.shentsize));
  if (header_.phnum && header_.phentsize != sizeof(elf::ProgramHeader))
    throw CubinError(fmt::format("its program headers have {} bytes", header_.phentsize));
  out_.relocatable_ = header_.type == elf::file_relocatable;
  // ABI 8 (toolkit 13) moved the SM number up one byte.
  out_.sm_ = static_cast<int>(id[8] >= 8 ? header_.flags >> 8 & 0xff : header_.flags & 0xff);
}

// ptxas lays the program headers last, so a file cut anywhere is noticed here or in a section.
void CubinReader::read_segments() {
  for (std::uint64_t i = 0; i < header_.phnum; ++i) {
    auto table = part(bytes_, header_.phoff, header_.phnum * sizeof(elf::ProgramHeader),
                      "the program header table");
    auto segment = read<elf::ProgramHeader>(table, i * sizeof(elf::ProgramHeader), "a segment");
    part(bytes_, segment.offset, segment.filesz, "a segment");
  }
}

void CubinReader::read_sections() {
  auto table =
      part(bytes_, header_.shoff, std::uint64_t{header_.shnum} * sizeof(elf::SectionHeader),
           "the section header table");
  auto header_at = [&](std::uint64_t i) {
    return read<elf::SectionHeader>(table, i * sizeof(elf::SectionHeader), "a section header");
  };
  if (header_.shstrndx >= header_.shnum) throw CubinError("it has no section names");
  elf::SectionHeader names = header_at(header_.shstrndx);
  auto name_table = part(bytes_, names.offset, names.size, "the section name table");
  for (std::uint64_t i = 0; i < header_.shnum; ++i) {
    elf::SectionHeader h = header_at(i);
    Section section{.name = {},
                    .type = h.type,
                    .flags = h.flags,
                    .size = h.size,
                    .bytes = {},
                    .link = h.link,
                    .info = h.info};
    if (h.type != elf::type_null) section.name = string_at(name_table, h.name, "a section");
    if (!without_bytes(h.type)) section.bytes = part(bytes_, h.offset, h.size, section.name);
    out_.sections_.push_back(section);
  }
}

void CubinReader::read_symbols() {
  for (const Section& section : out_.sections_) {
    if (section.type != elf::type_symtab) continue;
    if (section.link >= out_.sections_.size()) throw CubinError(".symtab has no string table");
    auto names = out_.sections_[section.link].bytes;
    if (section.bytes.size() % sizeof(elf::Symbol)) throw CubinError(".symtab has half a symbol");
    for (std::uint32_t i = 0; i < section.bytes.size() / sizeof(elf::Symbol); ++i) {
      auto symbol = read<elf::Symbol>(section.bytes, i * sizeof(elf::Symbol), "a symbol");
      if ((symbol.info & 15) == elf::symbol_func && symbol.shndx != 0)
        add_symbol(symbol, i, string_at(names, symbol.name, "a symbol"));
    }
  }
}

void CubinReader::add_symbol(const elf::Symbol& symbol, std::uint32_t number,
                             std::string_view name) {
  if (symbol.shndx >= out_.sections_.size())
    throw CubinError(
        fmt::format("symbol {} names section {} of {}", name, symbol.shndx, out_.sections_.size()));
  const Section& text = out_.sections_[symbol.shndx];
  if (symbol.value > text.bytes.size() || symbol.size > text.bytes.size() - symbol.value)
    throw CubinError(fmt::format("symbol {} lies outside {}", name, text.name));
  if (!(symbol.other & elf::other_entry)) {
    functions_.push_back({symbol.shndx, number, name});
    return;
  }
  kernel_of_[number] = out_.kernels_.size();
  KernelRecord kernel{.name = name,
                      .text = text.bytes,
                      .registers = {},
                      .section_registers = {},
                      .frame = {},
                      .min_stack = {},
                      .callee_frame = {},
                      .barriers = {},
                      .param_bytes = {}};
  // Up to sm_89 the top byte of .text's sh_info repeats the register count.
  if (out_.sm_ > 0 && out_.sm_ < 90) kernel.section_registers = static_cast<int>(text.info >> 24);
  // A callee is laid into its kernel's section under the name $<kernel>$<callee>.
  std::string prefix = fmt::format("${}$", name);
  for (const Function& function : functions_)
    if (function.section == symbol.shndx && function.name.starts_with(prefix))
      kernel.callees.emplace_back(function.name.substr(prefix.size()));
  out_.kernels_.push_back(std::move(kernel));
}

void CubinReader::read_kernel(KernelRecord& kernel) {
  if (const Section* shared = out_.section(fmt::format(".nv.shared.{}", kernel.name))) {
    kernel.smem_section = shared->size;
    auto reserved = static_cast<std::uint64_t>(reserved_smem(out_.sm_));
    kernel.smem_static = as_int(shared->size - std::min(shared->size, reserved), shared->name);
  }
  const Section* info = out_.section(fmt::format(".nv.info.{}", kernel.name));
  if (!info) return;
  each_attribute(*info, [&](const Attribute& a) {
    if (a.id == elf::attr_max_threads) kernel.max_threads = read_triple(a.payload, info->name);
    if (a.id == elf::attr_required_threads)
      kernel.required_threads = read_triple(a.payload, info->name);
    if (a.id == elf::attr_barriers) kernel.barriers = a.value;
    if (a.id == elf::attr_param_bytes) kernel.param_bytes = a.value;
  });
}

void CubinReader::read_module_info() {
  const Section* info = out_.section(".nv.info");
  if (!info) return;
  each_attribute(*info, [&](const Attribute& a) {
    if (a.id != elf::attr_regcount && a.id != elf::attr_frame_size && a.id != elf::attr_min_stack)
      return;
    auto symbol = read<std::uint32_t>(a.payload, 0, info->name);
    auto raw = read<std::uint32_t>(a.payload, 4, info->name);
    KernelRecord* kernel = kernel_of_symbol(symbol);
    if (a.id == elf::attr_min_stack && raw == elf::stack_unknown) {
      if (kernel) unknown_stack_.insert(kernel->name);
      return;
    }
    int value = as_int(raw, info->name);
    if (!kernel) {
      if (a.id == elf::attr_frame_size) frames_[symbol] = value;
      return;
    }
    auto& field = a.id == elf::attr_regcount     ? kernel->registers
                  : a.id == elf::attr_frame_size ? kernel->frame
                                                 : kernel->min_stack;
    field = value;
  });
}

// An assembler lays callees into the kernel's section; a linker leaves each in its own.
void CubinReader::add_callee_frames() {
  auto has_kernel = [&](const Section& section) {
    return std::ranges::any_of(out_.kernels_, [&](const KernelRecord& k) {
      return k.text.data() == section.bytes.data();
    });
  };
  for (KernelRecord& kernel : out_.kernels_) {
    for (const Function& function : functions_) {
      const Section& section = out_.sections_[function.section];
      bool here = section.bytes.data() == kernel.text.data();
      bool may_be_called = unknown_stack_.contains(kernel.name) && !has_kernel(section);
      auto frame = frames_.find(function.number);
      if (frame != frames_.end() && (here || may_be_called))
        kernel.callee_frame = std::max(kernel.callee_frame.value_or(0), frame->second);
    }
  }
}

KernelRecord* CubinReader::kernel_of_symbol(std::uint32_t number) {
  auto found = kernel_of_.find(number);
  return found == kernel_of_.end() ? nullptr : &out_.kernels_[found->second];
}

Cubin Cubin::parse(std::span<const std::byte> bytes) { return CubinReader(bytes).read_all(); }

const Section* Cubin::section(std::string_view name) const {
  auto found = std::ranges::find(sections_, name, &Section::name);
  return found == sections_.end() ? nullptr : &*found;
}

const KernelRecord& Cubin::kernel(std::string_view name) const {
  auto found = std::ranges::find(kernels_, name, &KernelRecord::name);
  if (found == kernels_.end()) throw CubinError(fmt::format("it holds no kernel '{}'", name));
  return *found;
}

int reserved_smem(int sm) { return sm >= 90 ? 1024 : 0; }

}  // namespace barline::codegen
