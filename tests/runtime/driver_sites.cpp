// SPDX-License-Identifier: Apache-2.0
// Every place in runtime/driver that calls the driver, found in the sources, has a failure injected
// into it: the error names the call, and the place is that one.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <regex>

#include "tests/runtime/every_call.h"

using namespace barline::driver;
using namespace barline::driver::test;

namespace {

struct Site {
  std::string file;
  int line = 0;
  std::string call;
  auto operator<=>(const Site&) const = default;
};

std::string to_text(const Site& s) { return s.file + ":" + std::to_string(s.line) + " " + s.call; }

std::vector<Site> sites_in_sources() {
  const std::regex call(R"((?:api\(\)|api_?)\.(cu[A-Z]\w*)\()");
  std::vector<Site> sites;
  for (const auto& file :
       std::filesystem::directory_iterator(BARLINE_SOURCE_DIR "/runtime/driver")) {
    if (file.path().extension() != ".cpp") continue;
    std::ifstream in(file.path());
    int number = 1;
    for (std::string line; std::getline(in, line); ++number)
      for (std::sregex_iterator at(line.begin(), line.end(), call), end; at != end; ++at)
        sites.push_back({file.path().filename().string(), number, (*at)[1]});
  }
  return sites;
}

/// The call of that name that stands last before the place that reported it.
const Site* reported(const std::vector<Site>& sites, const Error& e) {
  const std::string file = std::filesystem::path(e.site().file_name()).filename().string();
  const std::string call = e.call().substr(0, e.call().find(' '));
  const Site* found = nullptr;
  for (const Site& s : sites)
    if (s.file == file && s.call == call && s.line <= static_cast<int>(e.site().line()) + 2 &&
        (!found || s.line > found->line))
      found = &s;
  return found;
}

/// Calls whose failure nobody can act on: what gives back, what makes way for it, and what words an
/// error. With how many places of that file make them.
const std::map<std::pair<std::string, std::string>, int> without_report{
    {{"buffer.cpp", "cuCtxPushCurrent"}, 1},
    {{"driver.cpp", "cuGetErrorName"}, 1},
    {{"driver.cpp", "cuGetErrorString"}, 1},
    {{"graph.cpp", "cuStreamEndCapture"}, 1},
    {{"library.cpp", "cuThreadExchangeStreamCaptureMode"}, 2},
    {{"stream.cpp", "cuThreadExchangeStreamCaptureMode"}, 1},
};

}  // namespace

TEST_CASE("every place that calls the driver has a case in which that call fails") {
  const std::vector<Site> sites = sites_in_sources();
  CHECK(sites.size() > 60);
  std::set<Site> failed;
  FakeDriver clean;
  use_everything(clean);
  for (std::size_t at = 0; at < clean.calls.size(); ++at) {
    FakeDriver fake;
    fake.results_at[at] = abi::Result::LaunchFailed;
    try {
      use_everything(fake);
    } catch (const Error& e) {
      const Site* site = reported(sites, e);
      INFO(e.what() << " at " << e.site().file_name() << ":" << e.site().line());
      CHECK(site != nullptr);
      if (site) failed.insert(*site);
    }
  }
  std::map<std::pair<std::string, std::string>, int> quiet_places;
  std::vector<std::string> untested;
  for (const Site& s : sites) {
    if (failed.count(s) || quiet.count(s.call)) continue;
    if (without_report.count({s.file, s.call}))
      ++quiet_places[{s.file, s.call}];
    else
      untested.push_back(to_text(s));
  }
  CHECK(untested == std::vector<std::string>{});
  CHECK(quiet_places == without_report);
}

TEST_CASE("an error is worded where the driver cannot say what it means") {
  FakeDriver fake;
  fake.results["cuMemGetInfo"] = abi::Result::LaunchFailed;
  fake.results["cuGetErrorName"] = fake.results["cuGetErrorString"] = abi::Result::InvalidValue;
  const auto driver = Driver::load(fake.options());
  CHECK_THROWS_WITH(driver->device(0).free_memory(),
                    "cuMemGetInfo failed: CUresult 719 (719): the driver gives no description");
}

TEST_CASE("the calls of destructors fail without a word") {
  for (const std::string& call : quiet) {
    CAPTURE(call);
    FakeDriver fake;
    fake.results[call] = abi::Result::Deinitialized;
    CHECK_NOTHROW(use_everything(fake));
    CHECK(fake.count(call) > 0);
  }
}
