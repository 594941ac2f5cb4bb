// SPDX-License-Identifier: Apache-2.0
// Kernel names and targets on the command line.
#include "tools/selection.h"

#include <catch2/catch.hpp>

#include "tests/tools/registry_text.h"
#include "tools/error.h"
#include "tools/yaml_reader.h"

using namespace barline;

namespace {

const verify::RegistryFile& registry() {
  static const verify::RegistryFile r =
      verify::parse_registry(tools::read_yaml(registry_text, "k.yaml"), "k.yaml");
  return r;
}

std::vector<std::string> jobs(const std::vector<std::string>& names, const std::string& arch = {}) {
  std::vector<std::string> out;
  for (const tools::Job& j :
       tools::expand(registry(), names, tools::parse_targets(arch, registry()))) {
    out.push_back(j.config() + " " + j.target);
  }
  return out;
}

std::string error_of(const std::vector<std::string>& names, const std::string& arch = {}) {
  try {
    jobs(names, arch);
  } catch (const tools::UsageError& e) {
    return e.what();
  }
  return "no error";
}

}  // namespace

TEST_CASE("a kernel name has a family and optional type and schedule") {
  tools::KernelName full = tools::parse_kernel_name("rms_norm.bf16@row256");
  CHECK(full.family == "rms_norm");
  CHECK(full.type == "bf16");
  CHECK(full.schedule == "row256");
  CHECK(tools::parse_kernel_name("qkv_w8a16@S+1/2P").schedule == "S+1/2P");
  CHECK(tools::parse_kernel_name("vector_add").type.empty());
  for (const char* bad : {"", "@s", ".f32", "k.@s", "k@", "k.f32.f16", "k@a@b"}) {
    CHECK_THROWS_AS(tools::parse_kernel_name(bad), tools::UsageError);
  }
}

TEST_CASE("without type and schedule a name takes all of them") {
  CHECK(jobs({"rms_norm"}) ==
        std::vector<std::string>{"rms_norm.f32@row256 sm_80", "rms_norm.f32@row256 sm_90a",
                                 "rms_norm.bf16@row256 sm_80", "rms_norm.bf16@row256 sm_90a",
                                 "rms_norm.f32@row512 sm_90a", "rms_norm.bf16@row512 sm_90a"});
  CHECK(jobs({"qkv_w8a16@S+1/2P"}, "sm_80") == std::vector<std::string>{"qkv_w8a16@S+1/2P sm_80"});
  CHECK(jobs({}).size() == 10);
}

TEST_CASE("an unknown name has a suggestion") {
  CHECK(error_of({"rsm_norm"}) ==
        "unknown kernel 'rsm_norm' (not in k.yaml); did you mean 'rms_norm'?");
  CHECK(error_of({"rms_norm@row265"}) ==
        "kernel rms_norm has no schedule 'row265'; did you mean 'row256'?");
  CHECK(error_of({"rms_norm.bf61"}) ==
        "kernel rms_norm has no element type 'bf61'; did you mean 'bf16'?");
  CHECK(error_of({}, "sm_90") == "unknown target 'sm_90'; did you mean 'sm_80'?");
  CHECK(error_of({}, "sm_80,") == "unknown target ''; known: sm_80, sm_90a");
  CHECK(error_of({"rms_norm@row512"}, "sm_80") ==
        "no config of 'rms_norm@row512' is for the chosen type and targets; see `barline list "
        "rms_norm@row512`");
}

TEST_CASE("a config that several names have is taken once") {
  CHECK(jobs({"rms_norm.f32@row256", "rms_norm@row256"}, "sm_80") ==
        std::vector<std::string>{"rms_norm.f32@row256 sm_80", "rms_norm.bf16@row256 sm_80"});
  CHECK(jobs({"qkv_w8a16", "qkv_w8a16"}).size() == jobs({"qkv_w8a16"}).size());
}

TEST_CASE("the kernels of files are among those that are known") {
  const verify::RegistryFile files = verify::parse_registry(
      tools::read_yaml("version: 1\nassembler: a\ntargets: [sm_80]\nkernels:\n"
                       "  recc:\n    source: recc.ptx\n",
                       "c.yaml"),
      "c.yaml");
  CHECK_THROWS_WITH(tools::expand(files, {"recd"}, {"sm_80"}),
                    "unknown kernel 'recd' (not in c.yaml); did you mean 'recc'?");
}

TEST_CASE("run and explain take the first type and the first schedule of the target") {
  CHECK(tools::expand_one(registry(), "rms_norm", "sm_90a").config() == "rms_norm.f32@row256");
  CHECK(tools::expand_one(registry(), "rms_norm.bf16", "sm_90a").config() ==
        "rms_norm.bf16@row256");
  CHECK(tools::expand_one(registry(), "rms_norm@row512", "sm_90a").config() ==
        "rms_norm.f32@row512");
  CHECK(tools::expand_one(registry(), "qkv_w8a16@S+1/2P", "sm_80").file_stem() ==
        "qkv_w8a16@S+1_2P.sm_80");
}
