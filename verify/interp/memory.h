// SPDX-License-Identifier: Apache-2.0
// One lane's way to memory: where the root's elements stand, bounds and alignment, the shadow's
// word on the access, and what strong accesses synchronise.
#pragma once

#include <atomic>
#include <cstring>

#include "verify/interp/machine.h"
#include "verify/interp/shadow_touch.h"

namespace barline::verify::sim {

/// The elements that a lane's root names: a tensor, or one copy of a slot.
struct View {
  std::byte* data = nullptr;
  std::int64_t count = 0;
  Shadow* shadow = nullptr;
  SyncMap* sync = nullptr;
  std::int64_t first_cell = 0;  ///< of the shadow
  std::uint64_t key = 0;        ///< of the sync map; elements follow
};

View view_of(const Warp& w, const Access& a, int lane);

/// index + offset of every lane.
struct Indices {
  std::int64_t at[lanes];
};
void read_indices(const Warp& w, const Access& a, Indices& out);

/// The lanes that take part: those that run and whose `active` holds.
Mask enabled(const Warp& w, const Access& a);

/// Halts if elements [index, index + a.vec) are not all inside, or not aligned.
[[noreturn]] void halt_bounds(const Warp& w, int lane, const Access& a, const View& v,
                              std::int64_t index);
inline void check_bounds(const Warp& w, int lane, const Access& a, const View& v,
                         std::int64_t index) {
  bool inside = index >= 0 && index <= v.count - a.vec;
  if (!inside || (index & (a.vec - 1))) halt_bounds(w, lane, a, v, index);
}

/// Halts with the shadow's refusal of element `index`.
[[noreturn]] void halt_refused(const Warp& w, int lane, const Access& a, const View& v,
                               std::int64_t index, Refusal refusal);

/// The shadow cell of an element: packed elements share their byte's.
inline std::int64_t cell_of(const Access& a, const View& v, std::int64_t index) {
  return v.first_cell + (ir::bits(a.elem) == 4 ? index / 2 : index);
}

/// Tells the shadow of an access to elements [index, index + n).
inline void touch(const Warp& w, int lane, const Access& a, const View& v, std::int64_t index,
                  int n, Touch kind) {
  if (!v.shadow) return;
  for (int e = 0; e < n; ++e) {
    Refusal r = v.shadow->touch(w, lane, cell_of(a, v, index + e), kind, a.wide);
    if (r != Refusal::None) halt_refused(w, lane, a, v, index + e, r);
  }
}

// Host threads run blocks side by side, and a kernel may race: elements move in relaxed atomics.
template <class T>
requires(sizeof(T) <= 8) T get(const std::byte* from) {
  using U = std::conditional_t<
      sizeof(T) == 1, std::uint8_t,
      std::conditional_t<sizeof(T) == 2, std::uint16_t,
                         std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;
  U bits = __atomic_load_n(reinterpret_cast<const U*>(from), __ATOMIC_RELAXED);
  T value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}
template <class T>
requires(sizeof(T) <= 8) void put(std::byte* to, T value) {
  using U = std::conditional_t<
      sizeof(T) == 1, std::uint8_t,
      std::conditional_t<sizeof(T) == 2, std::uint16_t,
                         std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>>>;
  U bits;
  std::memcpy(&bits, &value, sizeof value);
  __atomic_store_n(reinterpret_cast<U*>(to), bits, __ATOMIC_RELAXED);
}

/// Element `index` as its register holds it (a nibble in the low half of a byte), and back.
template <class T>
T get_element(const Access& a, const View& v, std::int64_t index) {
  if constexpr (sizeof(T) == 1)
    if (ir::bits(a.elem) == 4) return get<T>(v.data + index / 2) >> (index % 2 * 4) & 15;
  return get<T>(v.data + index * sizeof(T));
}
template <class T>
void put_element(const Access& a, const View& v, std::int64_t index, T value) {
  if constexpr (sizeof(T) == 1)
    if (ir::bits(a.elem) == 4) {
      int shift = index % 2 * 4;
      std::byte* at = v.data + index / 2;
      put<T>(at, T((get<T>(at) & ~(15 << shift)) | (value & 15) << shift));
      return;
    }
  put<T>(v.data + index * sizeof(T), value);
}

}  // namespace barline::verify::sim
