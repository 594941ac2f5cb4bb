// SPDX-License-Identifier: Apache-2.0
// The JIT: signatures, warm keys, packs and refusals, without a device.
#include <catch2/catch.hpp>
#include <filesystem>

#include "codegen/assembler/ptxas.h"
#include "dsl/dsl.h"
#include "ir/parse.h"
#include "runtime/jit/runtime.h"
#include "runtime/jit/signature.h"
#include "runtime/pack/pack.h"
#include "tests/runtime/support.h"

using namespace barline;
using namespace barline::dsl;

namespace {

KernelSource scale_rows(Elem type) {
  Axis rows{"rows"}, d{"d", 4};
  In x{"x", type, {rows, d}};
  Out y{"y", type, {rows, d}};
  Arg factor{"factor"};
  return kernel("scale_rows", {x, y, factor}, [=](Tiles& b) {
    auto row = b.index(rows);
    b.store(y(row, all), b.stripe(x(row, all)) * factor);
  });
}

const KernelEntry& entry(std::string library = "build-1") {
  static std::map<std::string, KernelEntry> entries;
  KernelEntry& e = entries[library];
  e = {.name = "scale_rows",
       .doc = "",
       .types = {f32, bf16},
       .schedules = {{.name = "row128", .threads = 128, .vec = 4}},
       .make = scale_rows,
       .reference = {},
       .bytes = {},
       .library = std::move(library)};
  return e;
}

jit::Unit unit(const KernelEntry& e, std::map<std::string, std::int64_t> dims = {},
               std::string_view target = "sm_90a") {
  return {.entry = &e,
          .elem = bf16,
          .config = {.schedule = e.schedules[0],
                     .dims = std::move(dims),
                     .label = "scale_rows.bf16@row128"},
          .target = ir::find_target(target)};
}

runtime::Options options(const test::TempDir& folder) {
  runtime::Options environment = runtime::options_from_environment(), o;
  o.ptxas = environment.ptxas;
  o.cuda_home = environment.cuda_home;
  o.cache.dir = folder.path() / "cache";
  return o;
}

}  // namespace

TEST_CASE("a launch signature says what a host must pass, and reads back") {
  ir::Kernel k =
      instantiate(scale_rows(bf16), {.schedule = {.name = "s", .threads = 128, .vec = 4}});
  runtime::Signature s = jit::signature_of(k);
  CHECK(runtime::to_text(s) ==
        "x:in:bf16[rows,d];y:out:bf16[rows,d];factor:scalar:f32|rows:1,d:4|rows/1,1,1");
  CHECK(runtime::parse_signature(runtime::to_text(s)) == s);
  ir::Kernel bound = instantiate(
      scale_rows(f32),
      {.schedule = {.name = "s", .threads = 128, .vec = 4}, .dims = {{"d", 64}, {"rows", 7}}});
  CHECK(runtime::to_text(jit::signature_of(bound)) ==
        "x:in:f32[rows=7,d=64];y:out:f32[rows=7,d=64];factor:scalar:f32||7,1,1");
  CHECK(runtime::parse_signature(runtime::to_text(jit::signature_of(bound))) ==
        jit::signature_of(bound));
}

TEST_CASE("a launch signature sizes derived axes and grids of several axes") {
  ir::Kernel k = ir::parse(R"(bir 1
kernel @k
axis q
axis K
axis kv = 40
axis units of K / 64 * 2
axis halves of units / 2
axis rows of kv / 16
param %x: in ptr<f32, global> [q, units]
param %y: out ptr<f32, global> [halves, rows]
size %q
size %K
threads 32 1 1
grid q+kv/16 units/1 q|K|kv/32
{
  yield
}
)");
  runtime::Signature s = jit::signature_of(k);
  CHECK(runtime::to_text(s) ==
        "x:in:f32[q,units=K%64*2];y:out:f32[halves=K%64*2%2*1,rows=3]|q:1,K:1|"
        "q+40/16,K%64*2/1,q&K&40/32");
  CHECK(runtime::parse_signature(runtime::to_text(s)) == s);
  const std::int64_t sizes[] = {33, 130};
  CHECK(s.grid[0].blocks(sizes) == 3 + 3);
  CHECK(s.grid[1].blocks(sizes) == 6);
  CHECK(s.grid[2].blocks(sizes) == 5);
  for (const char* text : {"x:in:f32[d]|d:1|d%2/1,1,1", "x:in:f32[d]|d:1|d+/1,1,1",
                           "x:in:f32[d]|d:1|d/1/1,1,1", "x:in:f32[d]|d:1|d%0*1/1,1,1"})
    CHECK_THROWS_AS(runtime::parse_signature(text), std::invalid_argument);
}

TEST_CASE("a launch signature sizes tensor maps") {
  ir::Kernel k = ir::parse(R"(bir 1
kernel @k
axis m
axis K
axis units of K / 64 * 2
axis two = 2
param %x: in ptr<f16, global> [m, units]
param %b: in ptr<f32, global> [K]
param %p: in ptr<f16, global> [m, two, m, K]
size %m
size %K
slot %s: f16[4096] x 1
slot %r: f32[64] x 1
gate %g arrivals 1 x 1
threads 32 1 1
grid 1 1 1
{
  %c0 = const {value = 0} : s32
  copy_tensor %s, %c0, %x, %c0, %c0, %g {rows = 64, columns = 64, swizzled = 1}
  copy_tensor %r, %c0, %b, %c0, %c0, %g {rows = 1, columns = 64}
  copy_tensor %s, %c0, %p, %c0, %c0, %g, %c0 {rows = 64, columns = 64, swizzled = 1}
  yield
}
)");
  runtime::Signature s = jit::signature_of(k);
  CHECK(runtime::to_text(s) ==
        "x:in:f16[m,units=K%64*2];b:in:f32[K];p:in:f16[m,two=2,m,K]|m:1,K:1|1,1,1|"
        "x:64x64s:m:K%64*2;b:1x64:1:K;p:64x64s:m:K:m:2");
  CHECK(runtime::parse_signature(runtime::to_text(s)) == s);
  for (const char* map : {"y:64x64:m:K", "x:64:m:K", "x:64x64:m", "x:64x64t:m:K", "x:0x64:m:K"})
    CHECK_THROWS_AS(runtime::parse_signature(std::string("x:in:f16[m,K]|m:1,K:1|1,1,1|") + map),
                    std::invalid_argument);
}

TEST_CASE("every element type of the IR has a name for hosts, as wide in memory") {
  for (int i = 0; i < ir::elem_count; ++i) {
    const auto elem = static_cast<ir::Elem>(i);
    CAPTURE(ir::name(elem));
    const runtime::Element host = jit::element_of(elem);
    CHECK(runtime::name(host) == ir::name(elem));
    CHECK(host.bits == (elem == ir::Elem::I1 ? 8 : ir::bits(elem)));
  }
  CHECK_FALSE(runtime::parse_element("f17"));
  CHECK(runtime::name({runtime::ElementCode::Float, 17}) == "?");
}

TEST_CASE("text that is no signature is refused") {
  for (const char* text :
       {"", "|", "x:in:bf16[d]", "x:in:bf17[d]|d:1|1,1,1", "x:in:f32[d]|d:0|1,1,1",
        "x:in:f32[d]|d:1|e/1,1,1", "x:in:f32[d]|d:1|1,1", "x:in|d:1|1,1,1", "x:in:f32[e]|d:1|1,1,1",
        "x:in:f32[=4]|d:1|1,1,1"})
    CHECK_THROWS_AS(runtime::parse_signature(text), std::invalid_argument);
}

TEST_CASE("every field of the warm key changes it") {
  auto base = jit::warm_key(unit(entry()), "ptxas 13.0").hash();
  CHECK(jit::warm_key(unit(entry()), "ptxas 13.0").hash() == base);
  CHECK(jit::warm_key(unit(entry()), "ptxas 13.1").hash() != base);
  CHECK(jit::warm_key(unit(entry("build-2")), "ptxas 13.0").hash() != base);
  CHECK(jit::warm_key(unit(entry(), {{"d", 64}}), "ptxas 13.0").hash() != base);
  CHECK(jit::warm_key(unit(entry(), {}, "sm_80"), "ptxas 13.0").hash() != base);
  jit::Unit u = unit(entry());
  u.config.debug = true;
  CHECK(jit::warm_key(u, "ptxas 13.0").hash() != base);
  u = unit(entry());
  u.elem = f32;
  CHECK(jit::warm_key(u, "ptxas 13.0").hash() != base);
  u = unit(entry());
  u.config.schedule.threads = 64;
  CHECK(jit::warm_key(u, "ptxas 13.0").hash() != base);
}

TEST_CASE("a filled cache answers without the assembler", "[ptxas]") {
  const test::TempDir folder;
  {
    jit::Runtime r(options(folder));
    CHECK(r.find(unit(entry())).source == runtime::Source::Built);
    CHECK(r.find(unit(entry())).source == runtime::Source::Memory);
  }
  runtime::Options o = options(folder);
  o.ptxas = "/nonexistent/ptxas";
  jit::Runtime warm(o);
  runtime::Found found = warm.find(unit(entry()));
  CHECK(found.source == runtime::Source::Disk);
  CHECK(found.entry->metadata.entry == "scale_rows_bf16_row128");
  CHECK(found.entry->metadata.registers > 0);
  // Another build of the kernel library is not answered with the old code.
  CHECK_THROWS_AS(warm.find(unit(entry("build-3"))), codegen::MissingPtxas);
}

TEST_CASE("with compiling off a miss is an error that names the key") {
  const test::TempDir folder;
  runtime::Options o = options(folder);
  o.jit = runtime::Jit::Off;
  jit::Runtime r(o);
  try {
    r.find(unit(entry()));
    FAIL("found a kernel in an empty cache");
  } catch (const jit::JitDisabled& e) {
    CHECK_THAT(e.what(), Catch::Contains("scale_rows.bf16@row128") && Catch::Contains("sm_90a") &&
                             Catch::Contains("codegen_id"));
  }
}

TEST_CASE(
    "a pack answers with compiling off and no cache, for its own build of the library alone") {
  const test::TempDir folder;
  runtime::Entry packed = runtime::test::sample_entry();
  packed.metadata.entry = "scale_rows_bf16_row128";
  const runtime::PackItem item{jit::warm_key(unit(entry()), jit::pinned_assembler).hash(),
                               std::make_shared<const runtime::Entry>(packed)};
  const auto path = folder.path() / "k.blp";
  runtime::test::write_bytes(path, runtime::serialize_pack({{item}}));
  runtime::Options o = options(folder);
  o.jit = runtime::Jit::Off;
  o.cache.dir.clear();
  o.packs = {path};
  jit::Runtime r(o);
  const runtime::Found found = r.find(unit(entry()));
  CHECK(found.source == runtime::Source::Pack);
  CHECK(found.entry->metadata.entry == "scale_rows_bf16_row128");
  CHECK_THROWS_WITH(r.find(unit(entry("build-2"))), Catch::Contains("is in no pack"));
  CHECK_THROWS_AS(r.find(unit(entry(""))), jit::JitDisabled);
  o.packs = {folder.path() / "nothing.blp"};
  CHECK_THROWS_AS(jit::Runtime(o), runtime::PackError);
}

TEST_CASE("a device takes the newest code that it runs") {
  driver::DeviceInfo d;
  d.name = "GPU";
  auto target = [&](int major, int minor) {
    d.major = major;
    d.minor = minor;
    return jit::target_for(d).name;
  };
  CHECK(target(8, 0) == "sm_80");
  CHECK(target(8, 7) == "sm_86");
  CHECK(target(8, 9) == "sm_89");
  CHECK(target(9, 0) == "sm_90a");
  CHECK(target(12, 1) == "sm_121");
  CHECK_THROWS_WITH(target(7, 5), Catch::Contains("7.5"));
}
