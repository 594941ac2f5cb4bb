// SPDX-License-Identifier: Apache-2.0
// Accesses are volatile and addresses depend on the thread, so that nothing is merged, hoisted or
// aggregated over a warp. Registers: %rd1 global address, %r1 thread id, %r2 shared address, %r4
// local address, %f1..%f3 values; what a chain leaves in %r1 and %f1 is stored at the end.
#include "codegen/sass/probes_p.h"

#include <fmt/format.h>

namespace barline::codegen {
namespace {

constexpr auto Hopper = ProbeFamily::Hopper, Wgmma = ProbeFamily::Wgmma;

constexpr std::string_view fragments =
    ".reg .b32 %h<8>; .reg .f32 %c<4>; .reg .b32 %e<4>;"
    "mov.b32 %h0, %r1; mov.b32 %h1, %r1; mov.b32 %h2, %r1; mov.b32 %h3, %r1; mov.b32 %h4, %r1;"
    "mov.b32 %h5, %r1; mov.f32 %c0, 0f00000000; mov.f32 %c1, %c0; mov.f32 %c2, %c0;"
    "mov.f32 %c3, %c0; mov.b32 %e0, 0; mov.b32 %e1, 0; mov.b32 %e2, 0; mov.b32 %e3, 0;";

// A loop that shifts %q1.. down by one register a trip: one move a register, which no renaming
// saves.
constexpr std::string_view shift_open =
    ".reg .b32 %q<12>; .reg .pred %p<2>; ld.volatile.global.u32 %q0, [%rd1];"
    "ld.volatile.global.v4.u32 {%q1,%q2,%q3,%q4}, [%rd1];"
    "ld.volatile.global.v4.u32 {%q5,%q6,%q7,%q8}, [%rd1];"
    "ld.volatile.global.v2.u32 {%q9,%q10}, [%rd1];\n"
    "TURN: .pragma \"nounroll\"; st.volatile.global.u32 [%rd1], %q0;";
constexpr std::string_view shift_close =
    "sub.u32 %r5, %r5, 1; setp.ne.u32 %p0, %r5, 0; @%p0 bra TURN;"
    "st.volatile.global.u32 [%rd1], %q0;\n";

constexpr Probe table[] = {
    // These kinds occur in the frame that every probe shares, so they are not fresh.
    {.op = SassOp::Stg, .piece = "st.volatile.global.u32 [%rd1+@o], %r1;", .fresh = false},
    {.op = SassOp::Stl, .piece = "st.local.u32 [%r4+@i], %r1;", .fresh = false},
    {.op = SassOp::Ldl,
     .piece = "ld.local.u32 %r3, [%r4+@i]; st.volatile.global.u32 [%rd1+@o], %r3;",
     .fresh = false},
    {.op = SassOp::Imad, .piece = "mad.lo.u32 %r1, %r1, %r5, %r6;", .fresh = false},
    {.op = SassOp::Ldg,
     .piece = "ld.volatile.global.u32 %r3, [%rd1+@o]; st.volatile.global.u32 [%rd1+@o], %r3;",
     .fresh = false},
    {.op = SassOp::Mov,
     .piece = "mov.u32 %q@m, %q@n;",
     .setup = shift_open,
     .close = shift_close,
     .fresh = false},
    // From here on a kind is an operation that no earlier probe has.
    {.op = SassOp::Sts, .piece = "st.volatile.shared.u32 [%r2+@i], %r1;"},
    {.op = SassOp::Lds,
     .piece = "ld.volatile.shared.u32 %r3, [%r2+@i]; st.volatile.global.u32 [%rd1+@o], %r3;"},
    {.op = SassOp::St, .piece = "st.volatile.u32 [%rd2+@o], %r1;"},
    {.op = SassOp::Ld,
     .piece = "ld.volatile.u32 %r3, [%rd2+@o]; st.volatile.global.u32 [%rd1+@o], %r3;"},
    {.op = SassOp::Bar, .piece = "bar.sync 0; st.volatile.global.u32 [%rd1+@o], %r1;"},
    {.op = SassOp::Ldsm,
     .piece = "ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%r3}, [%r2+@i];"
              "st.volatile.global.u32 [%rd1+@o], %r3;"},
    {.piece = "add.u64 %rd3, %rd1, @o; st.volatile.global.u64 [%rd1], %rd3;"},
    {.op = SassOp::CpAsync, .piece = "cp.async.ca.shared.global [%r2], [%rd1+@o], 4;"},
    {.op = SassOp::CpCommit,
     .piece = "cp.async.ca.shared.global [%r2], [%rd1+@o], 4; cp.async.commit_group;"},
    {.op = SassOp::CpWait,
     .piece = "cp.async.ca.shared.global [%r2], [%rd1+@o], 4; cp.async.commit_group;"
              "cp.async.wait_group 0; ld.volatile.shared.u32 %r3, [%r2+@i];"},
    {.op = SassOp::Atomg, .piece = "atom.global.exch.b32 %r1, [%rd1+@o], %r1;"},
    {.op = SassOp::Red, .piece = "red.global.add.u32 [%rd1+@o], %r1;"},
    {.op = SassOp::Atoms, .piece = "atom.shared.exch.b32 %r1, [%r2+@i], %r1;"},
    {.op = SassOp::Shfl, .piece = "shfl.sync.bfly.b32 %r1, %r1, 1, 31, -1;"},
    {.piece = "movmatrix.sync.aligned.m8n8.trans.b16 %r1, %r1;", .setup = fragments},
    {.op = SassOp::Hmma,
     .piece =
         "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%c0,%c1,%c2,%c3}, {%h0,%h1,%h2,%h3},"
         "{%h4,%h5}, {%c0,%c1,%c2,%c3}; st.volatile.global.f32 [%rd1+@o], %c0;",
     .setup = fragments},
    {.op = SassOp::Imma,
     .piece =
         "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32 {%e0,%e1,%e2,%e3}, {%h0,%h1,%h2,%h3},"
         "{%h4,%h5}, {%e0,%e1,%e2,%e3}; st.volatile.global.u32 [%rd1+@o], %e0;",
     .setup = fragments},
    {.op = SassOp::Fadd, .piece = "add.rn.f32 %f1, %f1, %f2;"},
    {.op = SassOp::Fmul, .piece = "mul.rn.f32 %f1, %f1, %f2; add.rn.f32 %f1, %f1, %f1;"},
    {.op = SassOp::Ffma, .piece = "fma.rn.f32 %f1, %f1, %f2, %f3;"},
    {.op = SassOp::Mufu, .piece = "ex2.approx.ftz.f32 %f1, %f1;"},
    {.op = SassOp::Membar, .piece = "st.volatile.global.u32 [%rd1+@o], %r1; membar.cta;"},
    {.op = SassOp::GridWait,
     .family = Hopper,
     .piece = "griddepcontrol.wait; st.volatile.global.u32 [%rd1+@o], %r1;"},
    {.op = SassOp::GridLaunch,
     .family = Hopper,
     .piece = "griddepcontrol.launch_dependents; st.volatile.global.u32 [%rd1+@o], %r1;"},
    {.op = SassOp::Mbarrier,
     .family = Hopper,
     .piece = "mbarrier.arrive.shared.b64 %rd3, [%r2+@o]; st.volatile.global.u64 [%rd1+@o], %rd3;"},
    // A bulk reduction needs the same loop over the lanes as a bulk copy.
    {.family = Hopper,
     .piece = "cp.reduce.async.bulk.global.shared::cta.bulk_group.add.u32 [%rd4], [dyn+@o], 256;"},
    {.op = SassOp::BulkCopy,
     .family = Hopper,
     .piece = "cp.async.bulk.global.shared::cta.bulk_group [%rd4], [dyn+@o], 256;"},
    // Without a commit: an empty group is made of an empty wgmma.
    {.family = Wgmma,
     .piece = "wgmma.fence.sync.aligned; wgmma.wait_group.sync.aligned 0;"
              "st.volatile.global.u32 [%rd1+@o], %r1;"},
    {.op = SassOp::Hgmma,
     .family = Wgmma,
     .piece = "wgmma.fence.sync.aligned; wgmma.mma_async.sync.aligned.m64n8k16.f32.f16.f16 "
              "{%c0,%c1,%c2,%c3}, %rd4, %rd4, 1, 1, 1, 0, 0; wgmma.commit_group.sync.aligned;"
              "wgmma.wait_group.sync.aligned 0; st.volatile.global.f32 [%rd1+@o], %c0;",
     .setup = fragments},
};

std::string replace(std::string_view text, std::string_view key, std::string_view value) {
  std::string out(text);
  for (std::size_t at = 0; (at = out.find(key, at)) != std::string::npos; at += value.size())
    out.replace(at, key.size(), value);
  return out;
}

std::string piece_at(const Probe& probe, int i) {
  std::string text(probe.piece);
  text = replace(text, "@n", std::to_string(i));
  text = replace(text, "@m", std::to_string(i - 1));
  text = replace(text, "@i", std::to_string(8 * i));
  return replace(text, "@o", std::to_string(4096 * i)) + "\n";
}

std::string entry(const Probe& probe, std::size_t index, int count) {
  std::string body;
  for (int i = 1; i <= count; ++i) body += piece_at(probe, i);
  return fmt::format(
      ".visible .entry {}(.param .u64 p, .param .f32 a, .param .f32 b, .param .u32 m)\n"
      ".maxntid 128, 1, 1\n{{\n"
      ".reg .b64 %rd<8>; .reg .b32 %r<8>; .reg .f32 %f<8>; .local .align 8 .b8 frame[512];\n"
      "ld.param.u64 %rd2, [p]; ld.param.f32 %f2, [a]; ld.param.f32 %f3, [b];\n"
      "ld.param.u32 %r5, [m]; mov.f32 %f1, %f3; mov.u32 %r6, %ntid.x;\n"
      "mov.u32 %r1, %tid.x; mul.wide.u32 %rd1, %r1, 8; add.u64 %rd2, %rd2, %rd1;\n"
      "cvta.to.global.u64 %rd1, %rd2; ld.param.u64 %rd4, [p];\n"
      "shl.b32 %r2, %r1, 3; mov.u32 %r4, frame; add.u32 %r4, %r4, %r2;\n"
      "mov.u32 %r3, dyn; add.u32 %r2, %r2, %r3;\n"
      "st.local.u32 [%r4], %r5;\n{}\n{}{}\n"
      "add.u32 %r4, %r4, %r6; ld.local.u32 %r3, [%r4]; add.u32 %r1, %r1, %r3;\n"
      "st.volatile.global.u32 [%rd1], %r1; st.volatile.global.f32 [%rd1+8], %f1;\nret;\n}}\n",
      probe_entry(index, count), probe.setup, body, probe.close);
}

}  // namespace

std::span<const Probe> probes() { return table; }

std::string probe_entry(std::size_t index, int count) {
  return fmt::format("probe_{}_{}", index, count);
}

bool takes(ProbeFamily family, std::string_view sm) {
  int number = 0;
  for (char c : sm)
    if (c >= '0' && c <= '9') number = number * 10 + (c - '0');
  if (family == ProbeFamily::Hopper) return number >= 90;
  if (family == ProbeFamily::Wgmma) return sm == "sm_90a";
  return true;
}

std::string probe_ptx(ProbeFamily family) {
  std::string_view head = family == ProbeFamily::Base     ? ".version 7.8\n.target sm_80\n"
                          : family == ProbeFamily::Hopper ? ".version 8.0\n.target sm_90\n"
                                                          : ".version 8.0\n.target sm_90a\n";
  std::string out(head);
  out += ".address_size 64\n.extern .shared .align 16 .b8 dyn[];\n";
  for (std::size_t i = 0; i < std::size(table); ++i)
    if (table[i].family == family)
      out += entry(table[i], i, probe_few) + entry(table[i], i, probe_many);
  return out;
}

}  // namespace barline::codegen
