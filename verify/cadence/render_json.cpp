// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "verify/cadence/picture.h"
#include "verify/cadence/render.h"

namespace barline::verify {
namespace {

using Json = nlohmann::ordered_json;

Json timeline_json(const Picture& p) {
  Json rows = Json::array();
  for (const Picture::Row& row : p.rows) {
    Json epochs = Json::array();
    for (const auto& cell : row.cells) {
      Json marks = Json::array();
      for (const Picture::Mark& mark : cell) marks.push_back(mark.text);
      epochs.push_back(std::move(marks));
    }
    rows.push_back({{"row", row.label}, {"epochs", std::move(epochs)}});
  }
  return rows;
}

Json barrier_json(const CadenceLoop& loop, const CadenceBarrier& b,
                  const std::vector<BarrierNeed>& needs) {
  Json alone = Json::array(), shared = Json::array();
  for (const auto& orders : b.alone) alone.push_back(hazard_text(loop, orders));
  for (const auto& orders : b.shared) shared.push_back(hazard_text(loop, orders));
  Json out = {{"alone_orders", std::move(alone)}, {"also_orders", std::move(shared)}};
  if (b.loc) out["source"] = fmt::format("{}:{}", b.loc.file, b.loc.line);
  if (b.pending) out["pending"] = *b.pending;
  if (b.number >= needs.size()) return out;
  out["need"] = name(needs[b.number].kind);
  if (!needs[b.number].why.empty()) out["why"] = needs[b.number].why;
  return out;
}

}  // namespace

Json cadence_json(const Cadence& c, const std::vector<BarrierNeed>& needs) {
  Json out = Json::array();
  for (const CadenceLoop& loop : c.loops) {
    Picture p = picture_of(loop);
    Json slots = Json::array(), barriers = Json::array();
    for (const CadenceSlot& s : loop.slots)
      slots.push_back({{"name", s.name}, {"copies", s.copies}});
    for (const CadenceBarrier& b : loop.barriers) barriers.push_back(barrier_json(loop, b, needs));
    Json row = {{"barriers_per_step", loop.epochs()}, {"period", loop.period},
                {"slots", std::move(slots)},          {"steps", p.steps},
                {"timeline", timeline_json(p)},       {"barriers", std::move(barriers)}};
    for (const CadenceHazard& h : loop.open)
      row["not_ordered"].push_back(hazard_text(loop, {h, 0}));
    if (loop.loc) row["source"] = fmt::format("{}:{}", loop.loc.file, loop.loc.line);
    out.push_back(std::move(row));
  }
  return out;
}

}  // namespace barline::verify
