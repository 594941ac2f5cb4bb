// SPDX-License-Identifier: Apache-2.0
// The ladder of assemblers: which is taken, what is said where there is none, and that the code of
// one is never taken for another's.
#include "runtime/jit/assemblers.h"

#include <catch2/catch.hpp>
#include <cstdio>

#include "codegen/assembler/nvjitlink.h"
#include "codegen/assembler/ptxas.h"
#include "dsl/dsl.h"
#include "runtime/jit/driver_assembler.h"
#include "runtime/jit/runtime.h"
#include "runtime/launch/budget.h"
#include "tests/jit/copy_rows.h"
#include "tests/runtime/fake_driver.h"
#include "tests/runtime/support.h"
#include "tests/support/ptxas.h"

using namespace barline;
using namespace barline::dsl;
using codegen::AssemblerKind;
using driver::test::FakeDriver;
using runtime::AssemblerChoice;

namespace {

const KernelEntry& entry() {
  static const KernelEntry e{
      .name = "copy_rows",
      .doc = "",
      .types = {f32},
      .schedules = {{.name = "row128", .threads = 128, .vec = 4, .budget = {.regs = 64}}},
      .make = test::copy_rows,
      .reference = {},
      .bytes = {},
      .library = "build-1"};
  return e;
}

Config config() { return {.schedule = entry().schedules[0], .dims = {}, .label = "copy_rows"}; }
jit::Unit unit() {
  return {.entry = &entry(), .elem = f32, .config = config(), .target = ir::find_target("sm_90a")};
}

/// A machine with a fake driver, a cache of its own and no toolkit.
struct Machine {
  FakeDriver fake;
  runtime::test::TempDir dir;
  std::vector<std::string> warnings;

  runtime::Options options(AssemblerChoice choice = AssemblerChoice::Auto) {
    runtime::Options o;
    o.cache = runtime::test::options_for(dir.path() / "cache", &warnings);
    o.driver = fake.options();
    o.assembler = choice;
    o.toolkit = dir.path() / "no_toolkit";
    return o;
  }
  runtime::Options without_driver() {
    runtime::Options o = options();
    o.driver = {.libraries = {"libno_such_cuda.so.1"}};
    return o;
  }
  /// Lets the driver assemble as ptxas does.
  runtime::Entry teach() {
    runtime::Entry made = jit::build_entry(unit(), instantiate(entry().make(f32), config()),
                                           barline::test::find_ptxas());
    fake.link_cubin = made.cubin;
    return made;
  }
};

std::string refusal(const runtime::Options& options) {
  try {
    jit::choose_assembler(options);
  } catch (const codegen::MissingAssembler& e) {
    return e.what();
  }
  return "";
}

/// A program that answers as ptxas does, in a toolkit of its own.
std::filesystem::path toolkit_with_ptxas(const runtime::test::TempDir& dir) {
  const auto program = dir.path() / "toolkit/bin/ptxas";
  std::filesystem::create_directories(program.parent_path());
  const std::string script = "#!/bin/sh\necho 'Cuda compilation tools, release 13.0, V13.0.88'\n";
  runtime::test::write_bytes(program,
                             {reinterpret_cast<const std::byte*>(script.data()),
                              reinterpret_cast<const std::byte*>(script.data() + script.size())});
  std::filesystem::permissions(program, std::filesystem::perms::owner_all);
  return dir.path() / "toolkit";
}

}  // namespace

TEST_CASE("ptxas comes before nvJitLink, and both before the driver") {
  Machine m;
  CHECK(jit::choose_assembler(m.options(AssemblerChoice::Driver))->kind() == AssemblerKind::Driver);
  runtime::Options o = m.options();
  o.toolkit = toolkit_with_ptxas(m.dir);
  CHECK(jit::choose_assembler(o)->release() == "ptxas 13.0");
  o.assembler = AssemblerChoice::Driver;
  CHECK(jit::choose_assembler(o)->kind() == AssemblerKind::Driver);
  CHECK(jit::allowed_assemblers(m.options()) ==
        std::vector{AssemblerKind::Ptxas, AssemblerKind::NvJitLink, AssemblerKind::Driver});
  o.assembler = AssemblerChoice::Auto;
  o.ptxas = "/absent/ptxas";  // named, so no other will do
  CHECK(jit::allowed_assemblers(o) == std::vector{AssemblerKind::Ptxas});
  CHECK_THAT(refusal(o), Catch::Contains("/absent/ptxas"));
}

TEST_CASE("without ptxas nvJitLink is taken, without either the driver", "[ptxas]") {
  Machine m;
  runtime::Options o = m.options();
  try {
    o.nvjitlink = codegen::NvJitLink::open({}).path();
  } catch (const codegen::MissingAssembler& e) {
    std::printf("SKIP: %s\n", e.what());
    return;
  }
  CHECK(jit::choose_assembler(o)->kind() == AssemblerKind::NvJitLink);
  o.nvjitlink = "/absent/libnvJitLink.so";
  CHECK(jit::choose_assembler(o)->kind() == AssemblerKind::Driver);
}

TEST_CASE("without any assembler the error lists what was tried, why not, and the fix") {
  Machine m;
  runtime::Options o = m.without_driver();
  o.nvjitlink = "/absent/libnvJitLink.so";  // this process may have one loaded
  const std::string text = refusal(o);
  CHECK_THAT(text, Catch::Contains("ptxas: no usable ptxas; looked at") &&
                       Catch::Contains((m.dir.path() / "no_toolkit/bin/ptxas").string()));
  CHECK_THAT(text, Catch::Contains("nvJitLink: cannot use /absent/libnvJitLink.so") &&
                       Catch::Contains("pip install"));
  CHECK_THAT(text, Catch::Contains("driver: no CUDA driver: libno_such_cuda.so.1"));
  CHECK_THAT(text, Catch::Contains("Any one of them will do"));
  CHECK(text.find("ptxas:") < text.find("nvJitLink:"));
  CHECK(text.find("nvJitLink:") < text.find("driver:"));
}

TEST_CASE("the driver's code is kept under a key of its own", "[ptxas]") {
  Machine m;
  const runtime::Entry by_ptxas = m.teach();
  jit::Runtime by_driver(m.options(AssemblerChoice::Driver));
  const runtime::Found built = by_driver.find(unit());
  CHECK(built.source == runtime::Source::Built);
  CHECK_THAT(built.entry->metadata.assembler, Catch::StartsWith("driver 13.0; "));
  CHECK(built.entry->key.value("assembler") == built.entry->metadata.assembler);
  CHECK(m.fake.link_target == 0x10000 + 90);
  CHECK(built.entry->metadata.registers == by_ptxas.metadata.registers);  // off the cubin
  // Found again by a host of the same choice, with compiling off too; not by one that has ptxas.
  runtime::Options off = m.options(AssemblerChoice::Driver);
  off.jit = runtime::Jit::Off;
  CHECK(jit::Runtime(off).find(unit()).source == runtime::Source::Disk);
  off.assembler = AssemblerChoice::Ptxas;
  CHECK_THROWS_WITH(jit::Runtime(off).find(unit()), Catch::Contains("ptxas 13.0"));
  off.assembler = AssemblerChoice::Auto;  // any will do
  CHECK(jit::Runtime(off).find(unit()).source == runtime::Source::Disk);
}

TEST_CASE("what the driver assembled is held to the schedule's budget", "[ptxas]") {
  Machine m;
  m.teach();
  const driver::Device device = driver::Driver::load(m.fake.options())->device(0);
  m.fake.local_bytes = 0;
  m.fake.registers = 64;
  {
    jit::Runtime runtime(m.options(AssemblerChoice::Driver));
    runtime.prepare(device, entry(), f32, config());
    CHECK(m.warnings.empty());
    m.fake.registers = 65;
    runtime.prepare(device, entry(), f32, config());
    REQUIRE(m.warnings.size() == 1);
    CHECK_THAT(m.warnings[0], Catch::Contains("to 65 registers") && Catch::Contains("64 and 0") &&
                                  Catch::Contains("take machine code that ptxas made"));
  }
  runtime::Options strict = m.options(AssemblerChoice::Driver);
  strict.strict_budget = true;
  jit::Runtime refusing(strict);
  CHECK_THROWS_AS(refusing.prepare(device, entry(), f32, config()), runtime::OverBudget);
  m.fake.registers = 10;
  m.fake.local_bytes = 8;  // spills
  CHECK_THROWS_AS(refusing.prepare(device, entry(), f32, config()), runtime::OverBudget);
}

TEST_CASE("a log of the driver that has the record is taken as it is", "[ptxas]") {
  Machine m;
  const runtime::Entry made = m.teach();
  m.fake.link_log = "ptxas info    : Compiling entry function '" + made.metadata.entry +
                    "' for 'sm_90a'\nptxas info    : Function properties for " +
                    made.metadata.entry +
                    "\n    16 bytes stack frame, 12 bytes spill stores, 8 bytes spill loads\n"
                    "ptxas info    : Used 99 registers, used 1 barriers\n";
  const driver::Device device = driver::Driver::load(m.fake.options())->device(0);
  const jit::DriverAssembler assembler(device);
  CHECK(assembler.assemble(made.ptx, {.sm = "sm_90a"}).log == m.fake.link_log);
  m.fake.link_log.clear();
  CHECK_THAT(assembler.assemble(made.ptx, {.sm = "sm_90a"}).log,
             Catch::Contains("Function properties for " + made.metadata.entry));
}

TEST_CASE("PTX that the driver refuses, and half a cubin, are errors of the assembly") {
  Machine m;
  const driver::Device device = driver::Driver::load(m.fake.options())->device(0);
  const jit::DriverAssembler assembler(device);
  CHECK_THROWS_WITH(assembler.assemble("", {.sm = "sm_90a"}),
                    Catch::Contains("left a cubin of 0 bytes that is not whole"));
  m.fake.results["cuLinkAddData"] = driver::abi::Result::InvalidPtx;
  m.fake.link_log = "ptxas line 3; error";
  CHECK_THROWS_WITH(assembler.assemble("x", {.sm = "sm_80"}),
                    Catch::Contains("driver 13.0 refused the PTX for sm_80") &&
                        Catch::Contains("cuLinkAddData") && Catch::Contains("line 3; error"));
  CHECK(m.fake.link_target == 80);
}
