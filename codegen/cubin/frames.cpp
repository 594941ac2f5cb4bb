// SPDX-License-Identifier: Apache-2.0
// .debug_frame as DWARF has it, with 64-bit lengths. An entry of a function begins with its place,
// which a relocation names; then the distance of the canonical frame address from the stack pointer
// is followed along the code. The prologue moves the stack pointer once, by the frame, so the
// largest distance is the frame's size.
#include "codegen/cubin/frames.h"

#include <algorithm>

#include "codegen/cubin/bytes_p.h"
#include "codegen/cubin/elf_p.h"

namespace barline::codegen {
namespace {

constexpr std::string_view table_name = ".debug_frame";

/// Reads the instructions of one entry from front to back.
class Cursor {
 public:
  explicit Cursor(std::span<const std::byte> bytes) : bytes_(bytes) {}

  bool done() const { return at_ >= bytes_.size(); }
  std::uint8_t byte() { return take<std::uint8_t>(); }
  void skip(std::uint64_t size) {
    part(bytes_, at_, size, table_name);
    at_ += size;
  }
  std::uint64_t uleb() {
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      std::uint8_t b = byte();
      value |= std::uint64_t{b & 0x7fu} << shift;
      if (!(b & 0x80)) return value;
    }
    throw CubinError(".debug_frame has a number without an end");
  }

 private:
  template <class T>
  T take() {
    T value = read<T>(bytes_, at_, table_name);
    at_ += sizeof(T);
    return value;
  }

  std::span<const std::byte> bytes_;
  std::uint64_t at_ = 0;
};

/// Steps over the operands of an instruction that says nothing of the frame.
void skip_operands(Cursor& in, std::uint8_t op) {
  switch (op) {
    case 0x00:                     // nop
    case 0x0a:                     // remember_state
    case 0x0b: return;             // restore_state
    case 0x01: return in.skip(8);  // set_loc
    case 0x02: return in.skip(1);  // advance_loc1, 2 and 4
    case 0x03: return in.skip(2);
    case 0x04: return in.skip(4);
    case 0x06:                          // restore_extended
    case 0x07:                          // undefined
    case 0x08:                          // same_value
    case 0x0d: return void(in.uleb());  // def_cfa_register
    case 0x05:                          // offset_extended, also signed; register; val_offset
    case 0x09:
    case 0x11:
    case 0x14:
    case 0x15: in.uleb(); return void(in.uleb());
    case 0x10:  // expression and val_expression: a register and a block
    case 0x16: in.uleb(); return in.skip(in.uleb());
    default: throw CubinError(fmt::format(".debug_frame has the unknown instruction {:#x}", op));
  }
}

/// The frame of the function whose instructions these are.
int frame_of(std::span<const std::byte> instructions) {
  std::uint64_t most = 0;
  for (Cursor in(instructions); !in.done();) {
    std::uint8_t op = in.byte();
    if (op >= 0xc0 || (op & 0xc0) == 0x40) continue;  // restore, advance_loc: no operands
    if (op >= 0x80) {                                 // offset
      in.uleb();
    } else if (op == 0x0c) {  // def_cfa: a register and the distance from it
      in.uleb();
      most = std::max(most, in.uleb());
    } else if (op == 0x0e) {  // def_cfa_offset
      most = std::max(most, in.uleb());
    } else {
      skip_operands(in, op);
    }
  }
  if (most > 0x7fffffff) throw CubinError(fmt::format("a frame of {} bytes is absurd", most));
  return static_cast<int>(most);
}

/// The section of the symbol with this number.
const Section* section_of(const Cubin& cubin, const Section& symbols, std::uint64_t number) {
  auto symbol = read<elf::Symbol>(symbols.bytes, number * sizeof(elf::Symbol), "a symbol");
  return symbol.shndx < cubin.sections().size() ? &cubin.sections()[symbol.shndx] : nullptr;
}

/// The section that the 8 bytes at `offset` of the table point into; null when no relocation says.
const Section* section_at(const Cubin& cubin, std::uint64_t offset) {
  for (const Section& s : cubin.sections()) {
    bool rela = s.type == elf::type_rela && s.name == ".rela.debug_frame";
    if (!rela && !(s.type == elf::type_rel && s.name == ".rel.debug_frame")) continue;
    if (s.link >= cubin.sections().size()) continue;
    const std::uint64_t size = rela ? 24 : 16;  // offset, info and, in RELA, an addend
    for (std::uint64_t at = 0; at + size <= s.bytes.size(); at += size) {
      if (read<std::uint64_t>(s.bytes, at, s.name) != offset) continue;
      const std::uint64_t info = read<std::uint64_t>(s.bytes, at + 8, s.name);
      return section_of(cubin, cubin.sections()[s.link], info >> 32);
    }
  }
  return nullptr;
}

}  // namespace

std::optional<int> deepest_frame(const Cubin& cubin, const KernelRecord& kernel) {
  const Section* table = cubin.section(table_name);
  if (!table) return {};
  constexpr std::uint64_t head = 12, entry = 24;  // mark and length; then id, place and extent
  std::optional<int> most;
  for (std::uint64_t at = 0; at < table->bytes.size();) {
    if (read<std::uint32_t>(table->bytes, at, table_name) != 0xffffffff)
      throw CubinError(".debug_frame has an entry whose length is not of 64 bits");
    const std::uint64_t length = read<std::uint64_t>(table->bytes, at + 4, table_name);
    const auto body = part(table->bytes, at + head, length, table_name);
    const bool common = read<std::uint64_t>(body, 0, table_name) == ~std::uint64_t{0};
    const Section* code = common ? nullptr : section_at(cubin, at + head + 8);
    if (code && code->bytes.data() == kernel.text.data()) {
      int frame =
          frame_of(part(body, entry, body.size() - std::min(body.size(), entry), table_name));
      most = std::max(most.value_or(0), frame);
    }
    at += head + length;
  }
  return most;
}

}  // namespace barline::codegen
