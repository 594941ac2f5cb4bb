// SPDX-License-Identifier: Apache-2.0
// The driver as an assembler: machine code of PTX text as bytes, to be kept and loaded again.
#pragma once
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/driver/device.h"

namespace barline::driver {

struct LinkOptions {
  int capability = 90;    ///< 90 for sm_90a; of any GPU that the driver knows, not this one alone
  bool specific = false;  ///< an `a` target
  bool line_info = false;
};

struct Linked {
  std::vector<std::byte> cubin;
  std::string log;  ///< what the driver's compiler said
};

/// Throws Error{Call} with the compiler's log.
Linked link_ptx(const Device& device, std::string_view ptx, const LinkOptions& options);

/// All that tells one driver from another: the CUDA version, and the file that the library is,
/// whose name ends in the driver's version.
std::string build_of(const Driver& driver);

}  // namespace barline::driver
