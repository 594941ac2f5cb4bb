// SPDX-License-Identifier: Apache-2.0
#include "runtime/driver/link.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <filesystem>

#include "runtime/driver/jit_call_p.h"

namespace barline::driver {
namespace {

/// One linking, ended with the scope.
struct Link {
  const abi::Api& api;
  abi::LinkHandle handle = nullptr;
  ~Link() {
    if (handle != nullptr) api.cuLinkDestroy(handle);
  }
};

/// An `a` target as the driver numbers it.
constexpr std::size_t specific_base = 0x10000;

}  // namespace

Linked link_ptx(const Device& device, std::string_view ptx, const LinkOptions& options) {
  std::string text(ptx);  // the driver wants a terminating zero, and takes no const
  JitCall jit;
  jit.add(abi::JitOption::Target,
          static_cast<std::size_t>(options.capability) + (options.specific ? specific_base : 0));
  if (options.line_info) jit.add(abi::JitOption::GenerateLineInfo, 1);
  const Driver& driver = device.driver();
  ContextScope scope(device);
  Link link{device.api()};
  const auto explain = [&] { return fmt::format("PTX; log: {}", jit.log()); };
  if (const abi::Result result =
          link.api.cuLinkCreate(jit.count(), jit.options(), jit.values(), &link.handle);
      result != abi::Result::Success)
    driver.fail(result, "cuLinkCreate", explain());
  if (const abi::Result result =
          link.api.cuLinkAddData(link.handle, abi::JitInput::Ptx, text.data(), text.size() + 1,
                                 "ptx", 0, nullptr, nullptr);
      result != abi::Result::Success)
    driver.fail(result, "cuLinkAddData", explain());
  void* cubin = nullptr;
  std::size_t bytes = 0;
  if (const abi::Result result = link.api.cuLinkComplete(link.handle, &cubin, &bytes);
      result != abi::Result::Success)
    driver.fail(result, "cuLinkComplete", explain());
  const auto* begin = static_cast<const std::byte*>(cubin);  // the link's own memory
  return {{begin, begin + bytes}, jit.log()};
}

std::string build_of(const Driver& driver) {
  Dl_info info{};
  std::error_code error;
  std::string file;
  if (::dladdr(reinterpret_cast<const void*>(driver.api().cuInit), &info) != 0)
    file = std::filesystem::weakly_canonical(info.dli_fname, error).filename().string();
  const int version = driver.version();
  return fmt::format("driver {}.{}; {}", version / 1000, version % 1000 / 10, file);
}

}  // namespace barline::driver
