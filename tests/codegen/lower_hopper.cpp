// SPDX-License-Identifier: Apache-2.0
// Gates, copies that report to them, warpgroup products, clusters and neighbouring grids: the text
// of each op, what every other target says of it, and that ptxas takes them.
#include <fmt/format.h>

#include "tests/codegen/lower_fixture.h"

namespace barline::codegen::test {
namespace {

using Strings = std::vector<std::string>;

constexpr const char* header =
    "axis rows = 64\n"
    "param %x: in ptr<f16, global> [rows, n]\nparam %z: in ptr<f16, global> [rows, n]\n"
    "param %q: in ptr<u32, global> [n]\nparam %m: s32\n"
    "param %y: out ptr<f32, global> [n]\n"
    "slot %small: f16[8] x 1\nslot %s: f16[8192] x 2 align 1024\n"
    "slot %h: bf16[8192] x 1 align 1024\nslot %w: u32[1024] x 1\nslot %i: s8[8192] x 1 align 1024\n"
    "slot %f: f32[4096] x 1\ngate %full arrivals 1 x 2\ngate %empty arrivals 4 x 2\n";

// Places in shared memory: small 0, s 1024, h 33792, w 50176, i 54272, f 62464, full 78848.

/// A parsed kernel of two warpgroups.
ir::Kernel kernel(const std::string& body, const std::string& more = "") {
  return ir::parse("bir 1\nkernel @k\naxis n = 4096\n" + (header + more) +
                   "threads 256 1 1\ngrid 2 1 1\n{\n%t = thread_id {dim = 0} : s32\n"
                   "%c0 = const {value = 0} : s32\n%c1 = const {value = 1} : s32\n" +
                   body + "yield\n}\n");
}

std::string ptx_of(const std::string& body, const std::string& more = "") {
  return emit_ptx(kernel(body, more), target("sm_90a"));
}

/// The only line of the PTX that contains `part`.
std::string line_of(const std::string& ptx, const std::string& part) {
  const Strings found = find_lines(ptx, part);
  INFO(ptx);
  REQUIRE(found.size() == 1);
  return found[0];
}

std::string flights(int n, const std::string& e = "f32") {
  std::string text;
  for (int i = 0; i < n; ++i) text += fmt::format("{}flight<{} x 4>", i ? ", " : "", e);
  return text;
}

std::string names(const std::string& prefix, int n) {
  std::string text;
  for (int i = 0; i < n; ++i) text += fmt::format("{}%{}{}", i ? ", " : "", prefix, i);
  return text;
}

/// n accumulators of zeros, behind a fence, as %a0 ..
std::string accumulators(int n, const std::string& e = "f32") {
  std::string zeros;
  for (int i = 0; i < n; ++i) zeros += i ? ", %zero" : "%zero";
  return fmt::format(
      "%z0 = const {{value = {}}} : {}\n%zero = pack %z0, %z0, %z0, %z0 : vec<{} x 4>\n"
      "{} = wgmma_fence {} : {}\n",
      e == "f32" ? "0.0" : "0", e, e, names("a", n), zeros, flights(n, e));
}

/// Waits for %r0 .. and stores them.
std::string results(int n, const std::string& e = "f32") {
  std::string text = "wgmma_commit\n", vectors;
  for (int i = 0; i < n; ++i) vectors += fmt::format("{}vec<{} x 4>", i ? ", " : "", e);
  text += fmt::format("{} = wgmma_wait {} : {}\n", names("v", n), names("r", n), vectors);
  for (int i = 0; i < n && e == "f32"; ++i)
    text += fmt::format("store %y, %t, %v{} {{offset = {}}}\n", i, 512 * i);
  return text;
}

/// A product of n columns with a in registers; two steps of 16 along k.
std::string in_registers(int n, const std::string& attrs, const std::string& second) {
  const int j = n / 8;
  return "%av = load %s, %t : vec<f16 x 8>\n" + accumulators(j) +
         fmt::format("{} = wgmma %av, %s, %c0, {} {{{}}} : {}\n", names("b", j), names("a", j),
                     attrs, flights(j)) +
         fmt::format("{} = wgmma %av, %s, %c0, {} {{{}}} : {}\n", names("r", j), names("b", j),
                     second, flights(j)) +
         results(j);
}

std::string in_slots(int n, const std::string& slot, const std::string& attrs,
                     const std::string& e) {
  const int j = n / 8;
  return accumulators(j, e) +
         fmt::format("{} = wgmma_slots {}, %c0, {}, %c0, {} {{{}}} : {}\n", names("r", j), slot,
                     slot, names("a", j), attrs, flights(j, e)) +
         results(j, e);
}

const std::string copies =
    "%g = slot_at %full, %c1 : ptr<u64, shared>\n%to = slot_at %s, %c1 : ptr<f16, shared>\n"
    "arrive %g {bytes = 9216}\n"
    "copy_tensor %to, %c0, %x, %c1, %c0, %g {rows = 64, columns = 64, swizzled = 1}\n"
    "copy_bulk %w, %c0, %q, %m, %g {lanes = 256}\n";

}  // namespace

TEST_CASE("gates are made ready by one thread before the body", "[codegen][lower][hopper]") {
  const std::string ptx = ptx_of("await %empty, %c0\narrive %full\n");
  INFO(ptx);
  CHECK(find_lines(ptx, "mbarrier.init").size() == 4);
  CHECK(has(line_of(ptx, "+78848], 1;"), "mbarrier.init.shared::cta.b64"));
  CHECK(has(line_of(ptx, "+78896], 4;"), "mbarrier.init.shared::cta.b64"));
  const auto fence = ptx.find("fence.mbarrier_init.release.cluster;"),
             sync = ptx.find("bar.sync 0;"), wait = ptx.find("try_wait");
  CHECK(ptx.rfind("mbarrier.init") < fence);
  CHECK(fence < sync);
  CHECK(sync < wait);
}

TEST_CASE("slots begin where they ask, and so does the array of them", "[codegen][lower][hopper]") {
  const std::string ptx = ptx_of("%v = load %s, %c0 : f16\nstore %small, %c0, %v\n");
  CHECK(has(line_of(ptx, "barline_slots[]"), ".align 1024"));
  CHECK(has(line_of(ptx, "ld.shared"), "+1024]"));
}

TEST_CASE("an arrival announces bytes where it has some", "[codegen][lower][hopper]") {
  CHECK(line_of(ptx_of("arrive %full {bytes = 512}\n"), "mbarrier.arrive")
            .starts_with("mbarrier.arrive.expect_tx.shared::cta.b64 _, ["));
  const std::string plain = line_of(ptx_of("arrive %empty\n"), "mbarrier.arrive");
  CHECK(plain.starts_with("mbarrier.arrive.shared::cta.b64 _, ["));
  CHECK(has(plain, "+78880]"));
}

TEST_CASE("a wait looks at the lowest bit of the phase", "[codegen][lower][hopper]") {
  const std::string ptx = ptx_of("await %empty, %m\n");
  CHECK(
      line_of(ptx, "try_wait").starts_with("wait: mbarrier.try_wait.parity.shared::cta.b64 done"));
  line_of(ptx, "@!done bra wait;");
  line_of(ptx, "and.b32");
  // Phase -1 has gone by before the first: parity 1.
  const std::string before = ptx_of("%c = const {value = -1} : s32\nawait %empty, %c\n");
  CHECK(has(line_of(before, "mov.b32  %r"), ", 1;"));
}

TEST_CASE("a tensor copy names map, column and row", "[codegen][lower][hopper]") {
  const std::string ptx = ptx_of(copies);
  INFO(ptx);
  CHECK(has(line_of(ptx, ".param .align 64 .b8"), "k_param_5[128]"));
  line_of(ptx, "cvta.param.u64");
  CHECK(find_lines(ptx, "st.local").empty());  // no copy of the map is made
  const std::string copy = line_of(ptx, "cp.async.bulk.tensor");
  CHECK(
      copy.starts_with("cp.async.bulk.tensor.2d.shared::cluster.global.tile."
                       "mbarrier::complete_tx::bytes [%r"));
  // {column, row}: column 0, row 1.
  const std::string coordinates =
      copy.substr(copy.find('{') + 1, copy.find('}') - copy.find('{') - 1);
  const std::string col = coordinates.substr(0, coordinates.find(',')),
                    row = coordinates.substr(coordinates.find(',') + 2);
  CHECK(has(line_of(ptx, "mov.b32  " + col + ","), ", 0;"));
  CHECK(has(line_of(ptx, "mov.b32  " + row + ","), ", 1;"));
}

TEST_CASE("a tensor over more axes is copied by plane", "[codegen][lower][hopper]") {
  const std::string planes = "axis two = 2\nparam %p: in ptr<f16, global> [two, two, rows, n]\n";
  auto copy = [](const char* of, const char* plane) {
    return fmt::format(
        "copy_tensor %s, %c0, %{}, %c0, %c0, %full{} {{rows = 64, columns = 64, swizzled = 1}}\n",
        of, plane);
  };
  const std::string text = line_of(ptx_of(copy("p", ", %c1"), planes), "cp.async.bulk.tensor");
  CHECK(text.starts_with("cp.async.bulk.tensor.3d.shared::cluster.global.tile."));
  const auto from = text.find('{');
  const std::string coordinates = text.substr(from, text.find('}') - from);
  CHECK(std::count(coordinates.begin(), coordinates.end(), ',') == 2);
  CHECK_THROWS_WITH(ir::check(kernel(copy("p", ""), planes)),
                    Catch::Contains("from 'p' of 4 axes"));
  CHECK_THROWS_WITH(ir::check(kernel(copy("x", ", %c1"), planes)),
                    Catch::Contains("from 'x' of 2 axes, by plane"));
}

TEST_CASE("each box of each tensor has a map, chosen with the tensor", "[codegen][lower][hopper]") {
  const std::string body =
      "%p = choose %m, %x, %z, %x : ptr<f16, global>\n"
      "copy_tensor %s, %c0, %p, %c0, %c0, %full {rows = 64, columns = 64, swizzled = 1}\n"
      "copy_tensor %s, %c0, %x, %c0, %c0, %full {rows = 64, columns = 64, swizzled = 1}\n"
      "copy_tensor %s, %c0, %x, %c0, %c0, %full {rows = 32, columns = 64, swizzled = 1}\n";
  const std::string ptx = ptx_of(body);
  INFO(ptx);
  CHECK(find_lines(ptx, ".param .align 64 .b8").size() == 3);  // x, z; x in boxes of 32 rows
  CHECK(find_lines(ptx, "selp.b64").size() == 2);
}

TEST_CASE("a bulk copy counts bytes, and takes an L2 priority", "[codegen][lower][hopper]") {
  const std::string copy = line_of(ptx_of(copies), "cp.async.bulk.shared");
  CHECK(copy.starts_with("cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes"));
  CHECK(has(copy, ", 1024, ["));
  const std::string first =
      ptx_of("copy_bulk %w, %c0, %q, %m, %full {lanes = 256, cache = evict_first}\n");
  line_of(first, "createpolicy.fractional.L2::evict_first.b64");
  line_of(first, "complete_tx::bytes.L2::cache_hint");
}

TEST_CASE("boxes that the copy engine does not take are refused", "[codegen][lower][hopper]") {
  struct Case {
    const char *attrs, *what;
  };
  for (const Case& c : {Case{"rows = 257, columns = 64", "1 to 256 rows"},
                        Case{"rows = 8, columns = 12", "24 bytes is no multiple of 16"},
                        Case{"rows = 8, columns = 32, swizzled = 1", "64 bytes are swizzled"}}) {
    const ir::Kernel k =
        kernel(fmt::format("copy_tensor %s, %c0, %x, %c0, %c0, %full {{{}}}\n", c.attrs));
    CHECK_THROWS_WITH(emit_ptx(k, target("sm_90a")), Catch::Contains(c.what));
  }
  CHECK_THROWS_WITH(
      emit_ptx(kernel("copy_bulk %w, %c0, %q, %m, %full {lanes = 3}\n"), target("sm_90a")),
      Catch::Contains("copy_bulk of 12 bytes"));
}

TEST_CASE("a product updates its accumulators in place", "[codegen][lower][hopper]") {
  const std::string ptx = ptx_of(in_registers(32, "transpose = 0", "offset = 16"));
  const Strings products = find_lines(ptx, "wgmma.mma_async");
  INFO(ptx);
  REQUIRE(products.size() == 2);
  for (const std::string& p : products) {
    CHECK(p.starts_with("wgmma.mma_async.sync.aligned.m64n32k16.f32.f16.f16 {%f"));
    CHECK(p.ends_with(", 1, 1, 1, 0;"));
  }
  const std::string sums = products[0].substr(0, products[0].find('}'));
  CHECK(products[1].starts_with(sums));
  // Between fence and wait nothing touches a float register.
  const auto from = ptx.find("wgmma.fence"), to = ptx.find("wgmma.wait_group");
  CHECK(find_lines(ptx.substr(from, to - from), "mov.f32").empty());
  CHECK(has(ptx, "wgmma.wait_group.sync.aligned 0;"));
}

TEST_CASE("a descriptor has start, strides and swizzle", "[codegen][lower][hopper]") {
  auto constants = [](const std::string& ptx) {
    std::vector<std::uint64_t> out;
    for (const std::string& line : find_lines(ptx, "add.s64"))
      if (const auto at = line.rfind(", "); line.size() > 30)
        out.push_back(std::stoull(line.substr(at + 2)));
    return out;
  };
  constexpr std::uint64_t swizzled = std::uint64_t{1} << 62, rows = std::uint64_t{64} << 32;
  // Slot s at 1024 bytes; 16 elements on is 32 bytes.
  CHECK(constants(ptx_of(in_registers(8, "transpose = 0", "offset = 16"))) ==
        std::vector<std::uint64_t>{swizzled + rows + (1 << 16) + 64,
                                   swizzled + rows + (1 << 16) + 66});
  // Panels of 64 columns 4096 elements apart; 16 rows of k on is 2048 bytes.
  CHECK(constants(ptx_of(in_registers(128, "transpose = 1, pitch = 4096",
                                      "transpose = 1, pitch = 4096, offset = 1024"))) ==
        std::vector<std::uint64_t>{swizzled + rows + (512 << 16) + 64,
                                   swizzled + rows + (512 << 16) + 192});
}

TEST_CASE("products of slots take the form of their elements", "[codegen][lower][hopper]") {
  auto product = [](const std::string& body) { return line_of(ptx_of(body), "wgmma.mma_async"); };
  const std::string f16 = product(in_slots(64, "%s", "transpose = 0", "f32"));
  CHECK(has(f16, "m64n64k16.f32.f16.f16"));
  CHECK(f16.ends_with(", 1, 1, 1, 0, 0;"));
  const std::string bf16 = product(in_slots(64, "%h", "transpose = 1, pitch = 4096", "f32"));
  CHECK(has(bf16, "m64n64k16.f32.bf16.bf16"));
  CHECK(bf16.ends_with(", 1, 1, 1, 0, 1;"));
  const std::string s8 = product(in_slots(64, "%i", "transpose = 0", "s32"));
  CHECK(has(s8, "m64n64k32.s32.s8.s8 {%r"));
  CHECK(s8.ends_with(", 1;"));
}

TEST_CASE("stmatrix stores what ldmatrix loads", "[codegen][lower][hopper]") {
  const std::string ptx = ptx_of(
      "%v = load %x, %t : vec<f16 x 8>\n%u = load %x, %t : vec<f16 x 4>\n"
      "store_matrix %s, %t, %v {transpose = 1, offset = 8}\nstore_matrix %s, %t, %u\n");
  CHECK(line_of(ptx, "stmatrix.sync.aligned.m8n8.x4.trans.shared.b16 [%r").find("+1040]") !=
        ptx.npos);
  line_of(ptx, "stmatrix.sync.aligned.m8n8.x2.shared.b16 [%r");
}

TEST_CASE("registers move up or down from those of the launch", "[codegen][lower][hopper]") {
  const std::string body = "set_registers {registers = 240}\nset_registers {registers = 24}\n";
  // 256 threads have 248 registers each at most, 168 where the launch says so.
  CHECK(find_lines(ptx_of(body), "setmaxnreg") ==
        Strings{"setmaxnreg.dec.sync.aligned.u32 240;", "setmaxnreg.dec.sync.aligned.u32 24;"});
  CHECK(find_lines(ptx_of(body, "max_registers 168\n"), "setmaxnreg") ==
        Strings{"setmaxnreg.inc.sync.aligned.u32 240;", "setmaxnreg.dec.sync.aligned.u32 24;"});
  CHECK(has(ptx_of(body), ".minnctapersm 1"));  // or ptxas would not move them
  CHECK(!has(ptx_of("arrive %full\n"), ".minnctapersm"));
  CHECK_THROWS_WITH(ptx_of("set_registers {registers = 25}\n"), Catch::Contains("multiple of 8"));
}

TEST_CASE("a barrier of some warps has a number and their threads", "[codegen][lower][hopper]") {
  CHECK(has(ptx_of("barrier {id = 3, warps = 4}\n"), "bar.sync 3, 128;"));
}

TEST_CASE("fences and elections", "[codegen][lower][hopper]") {
  const std::string ptx =
      ptx_of("%e = elect : i1\nif %e () {\nproxy_fence\nyield\n} () {\nyield\n}\n");
  line_of(ptx, "elect.sync _|%p");
  line_of(ptx, "fence.proxy.async.shared::cta;");
}

TEST_CASE("blocks of a cluster meet, and store to each other", "[codegen][lower][hopper]") {
  const std::string ptx = ptx_of(
      "cluster_arrive\n%r = cluster_rank : s32\n%o = xor %r, %c1 : s32\n%u = cast %t : f32\n"
      "%v = pack %u, %u, %u, %u : vec<f32 x 4>\ncluster_wait\n"
      "store_remote %f, %t, %o, %v {offset = 16}\nstore_remote %f, %t, %o, %u\n",
      "cluster 2\n");
  INFO(ptx);
  line_of(ptx, ".reqnctapercluster 2, 1, 1");
  line_of(ptx, "barrier.cluster.arrive.release.aligned;");
  line_of(ptx, "barrier.cluster.wait.acquire.aligned;");
  line_of(ptx, "%cluster_ctarank;");
  CHECK(find_lines(ptx, "mapa.shared::cluster.u32").size() == 1);
  CHECK(has(line_of(ptx, "st.shared::cluster.v4.f32"), "+62528]"));
  line_of(ptx, "st.shared::cluster.f32");
}

TEST_CASE("constants are plain loads on both sides of the wait for the grid before", "[codegen][lower][hopper]") {
  const std::string load =
      "%{} = load %q, %t {{order = const, cache = no_allocate}} : vec<u32 x 4>\n";
  const std::string ptx =
      ptx_of(fmt::format(fmt::runtime(load), "u") + "release_next\nawait_previous\n" +
             fmt::format(fmt::runtime(load), "v") +
             "%s0 = add %u, %v : vec<u32 x 4>\nstore %w, %t, %s0\n");
  INFO(ptx);
  const auto at = [&](const char* what) { return ptx.find(what); };
  CHECK(at("ld.global.L1::no_allocate.v4") < at("griddepcontrol.launch_dependents;"));
  CHECK(at("griddepcontrol.launch_dependents;") < at("griddepcontrol.wait;"));
  CHECK(at("griddepcontrol.wait;") < ptx.rfind("ld.global.L1::no_allocate.v4"));
  CHECK(find_lines(ptx, "ld.global.nc").empty());
}

TEST_CASE("every other target refuses them by name", "[codegen][lower][hopper]") {
  for (const char* body :
       {"arrive %full\n", "await %full, %c0\n", "proxy_fence\n", "%e = elect : i1\n",
        "wgmma_fence\n", "wgmma_commit\n", "wgmma_wait\n", "set_registers {registers = 24}\n",
        "cluster_arrive\n", "cluster_wait\n", "%r = cluster_rank : s32\n", "await_previous\n",
        "release_next\n", "copy_bulk %w, %c0, %q, %m, %full {lanes = 256}\n"})
    for (const char* t : {"sm_80", "sm_89", "sm_120"}) {
      INFO(body << t);
      // Gates of the header need the same target.
      const ir::Kernel k = kernel(body);
      try {
        emit_ptx(k, target(t));
        FAIL("not refused");
      } catch (const ir::Error& e) {
        CHECK(e.diagnostic().diag == ir::Diag::TargetFeature);
        CHECK(has(e.what(), "only sm_90a has it"));
        CHECK(has(e.what(), t));
      }
    }
}

TEST_CASE("all of it is PTX 8.0", "[codegen][lower][hopper]") {
  CHECK(ptx_isa(kernel(copies), target("sm_90a")) == 80);
}

TEST_CASE("ptxas takes them, and overlaps the products", "[codegen][lower][hopper][ptxas]") {
  auto assemble = [](const std::string& body, const std::string& more = "") {
    const Compiled c = compile(kernel(body, more), target("sm_90a"), ptxas());
    CHECK(c.report.spill_stores == 0);
    CHECK(c.report.warnings == Strings{});
    CHECK(c.disagreements == Strings{});
  };
  assemble(copies + "await %g, %c0\n%v = load %w, %t : u32\nstore %w, %t, %v\n");
  assemble(in_registers(128, "transpose = 1, pitch = 4096", "transpose = 1, pitch = 4096"));
  assemble(in_registers(64, "transpose = 0", "offset = 16"));
  assemble(in_slots(128, "%s", "transpose = 0", "f32"));
  assemble(in_slots(64, "%h", "transpose = 1, pitch = 4096", "f32"));
  assemble(in_slots(32, "%i", "transpose = 0", "s32"));
  assemble("%v = load %x, %t : vec<f16 x 8>\nstore_matrix %s, %t, %v {transpose = 1}\n");
  assemble(
      "%e = elect : i1\nif %e () {\nproxy_fence\nyield\n} () {\nyield\n}\n"
      "barrier {id = 1, warps = 8}\nset_registers {registers = 240}\n");
  assemble(
      "cluster_arrive\n%r = cluster_rank : s32\n%u = cast %t : f32\ncluster_wait\n"
      "store_remote %f, %t, %r, %u\nrelease_next\nawait_previous\n",
      "cluster 2\n");
}

}  // namespace barline::codegen::test
