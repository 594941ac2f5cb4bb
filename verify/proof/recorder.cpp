// SPDX-License-Identifier: Apache-2.0
#include "verify/proof/recorder.h"

#include <fmt/format.h>
#include <algorithm>

#include "ir/print.h"
#include "verify/proof/sizes_taint.h"

namespace barline::verify::proof {
namespace {

/// True if flags may order access `a` of its block before access `b` of another thread.
bool may_order(const Entry& a, const Entry& b, std::span<const FlagTimes> flags) {
  return flags[a.block].last_release >= a.epoch && flags[a.block].last_release != 0 &&
         flags[b.block].first_acquire <= b.epoch;
}

}  // namespace

std::vector<std::string> op_texts(const ir::Kernel& k) {
  std::vector<std::string> texts;
  std::string all = ir::print(k);
  bool body = false;
  for (std::size_t at = 0; at < all.size();) {
    std::size_t end = std::min(all.find('\n', at), all.size());
    std::string line = all.substr(at, end - at);
    at = end + 1;
    std::size_t first = line.find_first_not_of(' ');
    if (!body) {
      body = line == "{";
    } else if (first != std::string::npos && line[first] != '}') {
      std::size_t region = line.rfind(" (");
      if (line.back() == '{' && region != std::string::npos) line.resize(region);
      texts.push_back(line.substr(first));
    }
  }
  return texts;
}

Recorder::Recorder(const Plan& plan, bool first_only)
    : plan_(plan), first_only_(first_only), reached_(plan.ops.size()) {}

OpText Recorder::text(int op) const {
  if (op < 0) return {};
  if (texts_.empty()) texts_ = op_texts(*plan_.kernel);
  std::string line = static_cast<std::size_t>(op) < texts_.size() ? texts_[op] : "";
  return {plan_.ops[op]->loc, std::move(line)};
}

std::string Recorder::buffer_name(const Step& s) const {
  if (s.slot >= 0) return plan_.kernel->slots[s.slot].name;
  return s.param >= 0 ? plan_.kernel->params[s.param].name : "";
}

void Recorder::add(ProofFinding f, int op, int other_op) {
  Key key{f.property, op, other_op};
  auto it = findings_.find(key);
  if (it != findings_.end() && it->second.verdict >= f.verdict) return;
  f.ops[0] = text(op);
  f.ops[1] = text(other_op);
  f.sizes = sizes_;
  Verdict v = f.verdict;
  findings_[key] = std::move(f);
  if (first_only_ && v == Verdict::Refuted) throw Enough{};
}

void Recorder::add_at(Property p, Verdict v, const Step& s, const Entry& at, std::int64_t element,
                      std::string message) {
  auto it = findings_.find({p, s.index, -1});
  if (it != findings_.end() && it->second.verdict >= v) return;
  ProofFinding f;
  f.property = p;
  f.verdict = v;
  f.message = std::move(message);
  f.threads[0] = at.thread;
  f.blocks[0] = at.block;
  f.buffer = buffer_name(s);
  f.element = element;
  add(std::move(f), s.index);
}

void Recorder::no_wait_for_previous(int thread, int block) {
  ProofFinding f;
  f.property = Property::DependentLaunch;
  f.verdict = Verdict::Refuted;
  f.threads[0] = thread;
  f.blocks[0] = block;
  f.message = fmt::format(
      "thread {} ends without await_previous: a grid that may start beside the one before waits "
      "for "
      "it in every thread",
      thread);
  add(std::move(f), -1);
}

void Recorder::conflict(const Conflict& c) {
  Property p = c.stale()         ? Property::Stale
               : c.across_blocks ? Property::GlobalRace
                                 : Property::SharedRace;
  bool sure = !c.old.possible && !c.now.possible && !c.decided;
  if (!seen_.insert({p, c.old.op, c.now.op * 2 + sure}).second) return;
  if (first_only_ && sure && !plan_.orders) judge(c, false);
  conflicts_.push_back(c);
}

void Recorder::judge(std::span<const FlagTimes> block_flags,
                     std::span<const FlagTimes> device_flags) {
  std::vector<Conflict> all = std::move(conflicts_);
  conflicts_.clear();
  seen_.clear();
  for (const Conflict& c : all) {
    auto flags = c.across_blocks ? device_flags : block_flags;
    judge(c, !c.stale() && (may_order(c.old, c.now, flags) || may_order(c.now, c.old, flags)));
  }
}

std::string Recorder::message(const Conflict& c, bool flagged) const {
  bool guess = c.old.possible || c.now.possible || c.decided;
  const std::string& buffer =
      c.slot >= 0 ? plan_.kernel->slots[c.slot].name : plan_.kernel->params[c.param].name;
  if (c.stale())
    return fmt::format(
        "{}thread {} reads {}[{}] as use {} of the slot, where thread {} wrote it for use {}; "
        "fill the copy for every use that is read",
        guess ? "if its condition holds, " : "", c.now.thread, buffer, c.element, c.read_as,
        c.old.thread, c.filled_as);
  auto who = [&](const Entry& e) {
    return fmt::format("thread {}{}", e.thread,
                       c.across_blocks ? fmt::format(" of block {}", e.block) : "");
  };
  return fmt::format("{}{} and {} meet at {}[{}]; {}", guess ? "if their conditions hold, " : "",
                     who(c.old), who(c.now), buffer,
                     c.element < 0 ? "an index from data" : std::to_string(c.element),
                     flagged           ? "flags may order them, which this proof does not follow"
                     : c.across_blocks ? "nothing orders two blocks of a launch"
                     : c.in_flight     ? "the copy is in flight: its group has not been waited for"
                                       : "no barrier lies between");
}

void Recorder::judge(const Conflict& c, bool flagged) {
  bool guess = c.old.possible || c.now.possible || c.decided;
  ProofFinding f;
  f.property = c.stale()     ? Property::Stale
               : c.slot >= 0 ? Property::SharedRace
                             : Property::GlobalRace;
  f.verdict = flagged || guess ? Verdict::Unknown : Verdict::Refuted;
  f.threads[0] = c.old.thread;
  f.threads[1] = c.now.thread;
  f.blocks[0] = c.old.block;
  f.blocks[1] = c.now.block;
  f.buffer = c.slot >= 0 ? plan_.kernel->slots[c.slot].name : plan_.kernel->params[c.param].name;
  f.element = c.element;
  f.address = c.address;
  f.message = message(c, flagged);
  add(std::move(f), c.old.op, c.now.op);
}

AccessCost& Recorder::cost(const Step& s) {
  auto [it, fresh] = costs_.try_emplace(s.index);
  if (fresh) {
    it->second.op = text(s.index);
    it->second.buffer = buffer_name(s);
    it->second.shared = s.slot >= 0;
    it->second.writes = is_write(s.touch);
  }
  return it->second;
}

Verdict Recorder::verdict() const {
  Verdict v = Verdict::Proved;
  for (const auto& [key, f] : findings_) v = worse(v, f.verdict);
  return v;
}

/// Accesses and syncs that no case came to: the replay says nothing of them. Where sizes or scalars
/// decide whether an op is reached, others might reach it, so the verdict may not be PROVED; code
/// that is dead whatever they are is only named.
void Recorder::doubt_unreached() {
  std::vector<bool> by_sizes = decided_by_sizes(*plan_.kernel);
  int named = 0;
  for (std::size_t i = 0; i < plan_.ops.size(); ++i) {
    const ir::Operation& op = *plan_.ops[i];
    bool effect = op.has(ir::Reads) || op.has(ir::Writes) || op.has(ir::Syncs);
    if (!effect || reached_[i]) continue;
    if (by_sizes[i]) {
      ProofFinding f;
      f.property = Property::Replay;
      f.verdict = Verdict::Unknown;
      f.message = "no replayed case comes to it; give it sizes or scalars that do";
      add(std::move(f), static_cast<int>(i));
      return;
    }
    if (named++ == 0)
      note(fmt::format("no replayed case comes to {}: {}", ir::to_string(op.loc),
                       text(static_cast<int>(i)).text));
  }
  if (named > 1) note(fmt::format("nor to {} others", named - 1));
}

void Recorder::move_into(ProofReport& report) {
  if (!first_only_) doubt_unreached();
  report.verdict = verdict();
  for (auto& [key, f] : findings_) report.findings.push_back(std::move(f));
  std::stable_sort(
      report.findings.begin(), report.findings.end(),
      [](const ProofFinding& a, const ProofFinding& b) { return a.verdict > b.verdict; });
  report.preconditions.assign(preconditions_.begin(), preconditions_.end());
  report.notes.insert(report.notes.end(), notes_.begin(), notes_.end());
  for (auto& [op, c] : costs_) {
    report.extra_cycles += c.extra_cycles;
    report.costs.push_back(std::move(c));
  }
  report.accesses = accesses_;
  report.reached = reached_;
}

}  // namespace barline::verify::proof
