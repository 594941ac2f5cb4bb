// SPDX-License-Identifier: Apache-2.0
// Gates and the copies that report to them: a ring of two slots that one warp fills and another
// reads gives the right values in every order, and each planted fault is refused.
#include <catch2/catch.hpp>

#include "tests/verify/async_run.h"

using namespace barline;
using namespace barline::verify;
using test::planted;

namespace {

const std::string ring = R"(kernel @ring
axis n = 256
param %x: in ptr<f32, global> [n]
param %y: out ptr<f32, global> [n]
slot %s: f32[32] x 2
gate %full arrivals 1 x 2
gate %empty arrivals 1 x 2
threads 64 1 1
grid 1 1 1
{
%w = warp_id : s32
%l = lane_id : s32
%zero = const {value = 0} : s32
%one = const {value = 1} : s32
%two = const {value = 2} : s32
%uses = const {value = 8} : s32
%box = const {value = 32} : s32
%fills = cmp %w, %zero {pred = eq} : i1
if %fills () {
%first = elect : i1
if %first () {
for %zero, %uses, %one (%i: s32) {
%round = div %i, %two : s32
%before = sub %round, %one : s32
%ge = slot_at %empty, %i : ptr<u64, shared>
%gf = slot_at %full, %i : ptr<u64, shared>
%si = slot_at %s, %i : ptr<f32, shared>
%at = mul %i, %box : s32
await %ge, %before
arrive %gf {bytes = 128}
copy_bulk %si, %zero, %x, %at, %gf {lanes = 32}
yield
}
yield
} () {
yield
}
yield
} () {
for %zero, %uses, %one (%j: s32) {
%turn = div %j, %two : s32
%he = slot_at %empty, %j : ptr<u64, shared>
%hf = slot_at %full, %j : ptr<u64, shared>
%sj = slot_at %s, %j : ptr<f32, shared>
%from = mul %j, %box : s32
%to = add %from, %l : s32
await %hf, %turn
%v = load %sj, %l : f32
%r = add %v, %v : f32
store %y, %to, %r
warp_sync
%last = elect : i1
if %last () {
arrive %he
yield
} () {
yield
}
yield
}
yield
}
yield
}
)";

struct Data {
  ir::Tensor x, y{ir::Elem::F32, {256}};
  Data() {
    std::vector<float> v(256);
    for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<float>(i) + 0.5f;
    x = tensor<float>(ir::Elem::F32, v);
  }
};

std::string refused(const std::string& from, const std::string& to,
                    const std::vector<std::string>& wanted) {
  Data d;
  return test::unless_refused(planted(ring, from, to), {d.x, d.y}, wanted);
}

}  // namespace

TEST_CASE("a ring behind gates hands every element over, in every order") {
  for (bool placed : {true, false})
    for (SimOptions o : test::orders()) {
      Data d;
      o.syncs_placed = placed;
      SimReport r = run(ring, {d.x, d.y}, {}, o);
      INFO((r.finding ? to_string(*r.finding) : ""));
      REQUIRE_FALSE(r.finding);
      for (int i = 0; i < 256; ++i)
        REQUIRE(d.y.as<float>()[i] == 2 * (static_cast<float>(i) + 0.5f));
    }
}

TEST_CASE("a wait for the wrong phase is refused") {
  CHECK(refused("await %hf, %turn", "%odd = add %turn, %one : s32\nawait %hf, %odd",
                {"while phase 0 is not complete: its parity is that of phase -1"}) == "");
  CHECK(refused("await %hf, %turn", "%odd = sub %turn, %one : s32\nawait %hf, %odd",
                {"while a copy to it is in flight", "its parity is gone", "nothing puts it after",
                 "read before any thread wrote it"}) == "");
  CHECK(refused("await %ge, %before", "await %ge, %round",
                {"lacks 1 of 1 arrivals", "while phase 0 is not complete"}) == "");
  CHECK(refused("await %hf, %turn", "%far = add %turn, %two : s32\nawait %hf, %far",
                {"a wait for phase 2 of gate 'full' copy 0 while phase 0"}) == "");
}

TEST_CASE("a wait that is missing is refused") {
  CHECK(refused("await %ge, %before\n", "",
                {"nothing orders two accesses", "nothing tells this thread that phase",
                 "while a copy to it is in flight", "an arrival past the 1"}) == "");
  CHECK(refused("await %hf, %turn\n", "",
                {"while a copy to it is in flight", "read before any thread wrote it",
                 "nothing orders two accesses", "nothing tells this thread"}) == "");
}

TEST_CASE("bytes that do not balance are refused") {
  CHECK(refused("bytes = 128", "bytes = 144",
                {"phase 0 of gate 'full' copy 0 lacks 16 of 144 bytes"}) == "");
  CHECK(refused("bytes = 128", "bytes = 112",
                {"copies of 128 bytes report to phase 0 of gate 'full' copy 0, of which its "
                 "arrivals announce 112"}) == "");
  CHECK(refused("copy_bulk %si, %zero, %x, %at, %gf {lanes = 32}\n", "",
                {"lacks 128 of 128 bytes"}) == "");
  CHECK(refused(" {bytes = 128}", "",
                {"its arrivals announce 0", "of which", "nothing tells this thread",
                 "before any thread wrote it"}) == "");
}

TEST_CASE("an arrival that is missing, or one too many, is refused") {
  CHECK(refused("arrive %he\n", "",
                {"every warp waits: phase 0 of gate 'empty' copy 0 lacks 1 of 1 arrivals"}) == "");
  CHECK(refused("arrive %gf {bytes = 128}\n", "",
                {"lacks 1 of 1 arrivals and an announcement of 128 bytes"}) == "");
  CHECK(refused("arrive %he\n", "arrive %he\narrive %he\n",
                {"nothing tells this thread that phase"}) == "");
  CHECK(refused("arrive %gf {bytes = 128}\n", "arrive %gf {bytes = 128}\narrive %gf\n",
                {"an arrival past the 1 that phase 0"}) == "");
  CHECK(refused("gate %empty arrivals 1 x 2", "gate %empty arrivals 2 x 2",
                {"lacks 1 of 2 arrivals"}) == "");
}

TEST_CASE("a stage that is off by one is refused") {
  CHECK(refused("%si = slot_at %s, %i :", "%ni = add %i, %one : s32\n%si = slot_at %s, %ni :",
                {"read before any thread wrote it", "in flight", "nothing orders two"}) == "");
  CHECK(refused("%hf = slot_at %full, %j :", "%nj = add %j, %one : s32\n%hf = slot_at %full, %nj :",
                {"in flight", "nothing orders two", "read before any thread wrote it",
                 "nothing tells", "is not complete"}) == "");
  CHECK(
      refused("%he = slot_at %empty, %j :", "%nj = add %j, %one : s32\n%he = slot_at %empty, %nj :",
              {"nothing orders two", "nothing tells", "in flight", "every warp waits",
               "may miss that phase", "its parity is gone"}) == "");
}

TEST_CASE("lanes that take no part in an arrival are not ordered by it") {
  CHECK(refused("warp_sync\n", "", {"nothing orders two accesses of element"}) == "");
}

TEST_CASE("a copy that nobody waits for is refused at the block's end") {
  const std::string text = R"(kernel @left
axis n = 32
param %x: in ptr<f32, global> [n]
slot %s: f32[32] x 1
gate %full arrivals 1 x 1
threads 32 1 1
grid 1 1 1
{
%zero = const {value = 0} : s32
%first = elect : i1
if %first () {
arrive %full {bytes = 128}
copy_bulk %s, %zero, %x, %zero, %full {lanes = 32}
yield
} () {
yield
}
yield
}
)";
  Data d;
  ir::Tensor x(ir::Elem::F32, {32});
  CHECK(test::unless_refused(text, {x},
                             {"the block ends while a copy that reports to phase 0 of gate 'full' "
                              "is in flight: no thread waits for it"}) == "");
  const std::string waited = planted(text, "lanes = 32}\n", "lanes = 32}\nawait %full, %zero\n");
  for (const std::string& found : test::findings(waited, {x})) CHECK(found == "");
  CHECK(test::unless_refused(planted(waited, "slot %s: f32[32]", "slot %s: f32[16]"), {x},
                             {"out-of-bounds"}) == "");
}

TEST_CASE("what a thread stored reaches a copy's place only past a proxy fence") {
  const std::string text = R"(kernel @fenced
axis n = 32
param %x: in ptr<f32, global> [n]
param %y: out ptr<f32, global> [n]
slot %s: f32[32] x 1
gate %full arrivals 1 x 1
threads 32 1 1
grid 1 1 1
{
%zero = const {value = 0} : s32
%one = const {value = 1.0} : f32
%l = lane_id : s32
store %s, %l, %one
proxy_fence
warp_sync
%first = elect : i1
if %first () {
arrive %full {bytes = 128}
copy_bulk %s, %zero, %x, %zero, %full {lanes = 32}
yield
} () {
yield
}
await %full, %zero
%v = load %s, %l : f32
store %y, %l, %v
yield
}
)";
  ir::Tensor x = tensor<float>(ir::Elem::F32, std::vector<float>(32, 3.0f)), y(ir::Elem::F32, {32});
  for (const std::string& found : test::findings(text, {x, y})) CHECK(found == "");
  CHECK(y.as<float>()[31] == 3.0f);
  CHECK(test::unless_refused(planted(text, "proxy_fence\n", ""), {x, y},
                             {"was stored, and no proxy_fence by that thread"}) == "");
  CHECK(test::unless_refused(planted(text, "proxy_fence\nwarp_sync\n", "warp_sync\nproxy_fence\n"),
                             {x, y}, {"no proxy_fence by that thread"}) == "");
  CHECK(test::unless_refused(planted(text, "await %full, %zero\n", ""), {x, y},
                             {"while a copy to it is in flight"}) == "");
}

TEST_CASE("a box of a tensor lands row by row, swizzled, zeros outside") {
  const std::string text = R"(kernel @box
axis rows = 5
axis cols = 100
axis n = 512
param %x: in ptr<f16, global> [rows, cols]
param %y: out ptr<f16, global> [n]
slot %s: f16[512] x 1 align 1024
gate %full arrivals 1 x 1
threads 32 1 1
grid 1 1 1
{
%zero = const {value = 0} : s32
%row = const {value = -1} : s32
%col = const {value = 64} : s32
%step = const {value = 32} : s32
%end = const {value = 512} : s32
%l = lane_id : s32
%first = elect : i1
if %first () {
arrive %full {bytes = 1024}
copy_tensor %s, %zero, %x, %row, %col, %full {rows = 8, columns = 64, swizzled = 1}
yield
} () {
yield
}
await %full, %zero
for %l, %end, %step (%i: s32) {
%v = load %s, %i : f16
store %y, %i, %v
yield
}
yield
}
)";
  std::vector<std::uint16_t> v(500);
  for (std::size_t i = 0; i < v.size(); ++i) v[i] = static_cast<std::uint16_t>(i + 1);
  ir::Tensor x = tensor(ir::Elem::F16, v), y(ir::Elem::F16, {512});
  x.shape = {5, 100};
  for (const std::string& found : test::findings(text, {x, y})) REQUIRE(found == "");
  for (int r = 0; r < 8; ++r)
    for (int c = 0; c < 64; ++c) {
      const bool inside = r >= 1 && r < 6 && c + 64 < 100;
      const int want = inside ? (r - 1) * 100 + c + 64 + 1 : 0;
      REQUIRE(y.as<std::uint16_t>()[r * 64 + ((c / 8) ^ r) * 8 + c % 8] == want);
    }
  // The same matrix as number 2 of three, the others all ones: none of theirs comes along.
  std::string planes = planted(text, "axis cols = 100", "axis cols = 100\naxis planes = 3");
  planes = planted(planes, "[rows, cols]", "[planes, rows, cols]");
  planes = planted(planes, "%row = const", "%plane = const {value = 1} : s32\n%row = const");
  planes = planted(planes, "%full {rows", "%full, %plane {rows");
  std::vector<std::uint16_t> three(1500, 1);
  std::copy(v.begin(), v.end(), three.begin() + 500);
  ir::Tensor x3 = tensor(ir::Elem::F16, three), y3(ir::Elem::F16, {512});
  x3.shape = {3, 5, 100};
  for (const std::string& found : test::findings(planes, {x3, y3})) REQUIRE(found == "");
  CHECK(std::equal(y.as<std::uint16_t>(), y.as<std::uint16_t>() + 512, y3.as<std::uint16_t>()));
  CHECK(test::unless_refused(planted(text, " align 1024", ""), {x, y}, {}) == "accepted");
  std::string shifted = planted(text, "slot %s: f16[512] x 1 align 1024",
                                "slot %pad: f16[64] x 1\nslot %s: f16[512] x 1");
  CHECK(test::unless_refused(shifted, {x, y}, {"which is no multiple of 1024"}) == "");
}
