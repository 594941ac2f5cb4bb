// SPDX-License-Identifier: Apache-2.0
// A lane is one chain: the codes and scales of its row and slot come in 16 and 2 bytes a slab, all
// asked for at once, behind x, which the block keeps as f32. Codes become bf16 of value * 2^-126 in
// pairs; times scale * 2^119 that is exact, and the 2^7 that is missing goes to the global scale,
// so every weight has the bits of (code * scale) * global scale. Slots meet in shared memory.
#include <fmt/format.h>

#include "dsl/dsl.h"
#include "ir/diagnostic.h"
#include "kernels/kernels.h"
#include "kernels/reference/wo.h"
#include "kernels/wo/chains.h"
#include "kernels/wo/inputs_p.h"
#include "kernels/wo/words.h"

namespace barline::kernels {
namespace {

using namespace dsl;

constexpr int threads = 32 * Chains::warps, slab_k = Chains::slab_k, slots = Chains::slots;
/// What a warp brings of its slot's x at once; every slot is a multiple of it.
constexpr int stage_lanes = 4, stage_k = 32 * stage_lanes;
constexpr int pad = 4;  ///< elements between slots of x: the four of a warp stand in other banks
/// Slabs asked for before the wait for the grid before, and then kept on their way.
constexpr int ahead = 4;

constexpr ir::Schedule warps20{
    .name = "warps20_K6144", .threads = threads, .budget = {.ctas_per_sm = 1}};
/// Beside the next grid, whose blocks fit on the SMs with these.
constexpr ir::Schedule next20{
    .name = "next20_K6144", .threads = threads, .budget = {.ctas_per_sm = 2, .beside_next = true}};

struct Parameters {
  Axis B{"B"}, N{"N"}, K{"K", Chains::k_multiple};
  In x{"x", bf16, {B, K}};
  In w{"w_chains", u32, {N.by(Chains::rows), K.by(Chains::k_multiple, Chains::slab_words)}};
  Arg global_scale{"global_scale"};
  Out y{"y", f32, {B, N}};
};

/// Elements 0 .. 7 of a word, each times 2^-126.
std::vector<Value> decode(const Value& word) {
  std::vector<Value> elements;
  for (const Value& pair : decode_pairs(word)) {
    elements.push_back((pair << 16).as(f32));
    elements.push_back((pair & std::int64_t{0xffff0000}).as(f32));
  }
  return elements;
}

class ChainBlock {
 public:
  ChainBlock(Thread& t, const Parameters& p, std::int64_t k)
      : t_(t),
        p_(p),
        slot_k_(static_cast<int>(k / slots)),
        pitch_(slot_k_ + pad),
        x_(t.shared("x_wide", f32, slots * pitch_)),
        parts_(t.shared("parts", f32, slots * Chains::rows)),
        block_(t.block()),
        lane_(t.lane()),
        warp_(t.warp()) {}

  void run() {
    const int slabs = slot_k_ / slab_k;
    std::vector<Vec> x;
    if (t_.schedule().budget.beside_next) {
      for (int slab = 0; slab < ahead; ++slab) load_slab(slab);
      await_grid();
      x = load_x();
    } else {
      x = load_x();  // first: behind the weights it would come last
      for (int slab = 0; slab < slabs; ++slab) load_slab(slab);
    }
    stage(x);
    Value slot = warp_ % 4 * 4 + lane_ % 4, row = warp_ / 4 * 8 + lane_ / 4;
    Value factor = t_.constant(f32, 128) * p_.global_scale;
    Value acc = t_.constant(f32, 0.0);
    for (int slab = 0; slab < slabs; ++slab) {
      const int next = static_cast<int>(codes_.size());
      if (next < slabs) {
        load_slab(next);
        t_.warp_sync();  // ptxas keeps the loads ahead of the slab
      }
      acc = add_slab(slab, slot, factor, acc);
    }
    t_.store(parts_, slot * int{Chains::rows} + row, acc);
    fold();
  }

 private:
  /// This lane's codes and scales of the next slab; no grid writes weights. Const loads that no
  /// wait holds back would be sunk to their use.
  void load_slab(int slab) {
    const bool waits = t_.schedule().budget.beside_next;
    const AccessOptions weights{.order = waits ? MemOrder::Const : MemOrder::Weak};
    Value first = warp_ * int{Chains::warp_words} + slab * int{Chains::slab_words};
    codes_.push_back(t_.load_vec(p_.w(block_.x, first + lane_ * 4), 4, weights));
    scales_.push_back(t_.load(p_.w(block_.x, first + (lane_ / 2 + 128)), weights));
  }

  /// The weights asked for so far come while the grid before ends; x may be what it writes.
  void await_grid(ir::Loc loc = Here::current()) {
    t_.warp_sync();  // ptxas keeps the loads above the wait
    t_.act(ir::Op::ReleaseNext, {}, loc);
    t_.act(ir::Op::AwaitPrevious, {}, loc);
  }

  /// The chain's next 32 k.
  Value add_slab(int slab, const Value& slot, const Value& factor, Value acc) {
    for (int word = 0; word < slab_k / 8; ++word) {
      Value byte = scales_[slab] >> (lane_ % 2 * 16 + word / 2 * 8);
      Value scale = (byte & 0xff).to(u8).as(e4m3).to(f32) * t_.constant(f32, 0x1p119);
      std::vector<Value> w = decode(codes_[slab][word]);
      for (int j = 0; j < 8; j += 4) {
        auto four = four_of_x(slot * pitch_ + (slab * slab_k + word * 8 + j));
        for (int i = 0; i < 4; ++i) acc = acc + four[i] * (w[j + i] * scale * factor);
      }
    }
    return acc;
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
      t_.store(p_.y(block_.y, block_.x * int{Chains::rows} + t_.rank()), sum);
    });
  }

  Thread& t_;
  const Parameters& p_;
  int slot_k_, pitch_;
  Shared x_, parts_;
  Dim3 block_;
  Value lane_, warp_;
  std::vector<Vec> codes_;     ///< by slab
  std::vector<Value> scales_;  ///< two bytes of this lane, two of its neighbour
};

constexpr reference::WoSplit split4{.kv_heads = 4, .split = 4};

bool chains_input(const InputArgs& a) {
  if (a.name != "w_chains") return false;
  a.tensor = pack_chains(random_weights(a));
  return true;
}

void chains_reference(ReferenceArgs a) {
  auto w = unpack_chains(a.tensors.at("w_chains"), a.sizes.at("N"), a.sizes.at("K"));
  w.global_scale = static_cast<float>(a.scalars.at("global_scale"));
  a.tensors.at("y") = reference::wo_split_order(a.tensors.at("x"), w, split4).y;
}

}  // namespace

KernelSource wo_nvfp4_chains() {
  Parameters p;
  LaunchShape launch{.threads = {threads}, .grid = {Blocks(p.N, Chains::rows), Blocks(p.B)}};
  return kernel("wo_nvfp4_chains", {p.x, p.w, p.global_scale, p.y}, launch, [p](Thread& t) {
    const auto k = t.bound(p.K);
    if (!k)
      ir::fail(ir::Diag::BadDim, p.x.loc, "wo_nvfp4_chains for a K of the launch",
               "bind K: its slabs are unrolled, and x stands in shared memory");
    t.promise_multiple(p.N, Chains::rows);
    t.promise_multiple(p.K, slots * stage_k);
    ChainBlock(t, p, *k).run();
  });
}

void add_wo_nvfp4_chains(Registry& registry) {
  registry.add(
      {.name = "wo_nvfp4_chains",
       .doc = "wo_nvfp4 of split 4 on all SMs: a lane is a chain of packed weights",
       .types = {bf16},
       .schedules = {warps20, next20},
       .make = [](Elem) { return wo_nvfp4_chains(); },
       .reference = chains_reference,
       .bytes =
           [](Elem, const auto& n) {
             const double weights = n.at("N") * n.at("K") * (0.5 + 1.0 / 16);
             return weights + n.at("B") * (2.0 * n.at("K") + 4.0 * n.at("N")) + 4;
           },
       .flops = [](Elem, const auto& n) { return 2.0 * n.at("B") * n.at("N") * n.at("K"); },
       .input = chains_input});
}

}  // namespace barline::kernels
