// SPDX-License-Identifier: Apache-2.0
// What the reader finds in whole cubins, and that it takes no other file for one.
#include <catch2/catch.hpp>

#include "codegen/cubin/check.h"
#include "tests/codegen/assembler_fixture.h"

using namespace barline::codegen;
using namespace barline::codegen::test;
using Catch::Matchers::Contains;

namespace {

std::string refusal(std::span<const std::byte> bytes) {
  try {
    Cubin::parse(bytes);
  } catch (const CubinError& error) {
    return error.what();
  }
  return "accepted";
}

void patch(std::vector<std::byte>& bytes, std::size_t at, unsigned value) {
  bytes.at(at) = static_cast<std::byte>(value);
}

ResourceReport record(const char* name, int registers, int smem, int barriers, int stack = 0) {
  ResourceReport report;
  report.function = name;
  report.registers = registers;
  report.smem_static = smem;
  report.barriers = barriers;
  report.stack = stack;
  return report;
}

}  // namespace

TEST_CASE("a kernel's record in cubins of three generations") {
  for (auto [sm, text_bytes] : {std::pair{80, 0x180}, {90, 0x180}, {120, 0x180}}) {
    INFO(sm);
    auto bytes = read_file(cubin_path("small.sm_" + std::to_string(sm) + ".cubin"));
    Cubin cubin = Cubin::parse(bytes);
    CHECK(cubin.sm() == sm);
    REQUIRE(cubin.kernels().size() == 1);
    const KernelRecord& k = cubin.kernel("k");
    CHECK(k.registers == 10);
    CHECK(k.section_registers.has_value() == (sm < 90));
    CHECK(k.section_registers.value_or(10) == 10);
    CHECK(k.smem_static == 512);
    CHECK(k.smem_section == 512u + static_cast<unsigned>(reserved_smem(sm)));
    CHECK(k.barriers == 1);
    CHECK(k.frame == 0);
    CHECK(k.param_bytes == 12);
    CHECK(k.max_threads == std::vector<int>{128, 1, 1});
    CHECK(k.required_threads.empty());
    CHECK(k.callees.empty());
    CHECK(k.text.size() == static_cast<std::size_t>(text_bytes));
    CHECK(cubin.section(".text.k")->bytes.data() == k.text.data());
    CHECK(cubin.section(".text.other") == nullptr);
    CHECK_THROWS_WITH(cubin.kernel("other"), Contains("'other'"));
  }
}

TEST_CASE("callees are found inside their kernel") {
  auto bytes = read_file(cubin_path("calls.sm_80.cubin"));
  Cubin cubin = Cubin::parse(bytes);
  CHECK(cubin.kernels().size() == 2);
  CHECK(cubin.kernel("k_rec").callees == std::vector<std::string>{"rec"});
  CHECK(cubin.kernel("k_rec").frame == 256);
  CHECK(cubin.kernel("k_rec").registers == 24);
  CHECK(cubin.kernel("k_one").callees.empty());
  CHECK(cubin.kernel("k_one").registers == 8);
}

TEST_CASE("log and cubin must agree on every figure") {
  auto bytes = read_file(cubin_path("small.sm_90.cubin"));
  KernelRecord k = Cubin::parse(bytes).kernel("k");
  CHECK(check_against(record("k", 10, 512, 1), k).empty());
  auto only = [&](const ResourceReport& report) {
    auto lines = check_against(report, k);
    REQUIRE(lines.size() == 1);
    return lines[0];
  };
  CHECK_THAT(only(record("k", 11, 512, 1)), Contains("registers 11, the cubin says 10"));
  CHECK_THAT(only(record("k", 10, 0, 1)), Contains("shared bytes 0, the cubin says 512"));
  CHECK_THAT(only(record("k", 10, 512, 2)), Contains("barriers 2"));
  CHECK_THAT(only(record("k", 10, 512, 1, 8)), Contains("stack frame 8"));
  CHECK_THAT(only(record("other", 10, 512, 1)), Contains("'other'"));
  k.registers.reset();
  CHECK_THAT(only(record("k", 10, 512, 1)), Contains("no register count"));
}

TEST_CASE("the section's own register count is a third witness before sm_90") {
  auto bytes = read_file(cubin_path("small.sm_80.cubin"));
  KernelRecord k = Cubin::parse(bytes).kernel("k");
  CHECK(check_against(record("k", 10, 512, 1), k).empty());
  k.section_registers = 12;
  CHECK(check_against(record("k", 10, 512, 1), k).size() == 1);
}

TEST_CASE("a cubin cut at any byte is refused") {
  for (const char* name : {"small.sm_80.cubin", "small.sm_90.cubin", "small.sm_120.cubin"}) {
    auto whole = read_file(cubin_path(name));
    REQUIRE(refusal(whole) == "accepted");
    for (std::size_t size = 0; size < whole.size(); ++size) {
      std::vector<std::byte> cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      if (refusal(cut) == "accepted") FAIL(name << " was accepted at " << size << " bytes");
    }
  }
}

TEST_CASE("files that are no cubins are refused by name") {
  auto whole = read_file(cubin_path("small.sm_80.cubin"));
  auto patched = [&](std::size_t at, unsigned value) {
    auto bytes = whole;
    patch(bytes, at, value);
    return refusal(bytes);
  };
  CHECK_THAT(patched(0, 'X'), Contains("ELF"));
  CHECK_THAT(patched(4, 1), Contains("64-bit"));
  CHECK_THAT(patched(18, 62), Contains("machine is 62"));
  CHECK_THAT(patched(58, 40), Contains("section headers have 40"));
  CHECK_THAT(patched(62, 200), Contains("section names"));
  CHECK_THAT(patched(47, 0xff), Contains("section header table"));
  CHECK_THAT(refusal({}), Contains("ELF header"));
  std::uint64_t segments = 0;
  std::memcpy(&segments, whole.data() + 32, sizeof segments);
  CHECK_THAT(patched(segments + 39, 1), Contains("a segment"));  // file size of the first one
  CHECK_THAT(patched(37, 1), Contains("program header table"));
}
