// SPDX-License-Identifier: Apache-2.0
// The line table: every op's place becomes a `.loc`. Only directives are asked for (no .debug_*
// sections), as nvcc's -lineinfo does, so that the code is the same with and without.
#include <llvm/BinaryFormat/Dwarf.h>
#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/DebugInfoMetadata.h>

#include "codegen/lower/lowerer_p.h"

namespace barline::codegen {
namespace {

ir::Loc first_place(const ir::Kernel& k) {
  ir::Loc found;
  ir::walk(k.body, [&](const ir::Operation& op) {
    if (!found) found = op.loc;
  });
  return found;
}

}  // namespace

void Lowerer::start_lineinfo() {
  const ir::Loc first = first_place(k_);
  if (!first) return;
  module_->addModuleFlag(llvm::Module::Warning, "Debug Info Version", llvm::DEBUG_METADATA_VERSION);
  module_->addModuleFlag(llvm::Module::Max, "Dwarf Version", 2);
  debug_ = std::make_unique<llvm::DIBuilder>(*module_);
  llvm::DIFile* file = debug_->createFile(first.file, "");
  debug_->createCompileUnit(llvm::dwarf::DW_LANG_C_plus_plus, file, "barline", true, "", 0, "",
                            llvm::DICompileUnit::DebugDirectivesOnly);
  auto* signature = debug_->createSubroutineType(debug_->getOrCreateTypeArray({}));
  subprogram_ =
      debug_->createFunction(file, k_.name, k_.name, file, first.line, signature, first.line,
                             llvm::DINode::FlagZero, llvm::DISubprogram::SPFlagDefinition);
  function_->setSubprogram(subprogram_);
}

void Lowerer::place(const ir::Loc& loc) {
  if (!subprogram_) return;
  // A call inside a function with debug info needs a place: line 0 says "none in particular".
  llvm::DIScope* scope = subprogram_;
  if (loc && loc.file != subprogram_->getFilename())
    scope = debug_->createLexicalBlockFile(subprogram_, debug_->createFile(loc.file, ""));
  builder_.SetCurrentDebugLocation(
      llvm::DILocation::get(module_->getContext(), loc.line, loc.column, scope));
}

}  // namespace barline::codegen
