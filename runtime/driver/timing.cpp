// SPDX-License-Identifier: Apache-2.0
// Timing by events around a replayed graph: the events bracket device work only, never the host's
// time to submit it.
#include "runtime/driver/timing.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>

#include "runtime/driver/buffer.h"

namespace barline::driver {

Timing time_graph(const Stream& stream, const std::function<void(const Stream&)>& record,
                  const TimingOptions& options) {
  const Device& device = stream.device();
  const int launches = std::max(1, options.launches_per_graph);
  const Graph graph = Graph::capture(stream, [&](const Stream& captured) {
    for (int i = 0; i < launches; ++i) record(captured);
  });
  std::optional<Buffer> flush;
  if (options.flush_l2) {
    flush.emplace(device, static_cast<std::size_t>(device.info().l2_bytes) * 2);
  }
  const Event start(device), end(device);
  graph.upload(stream);

  std::vector<double> samples;
  for (int i = 0; i < options.warmups + std::max(1, options.samples); ++i) {
    if (flush) flush->fill(static_cast<unsigned char>(i), stream.handle());
    start.record(stream.handle());
    graph.launch(stream);
    end.record(stream.handle());
    end.synchronize();
    if (i >= options.warmups) samples.push_back(end.microseconds_since(start) / launches);
  }
  return summarize(std::move(samples));
}

Timing summarize(std::vector<double> samples) {
  if (samples.empty()) throw std::invalid_argument("a timing needs at least one sample");
  Timing timing;
  timing.samples = samples;
  std::sort(samples.begin(), samples.end());
  const auto at = [&](double fraction) {  // linear between the two nearest ranks
    const double rank = fraction * static_cast<double>(samples.size() - 1);
    const auto low = static_cast<std::size_t>(std::floor(rank));
    const std::size_t high = std::min(low + 1, samples.size() - 1);
    return samples[low] + (samples[high] - samples[low]) * (rank - static_cast<double>(low));
  };
  timing.median = at(0.5);
  timing.min = samples.front();
  timing.max = samples.back();
  timing.p10 = at(0.1);
  timing.p90 = at(0.9);
  return timing;
}

}  // namespace barline::driver
