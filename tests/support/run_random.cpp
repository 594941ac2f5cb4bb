// SPDX-License-Identifier: Apache-2.0
#include "tests/support/run_random.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "ir/check.h"
#include "ir/diagnostic.h"
#include "ir/pipeline.h"
#include "ir/print.h"
#include "tests/support/reduce_kernel.h"

namespace barline::test {
namespace {

using namespace ir;

/// Bits of element i with every NaN made one.
std::uint64_t canonical(const Tensor& t, std::int64_t i) {
  std::uint64_t raw = 0;
  std::size_t size = static_cast<std::size_t>(bytes(t.elem));
  std::memcpy(&raw, t.data.data() + static_cast<std::size_t>(i) * size, size);
  double d = is_float(t.elem) ? value_as_f64(t, i) : 0;
  return d != d ? ~0ull : raw;
}

/// Stage and kind of a fault: what must stay the same while a kernel shrinks.
std::string kind_of(const std::string& fault) {
  std::string kind = fault.substr(0, fault.find(':'));
  for (const char* word : {"race", "out-of-bounds", "misaligned", "uninitialised", "tensor "})
    if (fault.find(word) != std::string::npos) kind += word;
  if (auto at = fault.find("error["); at != std::string::npos)
    kind += fault.substr(at, fault.find(']', at) - at);
  return kind;
}

}  // namespace

int fuzz_count(int base) {
  const char* scale = std::getenv("BARLINE_FUZZ_SCALE");
  double s = scale ? std::atof(scale) : 1.0;
  return std::max(1, static_cast<int>(base * (s > 0 ? s : 1.0)));
}

RandomRun simulate_random(const Kernel& k, const std::vector<std::int64_t>& axis_sizes,
                          const RandomArguments& arguments, bool lowered, verify::WarpOrder order) {
  RandomArguments own = arguments;
  std::vector<verify::SimArgument> args;
  for (std::size_t i = 0; i < k.params.size(); ++i) {
    if (k.params[i].type.is_pointer())
      args.emplace_back(own.tensors[i]);
    else
      args.emplace_back(own.scalars[i]);
  }
  verify::SimOptions options;
  options.cores = 1;
  options.order = order;
  options.syncs_placed = lowered;
  options.max_steps = 1 << 22;
  verify::SimReport r = verify::simulate(k, args, axis_sizes, options);
  RandomRun run;
  if (r.finding) run.finding = verify::to_string(*r.finding);
  for (std::size_t i = 0; i < k.params.size(); ++i)
    if (k.params[i].type.is_pointer()) run.outputs.push_back(std::move(own.tensors[i]));
  return run;
}

std::string difference(const RandomRun& got, const RandomRun& want) {
  if (got.finding != want.finding && !got.finding.empty()) return got.finding;
  for (std::size_t p = 0; p < want.outputs.size(); ++p)
    for (std::int64_t i = 0; i < want.outputs[p].count(); ++i) {
      std::uint64_t a = canonical(got.outputs[p], i), b = canonical(want.outputs[p], i);
      if (a != b) return fmt::format("tensor {} element {}: 0x{:x}, not 0x{:x}", p, i, a, b);
    }
  return "";
}

std::string pipeline_fault(const RandomKernel& r, std::uint64_t seed, const Sabotage& after) {
  RandomArguments arguments = random_arguments(r, seed);
  Kernel k = r.kernel;
  // Bits are defined from bind_order on.
  const Pass* pass = passes().data();
  const Pass* end = pass + passes().size();
  do pass->run(k);
  while ((pass++)->name != "bind_order");
  RandomRun before = simulate_random(k, r.axis_sizes, arguments, false);
  if (!before.finding.empty()) return "the kernel itself: " + before.finding;
  for (; pass != end; ++pass) {
    bool lowered = pass + 1 == end;
    std::string text = print(k);
    try {
      pass->run(k);
      if (after) after(pass->name, k);
      check(k);
    } catch (const Error& e) {
      return fmt::format("{}: {}", pass->name, e.what());
    }
    if (!lowered && print(k) == text) continue;
    for (auto order : {verify::WarpOrder::RoundRobin, verify::WarpOrder::Reverse}) {
      if (!lowered && order == verify::WarpOrder::Reverse) continue;
      RandomRun now = simulate_random(k, r.axis_sizes, arguments, lowered, order);
      if (std::string d = difference(now, before); !d.empty())
        return fmt::format("{}: {}", pass->name, d);
    }
  }
  return "";
}

std::string report(const RandomKernel& k, std::uint64_t seed, const std::string& fault,
                   const std::function<std::string(const RandomKernel&)>& judge) {
  std::string kind = kind_of(fault);
  Kernel small = reduce_kernel(k.kernel, [&](const Kernel& s) {
    std::string now = judge({s, k.axis_sizes, k.odd_one_in});
    return !now.empty() && kind_of(now) == kind;
  });
  std::string sizes;
  for (std::int64_t s : k.axis_sizes) sizes += fmt::format(" {}", s);
  return fmt::format("seed {}: {}\nreduced, axis sizes{}: {}\n{}", seed, fault, sizes,
                     judge({small, k.axis_sizes, k.odd_one_in}), print(small));
}

}  // namespace barline::test
