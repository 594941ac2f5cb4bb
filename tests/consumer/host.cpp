// SPDX-License-Identifier: Apache-2.0
// The runtime alone: a cache to look into and a driver that may not be there.
#include <cstdio>

#include "runtime/cache/kernel_cache.h"
#include "runtime/driver/device.h"
#include "runtime/options.h"

using namespace barline;

int main() {
  runtime::Options options = runtime::options_from_environment();
  runtime::KernelCache cache(options.cache);
  try {
    auto driver = driver::Driver::load(options.driver);
    std::printf("host: %d devices\n", driver->device_count());
  } catch (const driver::Error& e) {
    if (!e.means_no_device()) throw;
    std::printf("host: no device\n");
  }
}
