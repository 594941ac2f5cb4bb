// SPDX-License-Identifier: Apache-2.0
// A kernel library is linked to libbarline, so loading it brings the compiler along. Neither is
// ever unloaded: kernels and errors of them may live on.
#include "runtime/host/compiler.h"

#include <barline_codegen_id.h>
#include <dlfcn.h>
#include <fmt/format.h>

namespace barline::runtime {

std::filesystem::path own_kernels() {
  Dl_info info{};
  if (::dladdr(reinterpret_cast<const void*>(&own_kernels), &info) == 0) return {};
  std::error_code error;
  return std::filesystem::absolute(info.dli_fname, error).parent_path() / "libbarline_kernels.so.0";
}

std::shared_ptr<Compiler> load_compiler(const Options& options) {
  const std::string path = options.kernels.front().string();
  void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    const char* why = ::dlerror();
    throw std::invalid_argument(fmt::format(
        "kernel library '{}' cannot be loaded: {}; pass the path of libbarline_kernels.so.0 or of "
        "a library of your own that is linked to barline",
        path, why != nullptr ? why : "no reason is given"));
  }
  const auto open = reinterpret_cast<OpenCompiler>(::dlsym(library, "barline_open_compiler"));
  if (open == nullptr)
    throw std::invalid_argument(
        fmt::format("kernel library '{}' brings no compiler along; link it to barline {}", path,
                    BARLINE_VERSION));
  return std::shared_ptr<Compiler>(open(BARLINE_VERSION, options));
}

}  // namespace barline::runtime
