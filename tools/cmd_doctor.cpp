// SPDX-License-Identifier: Apache-2.0
// `barline doctor`: what this machine has of what barline needs, and how to get the rest.
#include <fmt/format.h>

#include <filesystem>

#include "barline_codegen_id.h"
#include "runtime/cache/store.h"
#include "runtime/driver/device.h"
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/session.h"

namespace barline::tools {
namespace {

/// What a part of the environment is like. Missing fails the command, Note does not.
enum class State { Ok, Note, Missing };

struct Check {
  std::string name;
  State state = State::Ok;
  std::string detail, fix{};
};

const char* text(State s) {
  switch (s) {
    case State::Ok: return "ok";
    case State::Note: return "note";
    case State::Missing: return "MISSING";
  }
  return "";
}

Check check_program(const Context& context) {
  return {"barline", State::Ok,
          fmt::format("{} (LLVM {}, code generator {:.12}), {}", BARLINE_VERSION,
                      BARLINE_LLVM_VERSION, BARLINE_CODEGEN_ID, context.program.string())};
}

Check check_ptxas(Session& session) {
  try {
    const codegen::Ptxas& ptxas = session.ptxas();
    std::string detail = fmt::format("{} at {}", ptxas.release(), ptxas.path());
    const std::string& pinned = session.registry().assembler;
    if (pinned.empty() || pinned == ptxas.release()) return {"ptxas", State::Ok, detail};
    return {"ptxas", State::Note, detail,
            fmt::format("the budgets hold for {}: install it, or re-pin with `barline gate "
                        "--update`",
                        pinned)};
  } catch (const codegen::MissingPtxas& e) {
    return {"ptxas", State::Missing, e.what()};
  }
}

Check check_cache(const Context& context) {
  const runtime::CacheOptions& cache = context.runtime.cache;
  if (cache.mode == runtime::CacheMode::Off || cache.dir.empty()) {
    return {"cache", State::Note, "off: every run compiles",
            "set BARLINE_CACHE_DIR, or pass --cache-dir"};
  }
  std::error_code error;
  if (!std::filesystem::exists(cache.dir, error)) {
    return {"cache", State::Ok, cache.dir.string() + " (not there yet)"};
  }
  runtime::Store store(cache.dir, cache.mode, runtime::Store::Kind::Writable);
  if (store.status().ok()) return {"cache", State::Ok, cache.dir.string()};
  return {"cache", State::Note, fmt::format("{}: {}", cache.dir.string(), store.status().text()),
          "make the folder writable, or pass --cache-dir"};
}

std::vector<Check> check_devices(const Context& context) {
  try {
    auto driver = driver::Driver::load(context.runtime.driver);
    std::vector<Check> out = {{"driver", State::Ok,
                               fmt::format("CUDA {}.{} ({})", driver->version() / 1000,
                                           driver->version() % 1000 / 10, driver->library())}};
    for (int i = 0; i < driver->device_count(); ++i) {
      driver::Device device = driver->device(i);
      const driver::DeviceInfo& d = device.info();
      out.push_back({fmt::format("cuda:{}", i), State::Ok,
                     fmt::format("{}, sm_{}, {} SMs, {:.0f} GiB", d.name, d.sm(), d.sm_count,
                                 static_cast<double>(d.memory_bytes) / (1 << 30))});
    }
    return out;
  } catch (const driver::Error& e) {
    return {{"driver", State::Note, e.what(), "kernels run on the simulator: --device sim"}};
  }
}

Check check_registry(const Session& session) {
  const RegistrySource& source = session.source();
  if (source.path.empty()) {
    return {"registry", State::Note, "no kernels.yaml", "pass --registry FILE"};
  }
  return {"registry", State::Ok,
          fmt::format("{}: {} kernels, {} targets", source.path, source.file.kernels.size(),
                      source.file.targets.size())};
}

std::vector<Check> examine(const Context& context) {
  std::vector<Check> checks = {check_program(context)};
  Session session(context);
  checks.push_back(check_registry(session));
  checks.push_back(check_ptxas(session));
  checks.push_back(check_cache(context));
  for (Check& c : check_devices(context)) checks.push_back(std::move(c));
  return checks;
}

ExitCode doctor(const Context& context) {
  std::vector<Check> checks = examine(context);
  ExitCode code = ExitCode::Ok;
  auto rows = nlohmann::ordered_json::array();
  std::string out;
  for (const Check& c : checks) {
    if (c.state == State::Missing) code = worse(code, ExitCode::Missing);
    rows.push_back(
        {{"name", c.name}, {"state", text(c.state)}, {"detail", c.detail}, {"fix", c.fix}});
    out += fmt::format("{:<9} {:<8} {}\n", c.name, text(c.state), c.detail);
    if (!c.fix.empty()) out += fmt::format("{:<18} fix: {}\n", "", c.fix);
  }
  if (context.json) {
    print_json("doctor", {{"checks", rows}});
  } else {
    print_out(out);
  }
  return code;
}

}  // namespace

void add_doctor(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(app, "doctor",
                              "Report assembler, cache, driver and devices; exit 3 without ptxas",
                              "barline doctor --json");
  sub.callback([&context] { context.action = [&context] { return doctor(context); }; });
}

}  // namespace barline::tools
