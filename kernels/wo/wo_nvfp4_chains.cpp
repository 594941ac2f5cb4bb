// SPDX-License-Identifier: Apache-2.0
// A lane is one chain. Codes become bf16 of value * 2^-126 in pairs; times scale * 2^119 that is
// exact, and the 2^7 that is missing goes to the global scale, so every weight of the reference
// order has the bits of (code * scale) * global scale. The block keeps x as f32; slots meet in
// shared memory.
#include <fmt/format.h>

#include "dsl/dsl.h"
#include "ir/diagnostic.h"
#include "kernels/kernels.h"
#include "kernels/reference/wo.h"
#include "kernels/wo/chains.h"
#include "kernels/wo/inputs_p.h"
#include "kernels/wo/slab_stream.h"
#include "kernels/wo/words.h"

namespace barline::kernels {
namespace {

using namespace dsl;

constexpr int threads = 32 * Chains::warps, slab_k = Slabs::lane_codes, slots = Chains::slots;
/// What a warp brings of its slot's x at once; every slot is a multiple of it.
constexpr int stage_lanes = 4, stage_k = 32 * stage_lanes;
constexpr int pad = 4;  ///< elements between slots of x: the four of a warp stand in other banks

/// A chain's step: acc + rn(x * w) with w the whole weight, or fma(x, w, acc) with w * 2^-7 but for
/// the global scale, which the fold multiplies by.
enum class Step : std::uint8_t { MulAdd, Fused };

struct Parameters {
  Axis B{"B"}, N{"N"}, K{"K", Chains::k_multiple};
  In x{"x", bf16, {B, K}};
  In w{"w_chains",
       u32,
       {N.by(Chains::rows), K.by(Chains::k_multiple, Chains::slabs(Chains::k_multiple).words())}};
  Arg global_scale{"global_scale"};
  Out y{"y", f32, {B, N}};
};

class ChainBlock {
 public:
  ChainBlock(Thread& t, const Parameters& p, Step step, std::int64_t k)
      : t_(t),
        p_(p),
        step_(step),
        slot_k_(static_cast<int>(k / slots)),
        pitch_(slot_k_ + pad),
        x_(t.shared("x_wide", f32, slots * pitch_)),
        parts_(t.shared("parts", f32, slots * Chains::rows)),
        block_(t.block()),
        weights_(t, p.w, Chains::slabs(k), block_.x),
        lane_(t.lane()),
        warp_(t.warp()),
        factor_(t.constant(f32, 128) * p.global_scale) {}

  void run() {
    const bool beside = t_.schedule().budget.beside_next;
    if (beside)
      t_.region("await_previous", Class::Wait, [&] {
        weights_.start();
        await_grid();
      });
    t_.region("load", Class::Work, [&] {
      std::vector<Vec> x = load_x();  // first: behind the weights it would come last
      if (!beside) {
        t_.warp_sync();  // ptxas keeps the loads above those of the weights
        weights_.start();
      }
      stage(x);
    });
    t_.region("multiply", Class::Work, [&] { multiply(); });
    t_.region("fold", Class::Work, [&] { fold(); });
  }

 private:
  /// The weights asked for so far come while the grid before ends; x may be what it writes.
  void await_grid(ir::Loc loc = Here::current()) {
    t_.warp_sync();  // ptxas keeps the loads above the wait
    t_.act(ir::Op::ReleaseNext, {}, loc);
    t_.act(ir::Op::AwaitPrevious, {}, loc);
  }

  /// The chain of this lane.
  void multiply() {
    Value slot = warp_ % 4 * 4 + lane_ % 4, row = warp_ / 4 * 8 + lane_ / 4;
    Value acc = t_.constant(f32, 0.0);
    for (int slab = 0; slab < slot_k_ / slab_k; ++slab) {
      weights_.advance(slab);
      acc = add_slab(slab, slot, acc);
    }
    t_.store(parts_, slot * int{Chains::rows} + row, acc);
  }

  /// The chain's next 32 k.
  Value add_slab(int slab, const Value& slot, Value acc) {
    Value scale;
    for (int word = 0; word < slab_k / 8; ++word) {
      if (word % 2 == 0) scale = weights_.scale(slab, word / 2);
      std::vector<Value> w = weights(weights_.codes(slab, word), scale);
      for (int j = 0; j < 8; j += 4) {
        auto four = four_of_x(slot * pitch_ + (slab * slab_k + word * 8 + j));
        for (int i = 0; i < 4; ++i) acc = add(acc, four[i], w[j + i]);
      }
    }
    return acc;
  }

  Value add(const Value& acc, const Value& x, const Value& w) {
    return step_ == Step::Fused ? fma(x, w, acc) : acc + x * (w * factor_);
  }

  /// The eight weights of a word without the global scale, each times 2^-7.
  std::vector<Value> weights(const Value& word, const Value& scale) {
    const ir::Loc loc = Here::current();
    std::vector<Value> w;
    for (const Value& pair : decode_pairs(word)) {
      Value codes = t_.emit(ir::Op::Bitcast, ir::vector(bf16, 2), {pair}, loc);
      Value scaled = t_.emit(ir::Op::Mul, {codes, scale}, loc);
      Value two = t_.emit(ir::Op::Bitcast, ir::scalar(u32), {scaled}, loc);
      w.push_back((two << 16).as(f32));
      w.push_back((two & std::int64_t{0xffff0000}).as(f32));
    }
    return w;
  }

  /// This warp's share of x: warp i has slot i, the last ones have none of their own.
  std::vector<Vec> load_x() {
    std::vector<Vec> x;
    Value slot = min(warp_, slots - 1);
    for (int from = 0; from < slot_k_; from += stage_k)
      x.push_back(
          t_.load_vec(p_.x(block_.y, slot * slot_k_ + (lane_ * stage_lanes + from)), stage_lanes));
    return x;
  }

  void stage(const std::vector<Vec>& x) {
    t_.when(warp_ < slots, [&] {
      Value at = warp_ * pitch_ + lane_ * stage_lanes;
      for (int step = 0; step < slot_k_ / stage_k; ++step)
        for (int i = 0; i < stage_lanes; ++i)
          t_.store(x_, at + (step * stage_k + i), x[step][i].to(f32));
    });
  }

  std::vector<Value> four_of_x(const Value& at) {
    const ir::Loc loc = Here::current();
    Value four = t_.emit(ir::Op::Load, ir::vector(f32, 4), {x_.root, at}, loc);
    std::vector<Value> x;
    for (int i = 0; i < 4; ++i)
      x.push_back(
          t_.emit(ir::Op::Extract, ir::scalar(f32), {four}, loc, {{ir::Key::Index, i, {}}}));
    return x;
  }

  /// The slots of a row in ascending order.
  void fold() {
    t_.when(t_.rank() < int{Chains::rows}, [&] {
      Value sum = t_.load(parts_, t_.rank());
      for (int slot = 1; slot < slots; ++slot)
        sum = sum + t_.load(parts_, t_.rank() + slot * int{Chains::rows});
      if (step_ == Step::Fused) sum = sum * factor_;
      t_.store(p_.y(block_.y, block_.x * int{Chains::rows} + t_.rank()), sum);
    });
  }

  Thread& t_;
  const Parameters& p_;
  Step step_;
  int slot_k_, pitch_;
  Shared x_, parts_;
  Dim3 block_;
  SlabStream weights_;
  Value lane_, warp_, factor_;
};

constexpr reference::WoSplit split4{.kv_heads = 4, .split = 4};

bool chains_input(const InputArgs& a) {
  if (a.name != "w_chains") return false;
  a.tensor = pack_chains(random_weights(a));
  return true;
}

void chains_reference(Step step, ReferenceArgs a) {
  auto w = unpack_chains(a.tensors.at("w_chains"), a.sizes.at("N"), a.sizes.at("K"));
  w.global_scale = static_cast<float>(a.scalars.at("global_scale"));
  const ir::Tensor& x = a.tensors.at("x");
  a.tensors.at("y") = step == Step::Fused ? reference::wo_fused_order(x, w, split4)
                                          : reference::wo_split_order(x, w, split4).y;
}

KernelSource chains(const char* name, Step step) {
  Parameters p;
  LaunchShape launch{.threads = {threads}, .grid = {Blocks(p.N, Chains::rows), Blocks(p.B)}};
  return kernel(name, {p.x, p.w, p.global_scale, p.y}, launch, [p, name, step](Thread& t) {
    const auto k = t.bound(p.K);
    if (!k)
      ir::fail(ir::Diag::BadDim, p.x.loc, fmt::format("{} for a K of the launch", name),
               "bind K: its slabs are unrolled, and x stands in shared memory");
    t.promise_multiple(p.N, Chains::rows);
    t.promise_multiple(p.K, slots * stage_k);
    ChainBlock(t, p, step, *k).run();
  });
}

constexpr ir::Schedule warps20(std::uint8_t ahead) {
  return {.name = "warps20_K6144",
          .threads = threads,
          .streams = {{.of = "w_chains", .slots = ahead, .ahead = ahead}},
          .budget = {.ctas_per_sm = 1}};
}
/// Beside the grid before. Three slabs ahead take the registers that keep a block of the next grid
/// off the SM until this one ends: two that share an SM take half as long again.
constexpr ir::Schedule next20(std::uint8_t ahead) {
  ir::Schedule s = warps20(ahead);
  s.name = "next20_K6144";
  s.budget.beside_next = true;
  return s;
}

void add(Registry& registry, const char* name, const char* doc, Step step,
         std::vector<ir::Schedule> schedules) {
  registry.add({.name = name,
                .doc = doc,
                .types = {bf16},
                .schedules = std::move(schedules),
                .make = [=](Elem) { return chains(name, step); },
                .reference = [=](ReferenceArgs a) { chains_reference(step, a); },
                .bytes = [](Elem, const auto& n) { return image_payload(n); },
                .flops = [](Elem, const auto& n) { return projection_flops(n); },
                .input = chains_input});
}

}  // namespace

KernelSource wo_nvfp4_chains() { return chains("wo_nvfp4_chains", Step::MulAdd); }
KernelSource wo_nvfp4_fused() { return chains("wo_nvfp4_fused", Step::Fused); }

void add_wo_nvfp4_chains(Registry& registry) {
  add(registry, "wo_nvfp4_chains",
      "wo_nvfp4 of split 4 on all SMs: a lane is a chain of packed weights", Step::MulAdd,
      {warps20(2), next20(3)});
  add(registry, "wo_nvfp4_fused",
      "wo_nvfp4_chains in fused order: chains of fma, the global scale at the end", Step::Fused,
      {warps20(2), next20(3)});
}

}  // namespace barline::kernels
