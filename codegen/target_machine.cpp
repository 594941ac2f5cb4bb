// SPDX-License-Identifier: Apache-2.0
#include "codegen/target_machine.h"

#include <fmt/format.h>
#include <llvm/IR/DiagnosticInfo.h>
#include <llvm/IR/DiagnosticPrinter.h>
#include <llvm/IR/LegacyPassManager.h>
#include <llvm/IR/Module.h>
#include <llvm/IR/Verifier.h>
#include <llvm/MC/MCSubtargetInfo.h>
#include <llvm/MC/TargetRegistry.h>
#include <llvm/Support/ErrorHandling.h>
#include <llvm/Support/TargetSelect.h>
#include <llvm/Support/raw_ostream.h>
#include <llvm/Target/TargetMachine.h>
#include <llvm/Target/TargetOptions.h>

#include "codegen/ptx.h"

namespace barline::codegen {
namespace {

constexpr const char* triple = "nvptx64-nvidia-cuda";

/// Unwinds out of LLVM, which is built without exceptions and so cleans nothing up on the way: the
/// pass manager of that one call is leaked, and nothing else of it is used again.
[[noreturn]] void throw_fatal(void*, const char* reason, bool) {
  throw CodegenError(fmt::format("LLVM gave up: {}", reason));
}

const llvm::Target* register_nvptx() {
  LLVMInitializeNVPTXTargetInfo();
  LLVMInitializeNVPTXTarget();
  LLVMInitializeNVPTXTargetMC();
  LLVMInitializeNVPTXAsmPrinter();
  llvm::install_fatal_error_handler(throw_fatal);
  std::string error;
  return llvm::TargetRegistry::lookupTarget(triple, error);
}

const llvm::Target& nvptx() {
  static const llvm::Target* const target = register_nvptx();  // once, whichever thread is first
  if (!target) throw CodegenError("this LLVM has no NVPTX target");
  return *target;
}

/// Gathers LLVM's diagnostics of one context; without it an error would end the process.
struct Complaints : llvm::DiagnosticHandler {
  explicit Complaints(std::string& text) : text(text) {}
  bool handleDiagnostics(const llvm::DiagnosticInfo& info) override {
    if (info.getSeverity() != llvm::DS_Error) return true;
    llvm::raw_string_ostream out(text);
    llvm::DiagnosticPrinterRawOStream printer(out);
    info.print(printer);
    out << '\n';
    return true;
  }
  std::string& text;
};

}  // namespace

std::unique_ptr<llvm::TargetMachine> make_target_machine(const ir::Target& target, int ptx_isa) {
  const std::string cpu(target.ptx), features = fmt::format("+ptx{}", ptx_isa);
  const llvm::Target& back_end = nvptx();
  std::unique_ptr<llvm::MCSubtargetInfo> known(back_end.createMCSubtargetInfo(triple, "", ""));
  if (!known || !known->isCPUStringValid(cpu))
    throw CodegenError(fmt::format("LLVM does not know the target {}", cpu));
  llvm::TargetOptions options;
  options.AllowFPOpFusion = llvm::FPOpFusion::Strict;  // every mul and add keeps its own rounding
  std::unique_ptr<llvm::TargetMachine> machine(back_end.createTargetMachine(
      triple, cpu, features, options, std::nullopt, std::nullopt, llvm::CodeGenOptLevel::Default));
  if (!machine) throw CodegenError(fmt::format("LLVM makes no code for {}", cpu));
  return machine;
}

std::string print_ptx(llvm::Module& module, llvm::TargetMachine& machine) {
  module.setTargetTriple(triple);
  module.setDataLayout(machine.createDataLayout());
  std::string complaints;
  module.getContext().setDiagnosticHandler(std::make_unique<Complaints>(complaints));
  {
    llvm::raw_string_ostream out(complaints);
    if (llvm::verifyModule(module, &out))
      throw CodegenError("the lowering made an invalid LLVM module:\n" + complaints);
  }
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream out(text);
  llvm::legacy::PassManager passes;
  if (machine.addPassesToEmitFile(passes, out, nullptr, llvm::CodeGenFileType::AssemblyFile,
                                  /*DisableVerify=*/true))
    throw CodegenError("LLVM cannot print PTX");
  passes.run(module);
  if (!complaints.empty()) throw CodegenError("LLVM refused the kernel:\n" + complaints);
  return std::string(text);
}

}  // namespace barline::codegen
