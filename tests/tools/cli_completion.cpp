// SPDX-License-Identifier: Apache-2.0
// Completion as the shells themselves ask for it: bash always, zsh and fish where they are
// installed.
#include <catch2/catch.hpp>
#include <set>
#include <sstream>

#include "tests/tools/cli.h"

using barline::test::Cli;
using barline::test::has;

namespace {

/// A folder with a small register and `barline` as the first of PATH.
class Shell {
 public:
  Shell() {
    std::filesystem::create_symlink(BARLINE_BINARY_DIR "/bin/barline", cli_.path("barline"));
    cli_.file("k.yaml",
              "version: 1\nassembler: ptxas 13.0\ntargets: [sm_80, sm_90a]\nkernels:\n"
              "  vector_add:\n    types: [f32, f16]\n    schedules: {flat256: }\n"
              "    shapes: {sim: {n: 9}, large: {n: 99}}\n"
              "  softmax:\n    types: [f32]\n    schedules: {row256: }\n"
              "  axpy:\n    source: axpy.ptx\n");
    for (const char* shell : {"bash", "zsh", "fish"})
      cli_.file(shell, cli_.run(std::string("completion ") + shell).out);
  }

  /// What a shell's program (a script of its own language) prints, as a set of lines.
  std::set<std::string> run(const std::string& shell, const std::string& program) const {
    cli_.file("program", program);
    std::string line = "cd " + cli_.path("") + " && HOME=" + cli_.path("") +
                       " PATH=" + cli_.path("") + ":$PATH " + shell +
                       " program >found 2>errors </dev/null";
    int status = std::system(line.c_str());
    INFO(barline::test::slurp(cli_.path("errors")));
    CHECK(status == 0);
    std::set<std::string> out;
    std::istringstream in(barline::test::slurp(cli_.path("found")));
    for (std::string l; std::getline(in, l);)
      if (!l.empty()) out.insert(l);
    return out;
  }

  /// bash's answer at the end of `line`, with the words as bash itself cuts them.
  std::set<std::string> bash(const std::string& line) const {
    return run("bash", "source ./bash\nCOMP_LINE='" + line + "'\nCOMP_POINT=${#COMP_LINE}\n" +
                           "_barline\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n");
  }

 private:
  Cli cli_;
};

bool installed(const std::string& shell) {
  return std::system(("command -v " + shell + " >/dev/null 2>&1").c_str()) == 0;
}

using Set = std::set<std::string>;

}  // namespace

TEST_CASE("bash completes commands, options and their values") {
  Shell shell;
  CHECK(shell.bash("barline ga") == Set{"gate"});
  CHECK(shell.bash("barline cache ver") == Set{"verify"});
  CHECK(shell.bash("barline gate --upd") == Set{"--update"});
  CHECK(shell.bash("barline --regis") == Set{"--registry"});
  CHECK(shell.bash("barline gate --format ma") == Set{"markdown"});
  CHECK(shell.bash("barline gate --format=ma") == Set{"markdown"});
  CHECK(shell.bash("barline build --emit ptx,cu") == Set{"ptx,cubin"});
  CHECK(shell.bash("barline run vector_add --device s") == Set{"sim"});
  CHECK(shell.bash("barline completion f") == Set{"fish"});
  CHECK(shell.bash("barline gate --baseline ").empty());
  CHECK(shell.bash("barline __comp").empty());
  Set all = shell.bash("barline ");
  CHECK(all.count("doctor") == 1);
  CHECK(all.count("__complete") == 0);
}

TEST_CASE("bash completes kernels, schedules, types, shapes and targets of the register named") {
  Shell shell;
  const std::string with = "barline --registry k.yaml ";
  CHECK(shell.bash(with + "verify v") == Set{"vector_add"});
  CHECK(shell.bash(with + "verify ") == Set{"vector_add", "softmax"});
  CHECK(shell.bash(with + "gate ") == Set{"vector_add", "softmax", "axpy"});
  CHECK(shell.bash(with + "verify vector_add.f") == Set{"vector_add.f32", "vector_add.f16",
                                                        "vector_add.f32@flat256",
                                                        "vector_add.f16@flat256"});
  CHECK(shell.bash(with + "verify vector_add@") == Set{"flat256"});
  CHECK(shell.bash(with + "verify vector_add.f16@fl") == Set{"flat256"});
  CHECK(shell.bash(with + "build --arch sm_80,sm_") == Set{"sm_80,sm_80", "sm_80,sm_90a"});
  CHECK(shell.bash(with + "run vector_add --shape l") == Set{"large"});
  CHECK(shell.bash("barline verify --registry=k.yaml so") == Set{"softmax"});
  CHECK(shell.bash("barline verify --registry absent.yaml so").empty());
}

TEST_CASE("zsh asks the same program") {
  if (!installed("zsh")) return;
  Shell shell;
  const std::string ask =
      "autoload -Uz compinit; compinit -u\nsource ./zsh\n"
      "compadd() { shift; print -l -- \"$@\" }\n_files() { print files }\n";
  CHECK(shell.run("zsh", ask + "words=(barline ga) CURRENT=2\n_barline\n") == Set{"gate"});
  CHECK(
      shell.run("zsh", ask + "words=(barline --registry k.yaml verify '') CURRENT=5\n_barline\n") ==
      Set{"vector_add", "softmax"});
  CHECK(shell.run("zsh", ask + "words=(barline gate --baseline '') CURRENT=4\n_barline\n") ==
        Set{"files"});
}

TEST_CASE("fish asks the same program") {
  if (!installed("fish")) return;
  Shell shell;
  const std::string ask = "source ./fish\ncomplete --do-complete ";
  CHECK(shell.run("fish", ask + "'barline doct'") == Set{"doctor"});
  CHECK(shell.run("fish", ask + "'barline --registry k.yaml verify vec'") == Set{"vector_add"});
  CHECK(shell.run("fish", ask + "'barline gate --format mark'") == Set{"markdown"});
}
