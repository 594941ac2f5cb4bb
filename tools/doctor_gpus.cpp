// SPDX-License-Identifier: Apache-2.0
// The driver and what it drives. A machine without either compiles, gates, proves and simulates.
#include <fmt/format.h>

#include "runtime/driver/device.h"
#include "tools/doctor.h"
#include "tools/session.h"

namespace barline::tools {
namespace {

const char* fix_of(driver::ErrorKind kind) {
  switch (kind) {
    case driver::ErrorKind::StubLibrary:
      return "take the toolkit's stubs out of LD_LIBRARY_PATH; the driver brings its own library";
    case driver::ErrorKind::TooOld: return "update the NVIDIA driver";
    case driver::ErrorKind::NoDevice: return "give the container its GPU (--gpus all)";
    case driver::ErrorKind::Call:
      return "look at nvidia-smi, and at dmesg for what the driver says";
    case driver::ErrorKind::NoDriver: break;
  }
  return "install the NVIDIA driver to launch; kernels run on the simulator: --device sim";
}

}  // namespace

void check_gpus(const Context& context, const Session* session, Checks& out) {
  Check c{.name = "driver", .why = "launches go through it"};
  try {
    auto driver = driver::Driver::load(context.runtime.driver);
    c.detail =
        fmt::format("CUDA {}.{} ({}), {} devices", driver->version() / 1000,
                    driver->version() % 1000 / 10, driver->library(), driver->device_count());
    out.push_back(c);
    for (int i = 0; i < driver->device_count(); ++i) {
      driver::Device device = driver->device(i);
      const driver::DeviceInfo& d = device.info();
      std::string detail = fmt::format("{}, sm_{}, {} SMs, {:.0f} GiB", d.name, d.sm(), d.sm_count,
                                       static_cast<double>(d.memory_bytes) / (1 << 30));
      out.push_back(
          judge_device(fmt::format("cuda:{}", i), detail, d.sm(),
                       session ? session->registry().targets : std::vector<std::string>{}));
    }
  } catch (const driver::Error& e) {
    c.health = Health::Warn;
    c.detail = e.what();
    c.fix = fix_of(e.kind());
    out.push_back(c);
  }
}

}  // namespace barline::tools
