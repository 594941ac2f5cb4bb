// SPDX-License-Identifier: Apache-2.0
// nvJitLink beside ptxas: the same figures, the same refusals; and where it is looked for.
#include <catch2/catch.hpp>
#include <cstdio>

#include "codegen/assembler/nvjitlink.h"
#include "codegen/assembler/ptxas.h"
#include "codegen/cubin/check.h"
#include "codegen/cubin/cubin.h"
#include "codegen/report/ptxas_log.h"
#include "tests/codegen/assembler_fixture.h"
#include "tests/support/ptxas.h"

using namespace barline::codegen;
using barline::codegen::test::small_ptx;
using barline::codegen::test::TempDir;
using Catch::Matchers::Contains;

namespace {

/// Nothing where this machine has no nvJitLink; the test then says so and ends.
const NvJitLink* library() {
  static const std::unique_ptr<NvJitLink> opened = []() -> std::unique_ptr<NvJitLink> {
    try {
      return std::make_unique<NvJitLink>(NvJitLink::open({}));
    } catch (const MissingAssembler& e) {
      std::printf("SKIP: %s\n", e.what());
      return nullptr;
    }
  }();
  return opened.get();
}

std::string refusal(const NvJitLinkSearch& search) {
  try {
    NvJitLink::open(search);
  } catch (const MissingAssembler& e) {
    return e.what();
  }
  return "opened";
}

std::string failure(const NvJitLink& assembler, const std::string& ptx, const std::string& sm) {
  try {
    assembler.assemble(ptx, {.sm = sm});
  } catch (const AssembleError& e) {
    return e.what();
  }
  return "assembled";
}

}  // namespace

TEST_CASE("nvJitLink gives the figures of ptxas", "[ptxas]") {
  const NvJitLink* jit = library();
  if (!jit) return;
  const Ptxas ptxas = barline::test::find_ptxas();
  for (const char* sm : {"sm_80", "sm_86", "sm_89", "sm_90a", "sm_120", "sm_121"}) {
    INFO(sm);
    const Assembled a = ptxas.assemble(small_ptx, {.sm = sm});
    const Assembled b = jit->assemble(small_ptx, {.sm = sm, .lineinfo = true});
    const ResourceReport x = parse_ptxas_log(a.log).kernel("k");
    const ResourceReport y = parse_ptxas_log(b.log).kernel("k");
    CHECK(x.registers == y.registers);
    CHECK(x.stack == y.stack);
    CHECK(x.spill_stores == y.spill_stores);
    CHECK(x.smem_static == y.smem_static);
    CHECK(x.barriers == y.barriers);
    CHECK(x.cmem == y.cmem);
    CHECK(check_against(y, Cubin::parse(b.cubin).kernel("k")).empty());
  }
}

TEST_CASE("nvJitLink says which build it is", "[ptxas]") {
  const NvJitLink* jit = library();
  if (!jit) return;
  CHECK_THAT(jit->release(), Catch::StartsWith("nvJitLink 1"));
  CHECK_THAT(jit->version(), Catch::StartsWith(jit->release() + "; Build "));
  CHECK(jit->version().size() > jit->release().size() + 8 + 16);
  CHECK(jit->kind() == AssemblerKind::NvJitLink);
}

TEST_CASE("what nvJitLink refuses is told with its line of the PTX", "[ptxas]") {
  const NvJitLink* jit = library();
  if (!jit) return;
  std::string bad = small_ptx;
  bad.replace(bad.find("bar.sync"), 8, "bar.sing");
  // Linking an input that was refused reports success and leaves an empty cubin.
  CHECK_THAT(failure(*jit, bad, "sm_80"), Contains("refused the PTX for sm_80 (result 4)") &&
                                              Contains("line 19") && Contains("19 | bar.sing"));
  CHECK_THAT(failure(*jit, "", "sm_80"), Contains("sm_80"));
}

TEST_CASE("a target that ends the process is never asked of nvJitLink", "[ptxas]") {
  const NvJitLink* jit = library();
  if (!jit) return;
  CHECK_THAT(failure(*jit, small_ptx, "sm_77"), Contains("does not assemble for sm_77"));
  CHECK_THROWS_AS(jit->assemble(small_ptx, {.sm = "sm_8x"}), std::invalid_argument);
  CHECK_THROWS_AS(jit->assemble(small_ptx, {.sm = "sm_80", .extra = {"-w"}}),
                  std::invalid_argument);
}

TEST_CASE("a release of nvJitLink knows the targets of its time") {
  CHECK(nvjitlink_knows(124, "sm_90a"));
  CHECK_FALSE(nvjitlink_knows(124, "sm_120"));
  CHECK(nvjitlink_knows(128, "sm_120"));
  CHECK_FALSE(nvjitlink_knows(128, "sm_121"));
  CHECK(nvjitlink_knows(130, "sm_121"));
  CHECK_FALSE(nvjitlink_knows(130, "sm_77"));
}

TEST_CASE("a missing nvJitLink names the places and how to get one") {
  TempDir dir;
  const std::string text =
      refusal({.cuda_home = dir.path("home"), .toolkit = dir.path("toolkit"), .loaded = false});
  CHECK_THAT(text, Contains(dir.path("home/lib64/libnvJitLink.so.13") + ": there is no such file"));
  CHECK_THAT(text, Contains(dir.path("toolkit/lib/libnvJitLink.so.12")));
  CHECK_THAT(text, Contains("pip install nvidia-nvjitlink") && Contains("BARLINE_NVJITLINK"));
}

TEST_CASE("a library that is no nvJitLink, or that others can replace, is refused") {
  TempDir dir;
  const std::string plain = dir.script("lib/libnvJitLink.so.13", "true");
  CHECK_THAT(refusal({.explicit_path = dir.path("absent.so")}),
             Contains("absent.so") && Contains("there is no such file"));
  CHECK_THAT(refusal({.explicit_path = plain}), Contains("as nvJitLink: " + plain + ": "));
  CHECK_THAT(refusal({.explicit_path = BARLINE_BINARY_DIR "/lib/libbarline_runtime.so"}),
             Contains("it has no nvJitLinkVersion"));
  chmod(plain.c_str(), 0777);
  CHECK_THAT(refusal({.cuda_home = dir.path(), .toolkit = dir.path("none"), .loaded = false}),
             Contains("writable by every user"));
}
