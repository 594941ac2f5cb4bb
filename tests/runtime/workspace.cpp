// SPDX-License-Identifier: Apache-2.0
// A kernel's scratch tensors as one workspace of the caller: how large it is, where each tensor
// lies, and what is refused.
#include "runtime/launch/workspace.h"

#include <catch2/catch.hpp>
#include <cstring>

#include "runtime/launch/prepared.h"
#include "tests/runtime/fake_driver.h"
#include "tests/runtime/support.h"

using namespace barline;
using namespace barline::runtime;
using driver::test::FakeDriver;

namespace {

constexpr const char* signature =
    "x:in:f16[n];partial:scratch:f32[m=n%4*1,parts=3];y:out:f16[n];counters:scratch:u64[one=1]|n:1|"
    "n/128,1,1";

std::shared_ptr<const Entry> entry_of(const std::string& text) {
  Entry e = runtime::test::sample_entry();
  e.metadata.entry = "k";
  e.metadata.signature = text;
  e.metadata.threads_x = 128;
  return std::make_shared<const Entry>(std::move(e));
}

struct Kernel {
  FakeDriver fake;
  driver::Device device = driver::Driver::load(fake.options())->device(0);
  Libraries libraries;
  Prepared prepared{device, {entry_of(signature), Source::Pack}, libraries};
  std::vector<std::uint64_t> seen;  ///< addresses of the last launch's four tensors

  Kernel() {
    fake.on_launch = [this](void** arguments) {
      seen.assign(4, 0);
      for (int i = 0; i < 4; ++i) std::memcpy(&seen[i], arguments[i], 8);
    };
  }
  void launch(std::vector<Argument> args, LaunchOptions options) {
    const std::int64_t sizes[] = {100};
    prepared.launch(reinterpret_cast<driver::abi::StreamHandle>(80), args, sizes, options);
  }
};

const Argument x = Argument::pointer(0x4000), y = Argument::pointer(0x5000);

}  // namespace

TEST_CASE("a signature tells scratch from what a caller reads and writes") {
  const Signature s = parse_signature(signature);
  CHECK((s.params[1].scratch && s.params[1].read && s.params[1].written));
  CHECK_FALSE(s.params[2].scratch);
  CHECK(to_text(s) == signature);
}

TEST_CASE("a workspace holds the scratch tensors one after the other, each aligned") {
  Kernel k;
  const std::int64_t sizes[] = {100};
  CHECK(k.prepared.scratch_params() == 2);
  const WorkspaceSize size = k.prepared.workspace(sizes);
  CHECK(size.bytes == 512 + 256);  // 25 x 3 words take 300 bytes
  CHECK(size.align == 256);
  const std::int64_t one[] = {1};
  CHECK(k.prepared.workspace(one).bytes == 512);
  CHECK_THROWS_WITH(k.prepared.workspace({}), Catch::Contains("0 sizes for 1 dynamic axes"));
  const std::int64_t none[] = {0};
  CHECK_THROWS_WITH(k.prepared.workspace(none), Catch::Contains("axis 'n' of 0"));
  CHECK(workspace_size(parse_signature("x:in:f16[n]|n:1|1,1,1"), sizes).bytes == 0);
}

TEST_CASE("a launch with a workspace leaves the scratch out of its arguments") {
  Kernel k;
  k.launch({x, y}, {.workspace = 0x10000, .workspace_bytes = 768});
  CHECK(k.seen == std::vector<std::uint64_t>{0x4000, 0x10000, 0x5000, 0x10200});
  k.launch({x, Argument::pointer(0x6000), y, Argument::pointer(0x7000)}, {});
  CHECK(k.seen == std::vector<std::uint64_t>{0x4000, 0x6000, 0x5000, 0x7000});
}

TEST_CASE("a workspace that is too small, unaligned or of no use is refused") {
  Kernel k;
  CHECK_THROWS_WITH(k.launch({x, y}, {.workspace = 0x10000, .workspace_bytes = 767}),
                    Catch::Contains("launch of 'k'") && Catch::Contains("of 767 bytes") &&
                        Catch::Contains("pass 768 zeroed bytes"));
  CHECK_THROWS_WITH(k.launch({x, y}, {.workspace = 0x10010, .workspace_bytes = 768}),
                    Catch::Contains("aligned to 256"));
  CHECK_THROWS_WITH(
      k.launch({x, y, x, y}, {.workspace = 0x10000, .workspace_bytes = 768}),
      Catch::Contains("4 arguments") && Catch::Contains("for 2 parameters beside the workspace"));
  CHECK_THROWS_WITH(k.launch({x, y}, {}),
                    Catch::Contains("2 arguments") && Catch::Contains("for 4 parameters and"));
  CHECK(k.fake.count("cuLaunchKernelEx") == 0);
  Libraries libraries;
  const Prepared plain(k.device, {entry_of("x:in:f16[n]|n:1|1,1,1"), Source::Pack}, libraries);
  const std::int64_t sizes[] = {4};
  const Argument one[] = {x};
  CHECK_THROWS_WITH(plain.launch(nullptr, one, sizes, {.workspace = 256, .workspace_bytes = 256}),
                    Catch::Contains("it has no scratch"));
}
