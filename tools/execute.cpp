// SPDX-License-Identifier: Apache-2.0
#include "tools/execute.h"

#include <fmt/format.h>

#include <charconv>

#include "ir/pipeline.h"
#include "runtime/jit/signature.h"
#include "runtime/launch/maps.h"
#include "tools/error.h"

namespace barline::tools {

SimRun run_on_simulator(const Problem& problem, const verify::SimOptions& options) {
  SimRun run;
  run.tensors = problem.tensors;
  ir::Kernel kernel = problem.kernel;
  ir::run_pipeline(kernel);
  std::vector<verify::SimArgument> args;
  for (const ir::Param& p : kernel.params) {
    if (p.type.is_scalar())
      args.emplace_back(problem.scalar(p));
    else
      args.emplace_back(run.tensors.at(p.name));
  }
  run.report = verify::simulate(kernel, args, problem.axis_sizes(), options);
  return run;
}

DeviceProblem::DeviceProblem(const driver::Device& device, const Problem& problem, int copies)
    : problem_(problem), sizes_(problem.axis_sizes()), extents_(sizes_.begin(), sizes_.end()) {
  for (int i = 0; i < copies; ++i) {
    auto& buffers = buffers_.emplace_back();
    auto& arguments = arguments_.emplace_back();
    for (const ir::Param& p : problem.kernel.params) {
      if (p.type.is_scalar()) {
        ir::Scalar s = problem.scalar(p);
        arguments.push_back(jit::Argument::bits(jit::element_of(s.elem), s.bits));
        continue;
      }
      const ir::Tensor& t = problem.tensors.at(p.name);
      buffers.emplace_back(device, t.data.size());
      buffers.back().copy_from_host(t.data);
      arguments.push_back(jit::Argument::pointer(buffers.back().pointer()));
    }
  }
}

void DeviceProblem::launch(const jit::Prepared& prepared, driver::abi::StreamHandle stream,
                           int i) const {
  prepared.launch(stream, arguments_[i], sizes_, {.programmatic = true});
}

std::vector<void*> DeviceProblem::raw_arguments(const jit::Prepared& prepared, int i) {
  std::vector<void*> pointers;
  std::vector<std::uint64_t> addresses;
  for (jit::Argument& a : arguments_[i]) {
    pointers.push_back(const_cast<std::uint64_t*>(&a.value()));
    addresses.push_back(a.value());
  }
  for (std::int32_t& extent : extents_) pointers.push_back(&extent);
  const runtime::Signature& s = prepared.signature();
  runtime::encode_maps(prepared.kernel().device(), prepared.metadata().entry, s, addresses, sizes_,
                       maps_);
  for (std::size_t m = 0; m < s.maps.size(); ++m) pointers.push_back(&maps_[m]);
  return pointers;
}

void DeviceProblem::reset(int i) {
  std::size_t b = 0;
  for (const ir::Param& p : problem_.kernel.params)
    if (p.type.is_pointer()) buffers_[i][b++].copy_from_host(problem_.tensors.at(p.name).data);
}

void DeviceProblem::reset(int i, const std::string& name) {
  buffers_[i][buffer_of(name)].copy_from_host(problem_.tensors.at(name).data);
}

std::size_t DeviceProblem::buffer_of(const std::string& name) const {
  std::size_t b = 0;
  for (const ir::Param& p : problem_.kernel.params) {
    if (!p.type.is_pointer()) continue;
    if (p.name == name) break;
    ++b;
  }
  return b;
}

std::map<std::string, ir::Tensor> DeviceProblem::download(int i) const {
  std::map<std::string, ir::Tensor> out;
  std::size_t b = 0;
  for (const ir::Param& p : problem_.kernel.params) {
    if (!p.type.is_pointer()) continue;
    ir::Tensor t = problem_.tensors.at(p.name);
    buffers_[i][b++].copy_to_host(t.data);
    out[p.name] = std::move(t);
  }
  return out;
}

ir::Tensor DeviceProblem::download(int i, const std::string& name) const {
  ir::Tensor t = problem_.tensors.at(name);
  buffers_[i][buffer_of(name)].copy_to_host(t.data);
  return t;
}

driver::Device open_device(const Context& context, const std::string& name, Elsewhere elsewhere) {
  int ordinal = 0;
  std::string_view text = name;
  bool cuda = text.starts_with("cuda");
  if (cuda && text.starts_with("cuda:")) {
    text.remove_prefix(5);
    auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), ordinal);
    cuda = ec == std::errc() && end == text.data() + text.size();
  } else {
    cuda = name == "cuda";
  }
  if (!cuda && elsewhere == Elsewhere::Simulator)
    throw UsageError(fmt::format("device '{}'; use sim or cuda:N", name));
  if (!cuda)
    throw UsageError(fmt::format("device '{}': this command needs a GPU; use cuda:N", name));
  try {
    return driver::Driver::load(context.runtime.driver)->device(ordinal);
  } catch (const driver::Error& e) {
    if (e.means_no_device()) throw MissingError(e.what());
    throw;
  }
}

}  // namespace barline::tools
