// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "tests/codegen/lower_fixture.h"

namespace barline::codegen::test {
namespace {

constexpr const char* header =
    "param %x: in ptr<f32, global> [n]\nparam %z: in ptr<f32, global> [n]\n"
    "param %w: in ptr<u4, global> [n]\nparam %y: out ptr<f32, global> [n]\n"
    "param %m: s32\nslot %s: f32[1024] x 1\nslot %r: f32[1024] x 4\nslot %q: u4[1024] x 1\n";

std::string ptx_of(const std::string& body) {
  return emit_ptx(from_text(header, body), target("sm_90a"));
}

const std::string four = "%c4 = const {value = 4} : s32\n%i = mul %t, %c4 : s32\n";

/// Copies of every width, mask and hint, with waits, through slots, rings and choices.
std::string everything() {
  std::string body =
      four +
      "%in = cmp %t, %m {pred = lt} : i1\n%one = const {value = 1} : s32\n"
      "%two = const {value = 2} : s32\n%b = block_id {dim = 0} : s32\n"
      "%which = and %b, %one : s32\n%some = choose %which, %x, %z : ptr<f32, global>\n"
      "%ring = slot_at %r, %m : ptr<f32, shared>\n";
  for (const char* to : {"%s", "%ring"})
    for (const char* from : {"%x", "%some"})
      for (const char* active : {"", ", %in"})
        for (int lanes : {1, 2, 4})
          for (const char* cache :
               {"", ", cache = all", ", cache = global", ", cache = evict_first"})
            body += fmt::format("copy_async {}, %i, {}, %i{} {{lanes = {}, offset = 16{}}}\n", to,
                                from, active, lanes, cache);
  body += "%n8 = mul %t, %c4 : s32\n%n32 = shl %n8, %two : s32\n";
  for (int lanes : {8, 16, 32})
    body += fmt::format("copy_async %q, %n32, %w, %n32 {{lanes = {}}}\n", lanes);
  return body +
         "commit_copies\nbarrier {pending = 3}\nbarrier {pending = 0}\n"
         "%v = load %s, %t : f32\n%u = load %ring, %t : f32\n%a = add %v, %u : f32\n"
         "store %y, %t, %a\n";
}

}  // namespace

TEST_CASE("a copy that fetches its line's neighbour asks for the PTX ISA that can",
          "[codegen][lower]") {
  auto isa = [](const std::string& attrs) {
    const std::string body = four + "copy_async %s, %i, %x, %i {" + attrs + "}\n";
    return ptx_isa(from_text(header, body), target("sm_80"));
  };
  CHECK(isa("lanes = 4") == 74);
  CHECK(isa("lanes = 4, cache = all") == 70);
}

TEST_CASE("a copy is one cp.async, around L1 where it moves 16 bytes", "[codegen][lower]") {
  auto copies = [](const std::string& attrs) {
    return find_lines(ptx_of(four + "copy_async %s, %i, %x, %i {" + attrs + "}\n"), "cp.async");
  };
  auto starts = [&](const std::string& attrs, const std::string& with) {
    auto lines = copies(attrs);
    REQUIRE(lines.size() == 1);
    INFO(lines[0]);
    CHECK(lines[0].starts_with(with));
    return lines[0];
  };
  CHECK(starts("lanes = 4", "cp.async.cg.shared.global.L2::128B [").ends_with("16;"));
  CHECK(starts("lanes = 2", "cp.async.ca.shared.global.L2::128B [").ends_with("8;"));
  CHECK(starts("lanes = 1", "cp.async.ca.shared.global.L2::128B [").ends_with("4;"));
  starts("lanes = 4, cache = all", "cp.async.ca.shared.global [");
  starts("lanes = 4, cache = global", "cp.async.cg.shared.global [");
  starts("lanes = 1, cache = streaming", "cp.async.ca.shared.global [");
  CHECK(has(starts("lanes = 4, offset = 32", "cp.async.cg"), "+128]"));
}

TEST_CASE("a masked-off copy reads nothing and writes zeros", "[codegen][lower]") {
  std::string ptx = ptx_of(four +
                           "%in = cmp %t, %m {pred = lt} : i1\n"
                           "copy_async %s, %i, %x, %i, %in {lanes = 4}\n");
  auto lines = find_lines(ptx, "cp.async");
  REQUIRE(lines.size() == 1);
  CHECK(has(lines[0], ", 16, %r"));
  auto bytes = find_lines(ptx, "selp");
  REQUIRE(bytes.size() == 1);
  CHECK(has(bytes[0], ", 16, 0, "));
}

TEST_CASE("a barrier waits for groups before the block meets", "[codegen][lower]") {
  std::string ptx = ptx_of(
      "copy_async %s, %t, %x, %t {lanes = 1}\ncommit_copies\n"
      "barrier {pending = 2}\nbarrier\n");
  auto at = [&](const char* what, std::size_t from = 0) { return ptx.find(what, from); };
  std::size_t commit = at("cp.async.commit_group;"), wait = at("cp.async.wait_group 2;");
  std::size_t first = at("bar.sync"), second = at("bar.sync", first + 1);
  REQUIRE(second != ptx.npos);
  CHECK((at("cp.async.ca") < commit && commit < wait && wait < first));
  CHECK(find_lines(ptx, "wait_group").size() == 1);
}

TEST_CASE("a chosen pointer is a select of parameters", "[codegen][lower]") {
  std::string ptx = ptx_of(
      "%p = choose %m, %x, %z, %x : ptr<f32, global>\n%v = load %p, %t : f32\n"
      "store %y, %t, %v\n");
  CHECK(find_lines(ptx, "selp.b64").size() == 2);
  std::string constant = ptx_of(
      "%one = const {value = 1} : s32\n"
      "%p = choose %one, %x, %z : ptr<f32, global>\n"
      "%v = load %p, %t : f32\nstore %y, %t, %v\n");
  CHECK(find_lines(constant, "selp").empty());
}

TEST_CASE("copies are lowered for every target", "[codegen][lower]") {
  check_all_targets(from_text(header, everything()));
}

TEST_CASE("copies of every width, mask and hint assemble for every target",
          "[codegen][lower][ptxas]") {
  assemble_all_targets(from_text(header, everything()));
}

}  // namespace barline::codegen::test
