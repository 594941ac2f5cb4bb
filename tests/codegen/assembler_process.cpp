// SPDX-License-Identifier: Apache-2.0
// How the child is run: flags, environment, descriptors, limits, and what a failing one becomes.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "codegen/assembler/ptxas.h"
#include "tests/codegen/assembler_fixture.h"

using namespace barline::codegen;
using namespace barline::codegen::test;
using Catch::Matchers::Contains;
using namespace std::chrono_literals;

namespace {

// A ptxas that runs `body` and then hands out a good cubin.
Ptxas pretend(const TempDir& dir, const std::string& body) {
  return Ptxas::at(dir.script("ptxas", body + "\ncat " + cubin_path("small.sm_80.cubin") + " >&4"));
}

AssembleError failure(const Ptxas& ptxas, const AssembleOptions& options = {}) {
  try {
    ptxas.assemble("line one\nline two\nline three\n", options);
  } catch (const AssembleError& error) {
    return error;
  }
  FAIL("it assembled");
  throw std::logic_error("unreachable");
}

bool running(pid_t pid) {
  std::ifstream stat("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(stat, text);
  return !text.empty() && text.find(") Z") == std::string::npos;
}

int open_descriptors() {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    (void)entry;
    ++count;
  }
  return count;
}

}  // namespace

TEST_CASE("flags stand in a fixed order and bad ones are refused") {
  using Flags = std::vector<std::string>;
  Flags head{"-arch",       "sm_80", "-v", "--warn-on-spills", "--warn-on-local-memory-usage",
             "--fmad=false"};
  CHECK(assemble_flags({.sm = "sm_80"}) == head);
  Flags longer = head;
  longer.insert(longer.end(), {"-lineinfo", "-O2", "--def-load-cache=ca"});
  CHECK(assemble_flags(
            {.sm = "sm_80", .lineinfo = true, .extra = {"-O2", "--def-load-cache=ca"}}) == longer);
  for (const char* flag : {"-w", "-Werror", "--maxrregcount=32", "-o", "--fmad=true", "file.ptx"})
    CHECK_THROWS_AS(assemble_flags({.extra = {flag}}), std::invalid_argument);
  for (const char* sm : {"", "sm_", "80", "sm_80x", "sm_8 0", "compute_80"})
    CHECK_THROWS_AS(assemble_flags({.sm = sm}), std::invalid_argument);
}

TEST_CASE("the child sees the PTX, no input, one variable and no other descriptor") {
  TempDir dir;
  setenv("BARLINE_TEST_SECRET", "hunter2", 1);
  Ptxas ptxas = pretend(dir,
                        "cat /proc/self/fd/3; env; pwd; read x || echo no input; ls /proc/$$/fd;"
                        "echo \"$@\"");
  int leaky = dup2(0, 57);  // the host's own descriptor, open across exec
  std::string log = ptxas.assemble("the text\n", {.sm = "sm_80"}).log;
  close(leaky);
  unsetenv("BARLINE_TEST_SECRET");
  CHECK_THAT(log, Contains("the text\n") && Contains("LC_ALL=C") && Contains("no input"));
  CHECK_THAT(log, !Contains("hunter2") && !Contains("HOME=") && Contains("\n/\n"));
  CHECK_THAT(log, Contains("-arch sm_80 -v") && Contains("-o /proc/self/fd/4 ptx"));
  CHECK_THAT(log, !Contains("\n5\n") && !Contains("\n57\n"));
}

TEST_CASE("a refusal quotes the PTX line that it speaks of") {
  TempDir dir;
  Ptxas ptxas = pretend(dir,
                        "echo 'ptxas /proc/self/fd/3, line 2; error   : Unknown symbol' >&2;"
                        "echo 'ptxas fatal   : Ptx assembly aborted due to errors' >&2; exit 255");
  AssembleError error = failure(ptxas, {.sm = "sm_80"});
  CHECK(error.exit_status == 255);
  CHECK_THAT(error.what(), Contains("for sm_80 (exit 255)") && Contains("Unknown symbol") &&
                               Contains("2 | line two") && !Contains("aborted"));
  CHECK_THAT(error.log, Contains("ptxas ptx, line 2"));
}

TEST_CASE("exit 0 with a truncated cubin is a failure") {
  TempDir dir;
  std::string cubin = cubin_path("small.sm_80.cubin");
  for (const char* bytes : {"0", "63", "2000"}) {
    Ptxas ptxas = Ptxas::at(
        dir.script("ptxas", "head -c " + std::string(bytes) + " " + cubin + " >&4; exit 0"));
    CHECK_THAT(failure(ptxas).what(), Contains("not whole") && Contains(bytes));
  }
}

TEST_CASE("a ptxas that hangs is killed with all its children") {
  TempDir dir;
  Ptxas ptxas = pretend(dir, "sleep 60 & echo $! > " + dir.path("pid") + "; sleep 60");
  auto start = std::chrono::steady_clock::now();
  AssembleError error = failure(ptxas, {.timeout = 300ms});
  CHECK(std::chrono::steady_clock::now() - start < 5s);
  CHECK(error.timed_out);
  CHECK_THAT(error.what(), Contains("300 ms"));
  pid_t child = 0;
  std::ifstream(dir.path("pid")) >> child;
  REQUIRE(child > 0);
  for (int i = 0; i < 100 && running(child); ++i) std::this_thread::sleep_for(10ms);
  CHECK_FALSE(running(child));
}

TEST_CASE("time in which the whole machine stood still does not count") {
  TempDir dir;
  Ptxas ptxas =
      pretend(dir, "echo $$ > " + dir.path("new") + "; mv " + dir.path("new") + " " +
                       dir.path("pid") + "\nfor i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.03; done");
  const pid_t host = fork();
  REQUIRE(host >= 0);
  if (host == 0) {
    try {
      ptxas.assemble("x", {.timeout = 2000ms});
      _exit(0);
    } catch (...) {
      _exit(1);
    }
  }
  pid_t child = 0;
  for (int i = 0; i < 500 && child == 0; ++i) {
    std::this_thread::sleep_for(10ms);
    std::ifstream(dir.path("pid")) >> child;
  }
  REQUIRE(child > 0);
  kill(host, SIGSTOP);
  kill(-child, SIGSTOP);
  std::this_thread::sleep_for(2500ms);
  kill(host, SIGCONT);
  kill(-child, SIGCONT);
  int status = -1;
  REQUIRE(waitpid(host, &status, 0) == host);
  CHECK(status == 0);
}

TEST_CASE("a ptxas that leaves a child behind does not hold up the caller") {
  TempDir dir;
  Ptxas ptxas = pretend(dir, "sleep 60 &");
  auto start = std::chrono::steady_clock::now();
  CHECK_NOTHROW(ptxas.assemble("x"));
  CHECK(std::chrono::steady_clock::now() - start < 5s);
}

TEST_CASE("too much output ends the child") {
  TempDir dir;
  AssembleError error = failure(pretend(dir, "yes"), {.output_cap = 1000});
  CHECK(error.log.size() == 1000);
  CHECK_THAT(error.what(), Contains("more than 1000 bytes"));
  AssembleError big =
      failure(pretend(dir, "sleep 0.2; exec cat /dev/zero >&4"), {.cubin_cap = 100'000});
  CHECK_THAT(big.what(), Contains("signal") || Contains("not whole"));
}

TEST_CASE("a killed or absent program is an error with its reason") {
  TempDir dir;
  AssembleError killed = failure(pretend(dir, "kill -9 $$"));
  CHECK(killed.exit_status == 137);
  CHECK_THAT(killed.what(), Contains("signal 9") && Contains("memory"));
  CHECK_THAT(failure(Ptxas::at(dir.path("absent"))).what(), Contains("cannot run ptxas"));
}

TEST_CASE("a host that ignores SIGCHLD still gets its cubin, or the reason why not") {
  TempDir dir;
  auto old = signal(SIGCHLD, SIG_IGN);
  CHECK_NOTHROW(pretend(dir, "true").assemble("x"));
  Ptxas refusing = Ptxas::at(dir.script("ptxas", "echo 'ptxas fatal   : no good'; exit 255"));
  std::string what = failure(refusing).what();
  signal(SIGCHLD, old);
  CHECK_THAT(what, Contains("no good"));
}

TEST_CASE("no descriptor is left open") {
  TempDir dir;
  Ptxas good = pretend(dir, "true");
  int before = open_descriptors();
  for (int i = 0; i < 3; ++i) good.assemble("x");
  failure(Ptxas::at(dir.path("absent")));
  CHECK(open_descriptors() == before);
}
