// SPDX-License-Identifier: Apache-2.0
// What stands behind the opaque handles of the C interface.
#pragma once
#include <memory>
#include <string>

#include "runtime/abi/barline.h"
#include "runtime/host/host.h"

struct barline_runtime {
  barline::runtime::Host host;
};

struct barline_kernel {
  std::shared_ptr<const barline::runtime::Prepared> prepared;
  std::string key;
  std::uint32_t registers = 0;  // of the code as it was loaded
};
