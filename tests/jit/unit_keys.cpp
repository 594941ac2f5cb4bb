// SPDX-License-Identifier: Apache-2.0
// What tells one unit of compilation from another: every field of a schedule and of a config is in
// the warm key, in the content key and in the memory of this process.
#include <catch2/catch.hpp>
#include <set>

#include "codegen/assembler/ptxas.h"
#include "dsl/dsl.h"
#include "runtime/jit/memory.h"
#include "runtime/jit/runtime.h"
#include "tests/jit/copy_rows.h"
#include "tests/runtime/support.h"

using namespace barline;
using namespace barline::dsl;
using runtime::test::sample_entry;

namespace {

const KernelEntry& entry() {
  static const KernelEntry e = {.name = "copy_rows",
                                .doc = "",
                                .types = {f32, bf16},
                                .schedules = {},
                                .make = test::copy_rows,
                                .reference = {},
                                .bytes = {},
                                .library = "build-1"};
  return e;
}

/// A schedule with something in each of its lists, so that their fields are fields to change.
ir::Schedule full() {
  ir::Schedule s{.name = "s", .threads = 128, .vec = 4};
  s.splits = {{.axis = "K"}};
  s.roles = {{.name = "fill"}};
  s.streams = {{.of = "x"}};
  return s;
}

jit::Unit unit() {
  return {.entry = &entry(),
          .elem = bf16,
          .config = {.schedule = full(), .dims = {{"d", 64}}, .label = "copy_rows.bf16@s"},
          .target = ir::find_target("sm_90a")};
}

/// Changes the n-th leaf of a schedule's fields, by the same visitor that prints them.
class ChangeLeaf {
 public:
  explicit ChangeLeaf(int n) : n_(n) {}

  template <class T>
  void operator()(std::string_view name, const T& value) {
    path_.push_back(name);
    if constexpr (requires { fields(value, *this); }) {
      fields(value, *this);
    } else if constexpr (requires { value.items; }) {
      for (const auto& item : value) (*this)("[]", item);
    } else if (n_-- == 0) {
      change(const_cast<T&>(value));
      for (std::string_view step : path_) changed += std::string(step) + ".";
    }
    path_.pop_back();
  }

  std::string changed;  ///< empty when there are no more leaves

 private:
  template <class T>
  static void change(T& value) {
    if constexpr (std::is_same_v<T, std::string_view>) {
      value = "other";
    } else if constexpr (std::is_same_v<T, bool>) {
      value = !value;
    } else if constexpr (std::is_enum_v<T>) {
      value = static_cast<T>(value == T{} ? 1 : 0);
    } else {
      value = static_cast<T>(value + 1);
    }
  }

  int n_;
  std::vector<std::string_view> path_;
};

/// The unit with its n-th field changed, and that field's name.
std::vector<std::pair<std::string, jit::Unit>> changed_units() {
  std::vector<std::pair<std::string, jit::Unit>> out;
  for (int n = 0;; ++n) {
    jit::Unit u = unit();
    ChangeLeaf leaf(n);
    fields(u.config.schedule, leaf);
    if (leaf.changed.empty()) break;
    out.emplace_back(leaf.changed, u);
  }
  const auto add = [&](const char* what, auto change) {
    out.emplace_back(what, unit());
    change(out.back().second);
  };
  static KernelEntry rebuilt = entry(), renamed = entry();
  rebuilt.library = "build-2";
  renamed.name = "copy_columns";
  add("library", [](jit::Unit& u) { u.entry = &rebuilt; });
  add("kernel", [](jit::Unit& u) { u.entry = &renamed; });
  add("elem", [](jit::Unit& u) { u.elem = f32; });
  add("target", [](jit::Unit& u) { u.target = ir::find_target("sm_80"); });
  add("lineinfo", [](jit::Unit& u) { u.lineinfo = true; });
  add("debug", [](jit::Unit& u) { u.config.debug = true; });
  add("timing", [](jit::Unit& u) { u.config.timing = true; });
  add("schedule name", [](jit::Unit& u) { u.config.schedule.name = "t"; });
  add("extent", [](jit::Unit& u) { u.config.dims["d"] = 128; });
  add("another dim", [](jit::Unit& u) { u.config.dims["rows"] = 1; });
  add("no dim", [](jit::Unit& u) { u.config.dims.clear(); });
  add("fewer streams", [](jit::Unit& u) { u.config.schedule.streams = {}; });
  return out;
}

std::shared_ptr<const runtime::Entry> an_entry() {
  return std::make_shared<const runtime::Entry>(sample_entry());
}

}  // namespace

TEST_CASE("every field of a unit is in its warm key") {
  std::set<std::string> hashes{jit::warm_key(unit(), "ptxas 13.0").hash().hex()};
  const auto changed = changed_units();
  REQUIRE(changed.size() > 40);
  for (const auto& [field, u] : changed) {
    INFO(field);
    CHECK(hashes.insert(jit::warm_key(u, "ptxas 13.0").hash().hex()).second);
  }
}

TEST_CASE("every field of a unit is told apart in memory") {
  jit::Memory memory;
  const auto first = an_entry();
  memory.keep(unit(), first);
  CHECK(memory.find(unit()) == first);
  for (const auto& [field, u] : changed_units()) {
    INFO(field);
    CHECK(memory.find(u) == nullptr);
    const auto own = an_entry();
    memory.keep(u, own);
    CHECK(memory.find(u) == own);
  }
  CHECK(memory.find(unit()) == first);
}

TEST_CASE("what does not decide a unit's code is not in its memory") {
  jit::Memory memory;
  memory.keep(unit(), an_entry());
  jit::Unit labelled = unit();
  labelled.config.label = "another label";
  const KernelEntry copy = entry();  // where the entry lies is nothing either
  labelled.entry = &copy;
  CHECK(memory.find(labelled) != nullptr);
}

TEST_CASE("a library without a build id is not remembered") {
  jit::Memory memory;
  KernelEntry unknown = entry();
  unknown.library.clear();
  jit::Unit u = unit();
  u.entry = &unknown;
  memory.keep(u, an_entry());
  CHECK(memory.find(u) == nullptr);
}

TEST_CASE("every field of a unit, the IR and the assembler are in its content key", "[ptxas]") {
  runtime::Options environment = runtime::options_from_environment();
  const auto ptxas = codegen::Ptxas::find(
      {.explicit_path = environment.ptxas.string(), .cuda_home = environment.cuda_home.string()});
  const ir::Kernel k =
      instantiate(test::copy_rows(bf16),
                  {.schedule = {.name = "s", .threads = 128, .vec = 4}, .dims = {{"d", 64}}});
  const runtime::KeyRecord base = jit::content_key(unit(), k, ptxas);
  std::set<std::string> hashes{base.hash().hex()};
  for (const auto& [field, u] : changed_units()) {
    // Of these the IR tells: the library's code is its IR, and debug keeps ops in it.
    if (field == "library" || field == "debug") continue;
    INFO(field);
    CHECK(hashes.insert(jit::content_key(u, k, ptxas).hash().hex()).second);
  }
  ir::Kernel debug = k;
  debug.debug = true;
  CHECK(hashes.insert(jit::content_key(unit(), debug, ptxas).hash().hex()).second);
  CHECK(base.value("assembler") == ptxas.version());
  for (const char* field :
       {"ir", "config", "target", "ptx", "assembler", "flags", "debug", "codegen_id"})
    CHECK_FALSE(base.value(field).empty());
}
