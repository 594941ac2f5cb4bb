// SPDX-License-Identifier: Apache-2.0
// A condition is spelled as its author would: block.x < wo_split. What follows from memory or from
// the thread's own id is not known of a block before it runs.
#include "ir/passes/region_blocks_p.h"

#include <fmt/format.h>

#include <optional>

#include "ir/rewrite.h"

namespace barline::ir {
namespace {

constexpr int deepest = 12;  ///< ops of a condition that a reader still follows

using Text = std::optional<std::string>;

class Namer {
 public:
  explicit Namer(Kernel& k) : k_(k), defs_(definitions(k)), seen_(k.region_table.size()) {}

  void run() {
    region(k_.body, "");
    for (std::size_t i = 0; i < seen_.size(); ++i)
      if (!seen_[i].empty()) k_.region_table[i].where = any_of(seen_[i]);
  }

 private:
  static std::string any_of(const std::vector<std::string>& places) {
    std::string all = places.front();
    for (const std::string& p : places) {
      if (p.empty() || all.empty()) return "";
      if (p == all) continue;
      if (p == regions::dynamic || all == regions::dynamic) return std::string(regions::dynamic);
      all += " or " + p;
    }
    return all;
  }

  void region(const Region& r, const std::string& where) {
    for (const Operation& op : r.ops) {
      if (op.is(Op::RegionEnd))
        seen_[static_cast<std::size_t>(op.attr(Key::Region))].push_back(where);
      for (std::size_t i = 0; i < op.regions.size(); ++i)
        region(op.regions[i], op.is(Op::If) ? under(where, op.in[0], i == 0) : where);
    }
  }

  std::string under(const std::string& where, ValueId condition, bool holds) {
    Text c = text(condition, 0);
    if (!c || where == regions::dynamic) return std::string(regions::dynamic);
    std::string more = holds ? *c : "not (" + *c + ")";
    return where.empty() ? more : where + " and " + more;
  }

  Text text(ValueId v, int depth) {
    for (std::size_t i = 0; i < k_.axis_sizes.size(); ++i)
      if (k_.axis_sizes[i] == v) return k_.axes[i].name;
    if (int p = k_.param_of(v); p >= 0) return k_.params[static_cast<std::size_t>(p)].name;
    const Operation* op = defs_[v];
    if (!op || depth > deepest) return {};
    switch (op->op) {
      case Op::Const: return fmt::format("{}", constant_value(k_, *op));
      case Op::BlockId: return std::string("block.") + "xyz"[op->attr(Key::Dim)];
      case Op::GridDim: return std::string("grid.") + "xyz"[op->attr(Key::Dim)];
      case Op::Cast: return text(op->in[0], depth + 1);
      case Op::Add: return infix(*op, "+", depth);
      case Op::Sub: return infix(*op, "-", depth);
      case Op::Mul: return infix(*op, "*", depth);
      case Op::Div: return infix(*op, "/", depth);
      case Op::Rem: return infix(*op, "%", depth);
      case Op::And: return infix(*op, "and", depth);
      case Op::Or: return infix(*op, "or", depth);
      case Op::Cmp: {
        constexpr const char* signs[] = {"==", "!=", "<", "<=", ">", ">="};
        return infix(*op, signs[op->attr(Key::Pred)], depth);
      }
      default: return {};
    }
  }

  Text infix(const Operation& op, const char* sign, int depth) {
    Text a = text(op.in[0], depth + 1), b = text(op.in[1], depth + 1);
    if (!a || !b) return {};
    std::string both = fmt::format("{} {} {}", *a, sign, *b);
    return depth ? "(" + both + ")" : both;
  }

  Kernel& k_;
  std::vector<const Operation*> defs_;
  std::vector<std::vector<std::string>> seen_;  ///< by region: where its ends stand
};

}  // namespace

void name_blocks(Kernel& k) { Namer(k).run(); }

}  // namespace barline::ir
