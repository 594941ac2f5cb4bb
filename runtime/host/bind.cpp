// SPDX-License-Identifier: Apache-2.0
#include "runtime/host/bind.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <stdexcept>

namespace barline::runtime {
namespace {

constexpr std::int32_t cuda = 2, cuda_managed = 13;  // DLDeviceType
constexpr std::int64_t unknown = -1;

[[noreturn]] void refuse(const Prepared& kernel, const std::string& what) {
  throw std::invalid_argument(fmt::format("launch of '{}': {}", kernel.metadata().entry, what));
}

bool is_integer(ElementCode code) { return code == ElementCode::Int || code == ElementCode::UInt; }

/// Bytes that stand for elements which frameworks have no type for.
bool is_storage(const TensorView& t, Element want) {
  const bool bytes = is_integer(static_cast<ElementCode>(t.code)) && t.bits == 8;
  return bytes && (want.bits < 8 || want.code == ElementCode::Float8E4M3 ||
                   want.code == ElementCode::Float8E5M2 || want.code == ElementCode::Bool);
}

bool is_element(const TensorView& t, Element want) {
  const auto code = static_cast<ElementCode>(t.code);
  const bool same_code = code == want.code || (is_integer(code) && is_integer(want.code));
  return t.lanes == 1 && t.bits == want.bits && same_code;
}

/// Elements of the tensor that make up `extent` elements of the parameter's last axis.
std::int64_t stored(const TensorView& t, Element want, std::int64_t extent) {
  const std::int64_t a_byte = is_storage(t, want) && want.bits < 8 ? 8 / want.bits : 1;
  return (extent + a_byte - 1) / a_byte;
}

std::string shape_text(const TensorView& t) {
  return fmt::format("[{}]", fmt::join(std::span(t.shape, static_cast<std::size_t>(t.ndim)), ", "));
}

void check_type(const Prepared& kernel, const SignatureParam& p, const TensorView& t) {
  const driver::DeviceInfo& device = kernel.kernel().device().info();
  if ((t.device_type != cuda && t.device_type != cuda_managed) || t.device_id != device.ordinal)
    refuse(kernel, fmt::format("tensor '{}' is on device {}:{}; the kernel was prepared for CUDA "
                               "device {}: move one of them",
                               p.name, t.device_type, t.device_id, device.ordinal));
  if (!is_element(t, p.elem) && !(t.lanes == 1 && is_storage(t, p.elem)))
    refuse(kernel, fmt::format("tensor '{}' has elements of DLPack type {} with {} bits x {}; pass "
                               "{}",
                               p.name, t.code, t.bits, t.lanes, name(p.elem)));
  if (t.ndim != static_cast<std::int32_t>(p.axes.size()))
    refuse(kernel, fmt::format("tensor '{}' has {} axes; pass {}: one for each of its axes", p.name,
                               t.ndim, p.axes.size()));
  if (t.shape == nullptr && t.ndim > 0)
    refuse(kernel, fmt::format("tensor '{}' has no shape; set DLTensor.shape", p.name));
}

/// Rows lie dense, slowest axis first; an axis of one element may have any stride.
bool is_dense(const TensorView& t) {
  if (t.strides == nullptr) return true;
  std::int64_t next = 1;
  for (std::int32_t i = t.ndim; i-- > 0;) {
    if (t.shape[i] != 1 && t.strides[i] != next) return false;
    next *= t.shape[i];
  }
  return true;
}

}  // namespace

void infer_sizes(const Prepared& kernel, std::span<const TensorView* const> tensors,
                 std::span<std::int64_t> sizes) {
  const Signature& s = kernel.signature();
  std::fill(sizes.begin(), sizes.end(), unknown);
  for (std::size_t i = 0; i < s.params.size() && i < tensors.size(); ++i) {
    const SignatureParam& p = s.params[i];
    if (!p.tensor || tensors[i] == nullptr) continue;
    const TensorView& t = *tensors[i];
    check_type(kernel, p, t);
    for (std::size_t d = 0; d < p.axes.size(); ++d) {
      const SignatureSize& size = p.axes[d].size;
      const bool packed = d + 1 == p.axes.size() && stored(t, p.elem, 2) != 2;
      if (size.axis < 0 || !size.rules.empty() || packed || sizes[size.axis] != unknown) continue;
      sizes[size.axis] = t.shape[d];
    }
  }
  for (std::size_t a = 0; a < sizes.size(); ++a)
    if (sizes[a] == unknown)
      refuse(kernel,
             fmt::format("no tensor shows the size of axis '{}'; pass the sizes", s.axes[a].name));
}

Argument bind_tensor(const Prepared& kernel, std::size_t index, const TensorView& t,
                     std::span<const std::int64_t> sizes) {
  const SignatureParam& p = kernel.signature().params[index];
  if (!p.tensor)
    refuse(kernel,
           fmt::format("argument '{}' is a tensor; pass a scalar of {}", p.name, name(p.elem)));
  check_type(kernel, p, t);
  if (t.data == nullptr)
    refuse(kernel, fmt::format("tensor '{}' has no memory; pass one that has", p.name));
  for (std::size_t d = 0; d < p.axes.size(); ++d) {
    const bool last = d + 1 == p.axes.size();
    const std::int64_t extent = p.axes[d].size.of(sizes);
    const std::int64_t want = last ? stored(t, p.elem, extent) : extent;
    if (t.shape[d] != want) [[unlikely]]
      refuse(kernel, fmt::format("tensor '{}' has shape {}; axis '{}' has {} elements here", p.name,
                                 shape_text(t), p.axes[d].name, want));
  }
  if (!is_dense(t))
    refuse(kernel, fmt::format("tensor '{}' of shape {} has gaps or another order in memory; make "
                               "it contiguous",
                               p.name, shape_text(t)));
  return Argument::pointer(reinterpret_cast<std::uint64_t>(t.data) + t.byte_offset);
}

}  // namespace barline::runtime
