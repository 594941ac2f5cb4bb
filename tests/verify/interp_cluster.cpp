// SPDX-License-Identifier: Apache-2.0
// Blocks of a cluster on the simulator: who has ended is not waited for at their barrier, and the
// parts of a sum are added in the order of the blocks, before and after lowering.
#include <catch2/catch.hpp>

#include "ir/pipeline.h"
#include "ir/print.h"
#include "tests/verify/async_run.h"

using namespace barline;
using namespace barline::verify;

namespace {

/// The first warp of each block gives its number to the other block's; the second one has ended.
const std::string pair = R"(kernel @pair
axis n = 64
param %x: in ptr<f32, global> [n]
param %y: out ptr<f32, global> [n]
slot %s: f32[32] x 1
threads 64 1 1
grid 2 1 1
cluster 2
{
%w = warp_id : s32
%l = lane_id : s32
%zero = const {value = 0} : s32
%one = const {value = 1} : s32
%box = const {value = 32} : s32
%first = cmp %w, %zero {pred = eq} : i1
if %first () {
%rank = cluster_rank : s32
%from = mul %rank, %box : s32
%at = add %from, %l : s32
%v = load %x, %at : f32
%other = sub %one, %rank : s32
cluster_arrive
cluster_wait
store_remote %s, %l, %other, %v
cluster_arrive
cluster_wait
%got = load %s, %l : f32
store %y, %at, %got
yield
} () {
yield
}
yield
}
)";

/// Every element of block r's part is x[r].
const std::string four = R"(kernel @four
axis M = 16
axis N = 32
axis P = 4
layout @M_N_p = reg 2 N * 1, lane 4 N * 2, lane 8 M * 1, reg 2 M * 8, reg 4 N * 8
layout @M_N_c = reg 2 N * 1, lane 4 N * 2, lane 8 M * 1, reg 2 M * 8
param %x: in ptr<f32, global> [P]
param %y: out ptr<f32, global> [M, N]
threads 32 1 1
grid 4 1 1
cluster 4
{
%rank = cluster_rank : s32
%v = load %x, %rank : f32
%part = spread %v : tile<f32, @M_N_p>
%sum = merge %part {team = cluster, parts = 4} : tile<f32, @M_N_c>
%eight = const {value = 8} : s32
%col = mul %rank, %eight : s32
%row = const {value = 0} : s32
%base = const {value = 0} : s64
fragment_store %y, %base, %row, %col, %sum
yield
}
)";

std::string lowered(const std::string& text) {
  ir::Kernel k = kernel(text);
  ir::run_pipeline(k);
  const std::string out = ir::print(k);
  return out.substr(out.find("kernel @"));
}

}  // namespace

TEST_CASE("warps that have ended are not waited for at the cluster's barrier") {
  std::vector<float> v(64);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i);
  ir::Tensor x = tensor(ir::Elem::F32, v), y(ir::Elem::F32, {64});
  for (const std::string& found : test::findings(pair, {x, y})) REQUIRE(found == "");
  for (int i = 0; i < 64; ++i) CHECK(y.as<float>()[i] == static_cast<float>((i + 32) % 64));
  const std::string alone = test::planted(pair, "cluster_arrive\ncluster_wait\n%got", "%got");
  CHECK(test::unless_refused(alone, {x, y}, {"race", "store", "poison", "uninit"}) == "");
}

TEST_CASE("a cluster's blocks add their parts in order") {
  // ((1e8 + 1) - 1e8) + 1 is 1 in f32; in other orders it is 2 or 0.
  ir::Tensor x = tensor(ir::Elem::F32, std::vector<float>{1e8f, 1, -1e8f, 1});
  for (const std::string& text : {four, lowered(four)}) {
    ir::Tensor y(ir::Elem::F32, {16, 32});
    for (const std::string& found : test::findings(text, {x, y})) REQUIRE(found == "");
    for (int i = 0; i < 512; ++i) REQUIRE(y.as<float>()[i] == 1);
  }
}
