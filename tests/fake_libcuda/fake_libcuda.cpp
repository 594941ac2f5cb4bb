// SPDX-License-Identifier: Apache-2.0
// The tests' driver as a library of its own, to be loaded where libcuda.so.1 would be: for hosts
// that reach the driver through a file name alone, C and Python among them.
#include <cstring>
#include <map>
#include <string>

#include "tests/runtime/fake_driver.h"

using namespace barline::driver;

namespace {

test::FakeDriver& fake() {
  static test::FakeDriver driver;
  return driver;
}

/// What the last launch was given, read while it lives.
struct LastLaunch {
  std::uint64_t arguments[8] = {};
};
LastLaunch last;

}  // namespace

extern "C" {

abi::Result cuGetProcAddress_v2(const char* name, void** address, int version, std::uint64_t flags,
                                abi::ProcAddressStatus* status) {
  return fake().options().get_proc_address(name, address, version, flags, status);
}

/// Lets calls of that entry point fail with a CUresult; 0 lets them succeed again.
void fake_cuda_inject(const char* name, int result) {
  if (result == 0)
    fake().results.erase(name);
  else
    fake().results[name] = static_cast<abi::Result>(result);
}

/// Calls of that entry point so far; of all where the name is null.
int fake_cuda_calls(const char* name) {
  if (name == nullptr) return static_cast<int>(fake().calls.size());
  return static_cast<int>(fake().count(name));
}

void fake_cuda_quick(int quick) { fake().quick = quick != 0; }
void fake_cuda_capturing(int capturing) { fake().capturing = capturing != 0; }

/// Remembers the first `count` arguments of later launches, `bytes[i]` bytes of each.
void fake_cuda_watch(int count, const int* bytes) {
  const std::vector<int> sizes(bytes, bytes + count);
  fake().on_launch = [sizes](void** parameters) {
    last = {};
    for (std::size_t i = 0; i < sizes.size() && i < 8; ++i)
      std::memcpy(&last.arguments[i], parameters[i], static_cast<std::size_t>(sizes[i]));
  };
}
std::uint64_t fake_cuda_argument(int index) { return last.arguments[index]; }
unsigned fake_cuda_grid_x() { return fake().launch.grid_x; }
void* fake_cuda_stream() { return fake().launch.stream; }
}
