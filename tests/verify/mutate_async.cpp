// SPDX-License-Identifier: Apache-2.0
// Mutants of kernels whose warps go apart: every wait, arrival, announcement, stage, group and
// cluster sync is broken in turn, and seen.
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "ir/check.h"
#include "tests/verify/async_kernels.h"
#include "tests/verify/proof_support.h"
#include "verify/mutate.h"

using namespace barline;
using namespace barline::verify;
using test::parsed;

namespace {

/// How often each kind of mutation was done, all of it killed but for `needless` certificates.
std::map<std::string, int> all_seen(const std::string& text, std::vector<std::int64_t> sizes,
                                    const std::set<std::string>& needless = {}) {
  const ir::Kernel k = parsed(text);
  MutateOptions options;
  options.cases = {test::patterned_case(k, std::move(sizes))};
  options.random_schedules = 2;
  std::map<std::string, int> kinds;
  std::set<std::string> certified;
  for (const MutantResult& r : mutate(k, options)) {
    INFO(to_string(r) << "\n" << r.witness);
    const std::string kind(name(r.mutation.kind));
    CHECK((r.fate == MutantFate::Killed || r.fate == MutantFate::Redundant));
    if (r.fate == MutantFate::Redundant) certified.insert(kind);
    ++kinds[kind];
  }
  CHECK(certified == needless);
  return kinds;
}

}  // namespace

TEST_CASE("a ring of boxes behind gates has no wait, arrival, byte or stage to spare") {
  auto kinds = all_seen(test::ring_text(), {8, 300});
  CHECK(kinds["drop-await"] == 2);
  CHECK(kinds["flip-parity"] == 2);
  CHECK(kinds["drop-arrive"] == 2);
  CHECK(kinds["more-bytes"] == 1);
  CHECK(kinds["fewer-bytes"] == 1);
  CHECK(kinds["shift-stage"] == 5);
  CHECK(kinds["drop-warp-sync"] == 1);
}

TEST_CASE("a persistent product of two roles has no group, fence or wait to spare") {
  // The warp's last reads were put in order inside the loop: after it lanes agree already.
  auto kinds = all_seen(test::gemm_text(), {200}, {"drop-warp-sync"});
  CHECK(kinds["drop-product-fence"] == 2);
  CHECK(kinds["drop-commit"] == 1);
  CHECK(kinds["loose-wait"] == 2);
  CHECK(kinds["flip-parity"] == 2);
  CHECK(kinds["drop-arrive"] == 3);
  CHECK(kinds["shift-stage"] == 7);
}

TEST_CASE("blocks of a cluster need each half of their barriers") {
  CHECK(all_seen(test::exchange_text(), {})["drop-cluster-sync"] == 4);
}

TEST_CASE("a ring's copy stored by threads needs its proxy fence") {
  const std::string text = R"(bir 1
kernel @handed
axis n = 64
param %x: in ptr<f32, global> [n]
param %y: out ptr<f32, global> [n]
slot %s: f32[64] x 1 align 128
gate %full arrivals 1 x 1
threads 64 1 1
grid 1 1 1
{
  %t = thread_rank : s32
  %warp = warp_id : s32
  %c0 = const {value = 0} : s32
  %v = load %x, %t : f32
  store %s, %t, %v
  %a = load %s, %t : f32
  proxy_fence
  barrier
  %first = cmp %warp, %c0 {pred = eq} : i1
  if %first () {
    %one = elect : i1
    if %one () {
      arrive %full {bytes = 256}
      copy_bulk %s, %c0, %x, %c0, %full {lanes = 64}
      yield
    } () {
      yield
    }
    yield
  } () {
    yield
  }
  await %full, %c0
  %b = load %s, %t : f32
  %c = add %a, %b : f32
  store %y, %t, %c
  yield
}
)";
  auto kinds = all_seen(text, {});
  CHECK(kinds["drop-proxy-fence"] == 1);
}

TEST_CASE("a grid that starts early waits for the one before on every path") {
  auto kinds = all_seen(test::dependent_text(), {});
  CHECK(kinds["drop-await-previous"] == 1);
}

TEST_CASE("a sample of mutations has some of every kind, evenly spread") {
  std::vector<Mutation> all;
  for (std::size_t i = 0; i < 100; ++i) all.push_back({MutationKind::LooseWait, i});
  all.push_back({MutationKind::DropArrive, 100});
  auto some = sampled(all, 4);
  REQUIRE(some.size() == 5);
  CHECK(some[0].op < 25);
  CHECK(some[3].op == 99);
  CHECK(some[4].kind == MutationKind::DropArrive);
  CHECK(sampled(all, 0).size() == all.size());
}
