// SPDX-License-Identifier: Apache-2.0
// A run through all that the driver wrappers can call, for tests that let one call after the other
// fail.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "runtime/driver/buffer.h"
#include "runtime/driver/launch.h"
#include "runtime/driver/link.h"
#include "runtime/driver/tensor_map.h"
#include "runtime/driver/timing.h"
#include "tests/runtime/fake_driver.h"

namespace barline::driver::test {

/// Calls everything that the wrappers can call.
inline void use_everything(const FakeDriver& fake) {
  const auto driver = Driver::load(fake.options());
  const Device device = driver->device(0);
  device.synchronize();
  device.free_memory();
  const Library library = Library::from_image(device, std::vector<std::byte>(16), "k.cubin");
  library.kernel_names();
  Library::from_ptx(device, ".version 8.0", "k");
  link_ptx(device, ".version 8.0", {});
  const Kernel kernel = library.kernel("k");
  kernel.set_max_dynamic_shared(100 << 10);
  kernel.make_resident();
  check_shape(kernel, {.grid = {2}, .block = {128}, .cooperative = true});
  resident_blocks(kernel, {.grid = {2}, .block = {128}, .cluster = {2}});
  Stream stream(device);
  is_capturing(device, stream.handle());
  const RelaxedCapture relaxed(device);
  Buffer buffer(device, 64);
  std::vector<std::byte> host(64);
  buffer.copy_from_host(host);
  buffer.copy_to_host(host);
  buffer.copy_from_host_async(host, stream);
  buffer.copy_to_host_async(host, stream);
  buffer.fill(0);
  buffer.fill_words(1, stream.handle());
  stream.wait(Event(device, false));
  encode_tensor_map(*driver, 4096, {.element_bytes = 2, .row_bytes = 16}, "x");
  launch(kernel, {}, stream.handle(), nullptr);
  time_graph(stream, [&](const Stream& on) { launch(kernel, {}, on.handle(), nullptr); });
  stream.synchronize();
}

// Called by destructors only, whose failures nobody can act on.
inline const std::set<std::string> quiet{"cuDevicePrimaryCtxRelease",
                                         "cuCtxPopCurrent",
                                         "cuLibraryUnload",
                                         "cuLinkDestroy",
                                         "cuMemFree",
                                         "cuStreamDestroy",
                                         "cuEventDestroy",
                                         "cuGraphExecDestroy",
                                         "cuGraphDestroy"};

}  // namespace barline::driver::test
