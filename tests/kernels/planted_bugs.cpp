// SPDX-License-Identifier: Apache-2.0
// Two bugs that hand-written kernels of this family had, planted between the passes: scales of one
// slot that several projections share but that are filled at group boundaries only, and a block's
// offset that a loader adds again. What sees them, and what does not.
#include <algorithm>
#include <catch2/catch.hpp>
#include <functional>
#include <set>

#include "canaries.h"
#include "ir/builder.h"
#include "ir/check.h"
#include "ir/pipeline.h"
#include "kernels/matmul/schedules.h"
#include "problem.h"
#include "verify/proof/prove.h"

using namespace barline;
using kernels::reference::Contraction;
using kernels::reference::Weights;
using test::Problem;
using test::Sizes;
using verify::Verdict;

namespace {

using Plant = std::function<void(ir::Kernel&)>;

/// The problem's kernel lowered, with a bug planted where staged operands are filled.
ir::Kernel lowered(const Problem& p, const Plant& plant) {
  ir::Kernel k = dsl::instantiate(p.source, p.config);
  for (const ir::Pass& pass : ir::passes()) {
    pass.run(k);
    if (pass.name == "lower_rings") plant(k);
    ir::check(k);
  }
  return k;
}

void nothing(ir::Kernel&) {}

ir::Operation operation(ir::Op op, std::vector<ir::ValueId> in = {},
                        std::vector<ir::ValueId> out = {}) {
  ir::Operation o;
  o.op = op;
  o.in = std::move(in);
  o.out = std::move(out);
  return o;
}

/// The operand of a load, fill or tensor copy that names what is read; -1 of other ops.
int source_operand(const ir::Operation& op) {
  switch (op.op) {
    case ir::Op::FragmentLoad: return 0;
    case ir::Op::Fill: return 1;
    case ir::Op::CopyTensor: return 2;
    default: return -1;
  }
}

/// Does the op read weights, not their scales, from a tensor?
bool reads_weights(const ir::Kernel& k, const ir::Operation& op) {
  const int from = source_operand(op);
  if (from < 0) return false;
  const int param = ir::root_of(k, ir::definitions(k), op.in[static_cast<std::size_t>(from)]).param;
  if (param < 0) return false;
  const std::string& name = k.params[static_cast<std::size_t>(param)].name;
  return name.starts_with("w") && !name.starts_with("w_scale");
}

/// Fills of scales stand under `if (trip % 8 == 0)`: a group of 128 is eight steps of 16.
void fill_scales_at_group_boundaries(ir::Kernel& k) {
  auto loop = std::find_if(k.body.ops.begin(), k.body.ops.end(),
                           [](const ir::Operation& op) { return op.is(ir::Op::For); });
  ir::Region& body = loop->regions[0];
  const ir::ValueId trip = body.args[0];
  int planted = 0;
  std::vector<ir::Operation> ops = std::move(body.ops);
  body.ops.clear();
  ir::Builder b(k, body);
  for (ir::Operation& op : ops) {
    bool scales =
        op.is(ir::Op::Fill) &&
        k.params[ir::root_of(k, ir::definitions(k), op.in[1]).param].name.starts_with("w_scale");
    if (!scales) {
      b.append(std::move(op));
      continue;
    }
    ir::ValueId step = b.binary(ir::Op::Rem, trip, b.constant(ir::Elem::S32, 8));
    ir::ValueId boundary = b.compare(ir::Compare::Eq, step, b.constant(ir::Elem::S32, 0));
    ir::Operation guard = operation(ir::Op::If, {boundary});
    guard.regions.resize(2);
    for (int arm = 0; arm < 2; ++arm) {
      b.open(guard.regions[arm]);
      if (arm == 0) b.append(op);
      b.append(operation(ir::Op::Yield));
      b.close();
    }
    b.append(std::move(guard));
    ++planted;
  }
  REQUIRE(planted == 3);
}

/// What follows from a block's index, or from the tile that a block which stays is at.
class OfBlocks {
 public:
  explicit OfBlocks(const ir::Kernel& k) : defs_(ir::definitions(k)) {
    ir::walk(k.body, [&](const ir::Operation& op) {
      if (op.is(ir::Op::For) && follows(op.in[0])) tiles_.insert(op.regions[0].args[0]);
    });
  }
  bool follows(ir::ValueId v) const {
    if (tiles_.contains(v)) return true;
    const ir::Operation* op = defs_[v];
    return op && !op->is(ir::Op::For) &&
           (op->is(ir::Op::BlockId) ||
            std::any_of(op->in.begin(), op->in.end(), [&](ir::ValueId in) { return follows(in); }));
  }
  /// Of a sum with places in the block: the part that follows.
  ir::ValueId part(ir::ValueId v) const {
    const ir::Operation* op = defs_[v];
    if (!op || !op->is(ir::Op::Add) || follows(op->in[0]) == follows(op->in[1])) return v;
    return part(op->in[follows(op->in[0]) ? 0 : 1]);
  }

 private:
  std::vector<const ir::Operation*> defs_;
  std::set<ir::ValueId> tiles_;
};

/// Loaders of w add the block's origin to the origin that they were given.
int add_block_offset_twice(ir::Kernel& k, ir::Region& r) {
  int planted = 0;
  for (std::size_t i = 0; i < r.ops.size(); ++i) {
    for (ir::Region& inner : r.ops[i].regions) planted += add_block_offset_twice(k, inner);
    if (!reads_weights(k, r.ops[i])) continue;
    const auto first = static_cast<std::size_t>(source_operand(r.ops[i])) + 1;
    for (std::size_t operand = first; operand < r.ops[i].in.size(); ++operand) {
      const ir::ValueId at = r.ops[i].in[operand];
      const OfBlocks blocks(k);
      if (k.type(at).is_pointer() || !blocks.follows(at)) continue;
      const ir::ValueId origin = blocks.part(at);
      const ir::ValueId twice = k.new_value(k.type(at));
      r.ops[i].in[operand] = twice;
      r.ops.insert(r.ops.begin() + static_cast<std::ptrdiff_t>(i++),
                   operation(ir::Op::Add, {at, origin}, {twice}));
      ++planted;
    }
  }
  return planted;
}

void plant_block_offset(ir::Kernel& k) { REQUIRE(add_block_offset_twice(k, k.body) > 0); }

verify::ProofReport proof_of(const ir::Kernel& k, bool lifetimes = true) {
  verify::ProofOptions options;
  options.minimal = options.costs = false;
  options.lifetimes = lifetimes;
  return verify::prove(k, options);
}

/// Design S with a step's scales in one slot, as its weights are.
ir::Schedule shared_scales() {
  ir::Schedule s = kernels::design_s("s_scales", 0);
  s.streams = {{.of = "x", .store = ir::Store::Smem},
               {.of = "w", .store = ir::Store::Smem},
               {.of = "w_scale", .store = ir::Store::Smem}};
  return s;
}

const test::CanaryShape one_group{
    .weights = Weights::Int4, .m = 17, .k = 128, .n = {24, 24, 24}, .group = 128, .step = 16};
const Contraction names{.weights = Weights::Int4, .segments = {"_q", "_k", "_v"}};

/// The first difference from the reference with the canary of that name, or "".
std::string judged(const ir::Kernel& k, Problem p, const std::string& canary) {
  for (const test::Canary& c : test::canaries(one_group))
    if (c.name == canary) test::fill(c, one_group, names, p.tensors, p.scalars);
  test::Tensors got = p.run(k, {});
  p.refer();
  return test::first_difference(got, p.tensors);
}

}  // namespace

TEST_CASE("scales that the next projections find stale are refuted by the proof", "[kernels]") {
  const Problem p("qkv_w4a16", ir::Elem::F16, shared_scales(),
                  {{"M", 17}, {"K", 128}, {"N_q", 24}, {"N_k", 24}, {"N_v", 24}});
  const ir::Kernel right = lowered(p, nothing), wrong = lowered(p, fill_scales_at_group_boundaries);
  CHECK(proof_of(right).verdict == Verdict::Proved);
  CHECK(judged(right, p, "random") == "");

  const verify::ProofReport seen = proof_of(wrong);
  INFO(to_string(seen));
  REQUIRE(seen.verdict == Verdict::Refuted);
  for (const verify::ProofFinding& f : seen.findings) {
    CHECK(f.property == verify::Property::Stale);
    CHECK(f.buffer == "w_scale_ring");
    CHECK_THAT(f.message, Catch::Contains("fill the copy for every use that is read"));
  }
  // Nothing races: without lifetimes the proof holds, as barriers stand where they are needed.
  CHECK(proof_of(wrong, false).verdict == Verdict::Proved);
  // One scale for all hides it; scales of their own show it.
  for (const char* blind : {"differentiation", "sign", "slots"})
    CHECK(judged(wrong, p, blind) == "");
  CHECK(judged(wrong, p, "scales") != "");
  CHECK(judged(wrong, p, "random") != "");
}

TEST_CASE("a block's offset added twice is seen past one tile of columns alone", "[kernels]") {
  for (const char* kernel : {"qkv_w8a16", "qkv_w4a16", "matmul"})
    for (const ir::Schedule& s : test::entry(kernel).schedules) {
      const std::int64_t tile = s.tile.n;
      for (std::int64_t n : {tile, 2 * tile + 8}) {
        Sizes sizes{{"M", 9}, {"K", 128}, {"N", n}, {"N_q", n}, {"N_k", n}, {"N_v", n}};
        if (std::string(kernel) == "matmul")
          for (const char* gone : {"N_q", "N_k", "N_v"}) sizes.erase(gone);
        else
          sizes.erase("N");
        Problem p(kernel, test::entry(kernel).types.front(), s, sizes);
        for (auto& [name, scale] : p.scalars) scale = 0.01;
        const ir::Kernel wrong = lowered(p, plant_block_offset);
        test::Tensors got = p.run(wrong, {});
        p.refer();
        INFO(p.config.label << " N " << n);
        CHECK((test::first_difference(got, p.tensors) == "") == (n == tile));
        if (n != tile) continue;
        const verify::ProofReport proof = proof_of(wrong);
        INFO(to_string(proof));
        CHECK(proof.verdict == Verdict::Proved);  // masks hide it
      }
    }
}
