// SPDX-License-Identifier: Apache-2.0
// One algorithm text takes every schedule: a kernel's source is made once, from types alone, and
// what it computes a step is the same under Design S, rings, register streams, clusters and roles.
#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "problem.h"

using namespace barline;

namespace {

/// What is computed on tiles, as "op elem"; a schedule that shares a sum out adds merges.
std::set<std::string> tile_ops(const ir::Kernel& k) {
  std::set<std::string> ops;
  ir::walk(k.body, [&](const ir::Operation& op) {
    if (op.is(ir::Op::FragmentStore)) ops.insert("fragment_store");
    if (op.out.empty() || !k.type(op.out[0]).is_tile() || op.is(ir::Op::Merge)) return;
    if (op.is(ir::Op::For)) return;
    ops.insert(fmt::format("{} {}", ir::def(op.op).mnemonic, ir::name(k.type(op.out[0]).elem)));
  });
  return ops;
}

}  // namespace

TEST_CASE("one text takes Design S, rings, streams, clusters and roles", "[kernels]") {
  for (const char* name : {"matmul", "qkv_w4a16", "qkv_w8a16"}) {
    const dsl::KernelEntry& e = test::entry(name);
    const dsl::KernelSource text = e.make(e.types.front());
    std::set<std::string> first;
    int in_roles = 0;
    for (const ir::Schedule& s : e.schedules) {
      const ir::Kernel k = dsl::instantiate(text, {.schedule = s, .dims = {}, .label = {}});
      INFO(name << "@" << s.name);
      const std::set<std::string> ops = tile_ops(k);
      if (first.empty()) first = ops;
      CHECK(ops == first);
      in_roles += s.roles.count > 0;
    }
    CHECK(first.contains("dot f32"));
    CHECK(e.schedules.size() >= 4);
    CHECK(in_roles > 0);
  }
}
