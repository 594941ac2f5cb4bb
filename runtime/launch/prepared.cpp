// SPDX-License-Identifier: Apache-2.0
#include "runtime/launch/prepared.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "runtime/driver/stream.h"

namespace barline::runtime {

Prepared::Prepared(const driver::Device& device, Found found, Libraries& libraries, Code code)
    : entry_(std::move(found.entry)),
      source_(found.source),
      signature_(parse_signature(entry_->metadata.signature)),
      library_(libraries.get(device, *entry_, code)),
      kernel_(library_->kernel(entry_->metadata.entry)) {
  const driver::RelaxedCapture beside_captures(device);
  const Metadata& m = entry_->metadata;
  shape_.block = {m.threads_x, m.threads_y, m.threads_z};
  shape_.dynamic_shared_bytes = m.dynamic_smem;
  shape_.cooperative = m.cooperative;
  shape_.cluster = {m.cluster_x, m.cluster_y, m.cluster_z};
  check_maps(m.entry, signature_);
  if (!signature_.maps.empty()) last_maps_ = std::make_unique<LastMaps>();
  for (const SignatureParam& p : signature_.params) scratch_params_ += p.scratch;
  constexpr std::uint32_t without_opting_in = 48 << 10;
  if (m.dynamic_smem > without_opting_in) kernel_.set_max_dynamic_shared(m.dynamic_smem);
  kernel_.make_resident();
  if (m.persistent || m.cooperative || shape_.cluster != driver::Dim3{}) find_residency();
}

void Prepared::find_residency() {
  const Metadata& m = entry_->metadata;
  driver::LaunchShape one_cluster = shape_;
  one_cluster.grid = shape_.cluster;
  driver::check_shape(kernel_, one_cluster);  // of clusters one must fit
  const auto fit = static_cast<unsigned>(driver::resident_blocks(kernel_, one_cluster));
  resident_ = fit / shape_.cluster.x * shape_.cluster.x;
  if (resident_ == 0)
    refuse(
        fmt::format("no block of {} threads and {} bytes of shared memory fits; take a schedule "
                    "with smaller tiles",
                    m.threads_x * m.threads_y * m.threads_z, m.smem()));
}

driver::LaunchShape Prepared::shape(std::span<const std::int64_t> sizes,
                                    LaunchOptions options) const {
  driver::LaunchShape shape = shape_;
  std::int64_t grid[3], tiles = 1;
  for (int d = 0; d < 3; ++d) tiles *= grid[d] = signature_.grid[d].blocks(sizes);
  const std::int64_t together = shape.cluster.x;
  auto whole_clusters = [&](std::int64_t n) { return (n + together - 1) / together * together; };
  if (entry_->metadata.persistent) {
    grid[0] = std::min<std::int64_t>(whole_clusters(tiles), resident_);
    grid[1] = grid[2] = 1;
  }
  grid[0] = whole_clusters(grid[0]);
  shape.grid = {static_cast<unsigned>(grid[0]), static_cast<unsigned>(grid[1]),
                static_cast<unsigned>(grid[2])};
  shape.programmatic = options.programmatic && entry_->metadata.awaits_previous;
  if (const std::int64_t blocks = grid[0] * grid[1] * grid[2];
      shape.cooperative && blocks > resident_) [[unlikely]]
    refuse(
        fmt::format("its {} blocks wait for each other and must be resident at once, and {} fit "
                    "on this GPU; launch fewer, or take a schedule with fewer registers",
                    blocks, resident_));
  return shape;
}

void Prepared::refuse(const std::string& what) const {
  throw std::invalid_argument(fmt::format("launch of '{}': {}", entry_->metadata.entry, what));
}

void Prepared::check_counts(std::size_t args, std::size_t sizes, bool workspace) const {
  const std::size_t left_out = workspace ? static_cast<std::size_t>(scratch_params_) : 0;
  if (args + left_out == signature_.params.size() && sizes == signature_.axes.size() &&
      args + left_out + sizes + signature_.maps.size() <= max_arguments) [[likely]]
    return;
  refuse(
      fmt::format("{} arguments and {} sizes for {} parameters{} and {} dynamic axes; pass one "
                  "of each, at most {}",
                  args, sizes, signature_.params.size() - left_out,
                  left_out ? " beside the workspace" : "", signature_.axes.size(), max_arguments));
}

void Prepared::check_argument(const SignatureParam& p, const Argument& arg) const {
  if (arg.is_pointer() != p.tensor || (!p.tensor && arg.element() != p.elem)) [[unlikely]]
    refuse(fmt::format("argument '{}' is not {} {}; pass that type", p.name,
                       p.tensor ? "a tensor of" : "a scalar of", name(p.elem)));
  if (p.tensor && arg.value() % 16 != 0) [[unlikely]]
    refuse(fmt::format("tensor '{}' stands at {:#x}; align it to 16 bytes", p.name, arg.value()));
}

void Prepared::check_sizes(std::span<const std::int64_t> sizes) const {
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    const SignatureAxis& a = signature_.axes[i];
    if (sizes[i] < 1 || sizes[i] > std::numeric_limits<std::int32_t>::max() ||
        sizes[i] % a.multiple != 0) [[unlikely]]
      refuse(fmt::format("axis '{}' of {}; pass 1 .. 2^31-1, a multiple of {}", a.name, sizes[i],
                         a.multiple));
  }
}

WorkspaceSize Prepared::workspace(std::span<const std::int64_t> sizes) const {
  if (scratch_params_ == 0) return {};
  if (sizes.size() != signature_.axes.size())
    refuse(fmt::format("{} sizes for {} dynamic axes; pass one of each", sizes.size(),
                       signature_.axes.size()));
  check_sizes(sizes);
  return workspace_size(signature_, sizes);
}

void Prepared::check_workspace(const LaunchOptions& options,
                               std::span<const std::int64_t> sizes) const {
  if (scratch_params_ == 0) [[unlikely]]
    refuse("it has no scratch; pass no workspace");
  const WorkspaceSize need = workspace(sizes);
  if (options.workspace_bytes < need.bytes || options.workspace % need.align != 0) [[unlikely]]
    refuse(
        fmt::format("a workspace of {} bytes at {:#x}; pass {} zeroed bytes for these sizes, "
                    "aligned to {}",
                    options.workspace_bytes, options.workspace, need.bytes, need.align));
}

void Prepared::launch(driver::abi::StreamHandle stream, std::span<const Argument> args,
                      std::span<const std::int64_t> sizes, LaunchOptions options) const {
  const bool workspace = options.workspace != 0;
  check_counts(args.size(), sizes.size(), workspace);
  check_sizes(sizes);
  if (workspace) check_workspace(options, sizes);
  void* pointers[max_arguments];
  std::uint64_t addresses[max_arguments];
  std::int32_t extents[max_arguments];
  std::size_t n = 0;
  std::uint64_t scratch = options.workspace;
  auto arg = args.begin();
  for (const SignatureParam& p : signature_.params) {
    if (workspace && p.scratch) {
      addresses[n] = scratch;
      scratch += scratch_bytes(p, sizes);
    } else {
      check_argument(p, *arg);
      addresses[n] = (arg++)->value();
    }
    pointers[n] = &addresses[n];
    ++n;
  }
  const std::size_t params = n;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    extents[i] = static_cast<std::int32_t>(sizes[i]);
    pointers[n++] = &extents[i];
  }
  const auto launch = [&] { driver::launch(kernel_, shape(sizes, options), stream, pointers); };
  if (!last_maps_) return launch();
  const std::span<const std::uint64_t> given(addresses, params);
  last_maps_->use(
      given, sizes,
      [&](Maps& maps) {
        encode_maps(kernel_.device(), entry_->metadata.entry, signature_, given, sizes, maps);
      },
      [&](Maps& maps) {
        for (std::size_t i = 0; i < signature_.maps.size(); ++i) pointers[n++] = &maps[i];
        launch();
      });
}

}  // namespace barline::runtime
