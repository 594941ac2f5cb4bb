// SPDX-License-Identifier: Apache-2.0
// The executable meaning of every op, by family: each appends the instructions that do what the
// op's row in ir/ops.def says. The dispatch over ops.def in compile.cpp calls them, so a row
// without a meaning does not compile.
#pragma once

#include "ir/op.h"
#include "verify/interp/compile.h"

namespace barline::verify::sim {

using ir::Op;
using ir::Operation;
using ir::Tag;

// mean_constants.cpp
void mean(Tag<Op::Const>, Compiler&, const Operation&);
void mean(Tag<Op::ThreadId>, Compiler&, const Operation&);
void mean(Tag<Op::BlockId>, Compiler&, const Operation&);
void mean(Tag<Op::GridDim>, Compiler&, const Operation&);
void mean(Tag<Op::ThreadRank>, Compiler&, const Operation&);
void mean(Tag<Op::LaneId>, Compiler&, const Operation&);
void mean(Tag<Op::WarpId>, Compiler&, const Operation&);

// mean_arithmetic.cpp
void mean(Tag<Op::Add>, Compiler&, const Operation&);
void mean(Tag<Op::Sub>, Compiler&, const Operation&);
void mean(Tag<Op::Mul>, Compiler&, const Operation&);
void mean(Tag<Op::MulHi>, Compiler&, const Operation&);
void mean(Tag<Op::Div>, Compiler&, const Operation&);
void mean(Tag<Op::Rem>, Compiler&, const Operation&);
void mean(Tag<Op::Fma>, Compiler&, const Operation&);
void mean(Tag<Op::Neg>, Compiler&, const Operation&);
void mean(Tag<Op::Abs>, Compiler&, const Operation&);
void mean(Tag<Op::Min>, Compiler&, const Operation&);
void mean(Tag<Op::Max>, Compiler&, const Operation&);
void mean(Tag<Op::Sqrt>, Compiler&, const Operation&);
void mean(Tag<Op::Round>, Compiler&, const Operation&);

// mean_bits.cpp
void mean(Tag<Op::And>, Compiler&, const Operation&);
void mean(Tag<Op::Or>, Compiler&, const Operation&);
void mean(Tag<Op::Xor>, Compiler&, const Operation&);
void mean(Tag<Op::Not>, Compiler&, const Operation&);
void mean(Tag<Op::Shl>, Compiler&, const Operation&);
void mean(Tag<Op::Shr>, Compiler&, const Operation&);
void mean(Tag<Op::Popc>, Compiler&, const Operation&);
void mean(Tag<Op::Clz>, Compiler&, const Operation&);
void mean(Tag<Op::Brev>, Compiler&, const Operation&);
void mean(Tag<Op::BytePermute>, Compiler&, const Operation&);

// mean_convert.cpp
void mean(Tag<Op::Cmp>, Compiler&, const Operation&);
void mean(Tag<Op::Select>, Compiler&, const Operation&);
void mean(Tag<Op::Cast>, Compiler&, const Operation&);
void mean(Tag<Op::Bitcast>, Compiler&, const Operation&);

// mean_approx.cpp
void mean(Tag<Op::Ex2Approx>, Compiler&, const Operation&);
void mean(Tag<Op::Lg2Approx>, Compiler&, const Operation&);
void mean(Tag<Op::RcpApprox>, Compiler&, const Operation&);
void mean(Tag<Op::RsqrtApprox>, Compiler&, const Operation&);
void mean(Tag<Op::SinApprox>, Compiler&, const Operation&);
void mean(Tag<Op::CosApprox>, Compiler&, const Operation&);
void mean(Tag<Op::TanhApprox>, Compiler&, const Operation&);

// mean_vector.cpp
void mean(Tag<Op::Pack>, Compiler&, const Operation&);
void mean(Tag<Op::Extract>, Compiler&, const Operation&);
/// A bitcast between elements of different widths.
void regroup(Compiler&, const Operation&);

// mean_memory.cpp
void mean(Tag<Op::SlotAt>, Compiler&, const Operation&);
void mean(Tag<Op::Load>, Compiler&, const Operation&);
void mean(Tag<Op::Prefetch>, Compiler&, const Operation&);
void mean(Tag<Op::Store>, Compiler&, const Operation&);
void mean(Tag<Op::TileLoad>, Compiler&, const Operation&);
void mean(Tag<Op::TileStore>, Compiler&, const Operation&);
void mean(Tag<Op::TileIndex>, Compiler&, const Operation&);

// mean_atomic.cpp
void mean(Tag<Op::Atomic>, Compiler&, const Operation&);
void mean(Tag<Op::AtomicCas>, Compiler&, const Operation&);
void mean(Tag<Op::Fence>, Compiler&, const Operation&);

// mean_team.cpp
void mean(Tag<Op::Shuffle>, Compiler&, const Operation&);
void mean(Tag<Op::Vote>, Compiler&, const Operation&);
void mean(Tag<Op::WarpSync>, Compiler&, const Operation&);
void mean(Tag<Op::Barrier>, Compiler&, const Operation&);

// mean_reduce.cpp
void mean(Tag<Op::Reduce>, Compiler&, const Operation&);

// mean_matrix.cpp
void mean(Tag<Op::MmaSync>, Compiler&, const Operation&);
void mean(Tag<Op::LoadMatrix>, Compiler&, const Operation&);
void mean(Tag<Op::MoveMatrix>, Compiler&, const Operation&);

// mean_copies.cpp
void mean(Tag<Op::Choose>, Compiler&, const Operation&);
void mean(Tag<Op::CopyAsync>, Compiler&, const Operation&);
void mean(Tag<Op::CommitCopies>, Compiler&, const Operation&);

// mean_fragment.cpp
void mean(Tag<Op::FragmentLoad>, Compiler&, const Operation&);
void mean(Tag<Op::FragmentStore>, Compiler&, const Operation&);
void mean(Tag<Op::FragmentIndex>, Compiler&, const Operation&);
void mean(Tag<Op::Fill>, Compiler&, const Operation&);
void mean(Tag<Op::Dot>, Compiler&, const Operation&);
void mean(Tag<Op::Fold>, Compiler&, const Operation&);
void mean(Tag<Op::Spread>, Compiler&, const Operation&);

// mean_control.cpp
void mean(Tag<Op::For>, Compiler&, const Operation&);
void mean(Tag<Op::While>, Compiler&, const Operation&);
void mean(Tag<Op::If>, Compiler&, const Operation&);
void mean(Tag<Op::Yield>, Compiler&, const Operation&);
void mean(Tag<Op::Condition>, Compiler&, const Operation&);

// mean_meeting.cpp
void mean(Tag<Op::GenerationEnter>, Compiler&, const Operation&);
void mean(Tag<Op::GenerationRelease>, Compiler&, const Operation&);
void mean(Tag<Op::GenerationWait>, Compiler&, const Operation&);
void mean(Tag<Op::ArriveLast>, Compiler&, const Operation&);
void mean(Tag<Op::MeetAll>, Compiler&, const Operation&);
void mean(Tag<Op::Leave>, Compiler&, const Operation&);

// mean_time.cpp
void mean(Tag<Op::Clock>, Compiler&, const Operation&);
void mean(Tag<Op::GlobalTimer>, Compiler&, const Operation&);
void mean(Tag<Op::SmId>, Compiler&, const Operation&);
void mean(Tag<Op::RegionBegin>, Compiler&, const Operation&);
void mean(Tag<Op::RegionEnd>, Compiler&, const Operation&);

// mean_debug.cpp
void mean(Tag<Op::Print>, Compiler&, const Operation&);
void mean(Tag<Op::Check>, Compiler&, const Operation&);

// mean_gates.cpp
void mean(Tag<Op::CopyBulk>, Compiler&, const Operation&);
void mean(Tag<Op::CopyTensor>, Compiler&, const Operation&);
void mean(Tag<Op::Arrive>, Compiler&, const Operation&);
void mean(Tag<Op::Await>, Compiler&, const Operation&);
void mean(Tag<Op::ProxyFence>, Compiler&, const Operation&);
void mean(Tag<Op::Elect>, Compiler&, const Operation&);

// mean_warpgroup.cpp
void mean(Tag<Op::StoreMatrix>, Compiler&, const Operation&);
void mean(Tag<Op::Wgmma>, Compiler&, const Operation&);
void mean(Tag<Op::WgmmaSlots>, Compiler&, const Operation&);
void mean(Tag<Op::WgmmaFence>, Compiler&, const Operation&);
void mean(Tag<Op::WgmmaCommit>, Compiler&, const Operation&);
void mean(Tag<Op::WgmmaWait>, Compiler&, const Operation&);
void mean(Tag<Op::SetRegisters>, Compiler&, const Operation&);

// mean_cluster.cpp
void mean(Tag<Op::ClusterRank>, Compiler&, const Operation&);
void mean(Tag<Op::ClusterArrive>, Compiler&, const Operation&);
void mean(Tag<Op::ClusterWait>, Compiler&, const Operation&);
void mean(Tag<Op::StoreRemote>, Compiler&, const Operation&);
void mean(Tag<Op::AwaitPrevious>, Compiler&, const Operation&);
void mean(Tag<Op::ReleaseNext>, Compiler&, const Operation&);

// mean_merge.cpp
void mean(Tag<Op::Merge>, Compiler&, const Operation&);

}  // namespace barline::verify::sim
