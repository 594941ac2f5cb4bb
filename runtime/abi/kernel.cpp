// SPDX-License-Identifier: Apache-2.0
// The C interface: what a kernel is, and launching it.
#include <array>

#include "runtime/abi/error_p.h"
#include "runtime/abi/handles_p.h"
#include "runtime/abi/structs_p.h"
#include "runtime/host/bind.h"

namespace barline::abi {
namespace {

using runtime::Argument;
using runtime::Element;
using runtime::Prepared;
using runtime::TensorView;

static_assert(sizeof(TensorView) == sizeof(barline_tensor));
static_assert(offsetof(TensorView, code) == offsetof(barline_tensor, dtype));
static_assert(offsetof(TensorView, shape) == offsetof(barline_tensor, shape));
static_assert(offsetof(TensorView, byte_offset) == offsetof(barline_tensor, byte_offset));
static_assert(sizeof(barline_arg) == 16);

constexpr std::size_t most = Prepared::max_arguments;

barline_dtype dtype_of(Element e) { return {static_cast<std::uint8_t>(e.code), e.bits, 1}; }

void copy3(std::uint32_t* out, std::uint32_t x, std::uint32_t y, std::uint32_t z) {
  out[0] = x;
  out[1] = y;
  out[2] = z;
}

barline_kernel_info info_of(const barline_kernel& kernel) {
  const runtime::Metadata& m = kernel.prepared->metadata();
  const runtime::Signature& s = kernel.prepared->signature();
  barline_kernel_info info{};
  info.registers = kernel.registers;
  info.name = m.kernel.c_str();
  info.schedule = m.schedule.c_str();
  info.target = m.target.c_str();
  info.entry = m.entry.c_str();
  info.signature = m.signature.c_str();
  info.key = kernel.key.c_str();
  info.spill_bytes = m.spill_stores + m.spill_loads;
  info.stack_bytes = m.stack;
  info.static_smem_bytes = m.static_smem;
  info.dynamic_smem_bytes = m.dynamic_smem;
  copy3(info.block, m.threads_x, m.threads_y, m.threads_z);
  copy3(info.cluster, m.cluster_x, m.cluster_y, m.cluster_z);
  info.cooperative = m.cooperative;
  info.programmatic = m.awaits_previous;
  info.workspace_bytes = m.workspace_bytes;
  info.workspace_align = m.workspace_align;
  info.param_count = static_cast<std::uint32_t>(s.params.size());
  info.axis_count = static_cast<std::uint32_t>(s.axes.size());
  return info;
}

[[noreturn]] void fail_index(const char* what, std::uint32_t index, std::size_t count) {
  throw std::invalid_argument(std::string(what) + " " + std::to_string(index) +
                              " of a kernel that has " + std::to_string(count));
}

const TensorView* tensor_of(const barline_arg& arg) {
  return arg.kind == BARLINE_ARG_TENSOR ? reinterpret_cast<const TensorView*>(arg.value.tensor)
                                        : nullptr;
}

Argument argument_of(const Prepared& kernel, std::size_t i, const barline_arg& arg,
                     std::span<const std::int64_t> sizes) {
  switch (arg.kind) {
    case BARLINE_ARG_POINTER: return Argument::pointer(arg.value.pointer);
    case BARLINE_ARG_TENSOR:
      require(arg.value.tensor, "the tensor of an argument");
      return runtime::bind_tensor(kernel, i, *tensor_of(arg), sizes);
    case BARLINE_ARG_SCALAR:
      return Argument::bits({static_cast<runtime::ElementCode>(arg.dtype.code), arg.dtype.bits},
                            arg.value.bits);
    default:
      throw std::invalid_argument("an argument's kind is no barline_arg_kind; pass 1, 2 or 3");
  }
}

/// The parameter of each argument: all of them, or with a workspace those that are no scratch.
struct Given {
  std::array<std::size_t, most> params;
  std::size_t count = 0;
  Given(const runtime::Signature& s, bool workspace) {
    for (std::size_t i = 0; i < s.params.size() && count < most; ++i)
      if (!workspace || !s.params[i].scratch) params[count++] = i;
  }
};

/// Sizes as the caller gave them, or as the tensors have them.
std::span<const std::int64_t> sizes_of(const Prepared& kernel, const barline_launch_info& l,
                                       std::span<const barline_arg> args, const Given& given,
                                       std::array<std::int64_t, most>& room) {
  if (l.sizes != nullptr) return {l.sizes, l.size_count};
  const std::size_t axes = kernel.signature().axes.size();
  if (axes > most) throw std::invalid_argument("too many axes");
  std::array<const TensorView*, most> tensors{};
  for (std::size_t i = 0; i < args.size(); ++i) tensors[given.params[i]] = tensor_of(args[i]);
  const std::span<std::int64_t> sizes(room.data(), axes);
  if (axes > 0)
    runtime::infer_sizes(kernel, {tensors.data(), kernel.signature().params.size()}, sizes);
  return sizes;
}

void check_counts(const Prepared& kernel, const barline_launch_info& l, std::size_t args) {
  const std::size_t axes = kernel.signature().axes.size();
  if (l.arg_count == args && (l.sizes == nullptr || l.size_count == axes)) [[likely]]
    return;
  throw std::invalid_argument("launch of '" + kernel.metadata().entry +
                              "': " + std::to_string(l.arg_count) + " arguments and " +
                              std::to_string(l.size_count) + " sizes for " + std::to_string(args) +
                              " parameters" + (l.workspace != 0 ? " beside the workspace" : "") +
                              " and " + std::to_string(axes) + " dynamic axes; pass one of each");
}

void launch(const Prepared& kernel, const barline_launch_info& l) {
  if (kernel.signature().params.size() > most) throw std::invalid_argument("too many parameters");
  if (const std::uint32_t unknown = l.flags & ~BARLINE_LAUNCH_PROGRAMMATIC; unknown != 0)
      [[unlikely]]
    throw std::invalid_argument("launch.flags has bits that this runtime does not know: " +
                                std::to_string(unknown) + "; pass 0 or BARLINE_LAUNCH_ constants");
  const Given given(kernel.signature(), l.workspace != 0);
  check_counts(kernel, l, given.count);
  if (l.arg_count > 0) require(l.args, "launch.args");
  const std::span args(l.args, l.arg_count);
  std::array<std::int64_t, most> room;
  const std::span<const std::int64_t> sizes = sizes_of(kernel, l, args, given, room);
  // Room for all without an allocation; a launch makes none.
  alignas(Argument) std::array<std::byte, most * sizeof(Argument)> storage;
  auto* arguments = reinterpret_cast<Argument*>(storage.data());
  for (std::size_t i = 0; i < args.size(); ++i)
    new (arguments + i) Argument(argument_of(kernel, given.params[i], args[i], sizes));
  kernel.launch(static_cast<driver::abi::StreamHandle>(l.stream), {arguments, args.size()}, sizes,
                {.programmatic = (l.flags & BARLINE_LAUNCH_PROGRAMMATIC) != 0,
                 .workspace = l.workspace,
                 .workspace_bytes = l.workspace_bytes});
}

}  // namespace
}  // namespace barline::abi

using namespace barline;

barline_status barline_kernel_query(const barline_kernel* kernel, barline_kernel_info* info) {
  return abi::guarded([&] {
    abi::require(kernel, "kernel");
    abi::write_struct(info, abi::info_of(*kernel), "info");
  });
}

barline_status barline_kernel_param(const barline_kernel* kernel, uint32_t index,
                                    barline_param* param) {
  return abi::guarded([&] {
    abi::require(kernel, "kernel");
    const auto& params = kernel->prepared->signature().params;
    if (index >= params.size()) abi::fail_index("parameter", index, params.size());
    const runtime::SignatureParam& p = params[index];
    abi::write_struct(param,
                      {.struct_size = 0,
                       .is_tensor = p.tensor,
                       .name = p.name.c_str(),
                       .dtype = abi::dtype_of(p.elem),
                       .rank = static_cast<std::uint32_t>(p.axes.size()),
                       .is_read = p.read,
                       .is_written = p.written,
                       .is_scratch = p.scratch,
                       .reserved = 0},
                      "param");
  });
}

barline_status barline_kernel_axis(const barline_kernel* kernel, uint32_t index,
                                   barline_axis* axis) {
  return abi::guarded([&] {
    abi::require(kernel, "kernel");
    const auto& axes = kernel->prepared->signature().axes;
    if (index >= axes.size()) abi::fail_index("axis", index, axes.size());
    abi::write_struct(axis,
                      {.struct_size = 0,
                       .reserved = 0,
                       .name = axes[index].name.c_str(),
                       .multiple = axes[index].multiple},
                      "axis");
  });
}

barline_status barline_kernel_workspace(const barline_kernel* kernel, const int64_t* sizes,
                                        uint32_t size_count, uint64_t* bytes, uint64_t* align) {
  return abi::guarded([&] {
    abi::require(kernel, "kernel");
    abi::require(bytes, "bytes");
    abi::require(align, "align");
    if (size_count > 0) abi::require(sizes, "sizes");
    const runtime::WorkspaceSize size = kernel->prepared->workspace({sizes, size_count});
    *bytes = size.bytes;
    *align = size.align;
  });
}

barline_status barline_launch(const barline_kernel* kernel, const barline_launch_info* launch) {
  return abi::guarded([&] {
    abi::require(kernel, "kernel");
    abi::launch(*kernel->prepared, abi::read_struct(launch, "launch"));
  });
}
