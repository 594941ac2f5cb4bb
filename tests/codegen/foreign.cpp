// SPDX-License-Identifier: Apache-2.0
// Kernels of other compilers: what their cubins say alone, and that PTX says the same and more.
#include "codegen/foreign.h"

#include <catch2/catch.hpp>

#include "codegen/report/ptxas_log.h"
#include "tests/codegen/assembler_fixture.h"
#include "tests/support/ptxas.h"

using namespace barline::codegen;
using namespace barline::codegen::test;
using Catch::Matchers::Contains;

namespace {

std::string text_of(const std::string& name) {
  auto bytes = read_file(cubin_path(name));
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

template <class E>
std::string refusal(const std::string& file, const char* entry, const char* target) {
  try {
    measure_cubin(read_file(cubin_path(file)), entry, target);
  } catch (const E& e) {
    return e.what();
  }
  return "accepted";
}

/// A fake ptxas: copies a kept cubin and prints a log with `used` as the line of registers.
std::string fake(const TempDir& dir, const std::string& log) {
  return dir.script("ptxas", "cat " + cubin_path("small.sm_80.cubin") +
                                 " >/proc/self/fd/4\ncat >&2 <<'END'\n" + log + "END");
}

const std::string good_log =
    "ptxas info    : Compiling entry function 'k' for 'sm_80'\n"
    "ptxas info    : Function properties for k\n"
    "    0 bytes stack frame, 8 bytes spill stores, 16 bytes spill loads\n"
    "ptxas info    : Used 10 registers, used 1 barriers, 512 bytes smem\n";

}  // namespace

TEST_CASE("a cubin alone gives registers, stack, shared memory, barriers and threads") {
  for (int sm : {80, 90, 120}) {
    auto bytes = read_file(cubin_path("small.sm_" + std::to_string(sm) + ".cubin"));
    ForeignKernel k = measure_cubin(bytes, "", "sm_" + std::to_string(sm) + "a");
    CHECK(k.entry == "k");
    CHECK(k.registers == 10);
    CHECK(k.stack == 0);
    CHECK(k.smem_static == 512);
    CHECK(k.barriers == 1);
    CHECK(k.max_threads == 128);
    CHECK(k.required_threads == 0);
    CHECK_FALSE(k.spill_stores.has_value());
    CHECK(k.notes.empty());
  }
}

TEST_CASE("the stack of a cubin is that of the deepest call chain") {
  auto bytes = read_file(cubin_path("calls.sm_80.cubin"));
  Cubin cubin = Cubin::parse(bytes);
  for (const KernelRecord& record : cubin.kernels()) {
    ForeignKernel k = measure_cubin(bytes, record.name, "sm_80");
    CHECK(k.stack >= record.frame.value_or(0));
    CHECK(k.stack >= record.min_stack.value_or(0));
  }
}

TEST_CASE("the frame of a recursive callee counts, which no sum of a call chain has") {
  for (const char* target : {"sm_80", "sm_90"}) {
    INFO(target);
    auto bytes = read_file(cubin_path(std::string("deep.") + target + ".cubin"));
    CHECK(measure_cubin(bytes, "", target).stack == 80);
  }
  CHECK(measure_cubin(read_file(cubin_path("deep.nvlink.sm_80.cubin")), "", "sm_80").stack == 72);
}

TEST_CASE("a callee that stands with another kernel does not count") {
  auto bytes = read_file(cubin_path("calls.sm_80.cubin"));
  CHECK(measure_cubin(bytes, "k_one", "sm_80").stack == 0);
  bytes = read_file(cubin_path("calls.nvjitlink.sm_90.cubin"));
  CHECK(measure_cubin(bytes, "k_one", "sm_90").stack == 0);
}

TEST_CASE("an object that is not linked is refused, for its callees are not in it") {
  CHECK(refusal<CubinError>("deep.object.sm_80.cubin", "", "sm_80") ==
        "it is a relocatable object, and its callees are not counted before they are linked in; "
        "link it first (nvlink, or nvcc without -rdc=true)");
}

TEST_CASE("callees without an unwind table are refused where nothing else has their frames") {
  auto bytes = read_file(cubin_path("deep.sm_90.cubin"));
  std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  bytes.at(text.find(".debug_frame") + 1) = std::byte{'D'};
  CHECK_THROWS_WITH(measure_cubin(bytes, "", "sm_90"),
                    "it does not say how much stack 'deep' takes, which 'k_deep' calls; keep its "
                    ".debug_frame section, or name the PTX");
}

TEST_CASE("a kernel that is not there is named beside those that are") {
  CHECK(refusal<NoSuchKernel>("small.sm_80.cubin", "q", "sm_80") ==
        "it holds no kernel 'q'; it holds k");
  CHECK(refusal<UnnamedKernel>("calls.sm_80.cubin", "", "sm_80") ==
        "it holds several kernels (k_rec, k_one), and none is named; add one as `entry:`");
  CHECK(refusal<CubinError>("small.sm_80.cubin", "k", "sm_90a") ==
        "it is for sm_80, and the budget is for sm_90a");
  CHECK_THAT(refusal<CubinError>("small.ptx", "", "sm_80"),
             Contains("does not begin as an ELF file"));
}

TEST_CASE("PTX gives spills and notes too, and a missing record is an error") {
  TempDir dir;
  Ptxas good = Ptxas::at(fake(dir, good_log + "ptxas info    : (C7508) Potential Performance Loss: "
                                              "'setmaxnreg' ignored.\n"));
  ForeignKernel k = measure_ptx("", "k", "sm_80", good);
  CHECK(k.registers == 10);
  CHECK(k.spill_stores == 8);
  CHECK(k.spill_loads == 16);
  CHECK(k.notes == std::vector<std::string>{"C7508"});
  CHECK(k.conflicts.empty());
  std::string log = good_log;
  log.replace(log.find("Used 10"), 7, "Used 11");
  CHECK_FALSE(measure_ptx("", "k", "sm_80", Ptxas::at(fake(dir, log))).conflicts.empty());
  log = good_log.substr(0, good_log.find("ptxas info    : Used"));
  CHECK_THROWS_AS(measure_ptx("", "k", "sm_80", Ptxas::at(fake(dir, log))), MissingRecord);
}

TEST_CASE("PTX and the cubin made of it agree", "[ptxas]") {
  Ptxas ptxas = barline::test::find_ptxas();
  ForeignKernel ptx = measure_ptx(text_of("small.ptx"), "", "sm_80", ptxas);
  ForeignKernel cubin = measure_cubin(read_file(cubin_path("small.sm_80.cubin")), "", "sm_80");
  CHECK(ptx.registers == cubin.registers);
  CHECK(ptx.smem_static == cubin.smem_static);
  CHECK(ptx.barriers == cubin.barriers);
  CHECK(ptx.max_threads == cubin.max_threads);
  CHECK(ptx.spill_stores == 0);
  for (const char* target : {"sm_80", "sm_90"}) {
    auto bytes = read_file(cubin_path(std::string("deep.") + target + ".cubin"));
    CHECK(measure_cubin(bytes, "", target).stack ==
          measure_ptx(text_of("deep.ptx"), "", target, ptxas).stack);
  }
  CHECK_THROWS_AS(measure_ptx(text_of("small.ptx"), "q", "sm_80", ptxas), NoSuchKernel);
  CHECK_THROWS_AS(measure_ptx("no ptx", "", "sm_80", ptxas), AssembleError);
}
