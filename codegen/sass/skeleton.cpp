// SPDX-License-Identifier: Apache-2.0
// One walk over the code. ptxas guards some instructions by a predicate that is never true (they
// only order others); those, and the padding, are not counted.
#include "codegen/sass/skeleton.h"

#include <fmt/format.h>

#include "codegen/sass/code_p.h"

namespace barline::codegen {
namespace {

// A move between registers goes through MOV or, to spare that unit, through a multiply by zero.
SassOp kind_of(Instruction instruction, const Calibration& calibration) {
  SassOp op = calibration.of(instruction.operation());
  if (op == SassOp::Mov && instruction.form() != form_registers) return SassOp::Other;
  if (op != SassOp::Imad) return op;
  bool by_zero = instruction.source_a() == zero_register && instruction.source_b() == zero_register;
  return by_zero && instruction.form() == form_registers ? SassOp::Mov : op;
}

bool is_mma(SassOp op) { return op == SassOp::Hmma || op == SassOp::Imma || op == SassOp::Hgmma; }

bool is_global_load(SassOp op) {
  return op == SassOp::Ldg || op == SassOp::CpAsync || op == SassOp::BulkCopy;
}

// What stands before what; one call an instruction, in order.
class Walk {
 public:
  explicit Walk(SassSkeleton& out) : out_(out) {}

  void visit(SassOp op) {
    ++out_.instructions;
    ++out_.counts[static_cast<int>(op)];
    if (op == SassOp::Other) return;
    out_.sequence.push_back(op);
    if (op == SassOp::GridWait && !out_.loads_before_wait) out_.loads_before_wait = loads_;
    if (op == SassOp::Bar && !out_.loads_before_barrier) out_.loads_before_barrier = loads_;
    if (is_mma(op)) visit_mma();
    if (op == SassOp::Mov && out_.loads_before_mma) ++moves_;
    if (is_global_load(op)) ++loads_;
  }

  void finish() {
    if (out_.loads_before_mma)
      out_.movs_per_mma = static_cast<double>(moves_to_last_mma_) / out_.mmas;
  }

 private:
  void visit_mma() {
    if (!out_.loads_before_mma) out_.loads_before_mma = loads_;
    moves_to_last_mma_ = moves_;
    ++out_.mmas;
  }

  SassSkeleton& out_;
  int loads_ = 0;
  int moves_ = 0;              // since the first matrix instruction
  int moves_to_last_mma_ = 0;  // of these, those that a matrix instruction follows
};

}  // namespace

SassSkeleton skeleton_of_code(std::span<const std::byte> text, const Calibration& calibration) {
  if (text.size() % instruction_bytes)
    throw CubinError(fmt::format("code of {} bytes is not a whole number of instructions of {}",
                                 text.size(), instruction_bytes));
  SassSkeleton out;
  Walk walk(out);
  each_instruction(text, [&](Instruction instruction) {
    SassOp op = kind_of(instruction, calibration);
    if (op != SassOp::Nop && !instruction.never()) walk.visit(op);
  });
  walk.finish();
  out.bars = out.count(SassOp::Bar);
  out.global_loads =
      out.count(SassOp::Ldg) + out.count(SassOp::CpAsync) + out.count(SassOp::BulkCopy);
  out.global_stores = out.count(SassOp::Stg);
  out.shared_loads = out.count(SassOp::Lds) + out.count(SassOp::Ldsm);
  out.shared_stores = out.count(SassOp::Sts);
  out.local_loads = out.count(SassOp::Ldl);
  out.local_stores = out.count(SassOp::Stl);
  out.moves = out.count(SassOp::Mov);
  return out;
}

SassSkeleton skeleton(std::span<const std::byte> cubin, std::string_view kernel,
                      const Calibration& calibration) {
  return skeleton_of_code(Cubin::parse(cubin).kernel(kernel).text, calibration);
}

}  // namespace barline::codegen
