// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "tests/codegen/lower_fixture.h"

namespace barline::codegen::test {
namespace {

using ir::Elem;
using ir::Key;
using ir::Op;

constexpr const char* counter = "param %c: inout ptr<u32, global> [n]\nparam %v: u32\n";

std::string ptx_of(const std::string& body, const char* sm = "sm_90a") {
  return emit_ptx(from_text(counter, body), target(sm));
}

std::string every_atomic() {
  std::string header, body;
  int n = 0;
  for (const char* type : {"s32", "u32", "s64", "u64", "f32"}) {
    header += fmt::format("param %g{0}: inout ptr<{0}, global> [n]\nparam %v{0}: {0}\n", type);
    header += fmt::format("param %o{0}: out ptr<{0}, global> [n]\n", type);
  }
  for (const char* type : {"s32", "u32", "s64", "u64", "f32"})
    header += fmt::format("slot %s{0}: {0}[64] x 1\n", type);
  for (const std::string type : {"s32", "u32", "s64", "u64", "f32"}) {
    for (const char* rmw : {"add", "min", "max", "and", "or", "xor", "exchange"}) {
      if (type == "f32" && rmw != std::string("add")) continue;
      for (const char* order : {"relaxed", "acquire", "release", "acq_rel"})
        for (const char* space : {"g", "s"}) {
          const std::string attrs =
              fmt::format("{{rmw = {}, order = {}, scope = gpu}}", rmw, order);
          body +=
              fmt::format("%r{0} = atomic %{1}{2}, %t, %v{2} {3} : {2}\n", n, space, type, attrs);
          if (n++ % 2) body += fmt::format("store %o{0}, %t, %r{1}\n", type, n - 1);
        }
    }
    if (type == "f32") continue;
    body += fmt::format("%r{0} = atomic_cas %g{1}, %t, %v{1}, %v{1} {{scope = sys}} : {1}\n", n++,
                        type);
  }
  return header + "\x01" + body;
}

void every_shuffle(KernelMaker& m) {
  for (int i = 0; i < ir::elem_count; ++i) {
    const ir::ValueId v = m.input(static_cast<Elem>(i));
    for (int mode = 0; mode < 4; ++mode)
      for (const ir::ValueId n : {m.b().constant(Elem::S32, 3), m.thread()})
        m.output(m.b().emit(Op::Shuffle, {v, n}, {{Key::Mode, mode, {}}}));
  }
  const ir::ValueId p = m.input(Elem::I1);
  for (int mode = 0; mode < 2; ++mode)
    m.output(m.b().emit(Op::Vote, ir::scalar(Elem::I1), {p}, {{Key::Vote, mode, {}}}));
  m.output(m.b().emit(Op::Vote, ir::scalar(Elem::U32), {p}, {{Key::Vote, 2, {}}}));
  m.b().emit(Op::WarpSync, {});
}

}  // namespace

TEST_CASE("an atomic carries its order and scope", "[codegen][lower]") {
  const std::string ptx =
      ptx_of("%o = atomic %c, %t, %v {rmw = add, order = acq_rel, scope = gpu} : u32\n");
  CHECK(has(ptx, "atom.acq_rel.gpu.global.add.u32"));
}

TEST_CASE("an atomic without a user is a reduction, if its order allows", "[codegen][lower]") {
  CHECK(has(ptx_of("%o = atomic %c, %t, %v {rmw = add, order = release, scope = gpu} : u32\n"),
            "red.release.gpu.global.add.u32"));
  CHECK(has(ptx_of("%o = atomic %c, %t, %v {rmw = exchange} : u32\n"),
            "atom.relaxed.gpu.global.exch.b32"));
  CHECK(has(ptx_of("%o = atomic %c, %t, %v {rmw = max, offset = 4} : u32\nstore %c, %t, %o\n"),
            "atom.relaxed.gpu.global.max.u32"));
}

TEST_CASE("without a scope an atomic or fence holds for the whole GPU", "[codegen][lower]") {
  CHECK(has(ptx_of("fence\n"), "fence.acq_rel.gpu;"));
  CHECK(has(ptx_of("fence {scope = sys}\n"), "fence.acq_rel.sys;"));
}

TEST_CASE("cluster scope needs a target with clusters", "[codegen][lower]") {
  CHECK(has(ptx_of("fence {scope = cluster}\n", "sm_90a"), "fence.acq_rel.cluster;"));
  CHECK_THROWS_WITH(ptx_of("fence {scope = cluster}\n", "sm_86"),
                    Catch::Contains("sm_86 has no clusters"));
}

TEST_CASE("a shuffle takes one instruction for 32 bits and two for 64", "[codegen][lower]") {
  for (auto [e, count] : {std::pair{Elem::F16, 1u}, {Elem::F32, 1u}, {Elem::F64, 2u}}) {
    KernelMaker m;
    m.output(
        m.b().emit(Op::Shuffle, {m.input(e), m.b().constant(Elem::S32, 16)}, {{Key::Mode, 0, {}}}));
    const std::string ptx = emit_ptx(m.kernel(), target("sm_80"));
    CHECK(find_lines(ptx, "shfl.sync.bfly.b32").size() == count);
    CHECK(find_lines(ptx, ", 16, 31, -1;").size() == count);
  }
}

TEST_CASE("a lane past the warp gives this lane's own value", "[codegen][lower]") {
  KernelMaker m;
  m.output(m.b().emit(Op::Shuffle, {m.input(Elem::U32), m.thread()}, {{Key::Mode, 1, {}}}));
  const std::string ptx = emit_ptx(m.kernel(), target("sm_80"));
  CHECK(has(ptx, "sub.s32"));
  CHECK(has(ptx, "shfl.sync.idx.b32"));
  CHECK(has(ptx, "setp.lt.u32"));
  CHECK(has(ptx, "selp"));
}

TEST_CASE("barriers and warp syncs are the full block's and the full warp's", "[codegen][lower]") {
  const std::string ptx = ptx_of("barrier {why = \"test\"}\nwarp_sync\n");
  CHECK(has(ptx, "bar.sync"));
  CHECK(has(ptx, "bar.warp.sync"));
}

TEST_CASE("atomics assemble for every target", "[codegen][lower][ptxas]") {
  const std::string both = every_atomic();
  const std::size_t cut = both.find('\x01');
  assemble_all_targets(from_text(both.substr(0, cut), both.substr(cut + 1)));
}

TEST_CASE("warp operations assemble for every target", "[codegen][lower][ptxas]") {
  KernelMaker m;
  every_shuffle(m);
  assemble_all_targets(m.kernel());
}

}  // namespace barline::codegen::test
