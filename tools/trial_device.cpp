// SPDX-License-Identifier: Apache-2.0
#include "tools/trial_device.h"

#include <fmt/format.h>

#include "barline_codegen_id.h"
#include "kernels/wo/experiment.h"
#include "runtime/cache/hash.h"
#include "tools/error.h"

namespace barline::tools {
namespace {

using Json = nlohmann::ordered_json;

/// A diagnostic: whole, and no gate.
Agreement distances(const std::string& name, const ir::Tensor& got, const ir::Tensor& want) {
  Agreement a{.reference = name};
  add_distances(a, got, want);
  a.text = fmt::format("max_abs {}, max_rel {:.3g}", a.max_abs, a.max_rel);
  return a;
}

/// Refused before any launch where the grid cannot be resident at once.
driver::LaunchShape shape_of(const jit::Prepared& prepared, const Problem& problem) {
  try {
    return prepared.shape(problem.axis_sizes());
  } catch (const std::invalid_argument& e) {
    throw Failure(e.what());
  }
}

std::int64_t count_of(const driver::Dim3& d) { return std::int64_t{d.x} * d.y * d.z; }

/// The fields of wo_nvfp4's experiments beside those of every kernel's.
void add_wo_fields(Json& config, const Problem& p, const kernels::WoBlocks& b) {
  const std::int64_t k = p.sizes.at("K"), batch = p.sizes.at("B");
  config["wo_split"] = p.sizes.at("wo_split");
  config["slice_ctas"] = p.sizes.at("slice_ctas");
  config["total_wo_ctas"] = b.slots;
  config["active_wo_ctas"] = b.active;
  config["active_ctas"] = b.active * batch;
  config["gather_ctas"] = b.gather;
  config["total_grid_ctas_per_seq"] = b.grid;
  config["hidden"] = p.sizes.at("N");
  config["num_kv_heads"] = b.kv_heads;
  config["K"] = k;
  config["K_per_kv_head"] = k / b.kv_heads;
  config["effective_bytes_formula"] = fmt::format(
      "payload + scratch; payload = B*K*2 + N*K/2 + scales + 4 + B*N*4; scratch = B*slots*N*4 "
      "written + as many read, by {} gather CTAs together",
      b.gather);
}

Json dtypes_of(const ir::Kernel& kernel) {
  Json types;
  for (const ir::Param& p : kernel.params) types[p.name] = std::string(ir::name(p.type.elem));
  return types;
}

}  // namespace

DeviceTrial::DeviceTrial(const Session& session, const driver::Device& device,
                         jit::Runtime& runtime, const Arm& arm, const TrialSetup& setup)
    : device_(device),
      entry_(session.entry(arm.job)),
      arm_(arm),
      setup_(setup),
      problem_(make_problem(session, arm_.job,
                            {.shape = setup.shape,
                             .set = settings_of(arm, setup.set),
                             .seed = setup.seed,
                             .where = arm.job.target})),
      elem_(session.elem(arm.job)),
      found_(find(session, runtime)),
      prepared_(device, found_, libraries_),
      stream_(device) {}

runtime::Found DeviceTrial::find(const Session& session, jit::Runtime& runtime) const {
  return runtime.find({.entry = &session.entry(arm_.job),
                       .elem = elem_,
                       .config = problem_.config,
                       .target = &jit::target_for(device_.info())});
}

Json DeviceTrial::config() const {
  const runtime::Entry& built = *found_.entry;
  const driver::LaunchShape shape = shape_of(prepared_, problem_);
  Json c{{"schema", "barline.trial/1"},
         {"git_sha", setup_.commit},
         {"codegen_id", BARLINE_CODEGEN_ID},
         {"kernel", arm_.job.config()},
         {"target", arm_.job.target},
         {"sizes", problem_.own_sizes()},
         {"total_grid_ctas", count_of(shape.grid)},
         {"active_ctas", count_of(shape.grid)},
         {"num_threads", count_of(shape.block)},
         {"dtypes", dtypes_of(problem_.kernel)},
         {"seed", setup_.seed},
         {"launches", setup_.launches},
         {"warmup_launches", 1},
         {"cooperative", shape.cooperative}};
  for (const auto& [name, value] : problem_.scalars) c["scalars"][name] = value;
  c["cache_key"] = built.key.hash().hex();
  c["cache_status_first_event"] = found_.source == runtime::Source::Built ? "MISS" : "HIT";
  c["ir_hash"] = runtime::blake3(built.key.value("ir")).hex();
  c["ptx_hash"] = runtime::blake3(built.ptx).hex();
  c["cubin_hash"] = runtime::blake3(built.cubin).hex();
  c["registers"] = built.metadata.registers;
  c["spill_stores"] = built.metadata.spill_stores;
  c["spill_loads"] = built.metadata.spill_loads;
  c["device"] = device_.info().name;
  c["driver"] = device_.info().driver_version;
  if (auto blocks = kernels::wo_blocks(problem_.sizes, problem_.tensors))
    add_wo_fields(c, problem_, *blocks);
  return c;
}

TrialBytes DeviceTrial::bytes() const {
  TrialBytes bytes;
  if (entry_.bytes) bytes.payload = entry_.bytes(elem_, problem_.sizes);
  if (auto blocks = kernels::wo_blocks(problem_.sizes, problem_.tensors))
    bytes.scratch = blocks->scratch_bytes;
  return bytes;
}

DeviceProblem& DeviceTrial::operands() {
  if (!operands_) operands_.emplace(device_, problem_, rotation(operand_bytes(problem_), {}));
  return *operands_;
}

double DeviceTrial::time_one(int copy) {
  driver::Event begin(device_), end(device_);
  begin.record(stream_.handle());
  operands().launch(prepared_, stream_.handle(), copy);
  end.record(stream_.handle());
  end.synchronize();
  return end.microseconds_since(begin);
}

std::vector<std::string> DeviceTrial::outputs() const {
  std::vector<std::string> names;
  for (const ir::Param& p : problem_.kernel.params)
    if (p.type.is_pointer() && p.access == ir::Access::Out) names.push_back(p.name);
  return names;
}

std::vector<Agreement> DeviceTrial::check() {
  time_one(0);
  auto got = operands().download(0);
  next_ = 1;
  const Judgement j = judge(problem_, got, arm_.job.kernel->compare);
  const auto blocks = kernels::wo_blocks(problem_.sizes, problem_.tensors);
  Agreement gate{.reference = blocks ? "split_order" : "reference",
                 .gate = true,
                 .ok = j.ok,
                 .stride = problem_.stride,
                 .text = j.text};
  for (const std::string& name : outputs()) {
    compared_[name] = got.at(name);
    auto want = problem_.expected.find(name);
    if (want != problem_.expected.end()) add_distances(gate, got.at(name), want->second);
  }
  std::vector<Agreement> all{gate};
  if (blocks) {
    const kernels::WoDiagnostics d = kernels::wo_diagnostics(problem_.tensors, problem_.scalars);
    all.push_back(distances("chained", got.at("y"), d.chained));
    all.push_back(distances("matmul", got.at("y"), d.matmul));
  }
  return all;
}

OneLaunch DeviceTrial::launch() {
  const int copy = next_++ % operands().copies();
  OneLaunch out{.us = time_one(copy)};
  for (const auto& [name, first] : compared_)
    out.same_bits = out.same_bits && operands().download(copy, name).data == first.data;
  return out;
}

}  // namespace barline::tools
