// SPDX-License-Identifier: Apache-2.0
#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "runtime/abi/error_p.h"
#include "runtime/host/host.h"

namespace barline::abi {
namespace {

using Json = nlohmann::ordered_json;

/// One a thread, so that a message is that of the caller's own call.
thread_local std::string last_error = "{}";

struct Failure {
  barline_status status = BARLINE_INTERNAL_ERROR;
  std::string message;
  Json driver = Json::object();
};

Failure of_driver(const driver::Error& e) {
  Failure f{e.means_no_device() ? BARLINE_NO_DEVICE : BARLINE_DRIVER_ERROR, e.what(), {}};
  f.driver = {{"driver_code", static_cast<int>(e.code())},
              {"driver_name", e.code_name()},
              {"call", e.call()}};
  return f;
}

Failure failure_of(const std::exception_ptr& error) {
  try {
    std::rethrow_exception(error);
  } catch (const driver::Error& e) {
    return of_driver(e);
  } catch (const runtime::PackError& e) {
    return {BARLINE_BAD_PACK, e.what(), {}};
  } catch (const runtime::KernelNotFound& e) {
    return {BARLINE_NOT_FOUND, e.what(), {}};
  } catch (const runtime::OverBudget& e) {
    return {BARLINE_OVER_BUDGET, e.what(), {}};
  } catch (const runtime::CompileError& e) {
    return {BARLINE_COMPILE_ERROR, e.what(), {}};
  } catch (const runtime::PrepareInCapture& e) {
    return {BARLINE_IN_CAPTURE, e.what(), {}};
  } catch (const std::invalid_argument& e) {
    return {BARLINE_INVALID_ARGUMENT, e.what(), {}};
  } catch (const std::bad_alloc&) {
    return {BARLINE_OUT_OF_MEMORY, "the host is out of memory", {}};
  } catch (const std::exception& e) {
    return {BARLINE_INTERNAL_ERROR, e.what(), {}};
  } catch (...) {
    return {BARLINE_INTERNAL_ERROR, "an unknown exception", {}};
  }
}

}  // namespace

barline_status note_error(std::exception_ptr error) noexcept {
  try {
    const Failure f = failure_of(error);
    Json json = {{"schema", "barline.error/1"},
                 {"status", barline_status_name(f.status)},
                 {"code", static_cast<int>(f.status)},
                 {"message", f.message}};
    if (!f.driver.empty()) json.update(f.driver);
    // A path may hold bytes that are no UTF-8; they are replaced and never fatal.
    last_error = json.dump(-1, ' ', false, Json::error_handler_t::replace);
    return f.status;
  } catch (...) {
    last_error.clear();  // no room for the message; the status says it
    return BARLINE_OUT_OF_MEMORY;
  }
}

const char* last_error_json() noexcept { return last_error.c_str(); }

}  // namespace barline::abi
