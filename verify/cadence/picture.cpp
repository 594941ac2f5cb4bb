// SPDX-License-Identifier: Apache-2.0
#include "verify/cadence/picture.h"

#include <fmt/format.h>
#include <algorithm>

namespace barline::verify {
namespace {

/// Columns that still fit a line or a page.
constexpr int most_columns = 8;

std::string access_text(const CadenceAccess& a) {
  constexpr const char* verbs[] = {"read", "write", "copy"};
  std::string out = verbs[a.kind];
  if (!a.of.empty()) out += " " + a.of;
  if (a.ahead && *a.ahead != 0) out += fmt::format(" {:+}", *a.ahead);
  return out;
}

std::string product_text(const CadenceLoop& loop, const CadenceProduct& p) {
  std::vector<std::string> names;
  for (int read : p.reads) {
    const CadenceAccess& a = loop.accesses[read];
    const std::string& of = a.of.empty() ? loop.slots[a.slot].name : a.of;
    if (std::find(names.begin(), names.end(), of) == names.end()) names.push_back(of);
  }
  return fmt::format("{} mma{}{}", p.count, names.empty() ? "" : " ", fmt::join(names, " "));
}

/// Row of the copy in step `step`, counted from that of step 0; the last one: copy not known.
int row_of(const CadenceSlot& slot, const CadenceAccess& a, int step) {
  if (!a.copy) return slot.copies;
  auto at = (*a.copy + slot.rate * step) % slot.copies;
  return static_cast<int>(at < 0 ? at + slot.copies : at);
}

void put(std::vector<Picture::Mark>& cell, Picture::Mark mark) {
  auto same = [&](const Picture::Mark& m) { return m.text == mark.text; };
  if (std::none_of(cell.begin(), cell.end(), same)) cell.push_back(std::move(mark));
}

/// Copies of earlier steps may still be in flight when the picture begins.
void add_flight(const CadenceSlot& slot, const CadenceAccess& a, const Picture& p,
                std::vector<Picture::Row>& rows) {
  for (int step = -(a.flight / p.epochs) - 1; a.flight && step < p.steps; ++step)
    for (int n = 1; n <= a.flight; ++n) {
      int column = step * p.epochs + a.epoch + n;
      if (column >= 0 && column < p.steps * p.epochs)
        put(rows[row_of(slot, a, step)].cells[column], {Picture::Flight, "in flight"});
    }
}

void add_slot(const CadenceLoop& loop, int slot, Picture& p) {
  const CadenceSlot& s = loop.slots[slot];
  std::vector<Picture::Row> rows(static_cast<std::size_t>(s.copies) + 1);
  for (int copy = 0; copy <= s.copies; ++copy) {
    std::optional<std::int64_t> at;
    if (copy < s.copies) at = copy;
    rows[copy].label = copy_name(s, at);
    rows[copy].cells.resize(p.columns());
  }
  bool unknown = false;
  for (const CadenceAccess& a : loop.accesses) {
    if (a.slot != slot) continue;
    unknown = unknown || !a.copy;
    for (int step = 0; step < p.steps; ++step)
      put(rows[row_of(s, a, step)].cells[step * p.epochs + a.epoch],
          {static_cast<Picture::Kind>(a.kind), access_text(a)});
    add_flight(s, a, p, rows);
  }
  if (!unknown) rows.pop_back();
  for (Picture::Row& row : rows) p.rows.push_back(std::move(row));
}

std::string steps_away(int steps) {
  if (steps == 0) return "";
  std::string side = steps < 0 ? "before" : "after";
  int n = std::abs(steps);
  return n == 1 ? fmt::format(", a step {}", side) : fmt::format(", {} steps {}", n, side);
}

std::string at_text(const CadenceAccess& a, int steps) {
  return fmt::format("{} (epoch {}{})", access_text(a), a.epoch + 1, steps_away(steps));
}

}  // namespace

Picture picture_of(const CadenceLoop& loop) {
  Picture p;
  p.epochs = loop.epochs();
  p.steps = std::clamp(most_columns / p.epochs, 1, loop.period);
  for (std::size_t slot = 0; slot < loop.slots.size(); ++slot)
    add_slot(loop, static_cast<int>(slot), p);
  if (loop.products.empty()) return p;
  Picture::Row products{"mma", {}};
  products.cells.resize(p.columns());
  for (const CadenceProduct& product : loop.products)
    for (int step = 0; step < p.steps; ++step)
      put(products.cells[step * p.epochs + product.epoch],
          {Picture::Product, product_text(loop, product)});
  p.rows.push_back(std::move(products));
  return p;
}

std::string hazard_text(const CadenceLoop& loop, const CadenceBarrier::Orders& orders) {
  constexpr const char* kinds[] = {"RAW", "WAR", "WAW"};
  const CadenceHazard& h = orders.hazard;
  const CadenceAccess &from = loop.accesses[h.from], &to = loop.accesses[h.to];
  const CadenceSlot& slot = loop.slots[from.slot];
  int after = h.steps - orders.before;
  auto copy = to.copy;
  if (copy) *copy += slot.rate * after;
  return fmt::format("{} {}: {}{} -> {}", kinds[h.kind], copy_name(slot, copy),
                     at_text(from, -orders.before), h.lands ? " landed" : "", at_text(to, after));
}

std::string loop_text(const CadenceLoop& loop) {
  std::string slots;
  for (const CadenceSlot& s : loop.slots)
    slots += fmt::format("{}{} ({} {})", slots.empty() ? "; slots: " : ", ", s.name, s.copies,
                         s.copies == 1 ? "copy" : "copies");
  int n = loop.epochs();
  std::string out = fmt::format("{} barrier{} a step{}", n, n == 1 ? "" : "s", slots);
  if (loop.period > 1) out += fmt::format("; comes round after {} steps", loop.period);
  if (loop.inner_loops) out += "; inner loops taken as one piece";
  return out;
}

}  // namespace barline::verify
