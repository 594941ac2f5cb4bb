// SPDX-License-Identifier: Apache-2.0
// The thread layer: thread, lane, warp and block ids, typed accesses with cache hints, shuffles,
// votes, atomics, fences, flags and shared slots. The compiler places the block barriers.
#pragma once

#include "dsl/body.h"
#include "dsl/reduce.h"

namespace barline::dsl {

using ir::CacheHint;
using ir::MemOrder;
using ir::MemScope;

struct Dim3 {
  Value x, y, z;
};

/// How a global access is made.
struct AccessOptions {
  MemOrder order = MemOrder::Weak;
  CacheHint cache = CacheHint::All;
  MemScope scope = MemScope::Gpu;
};

/// A buffer in shared memory, declared by Thread::shared.
struct Shared {
  std::string name;
  Elem elem = f32;
  std::int64_t extent = 0;
  int copies = 1;
  Value root;
};

/// `lanes` neighbouring elements in one access.
struct Vec {
  std::vector<Value> elements;
  Value operator[](std::size_t i) const { return elements.at(i); }
  std::size_t size() const { return elements.size(); }
};

class Thread : public Body {
 public:
  using Body::Body;

  // ---- who am I (s32) ---------------------------------------------------------------------------
  Dim3 thread(Here here = Here::current());
  Dim3 block(Here here = Here::current());
  Dim3 grid(Here here = Here::current());
  Value rank(Here here = Here::current());  ///< linear index in the block
  Value lane(Here here = Here::current());
  Value warp(Here here = Here::current());

  // ---- global memory
  // ------------------------------------------------------------------------------
  Value load(const Place& place, AccessOptions options = {});
  void store(const Place& place, Operand value, AccessOptions options = {});
  /// Where `active` is false: no access, and zero.
  Value load_if(Operand active, const Place& place, AccessOptions options = {});
  void store_if(Operand active, const Place& place, Operand value, AccessOptions options = {});
  /// `lanes` elements from the place on, which is aligned to their size.
  Vec load_vec(const Place& place, int lanes, AccessOptions options = {});
  void store_vec(const Place& place, const Vec& value, AccessOptions options = {});
  Value atomic(ir::RmwKind kind, const Place& place, Operand value,
               AccessOptions options = {.order = MemOrder::Relaxed});
  Value atomic_cas(const Place& place, Operand expected, Operand value,
                   AccessOptions options = {.order = MemOrder::Relaxed});
  /// Has the cache line of the place brought to L2. A hint: it may come before the wait for the
  /// grid before, may name what is not there, and changes no result.
  void prefetch(const Place& place);
  void prefetch_if(Operand active, const Place& place);
  /// Orders this thread's earlier accesses before its later ones at the scope.
  void fence(MemScope scope = MemScope::Gpu, Here here = Here::current());

  // ---- flags: u32 counters in global memory
  // --------------------------------------------------------
  /// Adds 1 with release: what this thread wrote before is seen by whoever waits for it.
  void flag_signal(const Place& flag);
  /// Spins until the flag is at least `target`, with acquire.
  void flag_wait(const Place& flag, Operand target);

  // ---- shared memory
  // --------------------------------------------------------------------------------
  /// A slot of `extent` elements; barriers between conflicting accesses are placed by the compiler.
  Shared shared(std::string name, Elem elem, std::int64_t extent, int copies = 1,
                Here here = Here::current());
  Value load(const Shared& slot, Operand index);
  void store(const Shared& slot, Operand index, Operand value);
  Value atomic(ir::RmwKind kind, const Shared& slot, Operand index, Operand value);
  /// The copy that running use number `use` takes.
  Shared at_use(const Shared& slot, Operand use);

  // ---- warps
  // ----------------------------------------------------------------------------------------
  Value shuffle(ir::ShuffleMode mode, Operand value, Operand lane);
  Value shuffle_xor(Operand value, Operand mask) {
    return shuffle(ir::ShuffleMode::Xor, value, mask);
  }
  Value shuffle_up(Operand value, Operand by) { return shuffle(ir::ShuffleMode::Up, value, by); }
  Value shuffle_down(Operand value, Operand by) {
    return shuffle(ir::ShuffleMode::Down, value, by);
  }
  Value shuffle_index(Operand value, Operand lane) {
    return shuffle(ir::ShuffleMode::Index, value, lane);
  }
  Value all_of(Operand p);  ///< i1: p holds in every lane
  Value any_of(Operand p);  ///< i1: p holds in some lane
  Value ballot(Operand p);  ///< u32: bit l is lane l's p
  /// bar.warp.sync: orders the warp's shared accesses.
  void warp_sync(Here here = Here::current());

  // ---- for what is built on threads
  // ----------------------------------------------------------------------------------------
  /// A place as the index of a memory op; names an index on every axis.
  Value index_of(const Place& place);

 private:
  Dim3 ids(ir::Op op, const ir::Loc& loc);
  std::vector<ir::Attr> attrs_of(const AccessOptions& options);
  void check_slot(const Shared& slot, const ir::Loc& loc);
  void check_index(const Shared& slot, const Operand& index) const;
  void check_lanes(const Place& place, int lanes) const;
};

}  // namespace barline::dsl
