// SPDX-License-Identifier: Apache-2.0
// A warp has a sixteenth of K and all rows of its block, as B of m16n8k16; up to 8 rows of x are
// A. A lane's 8 elements of x are A's four registers (p0, p1, p2, p3) as they are loaded: A's upper
// rows get p0 and p2, its lower ones p1 and p3. So pairs 0 and 2 of a word's weights make the upper
// half of one accumulator, 1 and 3 the lower half of another, the other halves are without meaning,
// and no register is moved.
//
// Codes become bf16 of value * 2^-126 in pairs; times scale * 2^119 that is exact, and the 2^7 that
// is missing goes to the global scale. The warps' parts meet in shared memory.
#include <algorithm>

#include "dsl/dsl.h"
#include "ir/diagnostic.h"
#include "kernels/kernels.h"
#include "kernels/reference/wo_fast.h"
#include "kernels/wo/fast.h"
#include "kernels/wo/inputs_p.h"
#include "kernels/wo/words.h"

namespace barline::kernels {
namespace {

using namespace dsl;

constexpr int threads = 32 * Fast::warps, warps = Fast::warps;
constexpr int batch = 8;  ///< rows of x of a block
constexpr int pad = 16;   ///< elements between rows of x: the two that a quarter warp reads stand
                          ///< in other banks
constexpr int words = 4, groups = 2;  ///< of codes and of scales: a lane's of a slab
constexpr ir::Schedule alone(std::string_view name) {
  return {.name = name, .threads = threads, .budget = {.ctas_per_sm = 1}};
}
constexpr ir::Schedule beside(std::string_view name) {
  return {.name = name, .threads = threads, .budget = {.ctas_per_sm = 1, .beside_next = true}};
}

/// Images of other blocks are other parameters.
const char* weights_of(Fast blocks) { return blocks.tiles == fast40.tiles ? "w_fast" : "w_fast64"; }

struct Parameters {
  Fast blocks;
  Axis B{"B"}, N{"N"}, K{"K", Fast::k_multiple};
  In x{"x", bf16, {B, K}};
  In w{
      weights_of(blocks), u32, {N.by(blocks.rows()), K.by(Fast::k_multiple, blocks.chunk_words())}};
  Arg global_scale{"global_scale"};
  Out y{"y", f32, {B, N}};
};

class FastBlock {
 public:
  FastBlock(Thread& t, const Parameters& p, std::int64_t k)
      : t_(t),
        p_(p),
        chunks_(static_cast<int>(k / Fast::k_multiple)),
        warp_k_(chunks_ * static_cast<int>(Fast::chunk_k)),
        pitch_(warp_k_ + pad),
        tiles_(static_cast<int>(p.blocks.tiles)),
        block_rows_(static_cast<int>(p.blocks.rows())),
        x_(t.shared("x_rows", bf16, warps * batch * pitch_)),
        parts_(t.shared("parts", f32, warps * batch * block_rows_)),
        block_(t.block()),
        lane_(t.lane()),
        warp_(t.warp()),
        first_(block_.y * batch),
        rows_(min(t.size(p.B) - first_, batch)) {
    Value of_warp = warp_ * int{Fast::warp_words};
    codes_at_ = t.offset(p.w(block_.x, of_warp + lane_ * words));
    scales_at_ = t.offset(p.w(block_.x, of_warp + (lane_ / 2 + 32 * words)));
  }

  void run() {
    if (beside_next()) {
      load_slabs();
      await_grid();
      load_x();
    } else {
      load_x();  // first: behind the weights it would come last
      load_slabs();
    }
    stage();
    multiply();
    store_parts();
    fold();
  }

 private:
  int slabs() const { return chunks_ * tiles_; }
  bool beside_next() const { return t_.schedule().budget.beside_next; }

  /// Slabs on their way before the first is used, and from then on. Beside the grid before they are
  /// few, so that x does not come behind a flood; sums of 64 rows leave registers for three.
  int ahead() const {
    if (tiles_ > fast40.tiles) return 3;
    return beside_next() ? 4 : 6;
  }

  void load_slabs() {
    for (int slab = 0; slab < std::min(ahead(), slabs()); ++slab) load_slab();
  }

  /// This lane's codes and scales of the next slab; no grid writes weights, and each is read once.
  /// Const loads that no wait holds back would be sunk to their use.
  void load_slab(ir::Loc loc = Here::current()) {
    const auto order = beside_next() ? ir::MemOrder::Const : ir::MemOrder::Weak;
    // The slab stands in the instruction: an address of its own would cost four more.
    const std::vector<ir::Attr> attrs{
        {ir::Key::Offset, static_cast<std::int64_t>(codes_.size()) * Fast::slab_words, {}},
        {ir::Key::Order, static_cast<std::int64_t>(order), {}},
        {ir::Key::Cache, static_cast<std::int64_t>(CacheHint::NoAllocate), {}}};
    const Value root = t_.root(p_.w, loc);
    codes_.push_back(t_.emit(ir::Op::Load, ir::vector(u32, words), {root, codes_at_}, loc, attrs));
    scales_.push_back(t_.emit(ir::Op::Load, ir::scalar(u32), {root, scales_at_}, loc, attrs));
  }

  /// The weights asked for so far come while the grid before ends; x may be what it writes.
  void await_grid(ir::Loc loc = Here::current()) {
    t_.act(ir::Op::ReleaseNext, {}, loc);
    t_.act(ir::Op::AwaitPrevious, {}, loc);
  }

  /// This warp's k of the block's rows of x, four elements a lane; no access to rows past the last.
  void load_x(ir::Loc loc = Here::current()) {
    for (int row = 0; row < batch; ++row)
      for (int chunk = 0; chunk < chunks_; ++chunk) {
        Place at = p_.x(first_ + row, warp_ * warp_k_ + (lane_ * 4 + chunk * int{Fast::chunk_k}));
        staged_.push_back(t_.emit(ir::Op::Load, ir::vector(bf16, 4),
                                  {t_.root(p_.x, loc), t_.offset(at), rows_ > row}, loc));
      }
  }

  /// Units of 16 bytes change places so that the four lanes of a row read from different banks.
  void stage(ir::Loc loc = Here::current()) {
    Value unit = lane_ / 2;
    Value in_chunk = (unit ^ (unit >> 3)) * 8 + lane_ % 2 * 4;
    for (int row = 0; row < batch; ++row)
      for (int chunk = 0; chunk < chunks_; ++chunk) {
        Value at = row_of_x(t_.constant(s32, row)) + in_chunk + chunk * int{Fast::chunk_k};
        t_.act(ir::Op::Store, {x_.root, at, staged_[row * chunks_ + chunk], rows_ > row}, loc);
      }
  }

  Value row_of_x(const Value& row) { return (warp_ * batch + row) * pitch_; }

  /// Lanes of rows of x past the last multiply the last one; nobody reads their sums.
  void multiply(ir::Loc loc = Here::current()) {
    Value zero = t_.constant(f32, 0.0);
    Value none = t_.emit(ir::Op::Pack, ir::vector(f32, 4), {zero, zero, zero, zero}, loc);
    sums_.assign(tiles_, {none, none});
    Value row = row_of_x(min(lane_ / 4, rows_ - 1)), group = lane_ % 4;
    for (int chunk = 0; chunk < chunks_; ++chunk) {
      std::vector<Value> x;
      for (int word = 0; word < words; ++word) {
        Value unit = group * words + (t_.constant(s32, word) ^ (group >> 1));
        x.push_back(t_.emit(ir::Op::Load, ir::vector(bf16, 8),
                            {x_.root, row + unit * 8 + chunk * int{Fast::chunk_k}}, loc));
      }
      for (int tile = 0; tile < tiles_; ++tile) {
        if (static_cast<int>(codes_.size()) < slabs()) {
          load_slab();
          t_.warp_sync();  // ptxas keeps the loads ahead of the slab
        }
        multiply_slab(chunk * tiles_ + tile, x, sums_[tile], loc);
      }
    }
  }

  void multiply_slab(int slab, const std::vector<Value>& x, std::array<Value, 2>& sums,
                     const ir::Loc& loc) {
    for (int word = 0; word < words; ++word) {
      if (word % (words / groups) == 0) scale_ = scale_of(slab, word / (words / groups), loc);
      std::array<Value, 4> pairs = decode_pairs(element(codes_[slab], word, u32, loc));
      for (int i = 0; i < 2; ++i) {
        Value b = t_.emit(ir::Op::Pack, ir::vector(bf16, 4),
                          {weigh(pairs[i], loc), weigh(pairs[i + 2], loc)}, loc);
        sums[i] = t_.emit(ir::Op::MmaSync, {x[word], b, sums[i]}, loc);
      }
    }
  }

  Value element(const Value& v, int i, Elem e, const ir::Loc& loc) {
    return t_.emit(ir::Op::Extract, ir::scalar(e), {v}, loc, {{ir::Key::Index, i, {}}});
  }

  Value weigh(const Value& pair, const ir::Loc& loc) {
    Value codes = t_.emit(ir::Op::Bitcast, ir::vector(bf16, 2), {pair}, loc);
    return t_.emit(ir::Op::Mul, {codes, scale_}, loc);
  }

  /// A group's scale * 2^119, twice: UE5M3's fields begin at bit 4 of bf16's.
  Value scale_of(int slab, int group, const ir::Loc& loc) {
    constexpr std::int64_t zero = 4;  // a byte of prmt's second operand
    Value byte = (lane_ % 2 * groups + group).to(u32);
    Value selector = byte | byte << 8 | (zero << 4 | zero << 12);
    Value twice = byte_permute(scales_[slab], t_.constant(u32, 0), selector);
    return t_.emit(ir::Op::Bitcast, ir::vector(bf16, 2), {twice * 16 + 0x76007600}, loc);
  }

  /// A + B of each sum: a lane has row lane / 4 of x and two neighbouring rows of each tile.
  void store_parts(ir::Loc loc = Here::current()) {
    Value first = (warp_ * batch + lane_ / 4) * block_rows_ + lane_ % 4 * 2;
    for (int tile = 0; tile < tiles_; ++tile) {
      const auto& [a, b] = sums_[tile];
      Value two = t_.emit(ir::Op::Pack, ir::vector(f32, 2),
                          {element(a, 0, f32, loc) + element(b, 2, f32, loc),
                           element(a, 1, f32, loc) + element(b, 3, f32, loc)},
                          loc);
      t_.act(ir::Op::Store, {parts_.root, first + tile * int{Fast::tile_rows}, two}, loc);
    }
  }

  /// Parts in fours, upwards, the fours in pairs. The sum from +0 on needs no +0: no part is -0.
  void fold() {
    t_.when(t_.rank() < rows_ * block_rows_, [&] {
      Value four[4];
      for (int i = 0; i < warps; ++i) {
        Value part = t_.load(parts_, t_.rank() + i * batch * block_rows_);
        four[i / 4] = i % 4 == 0 ? part : four[i / 4] + part;
      }
      Value sum = (four[0] + four[1]) + (four[2] + four[3]);
      Value factor = t_.constant(f32, 128) * p_.global_scale;
      Value row = t_.rank() / block_rows_, column = t_.rank() % block_rows_;
      t_.store(p_.y(first_ + row, block_.x * block_rows_ + column), sum * factor);
    });
  }

  Thread& t_;
  const Parameters& p_;
  int chunks_, warp_k_, pitch_, tiles_, block_rows_;
  Shared x_, parts_;
  Dim3 block_;
  Value lane_, warp_;
  Value first_, rows_;  ///< of x: this block's
  Value scale_;         ///< of the group that is multiplied
  std::vector<Value> staged_;
  Value codes_at_, scales_at_;              ///< this lane's of slab 0
  std::vector<Value> codes_;                ///< by slab
  std::vector<Value> scales_;               ///< two bytes of this lane, two of its neighbour
  std::vector<std::array<Value, 2>> sums_;  ///< by tile: accumulators A and B
};

void fast_reference(Fast blocks, ReferenceArgs a) {
  const ir::Tensor& image = a.tensors.at(weights_of(blocks));
  auto w = unpack_fast(image, a.sizes.at("N"), a.sizes.at("K"), blocks);
  w.global_scale = static_cast<float>(a.scalars.at("global_scale"));
  a.tensors.at("y") = reference::wo_fast(a.tensors.at("x"), w);
}

bool fast_input(Fast blocks, const InputArgs& a) {
  if (a.name != weights_of(blocks)) return false;
  a.tensor = pack_fast(random_weights(a), blocks);
  return true;
}

void add(Registry& registry, const char* name, const char* doc, Fast blocks,
         std::vector<ir::Schedule> schedules) {
  registry.add(
      {.name = name,
       .doc = doc,
       .types = {bf16},
       .schedules = std::move(schedules),
       .make = [blocks](Elem) { return wo_nvfp4_fast(blocks); },
       .reference = [blocks](ReferenceArgs a) { fast_reference(blocks, a); },
       .bytes =
           [](Elem, const auto& n) {
             const double weights = n.at("N") * n.at("K") * (0.5 + 1.0 / 16);
             return weights + n.at("B") * (2.0 * n.at("K") + 4.0 * n.at("N")) + 4;
           },
       .flops = [](Elem, const auto& n) { return 2.0 * n.at("B") * n.at("N") * n.at("K"); },
       .input = [blocks](const InputArgs& a) { return fast_input(blocks, a); }});
}

}  // namespace

KernelSource wo_nvfp4_fast(Fast blocks) {
  Parameters p{.blocks = blocks};
  LaunchShape launch{.threads = {threads},
                     .grid = {Blocks(p.N, blocks.rows()), Blocks(p.B, batch)}};
  const char* name = blocks.tiles == fast40.tiles ? "wo_nvfp4_fast" : "wo_nvfp4_fast64";
  return kernel(name, {p.x, p.w, p.global_scale, p.y}, launch, [p](Thread& t) {
    const auto k = t.bound(p.K);
    if (!k)
      ir::fail(ir::Diag::BadDim, p.x.loc, "wo_nvfp4_fast for a K of the launch",
               "bind K: its slabs are unrolled, and x stands in shared memory");
    t.promise_multiple(p.N, p.blocks.rows());
    FastBlock(t, p, *k).run();
  });
}

void add_wo_nvfp4_fast(Registry& registry) {
  add(registry, "wo_nvfp4_fast",
      "wo_nvfp4 on tensor cores, in an order of its own: 40 rows and all of K a block", fast40,
      {alone("warps16_K6144"), beside("next16_K6144")});
  add(registry, "wo_nvfp4_fast64", "wo_nvfp4_fast with 64 rows a block", fast64,
      {alone("warps16_K8192"), beside("next16_K8192")});
}

}  // namespace barline::kernels
