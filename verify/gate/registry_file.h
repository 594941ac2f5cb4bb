// SPDX-License-Identifier: Apache-2.0
// kernels.yaml as typed data: the register of kernel x config x target with shapes, tolerances and
// resource budgets. Strict: what is not known, doubled or out of place is a FileError.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verify/gate/yaml_tree.h"

namespace barline::verify {

/// A named integer: a bound dimension.
struct Dim {
  std::string name;
  std::int64_t value = 0;
  bool operator==(const Dim&) const = default;
};
using Dims = std::vector<Dim>;

struct Shape {
  std::string name;
  Dims dims;
};

/// A scalar argument's default value.
struct ScalarArg {
  std::string name;
  double value = 0;
};

/// One budget: what a config may use on a target. `type` is empty where the kernel has no types.
struct BudgetRow {
  std::string type{}, target{};
  int registers = 0, spills = 0, smem = 0, stack = 0;
  std::optional<int> min_ctas_per_sm{};    ///< a floor, not a pin: more is no improvement
  std::vector<std::string> allow_notes{};  ///< codes of ptxas's notes that are accepted: "C7510"
  Mark at{};
};

struct ScheduleEntry {
  std::string name;
  Dims dims;                         ///< the kernel's dims with the schedule's own over them
  std::vector<std::string> types;    ///< the kernel's, or a subset
  std::vector<std::string> targets;  ///< the kernel's, or a subset
  std::string order;                 ///< class of summation order; "" is the default class
  int barriers = 0;
  std::optional<int> barriers_per_step{};
  std::optional<int> bank_conflicts{};  ///< extra cycles of one block at the `sim` shape
  std::vector<BudgetRow> budgets;
  Mark at{};

  const BudgetRow* budget(std::string_view type, std::string_view target) const;
};

/// Bound: within the error bound that the kernel's own f64 reference declares.
enum class CompareKind { Exact, Ulp, Abs, Rel, Bound };
struct CompareRule {
  CompareKind kind = CompareKind::Exact;
  double max = 0;
  std::vector<std::string> exact_on{};  ///< Bound: `sim` and targets where the bits are known
  std::string why;

  /// True if a result of `where` (`sim` or a target) must have the reference's bits.
  bool exact_at(std::string_view where) const;
};

struct KernelEntry {
  std::string name;
  Dims dims;
  std::vector<std::string> types;  ///< empty: the kernel has no element type to choose
  std::vector<std::string> targets;
  std::vector<ScheduleEntry> schedules;
  std::vector<Shape> shapes;
  std::vector<ScalarArg> args;
  CompareRule compare;
  std::string allow_unknown;
  Mark at{};

  const ScheduleEntry* schedule(std::string_view name) const;
  const Shape* shape(std::string_view name) const;
};

/// A kernel in a file that any compiler made: PTX, or a cubin. The gate alone takes it.
struct SourceEntry {
  struct File {
    std::string target;  ///< empty: for every target
    std::string path;    ///< relative to the register's folder; ends in .ptx or .cubin
    Mark at{};
  };
  std::string name;
  std::string entry;  ///< the kernel's symbol; empty where the file has one alone
  std::vector<File> files;
  int threads = 0;       ///< of a block; 0: as the file says
  int dynamic_smem = 0;  ///< bytes that the launch adds
  ScheduleEntry config;  ///< nameless: its targets, barriers and budgets

  const File& file(std::string_view target) const;
};
bool is_cubin(const SourceEntry::File& file);

struct RegistryFile {
  std::string file;  ///< as messages name it
  int version = 1;
  std::string assembler;
  Mark assembler_at{};
  std::vector<std::string> targets;
  std::vector<KernelEntry> kernels;
  std::vector<SourceEntry> sources;  ///< of the same map `kernels:`

  const KernelEntry* kernel(std::string_view name) const;
  const SourceEntry* source(std::string_view name) const;
};

/// Largest registry file that is read, in bytes.
inline constexpr std::size_t max_registry_bytes = 1 << 20;

/// Gives meaning to a parsed kernels.yaml. Throws FileError.
RegistryFile parse_registry(const YamlNode& root, std::string_view file);

/// The JSON schema of kernels.yaml, for editors.
std::string registry_schema();

}  // namespace barline::verify
