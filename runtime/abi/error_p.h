// SPDX-License-Identifier: Apache-2.0
// From exceptions to statuses: what every function of the C interface does around its work.
#pragma once
#include <exception>

#include "runtime/abi/barline.h"

namespace barline::abi {

/// Keeps the exception as this thread's last error and names its status.
barline_status note_error(std::exception_ptr error) noexcept;
const char* last_error_json() noexcept;

/// Runs `work`; whatever it throws becomes a status.
template <typename F>
barline_status guarded(F&& work) noexcept {
  try {
    work();
    return BARLINE_OK;
  } catch (...) {
    return note_error(std::current_exception());
  }
}

}  // namespace barline::abi
