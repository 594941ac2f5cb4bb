// SPDX-License-Identifier: Apache-2.0
// The ELF64 structures of a cubin as they lie in the file, and the few numbers of the CUDA ABI that
// the reader needs.
#pragma once

#include <cstdint>

namespace barline::codegen::elf {

struct Header {
  unsigned char ident[16];
  std::uint16_t type, machine;
  std::uint32_t version;
  std::uint64_t entry, phoff, shoff;
  std::uint32_t flags;
  std::uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};
static_assert(sizeof(Header) == 64);

struct SectionHeader {
  std::uint32_t name, type;
  std::uint64_t flags, addr, offset, size;
  std::uint32_t link, info;
  std::uint64_t addralign, entsize;
};
static_assert(sizeof(SectionHeader) == 64);

struct ProgramHeader {
  std::uint32_t type, flags;
  std::uint64_t offset, vaddr, paddr, filesz, memsz, align;
};
static_assert(sizeof(ProgramHeader) == 56);

struct Symbol {
  std::uint32_t name;
  std::uint8_t info, other;
  std::uint16_t shndx;
  std::uint64_t value, size;
};
static_assert(sizeof(Symbol) == 24);

inline constexpr std::uint16_t machine_cuda = 190, file_relocatable = 1;
inline constexpr std::uint32_t type_null = 0, type_symtab = 2, type_rela = 4, type_nobits = 8,
                               type_rel = 9;
inline constexpr std::uint32_t type_cuda_info = 0x70000000;
// Shared and local memory of a kernel: sizes without bytes in the file, as NOBITS.
inline constexpr std::uint32_t type_cuda_local = 0x70000009, type_cuda_shared = 0x7000000a,
                               type_cuda_shared_reserved = 0x70000015;
// Where calls go in circles or through pointers, the linker writes this for the stack.
inline constexpr std::uint32_t stack_unknown = 0xffffffff;

inline constexpr std::uint8_t symbol_func = 2, other_entry = 0x10;

// .nv.info records: {format, attribute, ...}
inline constexpr std::uint8_t format_none = 1, format_byte = 2, format_half = 3, format_sized = 4;
inline constexpr std::uint8_t attr_max_threads = 0x05, attr_required_threads = 0x10,
                              attr_frame_size = 0x11, attr_min_stack = 0x12,
                              attr_param_bytes = 0x19, attr_regcount = 0x2f, attr_barriers = 0x4c;

}  // namespace barline::codegen::elf
