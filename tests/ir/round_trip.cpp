// SPDX-License-Identifier: Apache-2.0
// The text holds all of a kernel: what is printed reads back the same, for every row of ops.def,
// every attribute, every type and every literal.
#include <bit>
#include <catch2/catch.hpp>

#include "ir/builder.h"
#include "ir/check.h"
#include "ir/parse.h"
#include "ir/print.h"

using namespace barline;
using namespace barline::ir;

namespace {

void round_trip(const Kernel& k) {
  std::string text = print(k);
  INFO(text);
  CHECK(print(parse(text, "again.bir")) == text);
}

/// A frame for one op: text only, the rules are check()'s.
Kernel frame() {
  Kernel k;
  k.name = "k";
  k.launch.threads[0] = 32;
  return k;
}

/// An op of the row with operands of some type, every attribute at `value`, regions and a result.
void append_row(Kernel& k, Op row, std::int64_t value) {
  const OpDef& d = def(row);
  Builder b(k);
  Operation op{.op = row, .in = {}, .out = {}, .attrs = {}, .regions = {}, .loc = {}};
  for (int i = 0; i < d.in_count(); ++i) op.in.push_back(b.constant(Elem::S32, i));
  for (Key key : d.attrs) {
    if (key == Key::None) continue;
    auto all = spellings(info(key).kind);
    if (info(key).kind == AttrKind::String) {
      op.set(key, std::string("why \"quoted\" \\ and\nlines"));
    } else {
      op.set(key, all.empty() ? value : value % static_cast<std::int64_t>(all.size()));
    }
  }
  for (int r = 0; r < d.regions; ++r) {
    Region& region = op.regions.emplace_back();
    region.args.push_back(k.new_value(scalar(Elem::F32)));
    region.ops.push_back(
        {.op = Op::Yield, .in = region.args, .out = {}, .attrs = {}, .regions = {}, .loc = {}});
  }
  if (d.out_count()) op.out.push_back(k.new_value(scalar(Elem::S32)));
  b.append(std::move(op));
}

Kernel constant(Elem e, std::uint64_t bits) {
  Kernel k = frame();
  Builder(k).constant_bits(e, bits);
  return k;
}

std::uint64_t value_of(const Kernel& k) {
  return static_cast<std::uint64_t>(k.body.ops.at(0).attr(Key::Value));
}

}  // namespace

TEST_CASE("every row of ops.def and every spelling of its attributes round-trips", "[ir]") {
  for (int row = 0; row < op_count; ++row)
    for (std::int64_t value = 0; value < 8; ++value) {
      Kernel k = frame();
      append_row(k, static_cast<Op>(row), value);
      INFO(name(static_cast<Op>(row)));
      round_trip(k);
      Kernel back = parse(print(k), "again.bir");
      CHECK(back.body.ops.back().op == static_cast<Op>(row));
      CHECK(back.body.ops.back().attrs.size() == k.body.ops.back().attrs.size());
    }
}

TEST_CASE("every op without operands may be followed by one with a result", "[ir]") {
  for (int first = 0; first < op_count; ++first)
    for (Op second : {Op::ThreadRank, Op::Const}) {
      Kernel k = frame();
      append_row(k, static_cast<Op>(first), 1);
      append_row(k, second, 1);
      round_trip(k);
    }
}

TEST_CASE("every element type round-trips as scalar, vector, pointer, slot and tile", "[ir]") {
  for (int i = 0; i < elem_count; ++i) {
    Elem e = static_cast<Elem>(i);
    Kernel k = frame();
    k.axes.push_back({.name = "d", .bound = 64, .multiple = 4});
    k.axes.push_back({.name = "n", .bound = {}, .multiple = 8});
    k.axis_sizes = {no_value, k.new_value(scalar(Elem::S32), "n")};
    k.layouts.push_back(stripe_layout("d", {.axis = 0, .vec = 2, .threads = 32, .chunks = 1}));
    for (Access access : {Access::In, Access::Out, Access::InOut}) {
      std::string name = "p" + std::to_string(static_cast<int>(access));
      ValueId v = k.new_value(pointer(e, Space::Global), name);
      k.params.push_back({name, k.type(v), access, {0, 1}, v, {}});
    }
    ValueId s = k.new_value(scalar(e), "s");
    k.params.push_back({"s", scalar(e), Access::In, {}, s, {}});
    ValueId slot = k.new_value(pointer(e, Space::Shared), "b");
    k.slots.push_back({"b", e, 100, 3, slot, {}});
    k.config = "family.type@\"schedule\"";
    k.launch.cooperative = k.debug = k.timed = true;
    k.region_table = {{"a", barline::regions::Class::Work, ""},
                      {"b", barline::regions::Class::DynamicSingleBlock, "block.x < \"n\""}};
    k.launch.min_ctas_per_sm = 2;
    k.launch.max_registers = 128;
    k.launch.grid[0] = {.axis = 1, .per_block = 4, .count = 1};
    k.launch.grid[2].count = 7;
    Builder b(k);
    for (int lanes : {2, 4, 8, 16}) b.emit(Op::Load, vector(e, lanes), {k.params[0].value, s});
    b.emit(Op::TileLoad, tile(e, 0), {k.params[0].value, s});
    b.emit(Op::SlotAt, pointer(e, Space::Shared), {slot, s});
    b.emit(Op::Load, {.kind = Kind::Token}, {k.params[0].value, s});
    b.emit(Op::Load, {.kind = Kind::Cursor}, {k.params[0].value, s});
    round_trip(k);
    Kernel back = parse(print(k));
    CHECK(back.axes == k.axes);
    CHECK(back.layouts == k.layouts);
    CHECK(back.slots[0].copies == 3);
    CHECK(back.params[1].access == Access::Out);
    CHECK(back.launch.grid[0].per_block == 4);
    CHECK(back.launch.grid[2].count == 7);
    CHECK(back.config == k.config);
  }
}

TEST_CASE("every coordinate of a layout round-trips", "[ir]") {
  Kernel k = frame();
  k.axes.push_back({.name = "d", .bound = {}, .multiple = 1});
  k.axis_sizes.push_back(no_value);
  Layout all{"all", {}};
  for (int i = 0; i < 10; ++i) all.digits.push_back({static_cast<In>(i), i, 0, i + 1});
  k.layouts.push_back(all);
  round_trip(k);
  CHECK(parse(print(k)).layouts[0] == all);
}

TEST_CASE("literals keep their bits", "[ir]") {
  const std::uint64_t patterns[] = {0,
                                    1,
                                    2,
                                    0x7f,
                                    0x80,
                                    0xff,
                                    0x3c00,
                                    0x7bff,
                                    0x7c00,
                                    0x7e00,
                                    0x7fff,
                                    0x8000,
                                    0xffff,
                                    0x3f800000,
                                    0x7f7fffff,
                                    0x7f800000,
                                    0x7fc00000,
                                    0x7fffffff,
                                    0x80000000,
                                    0x80000001,
                                    0xff800000,
                                    0xffffffff,
                                    0x3dcccccd,
                                    0x00000123,
                                    0x7ff0000000000000,
                                    0x3ff0000000000000,
                                    0x7fefffffffffffff,
                                    0x7fffffffffffffff,
                                    0x8000000000000000,
                                    0x8000000000000001,
                                    0x3fb999999999999a,
                                    ~0ull};
  for (int i = 0; i < elem_count; ++i) {
    Elem e = static_cast<Elem>(i);
    for (std::uint64_t p : patterns) {
      std::uint64_t bits_of_e = bits(e) == 64 ? p : p & ((1ull << bits(e)) - 1);
      Kernel k = constant(e, bits_of_e);
      INFO(print(k));
      CHECK(value_of(parse(print(k))) == bits_of_e);
    }
  }
}

TEST_CASE("every f16 and bf16 literal keeps its bits", "[ir]") {
  for (Elem e : {Elem::F16, Elem::BF16})
    for (std::uint64_t p = 0; p < 65536; p += 7) {
      Kernel k = constant(e, p);
      if (value_of(parse(print(k))) != p) FAIL(print(k));
    }
}

TEST_CASE("locations are printed on demand and read back", "[ir]") {
  Kernel k = frame();
  Builder b(k);
  b.at({"a \"file\".cpp", 12, 34});
  b.constant(Elem::S32, 1);
  CHECK(print(k).find('@', 20) == std::string::npos);
  std::string text = print(k, {.locations = true});
  CHECK(parse(text).body.ops[0].loc == Loc{"a \"file\".cpp", 12, 34});
  CHECK(print(parse(text), {.locations = true}) == text);
  CHECK(parse(print(k), "f.bir").body.ops[0].loc == Loc{"f.bir", 6, 3});
}

TEST_CASE("spaces, comments and line breaks mean nothing", "[ir]") {
  Kernel k = parse(
      "// a comment\n bir 1 kernel @k // another\nthreads 32 1 1 grid 1 1 "
      "1{%a=const{value=1}:s32\nyield}");
  check(k);
  CHECK(k.body.ops.size() == 2);
}
