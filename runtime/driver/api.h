// SPDX-License-Identifier: Apache-2.0
// The table of driver entry points: one member a row of cuda.def, named as the driver names it.
#pragma once
#include "runtime/driver/cuda_abi.h"

namespace barline::driver::abi {

/// A null member is an optional entry point that the loaded driver is too old for.
struct Api {
#define DRIVER_FN(name, version, parameters) Result(*name) parameters = nullptr;
#include "runtime/driver/cuda.def"
#undef DRIVER_FN
};

}  // namespace barline::driver::abi
