// SPDX-License-Identifier: Apache-2.0
// Deterministic fuzzing: ten thousand mutations of a good input, each either read or refused with
// the one documented exception. The sanitizer presets make it count.
#include <catch2/catch.hpp>
#include <random>

#include "tests/tools/registry_text.h"
#include "tools/error.h"
#include "tools/npy.h"
#include "tools/yaml_reader.h"
#include "verify/gate/registry_file.h"
#include "verify/gate/update_budgets.h"

using namespace barline;

namespace {

/// Mutates a text a few times: flips, inserts, deletes, doubles or transplants bytes.
class Mutator {
 public:
  explicit Mutator(std::string seed) : seed_(std::move(seed)) {}

  std::string next() {
    std::string s = seed_;
    for (int n = 1 + below(4); n > 0 && !s.empty(); --n) mutate(s);
    return s;
  }

 private:
  int below(std::size_t n) { return static_cast<int>(random_() % n); }

  void mutate(std::string& s) {
    static const std::string tokens[] = {
        "&a ", "*a",    "!t ", "{",   "}",  "[",    "]", ": ", "- ",    "\n",
        "\"",  "'",     "#",   "|\n", "? ", "<<: ", "~", "\t", "---\n", "99999999999999999999",
        "-1",  "1e999", "%",   "(",   ")",  ","};
    std::size_t at = static_cast<std::size_t>(below(s.size()));
    std::size_t length = static_cast<std::size_t>(1 + below(20));
    switch (below(5)) {
      case 0: s[at] = static_cast<char>(below(256)); break;
      case 1: s.insert(at, tokens[below(std::size(tokens))]); break;
      case 2: s.erase(at, length); break;
      case 3: s.insert(at, s.substr(at, length)); break;
      default: s.resize(at);
    }
  }

  std::string seed_;
  std::mt19937 random_{20261};
};

/// Reads ten thousand mutations of `seed`; what is refused names `file` first.
template <class Refusal, class Read>
void read_or_refuse(std::string seed, const std::string& file, Read read_one) {
  Mutator mutator(std::move(seed));
  int read = 0, refused = 0;
  for (int i = 0; i < 10000; ++i) {
    try {
      read_one(mutator.next());
      ++read;
    } catch (const Refusal& e) {
      REQUIRE(std::string(e.what()).rfind(file + ":", 0) == 0);
      ++refused;
    }
  }
  CHECK(read > 100);
  CHECK(refused > 1000);
}

}  // namespace

TEST_CASE("ten thousand mutated registries are read or refused") {
  const std::string seed =
      registry_text +
      "  axpy:\n    source: {sm_80: a.ptx}\n    entry: axpy\n    threads: 64\n"
      "    budget: {sm_80: {registers: 10, min_ctas_per_sm: 2, allow_notes: [C7510]}}\n";
  const std::vector<verify::Pin> pins = {{.kernel = "rms_norm",
                                          .schedule = "row512",
                                          .type = "f32",
                                          .target = "sm_90a",
                                          .registers = 20,
                                          .barriers = 1}};
  read_or_refuse<verify::FileError>(seed, "k.yaml", [&](const std::string& text) {
    verify::YamlNode root = tools::read_yaml(text, "k.yaml");
    verify::parse_registry(root, "k.yaml");
    verify::update_budgets(text, root, pins, "ptxas 1.0");
  });
}

TEST_CASE("ten thousand mutated npy files are read or refused") {
  const std::string seed = tools::format_npy(ir::Tensor(ir::Elem::U8, {8, 32}));
  read_or_refuse<tools::UsageError>(seed, "x.npy", [](const std::string& bytes) {
    ir::Tensor t = tools::parse_npy(bytes, "x.npy", ir::Elem::U8);
    REQUIRE(static_cast<std::int64_t>(t.data.size()) == t.byte_size());
  });
}
