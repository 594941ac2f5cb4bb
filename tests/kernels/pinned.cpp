// SPDX-License-Identifier: Apache-2.0
// Registers that products in flight read stay until their wait: behind each wait that something
// stands before, a branch that no launch takes leads to a use of every one of them, in the PTX and
// still in the machine code.
#include <catch2/catch.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "codegen/compile.h"
#include "codegen/sass/calibration.h"
#include "ir/parse.h"
#include "ir/pipeline.h"
#include "problem.h"
#include "tests/support/ptxas.h"

using namespace barline;

namespace {

codegen::Compiled compiled(const char* kernel, const char* schedule,
                           const codegen::Calibration& calibration) {
  for (const ir::Schedule& s : test::entry(kernel).schedules) {
    if (s.name != schedule) continue;
    dsl::Config config;
    config.schedule = s;
    ir::Kernel k = dsl::instantiate(test::entry(kernel).make(ir::Elem::F16), config);
    ir::run_pipeline(k);
    return codegen::compile(k, *ir::find_target("sm_90a"), test::find_ptxas(),
                            {.calibration = &calibration});
  }
  throw std::out_of_range(schedule);
}

/// What stands behind one wait for products.
struct Wait {
  int pending = 0;
  bool pins = false;  ///< asks for the grid's depth before the next wait, product or label
  int products = 0;   ///< committed since the wait before
};

std::vector<Wait> waits_of(const std::string& ptx) {
  std::vector<Wait> waits;
  std::istringstream lines(ptx);
  int products = 0;
  bool open = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.find("wgmma.mma_async") != line.npos) ++products;
    const auto at = line.find("wgmma.wait_group.sync.aligned ");
    if (at != line.npos) {
      waits.push_back({std::stoi(line.substr(at + 30)), false, std::exchange(products, 0)});
      open = true;
    } else if (line.starts_with("$L") || line.find("wgmma.") != line.npos) {
      open = false;
    } else if (open && line.find("%nctaid.z") != line.npos) {
      waits.back().pins = true;
    }
  }
  return waits;
}

/// The registers that products read, and those that stand in stores behind the branches.
std::set<std::string> registers(const std::string& ptx, const std::regex& where) {
  std::set<std::string> out;
  const std::regex one("%r[0-9]+");
  for (std::sregex_iterator m(ptx.begin(), ptx.end(), where), end; m != end; ++m) {
    const std::string list = (*m)[1];
    for (std::sregex_iterator r(list.begin(), list.end(), one); r != end; ++r) out.insert(r->str());
  }
  return out;
}

}  // namespace

TEST_CASE("what products in flight read is pinned until their wait", "[kernels][ptxas]") {
  codegen::CalibrationCache cache(test::find_ptxas());
  const codegen::Compiled c = compiled("qkv_w4a16", "unit192x128", cache.get("sm_90a"));
  const std::vector<Wait> waits = waits_of(c.ptx);
  // Two groups a step, each waited for by the next one's wait; the last one after the loop.
  REQUIRE(waits.size() == 3);
  for (const Wait& w : waits) CHECK(w.pins);
  CHECK((waits[0].pending == 1 && waits[1].pending == 1 && waits[2].pending == 0));
  CHECK((waits[0].products == 4 && waits[1].products == 4 && waits[2].products == 0));
  const std::set<std::string> read =
      registers(c.ptx, std::regex(R"(\}, \{([^}]*)\}, %rd[0-9]+, 1, 1, 1)"));
  const std::set<std::string> held =
      registers(c.ptx, std::regex(R"(st\.shared\.v4\.b32 \[%r[0-9]+\+[0-9]+\], \{([^}]*)\})"));
  CHECK(read.size() == 2 * 4 * 4);
  CHECK(held == read);
  // ptxas has dropped none of them: four stores of four registers for each wait, and no others.
  CHECK(c.skeleton->shared_stores == 3 * 4);
  CHECK(c.report.spill_stores == 0);
}

TEST_CASE("nothing is pinned where a wait stands right behind its products", "[kernels]") {
  const auto ptx = [](const std::string& between) {
    return codegen::emit_ptx(
        ir::parse("bir 1\nkernel @k\naxis n = 4096\nparam %x: in ptr<f16,global> [n]\n"
                  "param %y: out ptr<f32,global> [n]\nslot %s: f16[512] x 1 align 1024\n"
                  "threads 128 1 1\ngrid 1 1 1\n{\n%t = thread_id {dim = 0} : s32\n"
                  "%c0 = const {value = 0} : s32\n%c8 = const {value = 8} : s32\n"
                  "%i = mul %t, %c8 : s32\n%a = load %x, %i : vec<f16 x 8>\n"
                  "%zero = const {value = 0.0} : f32\n"
                  "%z = pack %zero, %zero, %zero, %zero : vec<f32 x 4>\n"
                  "%p = wgmma_fence %z : flight<f32 x 4>\n"
                  "%q = wgmma %a, %s, %c0, %p : flight<f32 x 4>\nwgmma_commit\n" +
                  between + "%v = wgmma_wait %q, %a : vec<f32 x 4>\nstore %y, %i, %v\nyield\n}\n"),
        *ir::find_target("sm_90a"));
  };
  CHECK(waits_of(ptx("")).size() == 1);
  CHECK(!waits_of(ptx(""))[0].pins);
  CHECK(waits_of(ptx("%u = load %x, %c0 : f16\n"))[0].pins);
}
