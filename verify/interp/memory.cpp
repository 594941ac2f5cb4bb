// SPDX-License-Identifier: Apache-2.0
#include "verify/interp/memory.h"

#include <fmt/format.h>

#include "verify/interp/value_types.h"

namespace barline::verify::sim {
namespace {

const ir::Slot& slot_of(const Warp& w, const Access& a) {
  return w.worker->program.kernel->slots[a.slot];
}

/// The tensor and the parameter that the lane's root names.
Access::Choice tensor_of(const Warp& w, const Access& a, int lane) {
  if (a.choices.empty()) return {a.tensor, a.param};
  return a.choices[w.at<std::uint32_t>(a.copy)[lane] % a.choices.size()];
}

std::string root_name(const Warp& w, const Access& a) {
  const ir::Kernel& k = *w.worker->program.kernel;
  return a.slot >= 0 ? k.slots[a.slot].name
                     : k.params[tensor_of(w, a, std::countr_zero(w.mask)).param].name;
}

/// The finding with the root and the element filled in.
Finding memory_finding(const Warp& w, int lane, const Access& a, const View& v, std::int64_t index,
                       FindingKind kind, std::string message) {
  Finding f = finding_at(w, lane, kind, std::move(message));
  f.root = root_name(w, a);
  f.element = index;
  f.address = index * ir::bits(a.elem) / 8;
  if (a.elem == ir::Elem::I1) f.address = index;
  if (a.slot >= 0) f.address += v.data - w.block->shared.data();
  return f;
}

std::string refusal_text(Refusal refusal, std::int64_t index, const std::string& root) {
  switch (refusal) {
    case Refusal::InFlight:
      return fmt::format("element {} of '{}' is touched while a copy to it is in flight", index,
                         root);
    case Refusal::BeingRead:
      return fmt::format("element {} of '{}' is written while a wgmma that reads it is in flight",
                         index, root);
    case Refusal::Unfenced:
      return fmt::format(
          "element {} of '{}' was stored, and no proxy_fence by that thread shows "
          "it to this asynchronous access",
          index, root);
    default: return fmt::format("nothing orders two accesses of element {} of '{}'", index, root);
  }
}

/// Before it waited for the grid before, a thread reads what no grid writes, and writes nothing.
void require_previous(const Warp& w, const Access& a, int lane) {
  const bool own = a.param == ir::region_buffer(*w.worker->program.kernel);  // of this launch alone
  if (w.awaited_previous >> lane & 1 || a.order == ir::MemOrder::Const || a.copied || own) return;
  halt(w, lane, FindingKind::Protocol,
       fmt::format("'{}' is accessed before await_previous: the grid before may still use it",
                   root_name(w, a)));
}

}  // namespace

View view_of(const Warp& w, const Access& a, int lane) {
  if (a.slot < 0) {
    if (w.worker->program.awaits_previous) require_previous(w, a, lane);
    int tensor = tensor_of(w, a, lane).tensor;
    const Memory& m = w.worker->machine.memories[tensor];
    Shadow& s = w.worker->shadows[tensor];
    return {m.tensor->data.data(), m.count, s.cells() ? &s : nullptr,
            &w.worker->sync,       0,       static_cast<std::uint64_t>(tensor) << 48};
  }
  Block& b = *w.block;
  const ir::Slot& slot = slot_of(w, a);
  std::int64_t copy = a.rotating ? w.at<std::uint32_t>(a.copy)[lane] : 0;
  std::int64_t cells = is_packed(slot.elem) ? (slot.extent + 1) / 2 : slot.extent;
  Shadow& s = b.shadows[a.slot];
  std::uint64_t key = (static_cast<std::uint64_t>(a.slot) << 48) + copy * slot.extent;
  return {b.shared.data() + b.slot_offsets[a.slot] + copy * ir::slot_pitch(slot),
          slot.extent,
          s.cells() ? &s : nullptr,
          &b.sync,
          copy * cells,
          key};
}

void read_indices(const Warp& w, const Access& a, Indices& out) {
  auto read = [&](auto as) {
    using T = typename decltype(as)::type;
    if constexpr (std::is_integral_v<T>) {
      const T* index = w.at<T>(a.index);
      for (int l = 0; l < lanes; ++l)
        out.at[l] = static_cast<std::int64_t>(static_cast<std::uint64_t>(index[l]) +
                                              static_cast<std::uint64_t>(a.offset));
    }
  };
  if (a.index_elem == ir::Elem::S32) return read(As<std::int32_t>{});
  with_elem(a.index_elem, read);
}

Mask enabled(const Warp& w, const Access& a) {
  if (!a.has_active) return w.mask;
  const i1_t* active = w.at<i1_t>(a.active);
  Mask m = 0;
  for (int l = 0; l < lanes; ++l) m |= Mask{active[l].bits & 1u} << l;
  return m & w.mask;
}

void halt_bounds(const Warp& w, int lane, const Access& a, const View& v, std::int64_t index) {
  bool inside = index >= 0 && index <= v.count - a.vec;
  auto kind = inside ? FindingKind::Misaligned : FindingKind::OutOfBounds;
  std::string what = a.vec > 1 ? fmt::format("elements {} to {}", index, index + a.vec - 1)
                               : fmt::format("element {}", index);
  std::string message =
      inside ? fmt::format("{} of '{}': the index is not a multiple of the vector's {} elements",
                           what, root_name(w, a), a.vec)
             : fmt::format("{} of '{}', which has {}", what, root_name(w, a), v.count);
  throw Halt{memory_finding(w, lane, a, v, index, kind, std::move(message))};
}

void halt_refused(const Warp& w, int lane, const Access& a, const View& v, std::int64_t index,
                  Refusal refusal) {
  if (refusal == Refusal::Uninitialised)
    throw Halt{memory_finding(w, lane, a, v, index, FindingKind::UninitialisedRead,
                              fmt::format("element {} of '{}' is read before any thread wrote it",
                                          index, root_name(w, a)))};
  const Stamp& s = v.shadow->conflict();
  Finding f = memory_finding(w, lane, a, v, index, FindingKind::Race,
                             refusal_text(refusal, index, root_name(w, a)));
  f.other = site_of(w.worker->program, s.pc, s.warp, std::countr_zero(s.who));
  throw Halt{std::move(f)};
}

}  // namespace barline::verify::sim
