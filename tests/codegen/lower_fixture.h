// SPDX-License-Identifier: Apache-2.0
// Helpers for tests of the lowering: kernels made op by op or from text, PTX for every target, and
// the scan for float arithmetic without a rounding.
#pragma once

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "codegen/compile.h"
#include "codegen/ptx.h"
#include "ir/builder.h"
#include "ir/check.h"
#include "ir/parse.h"
#include "tests/support/ptxas.h"

namespace barline::codegen::test {

/// A kernel of 32 threads that grows a parameter for every value it reads or writes.
class KernelMaker {
 public:
  explicit KernelMaker(std::string name = "k", int threads = 32) {
    kernel_.name = std::move(name);
    kernel_.axes.push_back({.name = "n", .bound = 4096, .multiple = 1});
    kernel_.axis_sizes.push_back(ir::no_value);
    kernel_.launch.threads[0] = threads;
    thread_ = builder_.emit(ir::Op::ThreadId, {}, {{ir::Key::Dim, 0, {}}});
  }
  KernelMaker(const KernelMaker&) = delete;
  KernelMaker& operator=(const KernelMaker&) = delete;

  ir::Builder& b() { return builder_; }
  ir::ValueId thread() const { return thread_; }

  ir::ValueId pointer(ir::Elem e, ir::Access access) {
    const ir::ValueId v = kernel_.new_value(ir::pointer(e, ir::Space::Global));
    kernel_.params.push_back({.name = "p" + std::to_string(kernel_.params.size()),
                              .type = kernel_.type(v),
                              .access = access,
                              .axes = {0},
                              .value = v,
                              .loc = {}});
    return v;
  }
  ir::ValueId slot(ir::Elem e, std::int64_t extent, int copies = 1) {
    const ir::ValueId v = kernel_.new_value(ir::pointer(e, ir::Space::Shared));
    kernel_.slots.push_back({.name = "s" + std::to_string(kernel_.slots.size()),
                             .elem = e,
                             .extent = extent,
                             .copies = copies,
                             .value = v,
                             .loc = {}});
    return v;
  }

  /// An element that is not known before the kernel runs.
  ir::ValueId input(ir::Elem e) {
    return b().emit(ir::Op::Load, ir::scalar(e), {pointer(e, ir::Access::In), thread_});
  }
  /// Uses a value, so that neither LLVM nor ptxas drops it.
  void output(ir::ValueId v) {
    const ir::Type t = kernel_.type(v);
    if (t.is_scalar() && ir::bits(t.elem) == 4)
      v = b().emit(ir::Op::Pack, ir::vector(t.elem, 2), {v, v});
    b().emit(ir::Op::Store, {pointer(t.elem, ir::Access::Out), thread_, v});
  }

  /// The finished kernel, checked. Call once.
  const ir::Kernel& kernel() {
    b().emit(ir::Op::Yield, {});
    ir::check(kernel_);
    return kernel_;
  }

 private:
  ir::Kernel kernel_;
  ir::Builder builder_{kernel_};
  ir::ValueId thread_;
};

inline const ir::Target& target(std::string_view name) {
  const ir::Target* t = ir::find_target(name);
  REQUIRE(t);
  return *t;
}

/// A checked kernel from text: the header lines are given for a block of 64 threads.
inline ir::Kernel from_text(const std::string& header, const std::string& body) {
  ir::Kernel k = ir::parse("bir 1\nkernel @k\naxis n = 4096\n" + header +
                           "threads 64 1 1\ngrid 1 1 1\n{\n%t = thread_id {dim = 0} : s32\n" +
                           body + "yield\n}\n");
  ir::check(k);
  return k;
}

inline std::vector<std::string> lines(const std::string& text) {
  std::vector<std::string> out;
  std::string line;
  for (char c : text) {
    if (c != '\n') {
      line += c == '\t' ? ' ' : c;
      continue;
    }
    line.erase(0, line.find_first_not_of(' '));
    while (line.ends_with(' ')) line.pop_back();
    if (!line.empty() && !line.starts_with("//")) out.push_back(line);
    line.clear();
  }
  return out;
}

/// The lines that contain `part`.
inline std::vector<std::string> find_lines(const std::string& text, const std::string& part) {
  std::vector<std::string> out;
  for (const std::string& line : lines(text))
    if (line.find(part) != std::string::npos) out.push_back(line);
  return out;
}

inline bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

/// Float add, sub, mul, fma, div, sqrt and rcp that do not say how they round: ptxas is free to
/// contract or approximate those. Approximations that say so have names of their own.
inline std::vector<std::string> unrounded(const std::string& ptx) {
  std::vector<std::string> found;
  for (const std::string& line : lines(ptx)) {
    for (const char* name : {"add", "sub", "mul", "mad", "fma", "div", "sqrt", "rcp"}) {
      const std::size_t from = line.starts_with('@') ? line.find(' ') + 1 : 0;
      const std::string op = line.substr(from, line.find_first_of(" ;", from) - from);
      if (!op.starts_with(std::string(name) + ".")) continue;
      const bool is_float = has(op, "f16") || has(op, "f32") || has(op, "f64");
      const bool says = has(op, ".rn") || has(op, ".rz") || has(op, ".approx");
      if (is_float && !says) found.push_back(line);
    }
  }
  return found;
}

/// Emits the kernel for every target and finds no float arithmetic without a rounding.
inline void check_all_targets(const ir::Kernel& k) {
  for (const ir::Target& t : ir::targets()) {
    INFO(t.name);
    CHECK(unrounded(emit_ptx(k, t)) == std::vector<std::string>{});
  }
}

inline const Ptxas& ptxas() {
  static const Ptxas found = barline::test::find_ptxas();
  return found;
}

/// Assembles the kernel for every target; log and cubin agree, and nothing spills.
inline void assemble_all_targets(const ir::Kernel& k) {
  for (const ir::Target& t : ir::targets()) {
    INFO(t.name);
    const Compiled c = compile(k, t, ptxas());
    CHECK(c.disagreements == std::vector<std::string>{});
    CHECK(c.report.spill_stores == 0);
    CHECK(c.report.warnings == std::vector<std::string>{});
  }
}

inline const std::vector<ir::Elem> floats = {ir::Elem::F16, ir::Elem::BF16, ir::Elem::F32,
                                             ir::Elem::F64};
inline const std::vector<ir::Elem> signeds = {ir::Elem::S8, ir::Elem::S16, ir::Elem::S32,
                                              ir::Elem::S64};
inline const std::vector<ir::Elem> unsigneds = {ir::Elem::U8, ir::Elem::U16, ir::Elem::U32,
                                                ir::Elem::U64};

inline std::vector<ir::Elem> operator+(std::vector<ir::Elem> a, const std::vector<ir::Elem>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

/// r = op(inputs of e), stored.
inline void apply(KernelMaker& m, ir::Op op, ir::Elem e, std::vector<ir::Attr> attrs = {}) {
  std::vector<ir::ValueId> in;
  for (int i = 0; i < ir::def(op).in_count(); ++i) in.push_back(m.input(e));
  const ir::Type result = ir::result_type(m.b().kernel(), op, in, {});
  m.output(m.b().emit(op, result, in, std::move(attrs)));
}

}  // namespace barline::codegen::test
