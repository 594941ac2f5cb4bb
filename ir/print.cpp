// SPDX-License-Identifier: Apache-2.0
// The canonical text. Layout of the text is fixed, so goldens compare whole files.
#include "ir/print.h"

#include <fmt/format.h>
#include <bit>
#include <cmath>
#include <iterator>

#include "ir/numerics.h"

namespace barline::ir {
namespace {

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    out += c;
  }
  return out + '"';
}

/// A float so that reading it back gives the same bits; not-a-number and infinities as bits.
std::string float_text(double value, Elem e, std::uint64_t raw) {
  if (!std::isfinite(value)) return fmt::format("0x{:0{}x}", raw, bits(e) / 4);
  std::string text =
      e == Elem::F64 ? fmt::format("{}", value) : fmt::format("{}", static_cast<float>(value));
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

std::string literal_text(Elem e, std::uint64_t raw) {
  switch (e) {
    case Elem::I1: return raw ? "true" : "false";
    case Elem::F64: return float_text(std::bit_cast<double>(raw), e, raw);
    case Elem::F32:
      return float_text(std::bit_cast<float>(static_cast<std::uint32_t>(raw)), e, raw);
    case Elem::F16: return float_text(num::to_f32(f16_t{static_cast<std::uint16_t>(raw)}), e, raw);
    case Elem::BF16:
      return float_text(num::to_f32(bf16_t{static_cast<std::uint16_t>(raw)}), e, raw);
    default: break;
  }
  if (info(e).klass == Storage) return fmt::format("0x{:x}", raw);
  if (!is_signed(e)) return fmt::format("{}", raw);
  int shift = 64 - bits(e);
  return fmt::format("{}", static_cast<std::int64_t>(raw << shift) >> shift);
}

class Printer {
 public:
  Printer(const Kernel& k, PrintOptions options)
      : k_(k), options_(options), names_(k.values.size()) {
    for (const Param& p : k.params) names_[p.value] = p.name;
    for (const Slot& s : k.slots) names_[s.value] = s.name;
    for (std::size_t i = 0; i < k.axis_sizes.size(); ++i)
      if (k.axis_sizes[i] != no_value) names_[k.axis_sizes[i]] = k.axes[i].name;
  }

  std::string run() {
    header();
    line("{{");
    ops(k_.body, 1);
    line("}}");
    return std::move(out_);
  }

 private:
  template <class... Args>
  void add(fmt::format_string<Args...> format, Args&&... args) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Args>(args)...);
  }
  template <class... Args>
  void line(fmt::format_string<Args...> format, Args&&... args) {
    add(format, std::forward<Args>(args)...);
    out_ += '\n';
  }

  void header() {
    line("bir 1");
    line("kernel @{}", k_.name);
    if (!k_.config.empty()) line("config {}", quoted(k_.config));
    for (const Axis& a : k_.axes) axis(a);
    for (const Layout& l : k_.layouts) layout(l);
    for (const Param& p : k_.params) param(p);
    for (std::size_t i = 0; i < k_.axis_sizes.size(); ++i)
      if (k_.axis_sizes[i] != no_value) line("size %{}", k_.axes[i].name);
    for (const Slot& s : k_.slots) slot(s);
    for (const Ring& r : k_.rings)
      line("ring @{} {} slots {} ahead {}{}{}{}", r.name,
           spellings(AttrKind::AgentKind)[static_cast<std::size_t>(r.by)], r.slots, r.ahead,
           r.hoist ? " hoist" : "", r.guard ? " guard" : "", r.store == Store::Reg ? " reg" : "");
    for (const WarpRole& r : k_.roles)
      line("role @{} warps {} registers {}", r.name, r.warps, r.registers);
    const Launch& l = k_.launch;
    line("threads {} {} {}", l.threads[0], l.threads[1], l.threads[2]);
    line("grid {} {} {}", grid_dim(l.grid[0]), grid_dim(l.grid[1]), grid_dim(l.grid[2]));
    if (l.cooperative) line("cooperative");
    if (l.walks) line("walks");
    if (l.persistent) line("persistent");
    if (l.cluster > 1) line("cluster {}", l.cluster);
    if (l.min_ctas_per_sm) line("min_ctas_per_sm {}", l.min_ctas_per_sm);
    if (l.max_registers) line("max_registers {}", l.max_registers);
    if (k_.debug) line("debug");
    for (const regions::Region& r : k_.region_table)
      line("region @{} {}{}", r.name, regions::name(r.klass),
           r.where.empty() ? "" : " where " + quoted(r.where));
    if (k_.timed) line("timed");
  }

  void slot(const Slot& s) {
    if (s.is_gate()) return line("gate %{} arrivals {} x {}", s.name, s.arrivals, s.copies);
    add("slot %{}: {}[{}] x {}", s.name, name(s.elem), s.extent, s.copies);
    if (s.align != 16) add(" align {}", s.align);
    out_ += '\n';
  }

  void axis(const Axis& a) {
    add("axis {}", a.name);
    if (a.bound) add(" = {}", *a.bound);
    if (a.of >= 0) add(" of {}", k_.axes[a.of].name);
    if (a.of >= 0 && a.per != 1) add(" / {}", a.per);
    if (a.of >= 0 && a.times != 1) add(" * {}", a.times);
    if (a.multiple != 1) add(" multiple {}", a.multiple);
    out_ += '\n';
  }

  void layout(const Layout& l) {
    add("layout @{} =", l.name);
    for (std::size_t i = 0; i < l.digits.size(); ++i) {
      const Digit& d = l.digits[i];
      add("{} {} {} {} * {}", i ? "," : "", name(d.in), d.extent, k_.axes[d.axis].name, d.step);
    }
    out_ += '\n';
  }

  void param(const Param& p) {
    if (!p.type.is_pointer()) {
      line("param %{}: {}", p.name, to_string(p.type));
      return;
    }
    constexpr std::string_view access[] = {"in", "out", "inout"};
    add("param %{}: {} {} [", p.name, p.scratch ? "scratch" : access[static_cast<int>(p.access)],
        to_string(p.type));
    for (std::size_t i = 0; i < p.axes.size(); ++i)
      add("{}{}", i ? ", " : "", k_.axes[p.axes[i]].name);
    line("]");
  }

  std::string grid_dim(const GridDim& g) {
    if (g.axis < 0) return fmt::format("{}", g.count);
    std::string axes = k_.axes[g.axis].name;
    for (int a : g.also) axes += (g.abreast ? "|" : "+") + k_.axes[a].name;
    return fmt::format("{}/{}", axes, g.per_block);
  }

  std::string value(ValueId v) {
    if (names_[v].empty()) names_[v] = std::to_string(next_++);
    return "%" + names_[v];
  }

  void ops(const Region& r, int depth) {
    for (const Operation& op : r.ops) operation(op, depth);
  }

  void operation(const Operation& op, int depth) {
    out_.append(2 * depth, ' ');
    for (std::size_t i = 0; i < op.out.size(); ++i) add("{}{}", i ? ", " : "", value(op.out[i]));
    if (!op.out.empty()) add(" = ");
    add("{}", name(op.op));
    for (std::size_t i = 0; i < op.in.size(); ++i) add("{}{}", i ? ", " : " ", value(op.in[i]));
    attrs(op);
    for (std::size_t i = 0; i < op.out.size(); ++i)
      add("{}{}", i ? ", " : " : ", to_string(k_, k_.type(op.out[i])));
    if (options_.locations && op.loc)
      add(" @ {}:{}:{}", quoted(op.loc.file), op.loc.line, op.loc.column);
    for (const Region& r : op.regions) region(r, depth);
    out_ += '\n';
  }

  void region(const Region& r, int depth) {
    add(" (");
    for (std::size_t i = 0; i < r.args.size(); ++i)
      add("{}{}: {}", i ? ", " : "", value(r.args[i]), to_string(k_, k_.type(r.args[i])));
    line(") {{");
    ops(r, depth + 1);
    out_.append(2 * depth, ' ');
    out_ += '}';
  }

  void attrs(const Operation& op) {
    bool first = true;
    for (const Key key : def(op.op).attrs) {
      const Attr* a = key == OpDef::no_key ? nullptr : op.find(key);
      if (!a) continue;
      add("{}{} = {}", first ? " {" : ", ", info(key).name, attr_value(op, *a));
      first = false;
    }
    if (!first) out_ += '}';
  }

  std::string attr_value(const Operation& op, const Attr& a) {
    switch (info(a.key).kind) {
      case AttrKind::Int: return std::to_string(a.value);
      case AttrKind::String: return quoted(a.text);
      case AttrKind::Literal:
        return literal_text(k_.type(op.out[0]).elem, static_cast<std::uint64_t>(a.value));
      default: return std::string(spellings(info(a.key).kind)[a.value]);
    }
  }

  const Kernel& k_;
  PrintOptions options_;
  std::vector<std::string> names_;
  int next_ = 0;
  std::string out_;
};

}  // namespace

std::string to_string(Type t) {
  switch (t.kind) {
    case Kind::Scalar: return std::string(name(t.elem));
    case Kind::Vector:
      return fmt::format("{}<{} x {}>", t.in_flight ? "flight" : "vec", name(t.elem), t.lanes);
    case Kind::Pointer: return fmt::format("ptr<{}, {}>", name(t.elem), name(t.space));
    case Kind::Tile: return fmt::format("tile<{}>", name(t.elem));
    case Kind::Token: return "token";
    case Kind::Cursor: return "cursor";
  }
  return {};
}

std::string to_string(const Kernel& k, Type t) {
  if (t.is_tile() && t.layout < k.layouts.size())
    return fmt::format("tile<{}, @{}>", name(t.elem), k.layouts[t.layout].name);
  return to_string(t);
}

std::string print(const Kernel& k, PrintOptions options) { return Printer(k, options).run(); }

}  // namespace barline::ir
