// SPDX-License-Identifier: Apache-2.0
// The compiler behind a runtime::Host: names and bound sizes become units, what goes wrong becomes
// errors that the runtime knows.
#include <barline_codegen_id.h>
#include <fmt/format.h>

#include <algorithm>

#include "codegen/assembler/assembler.h"
#include "codegen/cubin/cubin.h"
#include "codegen/ptx.h"
#include "codegen/report/ptxas_log.h"
#include "ir/diagnostic.h"
#include "runtime/host/bound_sizes.h"
#include "runtime/host/compiler.h"
#include "runtime/host/host.h"
#include "runtime/jit/plugin.h"
#include "runtime/jit/runtime.h"

namespace barline::jit {
namespace {

using runtime::KernelRequest;

std::string name_of(const dsl::KernelEntry& e, ir::Elem type, const ir::Schedule& s) {
  return fmt::format("{}.{}@{}", e.name, ir::name(type), s.name);
}

class HostCompiler final : public runtime::Compiler {
 public:
  explicit HostCompiler(const runtime::Options& options) : runtime_(options) {
    for (const auto& library : options.kernels) load_plugin(library.string(), registry_);
  }

  std::vector<std::string> names() const override {
    std::vector<std::string> names;
    for (const dsl::KernelEntry& e : registry_.entries())
      for (const ir::Elem type : e.types)
        for (const ir::Schedule& s : e.schedules) names.push_back(name_of(e, type, s));
    std::ranges::sort(names);
    return names;
  }

  runtime::Found find(const KernelRequest& request, const driver::DeviceInfo& device) override {
    for (const dsl::KernelEntry& e : registry_.entries())
      for (const ir::Elem type : e.types)
        for (const ir::Schedule& s : e.schedules)
          if (request.name == name_of(e, type, s))
            return build({.entry = &e,
                          .elem = type,
                          .config = {.schedule = s,
                                     .dims = runtime::bound_sizes(request),
                                     .label = request.name},
                          .target = &target_for(device)});
    return {};
  }

 private:
  runtime::Found build(const Unit& unit) {
    const auto failed = [&](const std::exception& e) {
      return runtime::CompileError(
          fmt::format("kernel '{}' for {}: {}", unit.config.label, unit.target->name, e.what()));
    };
    try {
      return runtime_.find(unit);
    } catch (const JitDisabled& e) {
      throw runtime::KernelNotFound(e.what());
    } catch (const ir::Error& e) {
      throw failed(e);
    } catch (const codegen::MissingAssembler& e) {
      throw failed(e);
    } catch (const codegen::AssembleError& e) {
      throw failed(e);
    } catch (const codegen::CodegenError& e) {
      throw failed(e);
    } catch (const codegen::MissingRecord& e) {
      throw failed(e);
    } catch (const codegen::CubinError& e) {
      throw failed(e);
    }
  }

  dsl::Registry registry_;
  Runtime runtime_;
};

}  // namespace
}  // namespace barline::jit

extern "C" [[gnu::visibility("default")]] barline::runtime::Compiler* barline_open_compiler(
    const char* version, const barline::runtime::Options& options) {
  if (std::string_view(version) != BARLINE_VERSION)
    throw std::invalid_argument(
        fmt::format("the runtime is barline {} and its kernel libraries are linked to {}; take "
                    "both of one version",
                    version, BARLINE_VERSION));
  return new barline::jit::HostCompiler(options);
}
