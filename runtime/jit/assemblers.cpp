// SPDX-License-Identifier: Apache-2.0
#include "runtime/jit/assemblers.h"

#include <fmt/format.h>

#include "codegen/assembler/nvjitlink.h"
#include "codegen/assembler/ptxas.h"
#include "runtime/driver/device.h"
#include "runtime/jit/driver_assembler.h"

namespace barline::jit {
namespace {

using codegen::Assembler;
using codegen::AssemblerKind;
using runtime::AssemblerChoice;

std::unique_ptr<const Assembler> open(AssemblerKind kind, const runtime::Options& o) {
  switch (kind) {
    case AssemblerKind::Ptxas:
      return std::make_unique<codegen::Ptxas>(
          codegen::Ptxas::find({.explicit_path = o.ptxas.string(),
                                .cuda_home = o.cuda_home.string(),
                                .path_env = o.path,
                                .allow_path = !o.path.empty(),
                                .toolkit = o.toolkit.string()}));
    case AssemblerKind::NvJitLink:
      return std::make_unique<codegen::NvJitLink>(
          codegen::NvJitLink::open({.explicit_path = o.nvjitlink.string(),
                                    .cuda_home = o.cuda_home.string(),
                                    .toolkit = o.toolkit.string()}));
    case AssemblerKind::Driver:
      return std::make_unique<DriverAssembler>(driver::Driver::load(o.driver)->device(0));
  }
  throw std::logic_error("no such assembler");
}

}  // namespace

std::vector<AssemblerKind> allowed_assemblers(const runtime::Options& options) {
  switch (options.assembler) {
    case AssemblerChoice::Ptxas: return {AssemblerKind::Ptxas};
    case AssemblerChoice::NvJitLink: return {AssemblerKind::NvJitLink};
    case AssemblerChoice::Driver: return {AssemblerKind::Driver};
    case AssemblerChoice::Auto: break;
  }
  if (!options.ptxas.empty()) return {AssemblerKind::Ptxas};
  return {AssemblerKind::Ptxas, AssemblerKind::NvJitLink, AssemblerKind::Driver};
}

std::unique_ptr<const Assembler> choose_assembler(const runtime::Options& options) {
  const std::vector<AssemblerKind> kinds = allowed_assemblers(options);
  std::string tried;
  for (const AssemblerKind kind : kinds) {
    try {
      return open(kind, options);
    } catch (const codegen::MissingAssembler& e) {
      if (kinds.size() == 1) throw;
      tried += fmt::format("{}: {}\n", name(kind), e.what());
    } catch (const driver::Error& e) {
      tried += fmt::format("{}: {}\n", name(kind), e.what());
    }
  }
  throw codegen::MissingAssembler(fmt::format(
      "nothing here makes machine code of PTX; tried, in this order,\n{}Any one of them will do; "
      "BARLINE_ASSEMBLER or --assembler names one",
      tried));
}

}  // namespace barline::jit
