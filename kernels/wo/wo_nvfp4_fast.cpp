// SPDX-License-Identifier: Apache-2.0
// A warp has a sixteenth of K and all rows of its block, as B of m16n8k16; up to 16 rows of x are
// A. A lane's 8 elements of a row of x are four registers (p0, p1, p2, p3) as they are loaded, and
// pairs 0 and 2 of a word's weights go to one accumulator, 1 and 3 to another. Up to 8 rows are A
// as they stand: A's upper rows get p0 and p2, its lower ones p1 and p3, so the upper half of one
// accumulator counts and the lower half of the other, and no register is moved. With more, A is
// (p0, p0', p2, p2') and (p1, p1', p3, p3') of two rows, and all of both counts.
//
// Codes become bf16 of value * 2^-126 in pairs; times scale * 2^119 that is exact, and the 2^7 that
// is missing goes to the global scale. A warp's x and then its parts stand in a place of its own,
// so the block meets once, before the parts are added.
#include <fmt/format.h>
#include <algorithm>

#include "dsl/dsl.h"
#include "ir/diagnostic.h"
#include "kernels/kernels.h"
#include "kernels/reference/wo_fast.h"
#include "kernels/wo/fast.h"
#include "kernels/wo/inputs_p.h"
#include "kernels/wo/slab_stream.h"
#include "kernels/wo/words.h"

namespace barline::kernels {
namespace {

using namespace dsl;

constexpr int threads = 32 * Fast::warps, warps = Fast::warps;
constexpr int half = 8;  ///< rows of x in a half of A
constexpr int pad = 8;   ///< words between rows of x: the two that a quarter warp reads stand in
                         ///< other banks
constexpr int words = Slabs::lane_words, groups = 2;  ///< of codes and of scales: a slab's

/// Images of other blocks are other parameters.
const char* weights_of(Fast blocks) { return blocks == fast40 ? "w_fast" : "w_fast64"; }
/// Rows of x that shared memory has room for.
int most_rows(Fast blocks) { return blocks == fast40 ? 2 * half : half; }

struct Parameters {
  Fast blocks;
  Axis B{"B"}, N{"N"}, K{"K", Fast::k_multiple};
  In x{"x", bf16, {B, K}};
  In w{weights_of(blocks),
       u32,
       {N.by(blocks.rows()), K.by(Fast::k_multiple, blocks.slabs(Fast::k_multiple).words())}};
  Arg global_scale{"global_scale"};
  Out y{"y", f32, {B, N}};
};

class FastBlock {
 public:
  FastBlock(Thread& t, const Parameters& p, std::int64_t k)
      : t_(t),
        p_(p),
        chunks_(static_cast<int>(k / Fast::k_multiple)),
        tiles_(static_cast<int>(p.blocks.tiles)),
        block_rows_(static_cast<int>(p.blocks.rows())),
        batch_(rows_of_code(t, p)),
        bound_(t.bound(p.B).has_value()),
        pitch_(chunks_ * int{Fast::chunk_k} / 2 + pad),
        x_(t.shared("x_rows", u32, warps * batch_ * pitch_)),
        block_(t.block()),
        weights_(t, p.w, p.blocks.slabs(k), block_.x),
        lane_(t.lane()),
        warp_(t.warp()),
        first_(bound_ ? t.constant(s32, 0) : block_.y * batch_) {
    parts_ = p.blocks.passes == 1 ? x_ : t.shared("parts", u32, warps * batch_ * block_rows_);
    part_pitch_ = p.blocks.passes == 1 ? batch_ * pitch_ : batch_ * block_rows_;
    if (!bound_) rows_ = min(t.size(p.B) - first_, batch_);
  }

  void run() {
    const bool beside = t_.schedule().budget.beside_next;
    if (beside)
      t_.region("await_previous", Class::Wait, [&] {
        weights_.start();
        await_grid();
      });
    // One region: a clock read between loads, products and sums would hold them apart.
    t_.region("multiply", Class::Work, [&] {
      load_x();  // first: behind the weights it would come last
      if (!beside) {
        t_.warp_sync();  // ptxas keeps the loads above those of the weights
        weights_.start();
      }
      stage();
      for (int pass = 0; pass < p_.blocks.passes; ++pass) {
        multiply(pass);
        store_parts(pass);
      }
      fold();
    });
  }

 private:
  /// Rows of x that the code is for: all, where the config says how many; else a block's most.
  static int rows_of_code(Thread& t, const Parameters& p) {
    const std::int64_t most = most_rows(p.blocks), bound = t.bound(p.B).value_or(most);
    if (bound >= 1 && bound <= most) return static_cast<int>(bound);
    ir::fail(ir::Diag::BadDim, p.x.loc,
             fmt::format("{} rows of x in blocks of {} rows of weights", bound, p.blocks.rows()),
             fmt::format("bind B to 1 .. {}, or leave it to the launch", most));
  }

  /// Two rows of x a lane: A's upper and lower halves.
  bool two_halves() const { return batch_ > half; }

  /// The weights asked for so far come while the grid before ends; x may be what it writes.
  void await_grid(ir::Loc loc = Here::current()) {
    t_.act(ir::Op::ReleaseNext, {}, loc);
    t_.act(ir::Op::AwaitPrevious, {}, loc);
  }

  /// This warp's k of the block's rows of x, four elements a lane; zeros for rows past the last.
  void load_x(ir::Loc loc = Here::current()) {
    for (int row = 0; row < batch_; ++row)
      for (int chunk = 0; chunk < chunks_; ++chunk) {
        Value k = warp_ * (chunks_ * int{Fast::chunk_k}) + lane_ * 4;
        Place at = p_.x(first_ + row, k + chunk * int{Fast::chunk_k});
        std::vector<Value> in{t_.root(p_.x, loc), t_.offset(at)};
        if (!bound_) in.push_back(rows_ > row);
        Value four = t_.emit(ir::Op::Load, ir::vector(bf16, 4), in, loc);
        staged_.push_back(t_.emit(ir::Op::Bitcast, ir::vector(u32, 2), {four}, loc));
      }
  }

  /// Units of 16 bytes change places so that the four lanes of a row read from different banks.
  void stage(ir::Loc loc = Here::current()) {
    Value unit = lane_ / 2;
    Value in_chunk = (unit ^ (unit >> 3)) * words + lane_ % 2 * 2;
    for (int row = 0; row < batch_; ++row)
      for (int chunk = 0; chunk < chunks_; ++chunk) {
        Value at = (warp_ * batch_ + row) * pitch_ + in_chunk + chunk * int{Fast::chunk_k / 2};
        t_.act(ir::Op::Store, {x_.root, at, staged_[row * chunks_ + chunk]}, loc);
      }
    t_.warp_sync();
  }

  void multiply(int pass, ir::Loc loc = Here::current()) {
    Value zero = t_.constant(f32, 0.0);
    Value none = t_.emit(ir::Op::Pack, ir::vector(f32, 4), {zero, zero, zero, zero}, loc);
    sums_.assign(tiles_, {none, none});
    for (int chunk = 0; chunk < chunks_; ++chunk) {
      std::vector<std::array<Value, 2>> x;
      for (int word = 0; word < words; ++word) x.push_back(rows_of_a(chunk, word, loc));
      for (int tile = 0; tile < tiles_; ++tile) {
        const int slab = (pass * chunks_ + chunk) * tiles_ + tile;
        weights_.advance(slab);
        multiply_slab(slab, x, sums_[tile], loc);
      }
    }
  }

  /// Word `word` of this lane's k of a chunk as A, for each accumulator.
  std::array<Value, 2> rows_of_a(int chunk, int word, const ir::Loc& loc) {
    Value group = lane_ % 4;
    Value unit = group * words + (t_.constant(s32, word) ^ (group >> 1));
    auto four = [&](int first) {
      // A lane without a row of its own multiplies another's; nobody reads its sums.
      Value row = (lane_ / 4 + first) % batch_;
      Value at = (warp_ * batch_ + row) * pitch_ + unit * 4 + chunk * int{Fast::chunk_k / 2};
      return t_.emit(ir::Op::Load, ir::vector(u32, 4), {x_.root, at}, loc);
    };
    auto as_a = [&](const Value& v) {
      return t_.emit(ir::Op::Bitcast, ir::vector(bf16, 8), {v}, loc);
    };
    Value upper = four(0);
    if (!two_halves()) return {as_a(upper), as_a(upper)};
    Value lower = four(half);
    auto pair = [&](const Value& v, int i) { return element(v, i, u32, loc); };
    std::array<Value, 2> a;
    for (int i = 0; i < 2; ++i)
      a[i] = as_a(t_.emit(ir::Op::Pack, ir::vector(u32, 4),
                          {pair(upper, i), pair(lower, i), pair(upper, i + 2), pair(lower, i + 2)},
                          loc));
    return a;
  }

  void multiply_slab(int slab, const std::vector<std::array<Value, 2>>& x,
                     std::array<Value, 2>& sums, const ir::Loc& loc) {
    for (int word = 0; word < words; ++word) {
      if (word % (words / groups) == 0) scale_ = weights_.scale(slab, word / (words / groups));
      std::array<Value, 4> pairs = decode_pairs(weights_.codes(slab, word));
      for (int i = 0; i < 2; ++i) {
        Value b = t_.emit(ir::Op::Pack, ir::vector(bf16, 4),
                          {weigh(pairs[i], loc), weigh(pairs[i + 2], loc)}, loc);
        sums[i] = t_.emit(ir::Op::MmaSync, {x[word][i], b, sums[i]}, loc);
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

  /// A lane has row lane / 4 of x and, with two halves, the eighth after it, and two neighbouring
  /// rows of each tile. With one half its sums stand in A's upper and B's lower elements.
  void store_parts(int pass, ir::Loc loc = Here::current()) {
    t_.warp_sync();  // all lanes have read what stands here: x
    for (int from = 0; from < batch_; from += half) {
      const int a_at = from == 0 ? 0 : 2, b_at = two_halves() ? a_at : 2;
      Value row = lane_ / 4 + from;
      // Lanes without a row of their own store nothing; their index stays in the warp's place.
      Value first = warp_ * part_pitch_ + row % batch_ * block_rows_ + lane_ % 4 * 2;
      for (int tile = 0; tile < tiles_; ++tile) {
        const auto& [a, b] = sums_[tile];
        Value two = t_.emit(ir::Op::Pack, ir::vector(f32, 2),
                            {element(a, a_at, f32, loc) + element(b, b_at, f32, loc),
                             element(a, a_at + 1, f32, loc) + element(b, b_at + 1, f32, loc)},
                            loc);
        Value at = first + (pass * tiles_ + tile) * int{Fast::tile_rows};
        std::vector<Value> in{parts_.root, at,
                              t_.emit(ir::Op::Bitcast, ir::vector(u32, 2), {two}, loc)};
        if (from + half > batch_) in.push_back(row < batch_);
        t_.act(ir::Op::Store, in, loc);
      }
    }
  }

  /// Parts in fours, upwards, the fours in pairs. The sum from +0 on needs no +0: no part is -0.
  void fold() {
    const int all = batch_ * block_rows_;
    for (int from = 0; from < all; from += threads) {
      Value id = t_.rank() + from;
      t_.when(id < (bound_ ? t_.constant(s32, all) : rows_ * block_rows_), [&] {
        Value four[4];
        for (int i = 0; i < warps; ++i) {
          Value part = t_.load(parts_, id + i * part_pitch_).as(f32);
          four[i / 4] = i % 4 == 0 ? part : four[i / 4] + part;
        }
        Value sum = (four[0] + four[1]) + (four[2] + four[3]);
        Value factor = t_.constant(f32, 128) * p_.global_scale;
        Value column = block_.x * block_rows_ + id % block_rows_;
        t_.store(p_.y(first_ + id / block_rows_, column), sum * factor);
      });
    }
  }

  Thread& t_;
  const Parameters& p_;
  int chunks_, tiles_, block_rows_;
  int batch_;   ///< rows of x that there is code for
  bool bound_;  ///< and that are there; else rows_
  int pitch_;
  Shared x_, parts_;  ///< words
  int part_pitch_ = 0;
  Dim3 block_;
  SlabStream weights_;
  Value lane_, warp_;
  Value first_, rows_;  ///< of x: this block's
  Value scale_;         ///< of the group that is multiplied
  std::vector<Value> staged_;
  std::vector<std::array<Value, 2>> sums_;  ///< by tile of a pass: accumulators A and B
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

constexpr ir::Schedule warps16(std::string_view name, std::string_view weights,
                               std::uint8_t ahead) {
  return {.name = name,
          .threads = threads,
          .streams = {{.of = weights, .slots = ahead, .ahead = ahead}},
          .budget = {.ctas_per_sm = 1}};
}
/// Beside the grid before.
constexpr ir::Schedule next16(std::string_view name, std::string_view weights, std::uint8_t ahead) {
  ir::Schedule s = warps16(name, weights, ahead);
  s.budget.beside_next = true;
  return s;
}

void add(Registry& registry, const char* name, const char* doc, Fast blocks,
         std::vector<ir::Schedule> schedules) {
  registry.add({.name = name,
                .doc = doc,
                .types = {bf16},
                .schedules = std::move(schedules),
                .make = [blocks](Elem) { return wo_nvfp4_fast(blocks); },
                .reference = [blocks](ReferenceArgs a) { fast_reference(blocks, a); },
                .bytes = [](Elem, const auto& n) { return image_payload(n); },
                .flops = [](Elem, const auto& n) { return projection_flops(n); },
                .input = [blocks](const InputArgs& a) { return fast_input(blocks, a); }});
}

}  // namespace

KernelSource wo_nvfp4_fast(Fast blocks) {
  Parameters p{.blocks = blocks};
  LaunchShape launch{.threads = {threads},
                     .grid = {Blocks(p.N, blocks.rows()), Blocks(p.B, most_rows(blocks))}};
  const char* name = blocks == fast40 ? "wo_nvfp4_fast" : "wo_nvfp4_fast64";
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
  // How far ahead is best was measured for each number of rows of x.
  add(registry, "wo_nvfp4_fast",
      "wo_nvfp4 on tensor cores, in an order of its own: 40 rows and all of K a block", fast40,
      {warps16("warps16_K6144", "w_fast", 3), next16("next16_K6144", "w_fast", 3),
       warps16("warps16_B1_K6144", "w_fast", 2), next16("next16_B1_K6144", "w_fast", 1),
       warps16("warps16_B2_K6144", "w_fast", 2), next16("next16_B2_K6144", "w_fast", 3),
       warps16("warps16_B4_K6144", "w_fast", 2), next16("next16_B4_K6144", "w_fast", 2),
       warps16("warps16_B8_K6144", "w_fast", 4), next16("next16_B8_K6144", "w_fast", 3),
       warps16("warps16_B16_K6144", "w_fast", 3), next16("next16_B16_K6144", "w_fast", 2)});
  add(registry, "wo_nvfp4_fast64", "wo_nvfp4_fast with 64 rows a block", fast64,
      {warps16("warps16_K8192", "w_fast64", 4), next16("next16_K8192", "w_fast64", 4),
       warps16("warps16_B1_K8192", "w_fast64", 4), next16("next16_B1_K8192", "w_fast64", 4)});
}

}  // namespace barline::kernels
