// SPDX-License-Identifier: Apache-2.0
#include "verify/gate/registry_keys.h"

#include "ir/target.h"
#include "ir/type.h"

namespace barline::verify {
namespace {

using enum Section;
using K = ValueKind;

constexpr KeyInfo keys[] = {
    {File, "version", K::Count, true, "Version of this format; 1."},
    {File, "assembler", K::Text, true,
     "The assembler that the budgets hold for, as in: ptxas 13.0."},
    {File, "targets", K::Targets, true, "Targets that every kernel is compiled and gated for."},
    {File, "kernels", K::Kernels, true, "The kernels, by the name of their family."},

    {Kernel, "dims", K::Dims, false, "Dimensions bound at compile time; the others are dynamic."},
    {Kernel, "types", K::Types, false, "Element types; the first is the default."},
    {Kernel, "targets", K::Targets, false, "The subset of the targets that the kernel is for."},
    {Kernel, "schedules", K::Schedules, true, "Schedules by name; the first is the default."},
    {Kernel, "shapes", K::Shapes, false,
     "Named sizes; `sim` is what verify and --device sim use: ragged, more than one tile a dim."},
    {Kernel, "args", K::Args, false, "Default values of scalar arguments."},
    {Kernel, "compare", K::Compare, false, "How a result is judged; exact when left out."},
    {Kernel, "allow_unknown", K::Text, false,
     "The reason why an UNKNOWN verdict of the proof is accepted."},

    {Schedule, "dims", K::Dims, false, "Dimensions bound for this schedule, over the kernel's."},
    {Schedule, "types", K::Types, false, "The subset of the kernel's element types."},
    {Schedule, "targets", K::Targets, false, "The subset of the kernel's targets."},
    {Schedule, "order", K::Text, false,
     "Class of summation order; schedules of one class give the same bits."},
    {Schedule, "barriers", K::Count, false, "Barriers in the kernel, counted on the IR; 0."},
    {Schedule, "barriers_per_step", K::Count, false, "Barriers in one step of the staged loop."},
    {Schedule, "bank_conflicts", K::Count, false,
     "Extra cycles of one block's shared accesses, counted by the proof at the `sim` shape."},
    {Schedule, "budget", K::Budget, false, "Resources by target (by type and target)."},

    {Source, "source", K::SourceFiles, true,
     "PTX or cubin that any compiler made: a path from this file's folder, or one a target."},
    {Source, "entry", K::Text, false, "The kernel's symbol, where the file has several."},
    {Source, "targets", K::Targets, false, "The subset of the targets that it is for."},
    {Source, "threads", K::Count, false, "Threads of a block, where the file does not say.", 1,
     1024},
    {Source, "dynamic_smem", K::Count, false, "Bytes of shared memory that the launch adds; 0."},
    {Source, "barriers", K::Count, false, "Named barriers that the kernel takes; 0."},
    {Source, "budget", K::TargetBudget, false, "Resources by target."},

    {Row, "registers", K::Count, true, "Registers a thread.", 1, 255},
    {Row, "spills", K::Count, false, "Bytes of spill stores and loads together; 0."},
    {Row, "smem", K::Count, false, "Bytes of shared memory, static and dynamic; 0."},
    {Row, "stack", K::Count, false, "Bytes of stack frame; 0."},
    {Row, "min_ctas_per_sm", K::Count, false, "Blocks that must fit an SM beside each other.", 1,
     64},
    {Row, "allow_notes", K::Notes, false, "Notes of ptxas that are accepted, as in [C7510]."},

    {Section::Compare, "kind", K::CompareKind, true,
     "exact, ulp, abs, rel, or bound: the error bound that the kernel's f64 reference declares."},
    {Section::Compare, "max", K::Number, false, "Largest difference that passes."},
    {Section::Compare, "exact_on", K::RunPlaces, false,
     "With kind bound: `sim` and the targets where a result must have the reference's bits."},
    {Section::Compare, "why", K::Text, false, "Why the result is not exact."},
};

}  // namespace

std::span<const KeyInfo> registry_keys() { return keys; }

std::vector<std::string> keys_of(Section section) {
  std::vector<std::string> out;
  for (const KeyInfo& k : keys) {
    if (k.section == section) out.emplace_back(k.key);
  }
  return out;
}

const std::vector<std::string>& known_targets() {
  static const std::vector<std::string> targets = [] {
    std::vector<std::string> names;
    for (const ir::Target& t : ir::targets()) names.emplace_back(t.name);
    return names;
  }();
  return targets;
}

const std::vector<std::string>& known_types() {
  static const std::vector<std::string> types = [] {
    std::vector<std::string> names;
    for (const ir::ElemInfo& e : ir::elem_table) names.emplace_back(e.name);
    return names;
  }();
  return types;
}

const std::vector<std::string>& run_places() {
  static const std::vector<std::string> places = [] {
    std::vector<std::string> names = {"sim"};
    names.insert(names.end(), known_targets().begin(), known_targets().end());
    return names;
  }();
  return places;
}

const std::vector<std::string>& compare_kinds() {
  static const std::vector<std::string> kinds = {"exact", "ulp", "abs", "rel", "bound"};
  return kinds;
}

}  // namespace barline::verify
