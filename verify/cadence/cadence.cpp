// SPDX-License-Identifier: Apache-2.0
// A loop is read three times: its slots and at what rate their copies rotate; its accesses, like
// ones of an epoch taken together; and, with the fills done step after step, whose data each read
// finds.
#include "verify/cadence/cadence.h"

#include <fmt/format.h>
#include <algorithm>
#include <numeric>

#include "verify/cadence/hazards_p.h"
#include "verify/cadence/trace_p.h"

namespace barline::verify {
namespace {

using namespace cadence;

std::int64_t modulo(std::int64_t n, std::int64_t by) { return (n % by + by) % by; }

class LoopReader {
 public:
  LoopReader(const ir::Kernel& k, const ir::Operation& loop, const ir::SlotEffects& effects,
             Trace& trace)
      : k_(k), op_(loop), effects_(effects), trace_(trace), items_(step_of(loop, effects)) {}

  /// Nothing where the loop has no barrier.
  std::optional<CadenceLoop> run(const std::map<const ir::Operation*, std::size_t>& numbers) {
    for (const Item& item : items_)
      if (item.kind == Item::Barrier) add_barrier(*item.op, numbers.at(item.op));
    if (loop_.barriers.empty()) return {};
    loop_.loc = op_.loc;
    find_slots();
    find_accesses();
    find_contents();
    find_products();
    order_hazards(k_, loop_, items_, ops_);
    return std::move(loop_);
  }

 private:
  struct Count {  ///< of the uses of a slot
    ir::ValueId base = ir::no_value;
    std::int64_t rate = 0;
    bool known = true;
  };

  void add_barrier(const ir::Operation& op, std::size_t number) {
    CadenceBarrier b{.number = number, .loc = op.loc};
    if (const ir::Attr* pending = op.find(ir::Key::Pending))
      b.pending = static_cast<int>(pending->value);
    loop_.barriers.push_back(std::move(b));
  }

  /// Uses in terms of one base and one rate have copies that can be told apart.
  void find_slots() {
    for (const Item& item : items_) {
      loop_.inner_loops = loop_.inner_loops || item.inner;
      if (item.kind != Item::Access) continue;
      const ir::Slot& slot = k_.slots[item.access.slot];
      auto use = use_of(item);
      Count next{use ? use->base : ir::no_value, use ? modulo(use->factor, slot.copies) : 0,
                 use.has_value()};
      auto [it, fresh] = counts_.try_emplace(item.access.slot, next);
      if (!fresh && (it->second.base != next.base || it->second.rate != next.rate || !next.known))
        it->second.known = slot.copies == 1;
    }
    for (const auto& [slot, count] : counts_) {
      const ir::Slot& s = k_.slots[slot];
      shown_[slot] = static_cast<int>(loop_.slots.size());
      std::int64_t rate = count.known ? modulo(count.rate, s.copies) : 0;
      loop_.slots.push_back({shown_name(s.name), s.copies, rate});
      if (count.known)
        loop_.period =
            std::lcm(loop_.period, s.copies / static_cast<int>(std::gcd(rate, s.copies)));
    }
  }

  static std::string shown_name(const std::string& slot) {
    return slot.ends_with("_ring") ? slot.substr(0, slot.size() - 5) : slot;
  }

  std::optional<StepUse> use_of(const Item& item) const {
    auto use = step_use(op_, effects_, item.access.use);
    if (use && item.next) use->offset += use->factor;
    return use;
  }

  void find_accesses() {
    int epoch = -1;
    for (std::size_t at = 0; at < items_.size(); ++at) {
      const Item& item = items_[at];
      if (item.kind == Item::Barrier) ++epoch;
      if (item.kind != Item::Access) continue;
      CadenceAccess access = access_of(item, epoch);
      auto same = std::find_if(loop_.accesses.begin(), loop_.accesses.end(),
                               [&](const CadenceAccess& b) { return alike(access, b); });
      auto index = static_cast<std::size_t>(same - loop_.accesses.begin());
      if (same == loop_.accesses.end()) {
        loop_.accesses.push_back(access);
        ops_.emplace_back();
      }
      ops_[index].last = at;
      add_once(ops_[index].ops, item.access);
      of_op_[item.op] = static_cast<int>(index);
    }
  }

  CadenceAccess access_of(const Item& item, int epoch) {
    CadenceAccess a{.slot = shown_.at(item.access.slot), .epoch = epoch, .loc = item.op->loc};
    const CadenceSlot& slot = loop_.slots[a.slot];
    a.kind = item.access.async   ? CadenceAccess::Copy
             : item.access.write ? CadenceAccess::Write
                                 : CadenceAccess::Read;
    auto use = use_of(item);
    if (slot.copies == 1)
      a.copy = 0;
    else if (use && counts_.at(item.access.slot).known)
      a.copy = modulo(use->offset, slot.copies);
    if (a.kind == CadenceAccess::Read) return a;
    a.of = trace_.moved_by(*item.op);
    if (use && use->factor > 0)
      a.ahead = static_cast<int>((use->offset - modulo(use->offset, use->factor)) / use->factor);
    return a;
  }

  static bool alike(const CadenceAccess& a, const CadenceAccess& b) {
    return a.kind == b.kind && a.slot == b.slot && a.copy == b.copy && a.epoch == b.epoch &&
           a.of == b.of && a.ahead == b.ahead;
  }

  static void add_once(std::vector<ir::SlotAccess>& ops, const ir::SlotAccess& next) {
    bool there = std::any_of(ops.begin(), ops.end(), [&](const ir::SlotAccess& a) {
      return a.index == next.index && a.offset == next.offset && a.lanes == next.lanes &&
             a.atomic == next.atomic && a.warp_wide == next.warp_wide;
    });
    if (!there) ops.push_back(next);
  }

  /// What a read finds is what was put there last; after a period and more every fill has run.
  void find_contents() {
    struct Content {
      std::string of;
      std::optional<std::int64_t> step;
    };
    std::map<std::pair<int, std::int64_t>, Content> held;
    for (int step = 0; step < 2 * loop_.period + 2; ++step)
      for (CadenceAccess& a : loop_.accesses) {
        const CadenceSlot& slot = loop_.slots[a.slot];
        std::int64_t copy = a.copy ? modulo(*a.copy + slot.rate * step, slot.copies) : -1;
        Content& content = held[{a.slot, copy}];
        if (a.kind != CadenceAccess::Read) {
          content = {a.of, {}};
          if (a.ahead) content.step = step + *a.ahead;
          continue;
        }
        a.of = content.of;
        a.ahead.reset();
        if (content.step) a.ahead = static_cast<int>(*content.step - step);
      }
  }

  void find_products() {
    int epoch = -1;
    for (const Item& item : items_) {
      if (item.kind == Item::Barrier) ++epoch;
      if (item.kind != Item::Product) continue;
      CadenceProduct p{.epoch = epoch, .count = 1};
      for (const ir::Operation* load : trace_.factors(*item.op)) {
        auto access = of_op_.find(load);
        if (access == of_op_.end()) continue;
        if (std::find(p.reads.begin(), p.reads.end(), access->second) == p.reads.end())
          p.reads.push_back(access->second);
      }
      std::sort(p.reads.begin(), p.reads.end(), [&](int a, int b) {
        return std::pair(loop_.accesses[a].slot, a) < std::pair(loop_.accesses[b].slot, b);
      });
      auto same = std::find_if(loop_.products.begin(), loop_.products.end(), [&](auto& other) {
        return other.epoch == p.epoch && other.reads == p.reads;
      });
      if (same == loop_.products.end())
        loop_.products.push_back(std::move(p));
      else
        ++same->count;
    }
  }

  const ir::Kernel& k_;
  const ir::Operation& op_;
  const ir::SlotEffects& effects_;
  Trace& trace_;
  std::vector<Item> items_;
  std::map<int, Count> counts_;  ///< by slot of the kernel
  std::map<int, int> shown_;     ///< slot of the kernel -> of the loop
  std::vector<AccessOps> ops_;
  std::map<const ir::Operation*, int> of_op_;  ///< -> access
  CadenceLoop loop_;
};

}  // namespace

Cadence cadence_of(const ir::Kernel& k) {
  Cadence out{.kernel = k.config.empty() ? k.name : k.config, .loops = {}};
  ir::SlotEffects effects(k);
  Trace trace(k);
  std::map<const ir::Operation*, std::size_t> numbers;
  ir::walk(k.body, [&](const ir::Operation& op) {
    if (op.is(ir::Op::Barrier)) numbers.emplace(&op, numbers.size());
  });
  ir::walk(k.body, [&](const ir::Operation& op) {
    if (!op.is(ir::Op::For)) return;
    if (auto loop = LoopReader(k, op, effects, trace).run(numbers))
      out.loops.push_back(std::move(*loop));
  });
  return out;
}

int barriers_per_step(const ir::Kernel& k) {
  auto own = [](auto& self, const ir::Region& region) -> int {
    int n = 0;
    for (const ir::Operation& op : region.ops) {
      n += op.is(ir::Op::Barrier);
      if (op.is(ir::Op::If))
        for (const ir::Region& arm : op.regions) n += self(self, arm);
    }
    return n;
  };
  int most = 0;
  ir::walk(k.body, [&](const ir::Operation& op) {
    if (op.is(ir::Op::For)) most = std::max(most, own(own, op.regions[0]));
  });
  return most;
}

std::string copy_name(const CadenceSlot& slot, std::optional<std::int64_t> copy) {
  if (slot.copies == 1) return slot.name;
  if (!copy) return slot.name + "[?]";
  std::int64_t at = modulo(*copy, slot.copies);
  if (slot.rate == 0) return fmt::format("{}[{}]", slot.name, at);
  std::string i = slot.rate == 1 ? "i" : fmt::format("{}i", slot.rate);
  return at == 0 ? fmt::format("{}[{}]", slot.name, i) : fmt::format("{}[{}+{}]", slot.name, i, at);
}

}  // namespace barline::verify
