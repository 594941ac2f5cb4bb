// SPDX-License-Identifier: Apache-2.0
// The frame of a kernel: its function, parameters, slots and launch bounds, and the walk over ops.
#include "codegen/lower/lowerer_p.h"

#include <fmt/format.h>
#include <llvm/IR/DIBuilder.h>
#include <llvm/IR/IntrinsicsNVPTX.h>

#include <algorithm>

#include "codegen/lower/lower.h"

namespace barline::codegen {
namespace {

bool moves_registers(const ir::Kernel& k) {
  bool found = false;
  ir::walk(k.body, [&](const ir::Operation& op) { found |= op.is(ir::Op::SetRegisters); });
  return found;
}

}  // namespace

std::unique_ptr<llvm::Module> lower(const ir::Kernel& k, const ir::Target& target,
                                    const EmitOptions& options, llvm::LLVMContext& context) {
  return Lowerer(k, target, options, context).run();
}

Lowerer::Lowerer(const ir::Kernel& k, const ir::Target& target, const EmitOptions& options,
                 llvm::LLVMContext& context)
    : k_(k),
      target_(target),
      options_(options),
      defs_(ir::definitions(k)),
      used_(k.values.size()),
      values_(k.values.size()),
      maps_(ir::tensor_maps(k)),
      module_(std::make_unique<llvm::Module>(k.name, context)),
      builder_(context) {
  ir::walk(k.body, [&](const ir::Operation& op) {
    for (ir::ValueId v : op.in) used_[v] = true;
    awaits_previous_ = awaits_previous_ || op.is(ir::Op::AwaitPrevious);
    streams_loads_ = streams_loads_ || op.is(ir::Op::WarpSync);
  });
}

Lowerer::~Lowerer() = default;

std::unique_ptr<llvm::Module> Lowerer::run() {
  if (k_.launch.cluster > 1 && target_.capability < 90)
    ir::fail(ir::Diag::TargetFeature, {},
             fmt::format("@{} in clusters of {} blocks; {} has no clusters", k_.name,
                         k_.launch.cluster, target_.name),
             "launch without clusters, or leave the target out");
  declare_function();
  launch_bounds();
  if (options_.lineinfo) start_lineinfo();
  builder_.SetInsertPoint(llvm::BasicBlock::Create(module_->getContext(), "entry", function_));
  bind_parameters();
  bind_maps();
  bind_slots();
  start_gates();
  region(k_.body);
  place({});
  builder_.CreateRetVoid();
  if (debug_) debug_->finalize();
  return std::move(module_);
}

void Lowerer::declare_function() {
  std::vector<llvm::Type*> types;
  for (const ir::Param& p : k_.params)
    types.push_back(p.type.is_pointer() ? int_type(64) : type_of(p.type.elem));
  for (ir::ValueId v : k_.axis_sizes)
    if (v != ir::no_value) types.push_back(int_type(32));
  types.insert(types.end(), maps_.size(), builder_.getPtrTy());
  auto* signature = llvm::FunctionType::get(builder_.getVoidTy(), types, false);
  function_ =
      llvm::Function::Create(signature, llvm::GlobalValue::ExternalLinkage, k_.name, *module_);
  function_->setCallingConv(llvm::CallingConv::PTX_Kernel);
  function_->addFnAttr(llvm::Attribute::NoUnwind);
}

void Lowerer::launch_bounds() {
  llvm::NamedMDNode* node = module_->getOrInsertNamedMetadata("nvvm.annotations");
  auto annotate = [&](const char* key, int value) {
    llvm::LLVMContext& c = module_->getContext();
    llvm::Metadata* operands[] = {llvm::ValueAsMetadata::get(function_),
                                  llvm::MDString::get(c, key),
                                  llvm::ConstantAsMetadata::get(integer(32, value))};
    node->addOperand(llvm::MDNode::get(c, operands));
  };
  annotate("kernel", 1);
  annotate("maxntidx", k_.launch.threads[0]);
  annotate("maxntidy", k_.launch.threads[1]);
  annotate("maxntidz", k_.launch.threads[2]);
  // ptxas moves registers between warpgroups only where it knows how many a thread starts with.
  const int least_blocks = moves_registers(k_) && k_.launch.max_registers == 0 ? 1 : 0;
  if (const int n = std::max(k_.launch.min_ctas_per_sm, least_blocks); n > 0)
    annotate("minctasm", n);
  if (k_.launch.max_registers > 0) annotate("maxnreg", k_.launch.max_registers);
}

void Lowerer::bind_parameters() {
  llvm::Argument* arg = function_->arg_begin();
  for (const ir::Param& p : k_.params) set(p.value, arg++);
  for (ir::ValueId v : k_.axis_sizes)
    if (v != ir::no_value) set(v, arg++);
}

void Lowerer::bind_slots() {
  if (k_.slots.empty()) return;
  // One dynamic array holds every slot: the launch gives its size, so 48 KiB is no limit.
  auto* array = new llvm::GlobalVariable(
      *module_, llvm::ArrayType::get(int_type(8), 0), false, llvm::GlobalValue::ExternalLinkage,
      nullptr, "barline_slots", nullptr, llvm::GlobalValue::NotThreadLocal, 3);
  int align = 16;
  for (const ir::Slot& s : k_.slots) align = std::max(align, s.align);
  array->setAlignment(llvm::Align(align));
  llvm::Value* base = pure_asm(int_type(32), "mov.u32 $0, barline_slots;", {});
  for (const ir::Slot& s : k_.slots) set(s.value, base);
}

/// Of the ops of a warpgroup's product: between them nothing takes a register.
bool Lowerer::is_product(const ir::Operation& op) {
  return op.is(ir::Op::Wgmma) || op.is(ir::Op::WgmmaSlots) || op.is(ir::Op::WgmmaCommit) ||
         op.is(ir::Op::WgmmaWait);
}

const ir::Operation& Lowerer::region(const ir::Region& region) {
  for (const ir::Operation& op : region.ops) {
    if (op.has(ir::Terminator)) return op;
    place(op.loc);
    if (!is_product(op)) just_read_.clear();
    if (op.is(ir::Op::Wgmma)) just_read_.insert(op.in[0]);
    lower_op(*this, op);
  }
  ir::fail(ir::Diag::BadStructure, {}, "a region of @" + k_.name + " has no terminator",
           "end it with its terminator");
}

llvm::BasicBlock* Lowerer::new_block(const char* name) {
  return llvm::BasicBlock::Create(module_->getContext(), name, function_);
}

std::optional<std::int64_t> Lowerer::constant(ir::ValueId v) const {
  const ir::Operation* def = defs_[v];
  if (def && def->is(ir::Op::Pack)) {
    auto first = constant(def->in[0]);
    for (ir::ValueId each : def->in)
      if (constant(each) != first) return std::nullopt;
    return first;
  }
  if (!def || !def->is(ir::Op::Const) || !ir::is_int(elem(v))) return std::nullopt;
  const int unused = 64 - ir::bits(elem(v));
  const std::uint64_t bits = static_cast<std::uint64_t>(def->attr(ir::Key::Value)) << unused;
  if (ir::is_signed(elem(v))) return static_cast<std::int64_t>(bits) >> unused;
  return static_cast<std::int64_t>(bits >> unused);
}

llvm::Type* Lowerer::type_of(ir::Elem e) {
  if (e == ir::Elem::F32) return builder_.getFloatTy();
  if (e == ir::Elem::F64) return builder_.getDoubleTy();
  if (e == ir::Elem::I1) return builder_.getInt1Ty();
  return int_type(ir::bits(e) < 8 ? 8 : ir::bits(e));
}

llvm::Value* Lowerer::f32(float value) {
  return llvm::ConstantFP::get(builder_.getFloatTy(), llvm::APFloat(value));
}
llvm::Value* Lowerer::f64(double value) {
  return llvm::ConstantFP::get(builder_.getDoubleTy(), llvm::APFloat(value));
}

llvm::Value* Lowerer::intrinsic(unsigned id, llvm::ArrayRef<llvm::Value*> args,
                                llvm::ArrayRef<llvm::Type*> overload) {
  return builder_.CreateCall(llvm::Intrinsic::getDeclaration(module_.get(), id, overload), args);
}

}  // namespace barline::codegen
