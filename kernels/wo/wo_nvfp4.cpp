// SPDX-License-Identifier: Apache-2.0
// wo_nvfp4 on the thread layer. A thread owns rows and walks the k of its block's slot group by
// group: 16 codes in one access, one scale, x from the cache. Four rows at once hide part of the
// latency; no row's order depends on it.
#include "kernels/wo/wo.h"

#include <fmt/format.h>

#include "dsl/generations.h"
#include "ir/diagnostic.h"
#include "kernels/wo/phases.h"

namespace barline::kernels {
namespace {

using namespace dsl;
using formats::nvfp4_group;
using formats::ScaleOrder;

constexpr int threads = 128, rows_at_once = 4, gather_rows = 4;
/// A head's k are a multiple of so many groups: splits that divide it share out whole groups.
constexpr std::int64_t whole_split = 8;

/// The parameters of every config; each lists those that it has.
struct Wo {
  WoConfig config;
  Axis B{"B"}, N{"N", gather_rows}, K{"K", config.kv_heads*whole_split*nvfp4_group},
      slice_ctas{"slice_ctas"}, wo_split{"wo_split"};
  In attention{"attention", bf16, {B, K}}, x_in{"x", bf16, {B, K}};
  InOut x_made{"x", bf16, {B, K}};
  In w{"w", e2m1, {N, K}};
  In linear{"w_scale", e4m3, {N, K.by(nvfp4_group)}};
  In swizzled{"w_scale_swizzled", e4m3, {N.by(128), K.by(4 * nvfp4_group, 512)}};
  Arg global_scale{"global_scale"};
  Scratch partial{"partial", f32, {B, wo_split.by(1, config.kv_heads), N}};
  Scratch launches{"launches", u64, {B, slice_ctas.by(1, config.kv_heads)}};
  Scratch counters{"counters", u64, {B.by(1, config.counters())}};
  Out y{"y", f32, {B, N}};

  const Tensor& x() const {
    return config.producer_wait ? static_cast<const Tensor&>(x_made) : x_in;
  }
  const Tensor& scales() const { return config.scales == ScaleOrder::Linear ? linear : swizzled; }

  std::vector<ParamRef> listed() const {
    std::vector<ParamRef> list{x(), w, scales(), global_scale, y, partial, launches, counters};
    if (config.producer_wait) list.push_back(attention);
    return list;
  }
};

/// One block's work.
class WoBlock {
 public:
  WoBlock(Thread& t, const Wo& p)
      : t_(t),
        p_(p),
        at_(t.block()),
        split_(t.size(p.wo_split)),
        of_head_(t.size(p.K) / static_cast<int>(p.config.kv_heads)),
        generation_(t, p.launches(at_.z, at_.y * t.size(p.slice_ctas) + at_.x)) {}

  void run() {
    const std::int64_t split = *t_.bound(p_.wo_split), slots = split * p_.config.kv_heads;
    const bool whole = whole_split % split == 0;
    t_.when(at_.x < split_, [&] {
      if (p_.config.producer_wait) share_x(split == 1);
      if (p_.config.gather_groups > 1) return in_groups(whole, slots);
      in_phase(t_, Phase::WoGemv, [&] { sum_slot(whole, 0, p_.N); });
      gather_when_last(counter(0), slots, [&] { gather(slots, 0, p_.N); });
    });
  }

 private:
  /// Of the row's counters.
  Place counter(const Operand& i) {
    return p_.counters(at_.z * static_cast<int>(p_.config.counters()) + i.in(t_, s32));
  }

  void gather_when_last(const Place& arrivals, const Operand& parts,
                        const std::function<void()>& gather) {
    Value last;
    in_phase(t_, Phase::WoPost, [&] { last = generation_.arrive_last(arrivals, parts); });
    t_.when(last, [&] { in_phase(t_, Phase::GatherReduce, gather); });
  }

  /// Groups of whole steps of the rows that the threads take at once. Each block begins with
  /// another one, so that not one block comes last everywhere.
  void in_groups(bool whole, std::int64_t slots) {
    const int groups = static_cast<int>(p_.config.gather_groups);
    constexpr int step = threads * rows_at_once;
    Value n = t_.size(p_.N);
    Value rows = (n + (step * groups - 1)) / (step * groups) * step;
    Value slot = at_.y * split_ + at_.x;
    t_.loop(0, groups, {}, [&](Value turn) {
      Value group = (slot + turn) % groups;
      Value first = group * rows, last = min(first + rows, n);
      in_phase(t_, Phase::WoGemv, [&] { sum_slot(whole, first, last); });
      gather_when_last(counter(group), slots, [&] { gather(slots, first, last); });
    });
  }

  /// The head's first block writes its x, the others wait. `alone`: there are no others.
  void share_x(bool alone) {
    const int flags = static_cast<int>(p_.config.gather_groups);
    Place ready = counter(at_.y + flags);
    auto make = [&](const std::function<void()>& show) {
      in_phase(t_, Phase::AttentionPreWo, [&] {
        write_x();
        show();
      });
    };
    if (alone) return make([&] { generation_.meet("x written before it is read"); });
    t_.when(
        at_.x == 0, [&] { make([&] { generation_.release(ready); }); },
        [&] { in_phase(t_, Phase::PreWoWait, [&] { generation_.wait(ready, give_up()); }); });
  }

  std::optional<GiveUp> give_up() {
    if (!p_.config.wait_timeout_ns) return std::nullopt;
    return GiveUp{p_.config.wait_timeout_ns, counter(p_.config.counters() - 1)};
  }

  void write_x() {
    constexpr int lanes = 8;
    t_.loop(0, of_head_, threads * lanes, {}, [&](Value base) {
      Value k = base + t_.rank() * lanes;
      t_.when(k < of_head_, [&] {
        Value at = at_.y * of_head_ + k;
        t_.store_vec(p_.x()(at_.z, at), t_.load_vec(p_.attention(at_.z, at), lanes));
      });
    });
  }

  /// The chains of this block's slot, rows [lo, hi). `whole`: its k are whole groups.
  void sum_slot(bool whole, const Operand& lo, const Operand& hi) {
    Value first = at_.y * of_head_ + of_head_ * at_.x / split_;
    Value last = at_.y * of_head_ + of_head_ * (at_.x + 1) / split_;
    Value from = whole ? first : first / int{nvfp4_group} * int{nvfp4_group};
    Value slot = at_.y * split_ + at_.x;
    t_.loop(lo, hi, threads * rows_at_once, {}, [&](Value base) {
      std::vector<Value> rows, reads;
      std::vector<Var> sums;
      for (int r = 0; r < rows_at_once; ++r) {
        rows.push_back(base + (t_.rank() + r * threads));
        reads.push_back(min(rows[r], t_.size(p_.N) - 1));
        sums.push_back(t_.var(f32, 0));
      }
      t_.loop(from, last, int{nvfp4_group}, {}, [&](Value k) {
        std::vector<Value> x = group_of_x(k);
        for (int r = 0; r < rows_at_once; ++r) {
          std::vector<Value> w = group_of_w(reads[r], k);
          for (int j = 0; j < nvfp4_group; ++j) {
            Value next = sums[r] + x[j] * w[j];
            Value inside = whole ? Value{} : k + j >= first && k + j < last;
            sums[r] = whole ? next : select(inside, next, sums[r]);
          }
        }
      });
      for (int r = 0; r < rows_at_once; ++r)
        t_.store_if(rows[r] < p_.N, p_.partial(at_.z, slot, rows[r]), sums[r]);
    });
  }

  std::vector<Value> group_of_x(const Value& k) {
    std::vector<Value> x;
    for (int half : {0, 8})
      for (const Value& v : t_.load_vec(p_.x()(at_.z, k + half), 8).elements)
        x.push_back(v.to(f32));
    return x;
  }

  /// (code * scale) * global scale: the first product is exact.
  std::vector<Value> group_of_w(const Value& row, const Value& k) {
    Value scale = t_.load(scale_at(row, k / int{nvfp4_group})).to(f32);
    std::vector<Value> w;
    for (const Value& code : t_.load_vec(p_.w(row, k), nvfp4_group).elements)
      w.push_back(code.to(f32) * scale * p_.global_scale);
    return w;
  }

  /// formats::scale_offset on the device.
  Place scale_at(const Value& row, const Value& group) {
    if (p_.config.scales == ScaleOrder::Linear) return p_.linear(row, group);
    Value in_tile = row % 32 * 16 + row / 32 % 4 * 4 + group % 4;
    return p_.swizzled(row / 128, group / 4 * 512 + in_tile);
  }

  /// y[lo, hi) = the slots in ascending order.
  void gather(std::int64_t slots, const Operand& lo, const Operand& hi) {
    t_.loop(lo, hi, threads * gather_rows, {}, [&](Value base) {
      Value n = base + t_.rank() * gather_rows;
      t_.when(n < p_.N, [&] {
        std::vector<Var> sums;
        for (const Value& v : part(0, n)) sums.push_back(t_.var(v));
        for (std::int64_t slot = 1; slot < slots; ++slot) {
          auto more = part(slot, n);
          for (int i = 0; i < gather_rows; ++i) sums[i] += more[i];
        }
        Vec y;
        for (const Var& sum : sums) y.elements.push_back(sum);
        t_.store_vec(p_.y(at_.z, n), y);
      });
    });
  }
  std::vector<Value> part(const CoordArg& slot, const Value& n) {
    return t_.load_vec(p_.partial(at_.z, slot, n), gather_rows).elements;
  }

  Thread& t_;
  const Wo& p_;
  Dim3 at_;
  Value split_, of_head_;
  Generations generation_;
};

/// A slice for every part: fewer would leave parts to nobody, and no launch could tell.
void check_slices(Thread& t, const Wo& p) {
  const auto split = t.bound(p.wo_split), slices = t.bound(p.slice_ctas);
  if (!split)
    ir::fail(
        ir::Diag::BadDim, p.partial.loc, "wo_split is left to the launch",
        "bind it: wo_split: 4 in the schedule's dims, bind \"wo_split=4\" in a host's request");
  if (!slices) return t.promise_multiple(p.slice_ctas, *split);
  if (*slices < *split)
    ir::fail(ir::Diag::BadDim, p.partial.loc,
             fmt::format("wo_split {} over slice_ctas {}", *split, *slices),
             "bind slice_ctas to at least wo_split, the blocks that a head's parts fall to");
}

}  // namespace

KernelSource wo_nvfp4(const WoConfig& config) {
  Wo p{config};
  LaunchShape launch{.threads = {threads},
                     .grid = {Blocks(p.slice_ctas), Blocks(config.kv_heads), Blocks(p.B)},
                     .cooperative = true};
  KernelSource source = kernel("wo_nvfp4", {}, launch, [p](Thread& t) {
    check_slices(t, p);
    WoBlock(t, p).run();
  });
  source.params = p.listed();
  return source;
}

}  // namespace barline::kernels
