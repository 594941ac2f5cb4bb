// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "tests/codegen/lower_fixture.h"

namespace barline::codegen::test {
namespace {

using ir::Elem;
using ir::Key;
using ir::Op;
using Strings = std::vector<std::string>;

constexpr const char* in_f32 = "param %x: in ptr<f32, global> [n]\n";
constexpr const char* inout_f32 = "param %x: inout ptr<f32, global> [n]\n";

std::string braces(const std::string& attrs) { return attrs.empty() ? "" : "{" + attrs + "}"; }

/// The instruction (without its registers) that a load with these attributes becomes.
std::string load_instruction(const std::string& attrs, const char* params = in_f32) {
  const ir::Kernel k = from_text(params, "%v = load %x, %t " + braces(attrs) + " : f32\n");
  const Strings found = find_lines(emit_ptx(k, target("sm_90a")), "ld.");
  for (const std::string& line : found)
    if (!has(line, "ld.param")) return line.substr(0, line.find(' '));
  return "none";
}

std::string store_instruction(const std::string& attrs) {
  const ir::Kernel k = from_text("param %x: out ptr<f32, global> [n]\nparam %a: f32\n",
                                 "store %x, %t, %a " + braces(attrs) + "\n");
  const Strings found = find_lines(emit_ptx(k, target("sm_90a")), "st.");
  return found.empty() ? "none" : found.back().substr(0, found.back().find(' '));
}

ir::Kernel offsets() {
  return from_text(in_f32,
                   "%five = const {value = 5} : s32\n"
                   "%a = load %x, %t {offset = 2} : f32\n"
                   "%b = load %x, %t {offset = -3} : f32\n"
                   "%c = load %x, %five {offset = 1} : f32\n"
                   "%d = load %x, %t {offset = 8388608} : f32\n");
}

/// Every type as scalar and vector, through global and shared memory, with and without a predicate.
void every_access(KernelMaker& m) {
  const ir::ValueId active =
      m.b().compare(ir::Compare::Lt, m.thread(), m.b().constant(Elem::S32, 7));
  for (int i = 0; i < ir::elem_count; ++i) {
    const Elem e = static_cast<Elem>(i);
    const auto slot = m.slot(e, 256, 2);
    const auto in = m.pointer(e, ir::Access::In), out = m.pointer(e, ir::Access::Out);
    for (int lanes : {1, 2, 4, 8, 16}) {
      const ir::Type t = lanes == 1 ? ir::scalar(e) : ir::vector(e, lanes);
      auto v = m.b().emit(Op::Load, t, {in, m.thread()}, {{Key::Offset, 16, {}}});
      if (lanes > 1 || ir::bits(e) != 4) {
        const auto at = m.b().emit(Op::SlotAt, {slot, m.thread()});
        m.b().emit(Op::Store, {at, m.thread(), v});
        m.b().emit(Op::Store, {slot, m.thread(), v, active});
        v = m.b().emit(Op::Load, t, {at, m.thread(), active}, {{Key::Offset, 32, {}}});
        m.b().emit(Op::Store, {out, m.thread(), v, active});
      }
      m.b().emit(Op::Store, {out, m.thread(), m.b().emit(Op::Load, t, {in, m.thread(), active})});
      if (lanes == 1 && ir::bits(e) == 4) m.b().region().ops.pop_back();
    }
  }
}

}  // namespace

TEST_CASE("a load says how it orders and caches", "[codegen][lower]") {
  CHECK(load_instruction("") == "ld.global.f32");
  CHECK(load_instruction("order = const") == "ld.global.nc.f32");
  CHECK(load_instruction("order = const, cache = streaming") == "ld.global.cs.nc.f32");
  CHECK(load_instruction("order = const, cache = no_allocate") ==
        "ld.global.nc.L1::no_allocate.f32");
  CHECK(load_instruction("cache = last_use") == "ld.global.lu.f32");
  CHECK(load_instruction("cache = evict_last") == "ld.global.L1::evict_last.f32");
  CHECK(load_instruction("order = relaxed, scope = gpu") == "ld.relaxed.gpu.global.f32");
  CHECK(load_instruction("order = relaxed, scope = sys, cache = global") ==
        "ld.relaxed.sys.global.f32");
  CHECK(load_instruction("order = acquire") == "ld.acquire.gpu.global.f32");
}

TEST_CASE("only a load that says const is read-only, whatever the parameter", "[codegen][lower]") {
  CHECK(load_instruction("", in_f32) == "ld.global.f32");
  CHECK(load_instruction("", inout_f32) == "ld.global.f32");
}

TEST_CASE("a store says how it orders and caches", "[codegen][lower]") {
  CHECK(store_instruction("") == "st.global.f32");
  CHECK(store_instruction("cache = streaming") == "st.global.cs.f32");
  CHECK(store_instruction("cache = write_through") == "st.global.wt.f32");
  CHECK(store_instruction("cache = evict_first") == "st.global.L1::evict_first.f32");
  CHECK(store_instruction("order = release, scope = cta") == "st.release.cta.global.f32");
}

TEST_CASE("a prefetch names its line and may be masked", "[codegen][lower]") {
  const ir::Kernel k = from_text(in_f32,
                                 "prefetch %x, %t {offset = 32}\n"
                                 "%zero = const {value = 0} : s32\n"
                                 "%first = cmp %t, %zero {pred = eq} : i1\n"
                                 "prefetch %x, %t, %first\n%v = load %x, %t : f32\n");
  const std::string ptx = emit_ptx(k, target("sm_80"));
  INFO(ptx);
  const Strings hints = find_lines(ptx, "prefetch.global.L2");
  REQUIRE(hints.size() == 2);
  CHECK(has(hints[0], "+128]"));
  CHECK_FALSE(has(hints[0], "@%p"));
  CHECK(has(hints[1], "@%p"));
  CHECK(ptx.find(hints[1]) < ptx.find("ld.global"));
}

TEST_CASE("eviction priorities ask for the PTX ISA that has them", "[codegen][lower]") {
  const ir::Kernel k = from_text(in_f32, "%v = load %x, %t {cache = evict_first} : f32\n");
  CHECK(ptx_isa(k, target("sm_80")) == 74);
  CHECK(ptx_isa(k, target("sm_90a")) == 80);
  CHECK(ptx_isa(from_text(in_f32, "%v = load %x, %t : f32\n"), target("sm_80")) == 70);
}

TEST_CASE("offsets and constant indices go into the instruction", "[codegen][lower]") {
  const Strings loads = find_lines(emit_ptx(offsets(), target("sm_80")), "ld.global");
  REQUIRE(loads.size() == 4);
  CHECK(has(loads[0], "+8]"));
  CHECK(has(loads[1], "+-12]"));
  CHECK(has(loads[2], "+24]"));
  CHECK_FALSE(has(loads[3], "+"));  // too far for an immediate
}

TEST_CASE("signed indices extend by their sign, unsigned ones by zero", "[codegen][lower]") {
  const ir::Kernel k = from_text("param %x: in ptr<f32, global> [n]\nparam %u: u32\n",
                                 "%a = load %x, %t : f32\n%b = load %x, %u : f32\n");
  const std::string ptx = emit_ptx(k, target("sm_80"));
  CHECK(has(ptx, "mul.wide.s32"));
  CHECK(has(ptx, "mul.wide.u32"));
}

TEST_CASE("shared addresses stay in 32 bits and slots follow each other", "[codegen][lower]") {
  const ir::Kernel k = from_text("slot %a: f32[3] x 1\nslot %b: f16[64] x 2\nparam %v: f32\n",
                                 "%h = const {value = 1.0} : f16\n"
                                 "store %a, %t, %v\n"
                                 "store %b, %t, %h\n");
  const std::string ptx = emit_ptx(k, target("sm_90a"));
  CHECK(has(ptx, ".extern .shared .align 16 .b8 barline_slots[];"));
  CHECK_FALSE(has(ptx, "add.s64"));
  CHECK(has(ptx, "+16]"));  // slot b behind slot a, which takes 12 bytes
}

TEST_CASE("a masked load leaves zeros and touches no memory", "[codegen][lower]") {
  const ir::Kernel k = from_text(in_f32,
                                 "%seven = const {value = 7} : s32\n"
                                 "%p = cmp %t, %seven {pred = lt} : i1\n"
                                 "%v = load %x, %t, %p : vec<f32 x 4>\n");
  const std::string ptx = emit_ptx(k, target("sm_80"));
  CHECK(find_lines(ptx, "mov.b32").front().find("0; mov.b32") != std::string::npos);
  CHECK(find_lines(ptx, "@%p1 ld.global.v4.f32").size() == 1);
}

TEST_CASE("vectors move in as few instructions as 16 bytes allow", "[codegen][lower]") {
  struct Case {
    const char* type;
    const char* vector;
    std::size_t count;
    const char* suffix;
  };
  for (const Case& c :
       {Case{"f32", "vec<f32 x 8>", 2, ".v4.f32"}, Case{"f16", "vec<f16 x 8>", 1, ".v4.b32"},
        Case{"s8", "vec<s8 x 16>", 1, ".v4.b32"}, Case{"u4", "vec<u4 x 8>", 1, ".b32"},
        Case{"e2m1", "vec<e2m1 x 16>", 1, ".v2.b32"}, Case{"f64", "vec<f64 x 4>", 2, ".v2.f64"}}) {
    const ir::Kernel k = from_text(fmt::format("param %x: in ptr<{}, global> [n]\n", c.type),
                                   fmt::format("%v = load %x, %t : {}\n", c.vector));
    const Strings loads = find_lines(emit_ptx(k, target("sm_80")), "ld.global");
    INFO(c.vector);
    REQUIRE(loads.size() == c.count);
    CHECK(has(loads[0], c.suffix));
  }
}

TEST_CASE("a store of one nibble is refused", "[codegen][lower]") {
  const ir::Kernel k = from_text("param %x: out ptr<u4, global> [n]\n",
                                 "%v = const {value = 0x3} : u4\nstore %x, %t, %v\n");
  CHECK_THROWS_WITH(emit_ptx(k, target("sm_80")), Catch::Contains("store of one u4"));
}

TEST_CASE("accesses keep their order among each other and around barriers", "[codegen][lower]") {
  const ir::Kernel k = from_text("param %x: inout ptr<f32, global> [n]\nslot %s: f32[64] x 1\n",
                                 "%a = load %x, %t : f32\n"
                                 "store %s, %t, %a\n"
                                 "barrier\n"
                                 "%b = load %s, %t {offset = 0} : f32\n"
                                 "store %x, %t, %b\n"
                                 "%c = load %x, %t {offset = 1} : f32\n");
  Strings seen;
  for (const std::string& line : lines(emit_ptx(k, target("sm_90a"))))
    for (const char* name : {"ld.global", "st.global", "ld.shared", "st.shared", "bar.sync"})
      if (has(line, name)) seen.push_back(name);
  CHECK(seen ==
        Strings{"ld.global", "st.shared", "bar.sync", "ld.shared", "st.global", "ld.global"});
}

TEST_CASE("every access assembles for every target", "[codegen][lower][ptxas]") {
  KernelMaker m;
  every_access(m);
  assemble_all_targets(m.kernel());
  assemble_all_targets(offsets());
}

TEST_CASE("every order and cache hint assembles for every target", "[codegen][lower][ptxas]") {
  std::string body = "%one = const {value = 1.0} : f32\n";
  int n = 0;
  for (const char* cache : {"all", "global", "streaming", "last_use", "write_through",
                            "evict_first", "evict_last", "no_allocate"}) {
    for (const char* order : {"weak", "relaxed", "acquire"})
      body += fmt::format("%v{} = load %y, %t {{order = {}, scope = gpu, cache = {}}} : f32\n", n++,
                          order, cache);
    body += fmt::format("%v{} = load %x, %t {{order = const, cache = {}}} : f32\n", n++, cache);
    for (const char* order : {"weak", "relaxed", "release"})
      body +=
          fmt::format("store %y, %t, %one {{order = {}, scope = sys, cache = {}}}\n", order, cache);
  }
  assemble_all_targets(
      from_text("param %x: in ptr<f32, global> [n]\nparam %y: inout ptr<f32, global> [n]\n", body));
}

}  // namespace barline::codegen::test
