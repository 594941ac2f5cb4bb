// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <iterator>

#include "verify/interp/machine.h"

namespace barline::verify {
namespace {

constexpr std::string_view kind_names[] = {
    "race", "out-of-bounds", "misaligned", "uninitialised-read", "barrier-divergence", "deadlock",
    "trap", "step-limit",    "protocol"};

std::string site_text(const Site& s) {
  return fmt::format("{} at {}, block ({}, {}, {}), thread ({}, {}, {})", s.op,
                     ir::to_string(s.loc), s.block[0], s.block[1], s.block[2], s.thread[0],
                     s.thread[1], s.thread[2]);
}

}  // namespace

std::string_view name(FindingKind kind) { return kind_names[static_cast<int>(kind)]; }

std::string to_string(const Finding& f) {
  std::string text = fmt::format("{}: {} in @{}: {}\n", ir::to_string(f.here.loc), name(f.kind),
                                 f.kernel, f.message);
  fmt::format_to(std::back_inserter(text), "  {}\n", site_text(f.here));
  if (!f.other.op.empty()) fmt::format_to(std::back_inserter(text), "  {}\n", site_text(f.other));
  if (!f.root.empty())
    fmt::format_to(std::back_inserter(text), "  '{}' element {}, byte {}\n", f.root, f.element,
                   f.address);
  return text;
}

namespace sim {

std::string op_text(const ir::Kernel& k, const ir::Operation& op) {
  std::string text(ir::name(op.op));
  if (const ir::Attr* order = op.find(ir::Key::Order); order && order->value)
    text += fmt::format(".{}", ir::spellings(ir::AttrKind::MemOrder)[order->value]);
  if (op.in.empty() || !k.type(op.in[0]).is_pointer()) return text;
  ir::Root root = ir::root_of(k, ir::definitions(k), op.in[0]);
  if (root.param >= 0) text += " %" + k.params[root.param].name;
  if (root.slot >= 0) text += " %" + k.slots[root.slot].name;
  return text;
}

Site site_of(const Program& p, std::uint32_t pc, std::uint32_t warp, int lane) {
  Site s;
  if (const ir::Operation* op = p.origin[pc]) {
    s.op = op_text(*p.kernel, *op);
    s.loc = op->loc;
  }
  const Geometry& g = p.geometry;
  std::int64_t block = warp / static_cast<std::uint32_t>(g.warps());
  std::int32_t rank =
      static_cast<std::int32_t>(warp % static_cast<std::uint32_t>(g.warps())) * lanes + lane;
  for (int d = 0; d < 3; ++d) {
    s.block[d] = block % g.grid[d];
    block /= g.grid[d];
    s.thread[d] = rank % g.threads[d];
    rank /= g.threads[d];
  }
  return s;
}

Finding finding_at(const Warp& w, int lane, FindingKind kind, std::string message) {
  Finding f;
  f.kind = kind;
  f.kernel = w.worker->program.kernel->name;
  f.here = site_of(w.worker->program, w.pc ? w.pc - 1 : 0, w.id, lane);
  f.message = std::move(message);
  return f;
}

void halt(const Warp& w, int lane, FindingKind kind, std::string message) {
  throw Halt{finding_at(w, lane, kind, std::move(message))};
}

}  // namespace sim
}  // namespace barline::verify
