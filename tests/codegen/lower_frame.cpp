// SPDX-License-Identifier: Apache-2.0
// The frame around a kernel's ops: signature, launch bounds, line table, debugging, faults,
// threads.
#include <chrono>
#include <thread>

#include "tests/codegen/lower_fixture.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

namespace barline::codegen::test {
namespace {

using Strings = std::vector<std::string>;

constexpr const char* copy_body = "%v = load %x, %t : f32\nstore %y, %t, %v\n";
constexpr const char* copy_header =
    "param %x: in ptr<f32, global> [n]\nparam %y: out ptr<f32, global> [n]\n";

/// What is allocated while one lives is no leak.
struct NoLeakCheck {
#ifdef __SANITIZE_ADDRESS__
  NoLeakCheck() { __lsan_disable(); }
  ~NoLeakCheck() { __lsan_enable(); }
#else
  NoLeakCheck() {}
#endif
};

ir::Kernel copy_kernel() { return from_text(copy_header, copy_body); }

}  // namespace

TEST_CASE("parameters come in order, then the sizes of the dynamic axes", "[codegen][lower]") {
  const ir::Kernel k = ir::parse(
      "bir 1\nkernel @two\naxis m\naxis fixed = 8\naxis n\n"
      "param %x: in ptr<f16, global> [m, fixed, n]\nparam %a: f32\nparam %b: s8\nparam %h: f16\n"
      "param %d: f64\nsize %m\nsize %n\nthreads 32 1 1\ngrid m/1 1 1\n{\nyield\n}\n");
  const std::string ptx = emit_ptx(k, target("sm_90a"));
  CHECK(has(ptx, ".visible .entry two("));
  Strings types;
  for (const std::string& line : find_lines(ptx, ".param ."))
    if (has(line, "_param_")) types.push_back(line.substr(7, line.find(' ', 7) - 7));
  CHECK(types == Strings{".u64", ".f32", ".u8", ".u16", ".f64", ".u32", ".u32"});
}

TEST_CASE("launch bounds reach the entry", "[codegen][lower]") {
  ir::Kernel k = copy_kernel();
  k.launch.threads[1] = 4;
  k.launch.min_ctas_per_sm = 2;
  const std::string ptx = emit_ptx(k, target("sm_90a"));
  CHECK(has(ptx, ".maxntid 64, 4, 1"));
  CHECK(has(ptx, ".minnctapersm 2"));
  k.launch.min_ctas_per_sm = 0;
  k.launch.max_registers = 40;
  CHECK(has(emit_ptx(k, target("sm_90a")), ".maxnreg 40"));
}

TEST_CASE("a target's PTX is the oldest that it needs", "[codegen][lower]") {
  const ir::Kernel k = copy_kernel();
  CHECK(has(emit_ptx(k, target("sm_80")), ".version 7.0\n.target sm_80\n"));
  CHECK(has(emit_ptx(k, target("sm_89")), ".version 7.8\n.target sm_89\n"));
  CHECK(has(emit_ptx(k, target("sm_90a")), ".version 8.0\n.target sm_90a\n"));
  CHECK(has(emit_ptx(k, target("sm_121")), ".version 8.0\n.target sm_90\n"));
}

TEST_CASE("identity is the thread's place in a block of any shape", "[codegen][lower][ptxas]") {
  KernelMaker m;
  for (int dim = 0; dim < 3; ++dim)
    for (ir::Op op : {ir::Op::ThreadId, ir::Op::BlockId, ir::Op::GridDim})
      m.output(m.b().emit(op, {}, {{ir::Key::Dim, dim, {}}}));
  for (ir::Op op : {ir::Op::ThreadRank, ir::Op::LaneId, ir::Op::WarpId})
    m.output(m.b().emit(op, {}));
  ir::Kernel k = m.kernel();
  CHECK(has(emit_ptx(k, target("sm_80")), "%tid.x"));
  k.launch.threads[0] = 8;
  k.launch.threads[1] = 4;
  k.launch.threads[2] = 2;
  const std::string ptx = emit_ptx(k, target("sm_80"));
  CHECK(has(ptx, "%nctaid.z"));
  CHECK(find_lines(ptx, "mad.lo.s32").size() + find_lines(ptx, "shl.b32").size() >= 2);
  assemble_all_targets(k);
}

TEST_CASE("a line table leads back to the author's files", "[codegen][lower]") {
  ir::Kernel k = copy_kernel();
  k.body.ops[1].loc = {"kernels/copy.cpp", 12, 5};
  k.body.ops[2].loc = {"dsl/tile.h", 99, 1};
  const std::string ptx = emit_ptx(k, target("sm_90a"), {.lineinfo = true});
  CHECK(find_lines(ptx, ".file").size() >= 2);
  CHECK(has(ptx, "\"kernels/copy.cpp\""));
  CHECK(has(ptx, "\"dsl/tile.h\""));
  CHECK(find_lines(ptx, ".loc").size() >= 2);
  CHECK_FALSE(find_lines(ptx, " 12 5").empty());
  CHECK_FALSE(has(ptx, ".section .debug"));
  CHECK_FALSE(has(emit_ptx(k, target("sm_90a")), ".loc"));
}

TEST_CASE("a line table changes no instruction", "[codegen][lower][ptxas]") {
  const ir::Kernel k = copy_kernel();
  const Compiled plain = compile(k, target("sm_90a"), ptxas());
  const Compiled with = compile(k, target("sm_90a"), ptxas(), {.lineinfo = true});
  CHECK(std::equal(plain.record.text.begin(), plain.record.text.end(), with.record.text.begin(),
                   with.record.text.end()));
  const Cubin cubin = Cubin::parse(with.cubin);
  CHECK(cubin.section(".debug_line"));
}

TEST_CASE("print and check say where they stand", "[codegen][lower][ptxas]") {
  const char* body =
      "%v = load %x, %t : f32\n"
      "%h = cast %v : f16\n"
      "%z = const {value = 0} : s32\n"
      "%p = cmp %t, %z {pred = ge} : i1\n"
      "print %t, %v, %h, %p {message = \"100% of\"} @ \"k.cpp\":4:2\n"
      "check %p {message = \"t is negative\"} @ \"k.cpp\":5:2\n"
      "store %y, %t, %v\n";
  ir::Kernel k = from_text(copy_header, body);
  k.debug = true;
  const std::string ptx = emit_ptx(k, target("sm_90a"));
  CHECK(has(ptx, "vprintf"));
  CHECK(has(ptx, "trap;"));
  const std::string llvm = emit_llvm(k, target("sm_90a"));
  CHECK(has(llvm, "100%% of (k.cpp:4)"));
  CHECK(has(llvm, "check failed: t is negative (k.cpp:5)"));
  for (const ir::Target& t : ir::targets()) CHECK(compile(k, t, ptxas()).report.spill_stores == 0);
}

TEST_CASE("a target that LLVM does not know is refused, not replaced", "[codegen][lower]") {
  ir::Target unknown = target("sm_90a");
  unknown.ptx = "sm_100a";
  CHECK_THROWS_AS(emit_ptx(copy_kernel(), unknown), CodegenError);
  CHECK_THROWS_WITH(emit_ptx(copy_kernel(), unknown), Catch::Contains("sm_100a"));
}

TEST_CASE("an error that LLVM calls fatal is an exception, and the next call works",
          "[codegen][lower]") {
  KernelMaker m;
  m.output(
      m.b().emit(ir::Op::Shuffle, {m.input(ir::Elem::U32), m.thread()}, {{ir::Key::Mode, 0, {}}}));
  const ir::Kernel& k = m.kernel();
  ir::Target old = target("sm_80");
  old.ptx = "sm_20";  // known to LLVM, but without warp shuffles: "Cannot select"
  {
    const NoLeakCheck known;  // LLVM frees nothing on the way out
    CHECK_THROWS_AS(emit_ptx(k, old), CodegenError);
    CHECK_THROWS_WITH(emit_ptx(k, old), Catch::Contains("LLVM gave up"));
  }
  CHECK(has(emit_ptx(copy_kernel(), target("sm_90a")), "ld.global.f32"));
}

TEST_CASE("two threads compile at once and get the same text", "[codegen][lower]") {
  const ir::Kernel k = copy_kernel();
  const std::string want = emit_ptx(k, target("sm_90a"));
  std::vector<std::string> got(4);
  std::vector<std::thread> threads;
  for (std::string& text : got)
    threads.emplace_back([&] {
      for (int i = 0; i < 5; ++i) text = emit_ptx(k, target("sm_90a"));
    });
  for (std::thread& t : threads) t.join();
  for (const std::string& text : got) CHECK(text == want);
}

TEST_CASE("a small kernel compiles within the times that a cold start allows",
          "[codegen][lower][ptxas][.bench]") {
  const ir::Kernel k = copy_kernel();
  double ptx = 1e9, all = 1e9;
  for (int i = 0; i < 5; ++i) {
    const Compiled c = compile(k, target("sm_90a"), ptxas());
    ptx = std::min(ptx, c.times.ptx_ms);
    all = std::min(all, c.times.total());
  }
  WARN("PTX " << ptx << " ms, all " << all << " ms");
  CHECK(ptx < 10);
  CHECK(all < 80);
}

}  // namespace barline::codegen::test
