// SPDX-License-Identifier: Apache-2.0
// kernels.yaml: what is read, and the place, rule and fix of every refusal.
#include "verify/gate/registry_file.h"

#include <catch2/catch.hpp>

#include "tests/tools/registry_text.h"
#include "tools/yaml_reader.h"

using namespace barline;
using verify::CompareKind;

namespace {

verify::RegistryFile parse(const std::string& text) {
  return verify::parse_registry(tools::read_yaml(text, "k.yaml"), "k.yaml");
}

std::string error_of(const std::string& text) {
  try {
    parse(text);
  } catch (const verify::FileError& e) {
    return e.what();
  }
  return "no error";
}

/// The error after replacing the first `from` of the sample by `to`.
std::string error_with(const std::string& from, const std::string& to) {
  std::string text = registry_text;
  std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return error_of(text.replace(at, from.size(), to));
}

}  // namespace

TEST_CASE("a registry is read into typed budgets") {
  verify::RegistryFile r = parse(registry_text);
  CHECK(r.assembler == "ptxas 13.0");
  CHECK(r.targets == std::vector<std::string>{"sm_80", "sm_90a"});
  REQUIRE(r.kernels.size() == 2);
  const verify::KernelEntry& qkv = *r.kernel("qkv_w8a16");
  CHECK(qkv.dims == verify::Dims{{"N", 4096}, {"K", 4096}});
  CHECK(qkv.types.empty());
  CHECK(qkv.compare.kind == CompareKind::Ulp);
  CHECK(qkv.compare.max == 2);
  CHECK(qkv.shape("sim")->dims == verify::Dims{{"M", 70}, {"N", 40}, {"K", 80}});
  const verify::ScheduleEntry& half = *qkv.schedule("S+1/2P");
  CHECK(half.barriers_per_step == 3);
  CHECK(half.budget("", "sm_80")->registers == 64);
  CHECK(half.budget("", "sm_80")->spills == 0);
  CHECK(half.budget("", "sm_90a") == nullptr);
}

TEST_CASE("budgets of a typed kernel stand under the element type") {
  verify::RegistryFile r = parse(registry_text);
  const verify::KernelEntry& norm = *r.kernel("rms_norm");
  CHECK(norm.args.at(0).value == 1e-6);
  CHECK(norm.compare.kind == CompareKind::Exact);
  const verify::ScheduleEntry& row = *norm.schedule("row256");
  CHECK(row.barriers == 1);
  CHECK(row.budget("f32", "sm_80")->registers == 40);
  CHECK(row.budget("bf16", "sm_80")->stack == 8);
  CHECK(norm.schedule("row512")->targets == std::vector<std::string>{"sm_90a"});
}

TEST_CASE("a malformed registry names place, rule and fix") {
  struct Case {
    std::string from, to, error;
  };
  const Case cases[] = {
      {"dims: {N", "dmis: {N",
       "k.yaml:7:5: unknown key 'dmis' in kernel qkv_w8a16; did you mean 'dims'?"},
      {"version: 1", "version: 2",
       "k.yaml:2:10: version 2 of kernels.yaml is not known; this barline reads version 1"},
      {"[sm_80, sm_90a]", "[sm_80, sm_90]",
       "k.yaml:4:18: unknown target 'sm_90'; did you mean 'sm_80'?"},
      {"[sm_80, sm_90a]", "[sm_80, sm_80]",
       "k.yaml:4:18: target 'sm_80' stands twice in the list; delete one"},
      {"[sm_80, sm_90a]", "[]",
       "k.yaml:4:10: expected a list of targets that is not empty; write [a, b, c]"},
      {"[f32, bf16]", "[f32, bf61]",
       "k.yaml:14:18: unknown element type 'bf61'; did you mean 'bf16'?"},
      {"registers: 40", "registers: many",
       "k.yaml:20:37: registers is an integer from 1 to 255; write decimal digits without quotes"},
      {"registers: 40, ", "",
       "k.yaml:20:25: a budget has no 'registers'; add `registers:` "
       "(Registers a thread.)"},
      {"registers: 40", "registers: 256",
       "k.yaml:20:37: registers is an integer from 1 to 255; write decimal digits without quotes"},
      {"smem: 2560", "smem: -1",
       "k.yaml:9:76: smem is an integer from 0 to 1073741824; write decimal digits without quotes"},
      {"kind: ulp", "kind: upl", "k.yaml:12:21: unknown compare kind 'upl'; did you mean 'ulp'?"},
      {"kind: ulp", "kind: exact",
       "k.yaml:12:33: an exact comparison has no 'max'; delete it, or name another kind"},
      {"max: 2, ", "", "k.yaml:12:14: compare kind ulp has no bound; add `max:`"},
      {"eps: 1e-6", "eps: small",
       "k.yaml:15:17: a scalar argument is a number; write it as 1e-6 or 0.5"},
      {"dims: {N: 4096", "dims: {N: 0",
       "k.yaml:7:15: a dim is an integer from 1 to 1099511627776; write decimal digits without "
       "quotes"},
      {"  rms_norm:", "  qkv_w8a16:",
       "k.yaml:13:3: key 'qkv_w8a16' stands twice in this map; delete or rename one"},
      {"  rms_norm:", "  rms norm:",
       "k.yaml:13:3: 'rms norm' is no name of a kernel; use 1 to 64 letters, digits, _ - + /"},
      {"bf16:\n", "f16:\n",
       "k.yaml:21:11: unknown element type 'f16' in the budget of row256; did you mean 'bf16'?"},
      {"[f32, bf16]", "&t [f32, bf16]", "k.yaml:14:12: anchors are not allowed; delete the &name"},
      {"[f32, bf16]", "!t [f32, bf16]",
       "k.yaml:14:12: tags are not allowed ('!t'); delete the tag"},
  };
  for (const Case& c : cases) {
    INFO(c.from << " -> " << c.to);
    CHECK(error_with(c.from, c.to) == c.error);
  }
}

TEST_CASE("what is no single plain YAML document is refused") {
  CHECK(error_of("a: *x\n").find("malformed YAML: ") != std::string::npos);
  CHECK(error_of("a: &x 1\nb: *x\n").find("anchors are not allowed") != std::string::npos);
  CHECK(error_of(registry_text + "---\na: 1\n").find("more than one YAML document") !=
        std::string::npos);
  CHECK(error_of("\xef\xbb\xbf" + registry_text).find("byte 0xef") != std::string::npos);
  CHECK(error_of("a: {b: [1, 2}\n").find("k.yaml:1:") == 0);
  CHECK(error_of("").find("the registry is a map") != std::string::npos);
  CHECK(error_of(std::string(1 << 20, ' ') + "a").find("more than 1 MiB") != std::string::npos);
  CHECK(error_of(std::string(40, '[')).find("k.yaml:1:") == 0);
}

TEST_CASE("a comparison with the kernel's bound may be exact in some places") {
  auto compare = [](const std::string& rule) {
    std::string text = registry_text;
    std::size_t at = text.find("kind: ulp, max: 2");
    return text.replace(at, 17, rule);
  };
  verify::CompareRule rule =
      parse(compare("kind: bound, exact_on: [sim, sm_90a]")).kernel("qkv_w8a16")->compare;
  CHECK(rule.kind == CompareKind::Bound);
  CHECK(rule.exact_at("sim"));
  CHECK(rule.exact_at("sm_90a"));
  CHECK(!rule.exact_at("sm_80"));
  CHECK(!parse(compare("kind: bound")).kernel("qkv_w8a16")->compare.exact_at("sim"));
  CHECK(parse(registry_text).kernel("rms_norm")->compare.exact_at("sm_80"));
  CHECK(error_of(compare("kind: bound, max: 2")) ==
        "k.yaml:12:33: the kernel declares its bound; delete 'max', or name another kind");
  CHECK(error_of(compare("kind: ulp, max: 2, exact_on: [sim]")) ==
        "k.yaml:12:44: only a comparison of kind bound is exact in some places; delete 'exact_on', "
        "or use kind: bound");
  CHECK(error_of(compare("kind: bound, exact_on: [sm_90]")) ==
        "k.yaml:12:39: unknown place to run 'sm_90'; did you mean 'sm_80'?");
}

TEST_CASE("the schema speaks of every key of the format") {
  std::string schema = verify::registry_schema();
  for (const char* key :
       {"barriers_per_step", "allow_unknown", "registers", "sm_121", "rel", "exact_on"}) {
    CHECK(schema.find('"' + std::string(key) + '"') != std::string::npos);
  }
}
