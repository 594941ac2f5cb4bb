// SPDX-License-Identifier: Apache-2.0
// The C interface: versions, the runtime, packs, preparing kernels.
#include <barline_codegen_id.h>

#include "runtime/abi/error_p.h"
#include "runtime/abi/handles_p.h"
#include "runtime/abi/structs_p.h"

namespace barline::abi {
namespace {

std::vector<std::filesystem::path> kernels_of(const std::string& text) {
  if (text.empty()) return {runtime::own_kernels()};
  return runtime::split_paths(text);
}

runtime::Options options_of(const barline_options& theirs) {
  runtime::Options options = runtime::options_from_environment();
  if (theirs.jit > BARLINE_JIT_OFF)
    throw std::invalid_argument("options.jit is no barline_jit; pass 0, 1 or 2");
  if (theirs.jit != BARLINE_JIT_DEFAULT)
    options.jit = theirs.jit == BARLINE_JIT_OFF ? runtime::Jit::Off : runtime::Jit::On;
  if (theirs.cache_dir != nullptr) options.cache.dir = theirs.cache_dir;
  if (options.cache.dir.is_relative() && !options.cache.dir.empty())
    throw std::invalid_argument("options.cache_dir is relative; pass an absolute path or \"\"");
  if (theirs.libcuda != nullptr) options.driver.libraries = {theirs.libcuda};
  if (theirs.kernels != nullptr) options.kernels = kernels_of(theirs.kernels);
  if (theirs.assembler != nullptr) {
    const auto choice = runtime::parse_assembler(theirs.assembler);
    if (!choice)
      throw std::invalid_argument("options.assembler is '" + std::string(theirs.assembler) +
                                  "'; pass auto, ptxas, nvjitlink or driver");
    options.assembler = *choice;
  }
  if (theirs.strict_budget != 0) options.strict_budget = true;
  if (theirs.warn != nullptr) {
    options.cache.warn = [warn = theirs.warn, user = theirs.warn_user](const std::string& text) {
      warn(user, text.c_str());
    };
  }
  return options;
}

}  // namespace
}  // namespace barline::abi

using namespace barline;

uint32_t barline_abi_version(void) { return BARLINE_ABI_VERSION; }

const char* barline_version(void) { return BARLINE_VERSION; }

const char* barline_status_name(barline_status status) {
  static constexpr const char* names[] = {"BARLINE_OK",
                                          "BARLINE_INVALID_ARGUMENT",
                                          "BARLINE_NOT_FOUND",
                                          "BARLINE_BAD_PACK",
                                          "BARLINE_NO_DEVICE",
                                          "BARLINE_DRIVER_ERROR",
                                          "BARLINE_OVER_BUDGET",
                                          "BARLINE_IN_CAPTURE",
                                          "BARLINE_OUT_OF_MEMORY",
                                          "BARLINE_INTERNAL_ERROR",
                                          "BARLINE_COMPILE_ERROR"};
  const auto number = static_cast<unsigned>(status);
  return number < std::size(names) ? names[number] : "?";
}

const char* barline_last_error_json(void) { return abi::last_error_json(); }

barline_status barline_runtime_open(const barline_options* options, barline_runtime** runtime) {
  return abi::guarded([&] {
    abi::require(runtime, "runtime");
    *runtime = nullptr;
    barline_options theirs{};
    if (options != nullptr) theirs = abi::read_struct(options, "options");
    *runtime = new barline_runtime{runtime::Host(abi::options_of(theirs))};
  });
}

void barline_runtime_close(barline_runtime* runtime) { delete runtime; }

barline_status barline_runtime_add_pack(barline_runtime* runtime, const char* path) {
  return abi::guarded([&] {
    abi::require(runtime, "runtime");
    abi::require(path, "path");
    runtime->host.add_pack(path);
  });
}

barline_status barline_runtime_names(barline_runtime* runtime,
                                     void (*visit)(void* user, const char* name), void* user) {
  return abi::guarded([&] {
    abi::require(runtime, "runtime");
    abi::require(reinterpret_cast<const void*>(visit), "visit");
    for (const std::string& name : runtime->host.names()) visit(user, name.c_str());
  });
}

barline_status barline_prepare(barline_runtime* runtime, const barline_request* request,
                               barline_kernel** kernel) {
  return abi::guarded([&] {
    abi::require(runtime, "runtime");
    abi::require(kernel, "kernel");
    *kernel = nullptr;
    const barline_request theirs = abi::read_struct(request, "request");
    auto prepared =
        runtime->host.prepare({.name = theirs.name != nullptr ? theirs.name : "",
                               .key = theirs.key != nullptr ? theirs.key : "",
                               .bind = theirs.bind != nullptr ? theirs.bind : "",
                               .device = theirs.device,
                               .stream = static_cast<driver::abi::StreamHandle>(theirs.stream)});
    auto handle = std::make_unique<barline_kernel>();
    handle->key = prepared->key().hash().hex();
    handle->registers = static_cast<std::uint32_t>(prepared->kernel().attributes().registers);
    handle->prepared = std::move(prepared);
    *kernel = handle.release();
  });
}

void barline_kernel_release(barline_kernel* kernel) { delete kernel; }
