// SPDX-License-Identifier: Apache-2.0
// Two walks: backwards from addresses, conditions and loop bounds to the values they need; then
// forwards, copying the steps that have an effect or give a needed value.
#include "verify/proof/plan.h"

#include <algorithm>

#include "verify/proof/plan_async.h"

namespace barline::verify::proof {
namespace {

using ir::Key;
using ir::Op;
using ir::Operation;
using ir::Region;
using ir::ValueId;

/// Where a region argument or a result of a control op gets its value from.
struct Source {
  const Operation* op = nullptr;
  int region = -1;  ///< -1: a result
  int index = 0;
};

class Needs {
 public:
  Needs(const ir::Kernel& k, std::vector<bool>& needed)
      : needed_(needed), source_(k.values.size()) {
    needed_.assign(k.values.size(), false);
    ir::walk(k.body, [&](const Operation& op) {
      for (std::size_t i = 0; i < op.out.size(); ++i)
        source_[op.out[i]] = {&op, -1, static_cast<int>(i)};
      for (std::size_t r = 0; r < op.regions.size(); ++r)
        for (std::size_t i = 0; i < op.regions[r].args.size(); ++i)
          source_[op.regions[r].args[i]] = {&op, static_cast<int>(r), static_cast<int>(i)};
    });
  }

  void add(ValueId v) {
    if (v == ir::no_value || needed_[v]) return;
    needed_[v] = true;
    work_.push_back(v);
    while (!work_.empty()) {
      ValueId next = work_.back();
      work_.pop_back();
      expand(source_[next]);
    }
  }

 private:
  void push(ValueId v) {
    if (needed_[v]) return;
    needed_[v] = true;
    work_.push_back(v);
  }

  void expand(const Source& s) {
    if (!s.op) return;
    const Operation& op = *s.op;
    switch (op.op) {
      case Op::If: return expand_if(op, s);
      case Op::For: return expand_for(op, s);
      case Op::While: return expand_while(op, s);
      default: break;
    }
    if (op.has(ir::Reads)) return;  // what memory holds is not followed
    for (ValueId v : op.in) push(v);
  }

  void expand_if(const Operation& op, const Source& s) {
    push(op.in[0]);
    for (const Region& r : op.regions) push(r.ops.back().in[s.index]);
  }

  void expand_for(const Operation& op, const Source& s) {
    for (int i = 0; i < 3; ++i) push(op.in[i]);
    int carried = s.region < 0 ? s.index : s.index - 1;
    if (carried < 0) return;
    push(op.in[3 + carried]);
    push(op.regions[0].args[1 + carried]);
    push(op.regions[0].ops.back().in[carried]);
  }

  void expand_while(const Operation& op, const Source& s) {
    const Operation& head = op.regions[0].ops.back();
    push(head.in[0]);
    if (s.region == 0) {  // the head's argument: initial value, then what the body yields
      push(op.in[s.index]);
      push(op.regions[1].ops.back().in[s.index]);
    } else {  // the body's argument and the result: what the head passes on
      push(head.in[1 + s.index]);
    }
  }

  std::vector<bool>& needed_;
  std::vector<Source> source_;
  std::vector<ValueId> work_;
};

class Planner {
 public:
  Planner(const ir::Kernel& k, const Operation* without)
      : k_(k), without_(without), defs_(ir::definitions(k)) {}

  Plan run() {
    plan_.kernel = &k_;
    plan_.written.assign(k_.params.size(), false);
    plan_.read = plan_.strong_param = plan_.weak_param = plan_.written;
    plan_.strong.assign(k_.slots.size(), false);
    plan_.async = plan_.strong;
    plan_.rotation = rotation_of(k_);
    ir::walk(k_.body, [&](const Operation& op) {
      index_.push_back(&op);
      note_access(op);
    });
    note_runtime();
    plan_.ops = index_;
    Needs needs(k_, plan_.needed);
    // Control ops are needed where what they hold is; deciding that needs the facts first.
    Facts all;
    next_ = 0;
    region(k_.body, all, &needs);
    next_ = 0;
    plan_.body = region(k_.body, all, nullptr);
    return std::move(plan_);
  }

 private:
  void note_access(const Operation& op) {
    if (&op == without_) return;
    plan_.orders |= op.is(Op::Fence);
    bool memory = op.has(ir::Reads) || op.has(ir::Writes);
    plan_.waits |= op.is(Op::AwaitPrevious);
    plan_.releases |= op.is(Op::ReleaseNext);
    plan_.warps_apart |= sets_warps_apart(op);
    if (!memory || is_wgmma(op)) return;
    ir::Root root = ir::root_of(k_, defs_, op.in[0]);
    bool strong = is_strong_op(op);
    const bool counter = op.find(Key::Counter);
    plan_.orders |= strong && !counter;
    plan_.meets |= counter;
    if (is_copy(op))
      for (int p : ir::root_of(k_, defs_, op.in[2]).params)
        plan_.read[p] = plan_.weak_param[p] = true;
    for (int p : root.params) {
      if (op.has(ir::Writes)) plan_.written[p] = true;
      if (op.has(ir::Reads)) plan_.read[p] = true;
      (strong ? plan_.strong_param : plan_.weak_param)[p] = true;
    }
  }

  static bool is_strong_op(const Operation& op) {
    bool atomic = op.is(Op::Atomic) || op.is(Op::AtomicCas);
    return atomic || op.attr_as<ir::MemOrder>(Key::Order) >= ir::MemOrder::Relaxed;
  }

  /// Values that follow from more than constants and ids: sizes, arguments, data.
  void note_runtime() {
    runtime_.assign(k_.values.size(), false);
    for (ValueId v : k_.axis_sizes)
      if (v != ir::no_value) runtime_[v] = true;
    for (const ir::Param& p : k_.params) runtime_[p.value] = true;
    auto any = [&](const std::vector<ValueId>& values) {
      return std::any_of(values.begin(), values.end(), [&](ValueId v) { return runtime_[v]; });
    };
    for (int round = 0; round < 2; ++round)  // twice: loops carry values back
      ir::walk(k_.body, [&](const Operation& op) {
        bool follows = any(op.in);
        for (const Region& r : op.regions) follows = follows || any(r.ops.back().in);
        if (!follows) return;
        for (ValueId v : op.out) runtime_[v] = true;
        for (const Region& r : op.regions)
          for (ValueId v : r.args) runtime_[v] = true;
      });
  }

  /// First with `needs` set: only collects what is needed. Then without: makes the steps.
  Steps region(const Region& r, Facts& facts, Needs* needs) {
    Steps steps;
    for (const Operation& op : r.ops) {
      Step s = step(op, needs);
      if (&op == without_) continue;
      facts |= s.facts;
      if (needs) {
        require(op, s, *needs);
      } else if (!op.has(ir::Terminator) && keep(op, s)) {
        steps.push_back(std::move(s));
      }
    }
    return steps;
  }

  Step step(const Operation& op, Needs* needs) {
    Step s;
    s.op = &op;
    s.index = next_++;
    bool matrix = is_wgmma(op);
    if (!matrix && (op.has(ir::Reads) || op.has(ir::Writes))) memory(op, s);
    if (is_async(op)) note_async(k_, defs_, op, s);
    s.facts.barrier |= op.is(Op::Barrier);
    s.facts.warp |= op.has(ir::Convergent) && !op.is(Op::Barrier);
    s.facts.order |= op.is(Op::Fence);
    s.facts.commit |= op.is(Op::CommitCopies);
    if (op.is(Op::For)) s.runtime = runtime_[op.in[0]] || runtime_[op.in[1]] || runtime_[op.in[2]];
    if (op.is(Op::While)) s.runtime = runtime_[op.regions[0].ops.back().in[0]];
    for (const Region& r : op.regions) s.regions.push_back(region(r, s.facts, needs));
    return s;
  }

  void memory(const Operation& op, Step& s) {
    ir::Root root = ir::root_of(k_, defs_, op.in[0]);
    set_root(s, root);
    s.slot = root.slot;
    s.use = root.use;
    s.at = op.in[1];
    bool plain = op.is(Op::Load) || op.is(Op::Store);
    std::size_t operands = op.is(Op::Load) ? 2 : 3;
    if (plain && op.in.size() > operands) s.active = op.in[operands];
    s.offset = op.attr(Key::Offset);
    bool result = op.is(Op::Load) || op.is(Op::LoadMatrix);
    ir::Type t = k_.type(result ? op.out[0] : op.in[op.is(Op::StoreRemote) ? 3 : 2]);
    s.lanes = t.kind == ir::Kind::Vector ? t.lanes : 1;
    if (op.is(Op::CopyAsync) || op.is(Op::CopyBulk))
      s.lanes = static_cast<int>(op.attr(Key::Lanes, 1));
    if (op.is(Op::CopyTensor))
      s.lanes = static_cast<int>(op.attr(Key::Rows, 1) * op.attr(Key::Columns, 1));
    if (op.is(Op::LoadMatrix) || op.is(Op::StoreMatrix)) {
      s.rows = 4 * t.lanes;
      s.lanes = 8;  // of a row
      s.facts.warp = true;
    }
    s.elem_bits = t.elem == ir::Elem::I1 ? 8 : ir::bits(t.elem);
    bool strong = is_strong_op(op);
    bool write = op.has(ir::Writes);
    s.reads = op.has(ir::Reads);
    s.touch = write ? (strong ? Touch::StrongWrite : Touch::Write)
                    : (strong ? Touch::StrongRead : Touch::Read);
    auto scope = op.attr_as<ir::MemScope>(Key::Scope);
    s.device_scope = strong && (!op.find(Key::Scope) || scope >= ir::MemScope::Gpu);
    s.facts.order = strong;
    s.counter = op.find(Key::Counter);
    if (s.slot >= 0) {
      s.facts.shared = true;
      if (strong) plan_.strong[s.slot] = true;
    } else {
      s.facts.global_write = write;
      s.facts.global_read = !write && plan_.written[s.param];
    }
    if (op.is(Op::CopyAsync) || op.is(Op::CopyBulk)) copy(op, s);
  }

  static void set_root(Step& s, const ir::Root& root) {
    s.param = root.param;
    s.chosen = root.chosen;
    if (root.chosen != ir::no_value) s.params = root.params;
  }

  /// The read of a copy: where it is not active zeros are written, so the write takes place.
  void copy(const Operation& op, Step& s) {
    bool lanes = op.is(Op::CopyAsync);
    if (s.slot >= 0 && lanes) plan_.async[s.slot] = true;
    Step from;
    from.op = &op;
    from.index = s.index;
    set_root(from, ir::root_of(k_, defs_, op.in[2]));
    from.at = op.in[3];
    if (lanes && op.in.size() > 4) from.active = op.in[4];
    from.lanes = s.lanes;
    from.elem_bits = s.elem_bits;
    from.touch = Touch::Read;
    from.reads = true;
    s.source.push_back(std::move(from));
  }

  static bool is_effect(const Step& s) {
    return s.param >= 0 || s.slot >= 0 || s.facts.barrier || s.facts.warp || s.facts.order ||
           s.facts.commit || (s.facts.async && s.op->regions.empty());
  }

  void require(const Operation& op, const Step& s, Needs& needs) {
    if (s.param >= 0 || s.slot >= 0) {
      for (ValueId v : {s.at, s.use, s.active, s.chosen}) needs.add(v);
      if (s.counter && op.has(ir::Writes)) needs.add(op.in[2]);
      for (const Step& from : s.source)
        for (ValueId v : {from.at, from.active, from.chosen}) needs.add(v);
    }
    if (is_async(op)) {
      needs.add(s.gate.use);
      for (const Place& m : s.matrices) needs.add(m.use);
      for (ValueId v : op.in)
        if (k_.type(v).is_scalar() && ir::is_int(k_.type(v).elem)) needs.add(v);
    }
    if (op.regions.empty() || !holds_effect(op)) return;
    if (op.is(Op::If)) needs.add(op.in[0]);
    if (op.is(Op::For))
      for (int i = 0; i < 3; ++i) needs.add(op.in[i]);
    if (op.is(Op::While)) needs.add(op.regions[0].ops.back().in[0]);
  }

  bool holds_effect(const Operation& op) const {
    bool found = false;
    for (const Region& r : op.regions)
      ir::walk(r, [&](const Operation& inner) {
        found |= inner.has(ir::Reads) || inner.has(ir::Writes) || inner.has(ir::Convergent) ||
                 inner.has(ir::Fences) || inner.has(ir::Async);
      });
    return found;
  }

  bool keep(const Operation& op, const Step& s) const {
    if (is_effect(s) || (!op.regions.empty() && holds_effect(op))) return true;
    return std::any_of(op.out.begin(), op.out.end(), [&](ValueId v) { return plan_.needed[v]; });
  }

  const ir::Kernel& k_;
  const Operation* without_;
  std::vector<const Operation*> defs_;
  std::vector<const Operation*> index_;
  std::vector<bool> runtime_;
  Plan plan_;
  int next_ = 0;
};

}  // namespace

Facts& Facts::operator|=(const Facts& f) {
  shared |= f.shared;
  barrier |= f.barrier;
  warp |= f.warp;
  global_write |= f.global_write;
  global_read |= f.global_read;
  order |= f.order;
  commit |= f.commit;
  async |= f.async;
  return *this;
}

Plan make_plan(const ir::Kernel& k, const Operation* without) { return Planner(k, without).run(); }

}  // namespace barline::verify::proof
