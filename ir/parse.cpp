// SPDX-License-Identifier: Apache-2.0
// A recursive-descent reader of the grammar in docs/bir.md. Nesting is bounded, so that no text
// can exhaust the stack.
#include "ir/parse.h"

#include <fmt/format.h>
#include <bit>
#include <charconv>
#include <map>

#include "ir/lexer_p.h"
#include "ir/numerics.h"

namespace barline::ir {
namespace {

constexpr int max_depth = 200;

const std::map<std::string_view, Op>& ops_by_name() {
  static const std::map<std::string_view, Op> table = [] {
    std::map<std::string_view, Op> m;
    for (int i = 0; i < op_count; ++i) m[name(static_cast<Op>(i))] = static_cast<Op>(i);
    return m;
  }();
  return table;
}

class Parser {
 public:
  Parser(std::string_view text, std::string file) : lex_(text, std::move(file)) {}

  Kernel run() {
    version();
    lex_.expect("kernel");
    k_.name = lex_.expect(TokenKind::At, "@name");
    while (!lex_.is("{")) header_line();
    lex_.expect("{");
    ops(k_.body, 0);
    if (lex_.peek().kind != TokenKind::End)
      lex_.error("text after the kernel", "end the file after its closing }");
    return std::move(k_);
  }

 private:
  void version() {
    Loc loc = lex_.peek().loc;
    bool ok = lex_.accept("bir");
    std::string number = ok && lex_.peek().kind == TokenKind::Number ? lex_.take().text : "";
    if (number != "1")
      fail(Diag::BadVersion, loc,
           number.empty() ? "no version line" : fmt::format("version {}", number),
           "this reader knows 'bir 1' alone; write the file again with the matching barline");
  }

  void header_line() {
    std::string word = lex_.expect(TokenKind::Word, "a header line or {");
    if (word == "config")
      k_.config = lex_.expect(TokenKind::String, "a string");
    else if (word == "axis")
      axis();
    else if (word == "layout")
      layout();
    else if (word == "param")
      param();
    else if (word == "size")
      size();
    else if (word == "slot")
      slot();
    else if (word == "threads")
      for (auto& t : k_.launch.threads) t = static_cast<std::int32_t>(lex_.expect_int("threads"));
    else if (word == "grid")
      for (auto& g : k_.launch.grid) grid_dim(g);
    else if (word == "cooperative")
      k_.launch.cooperative = true;
    else if (word == "min_ctas_per_sm")
      k_.launch.min_ctas_per_sm = static_cast<int>(lex_.expect_int("a count"));
    else if (word == "max_registers")
      k_.launch.max_registers = static_cast<int>(lex_.expect_int("a count"));
    else if (word == "debug")
      k_.debug = true;
    else
      lex_.error(fmt::format("unknown header line '{}'", word),
                 "use config, axis, layout, param, size, slot, threads, grid, cooperative, "
                 "min_ctas_per_sm, max_registers or debug");
  }

  void axis() {
    Axis a;
    a.name = lex_.expect(TokenKind::Word, "an axis name");
    if (lex_.accept("=")) a.bound = lex_.expect_int("the bound");
    if (lex_.accept("multiple")) a.multiple = lex_.expect_int("the multiple");
    while (lex_.accept("segment")) {
      std::string name = lex_.expect(TokenKind::Word, "a segment name");
      a.segments.push_back({name, lex_.expect_int("its extent")});
    }
    k_.axes.push_back(std::move(a));
    k_.axis_sizes.push_back(no_value);
  }

  int axis_named(const std::string& name) {
    for (std::size_t i = 0; i < k_.axes.size(); ++i)
      if (k_.axes[i].name == name) return static_cast<int>(i);
    lex_.error(fmt::format("no axis '{}'", name), "declare it in an axis line above");
  }
  int axis_ref() { return axis_named(lex_.expect(TokenKind::Word, "an axis name")); }

  void layout() {
    Layout l{lex_.expect(TokenKind::At, "@name"), {}};
    lex_.expect("=");
    do {
      Digit d;
      std::string in = lex_.expect(TokenKind::Word, "a coordinate");
      auto parsed = parse_in(in);
      if (!parsed)
        lex_.error(fmt::format("unknown coordinate '{}'", in),
                   "use bit, word, reg, lane, slab, unit, warp, cta, row or chunk");
      d.in = *parsed;
      d.extent = lex_.expect_int("the extent");
      d.axis = axis_ref();
      lex_.expect("*");
      d.step = lex_.expect_int("the step");
      if (d.extent < 0 || d.step < 1)
        lex_.error("a digit out of range", "extents are at least 0, steps at least 1");
      l.digits.push_back(d);
    } while (lex_.accept(","));
    k_.layouts.push_back(std::move(l));
  }

  void param() {
    Param p;
    p.loc = lex_.peek().loc;
    p.name = lex_.expect(TokenKind::Value, "%name");
    lex_.expect(":");
    bool has_access = true;
    if (lex_.accept("in"))
      p.access = Access::In;
    else if (lex_.accept("out"))
      p.access = Access::Out;
    else if (lex_.accept("inout"))
      p.access = Access::InOut;
    else
      has_access = false;
    p.type = type();
    if (p.type.is_pointer() != has_access)
      lex_.error("a tensor without an access, or a scalar with one",
                 "write in, out or inout before a ptr type");
    if (has_access) {
      lex_.expect("[");
      do p.axes.push_back(axis_ref());
      while (lex_.accept(","));
      lex_.expect("]");
    }
    p.value = define(p.name, p.type);
    k_.params.push_back(std::move(p));
  }

  void size() {
    std::string name = lex_.expect(TokenKind::Value, "%axis");
    int a = axis_named(name);
    k_.axis_sizes[a] = define(name, scalar(Elem::S32));
  }

  void slot() {
    Slot s;
    s.loc = lex_.peek().loc;
    s.name = lex_.expect(TokenKind::Value, "%name");
    lex_.expect(":");
    s.elem = elem();
    lex_.expect("[");
    s.extent = lex_.expect_int("the extent");
    lex_.expect("]");
    lex_.expect("x");
    s.copies = static_cast<int>(lex_.expect_int("copies"));
    s.value = define(s.name, pointer(s.elem, Space::Shared));
    k_.slots.push_back(std::move(s));
  }

  void grid_dim(GridDim& g) {
    if (lex_.peek().kind == TokenKind::Number) {
      g.count = lex_.expect_int("blocks");
      return;
    }
    g.axis = axis_ref();
    lex_.expect("/");
    g.per_block = lex_.expect_int("elements a block");
  }

  Elem elem() {
    std::string text = lex_.expect(TokenKind::Word, "an element type");
    auto e = parse_elem(text);
    if (!e)
      lex_.error(fmt::format("unknown element type '{}'", text),
                 "use a type of ir/elems.def: f32, bf16, s32, ...");
    return *e;
  }

  Type type() {
    if (lex_.accept("token")) return {.kind = Kind::Token};
    if (lex_.accept("cursor")) return {.kind = Kind::Cursor};
    std::string shape = lex_.is("vec") || lex_.is("ptr") || lex_.is("tile") ? lex_.take().text : "";
    if (shape.empty()) return scalar(elem());
    lex_.expect("<");
    Elem e = elem();
    Type t;
    if (shape == "vec") {
      lex_.expect("x");
      t = vector(e, static_cast<int>(lex_.expect_int("lanes")));
    } else if (shape == "ptr") {
      lex_.expect(",");
      bool shared = lex_.accept("shared");
      if (!shared) lex_.expect("global");
      t = pointer(e, shared ? Space::Shared : Space::Global);
    } else {
      lex_.expect(",");
      t = tile(e, layout_ref());
    }
    lex_.expect(">");
    return t;
  }

  int layout_ref() {
    std::string name = lex_.expect(TokenKind::At, "@layout");
    for (std::size_t i = 0; i < k_.layouts.size(); ++i)
      if (k_.layouts[i].name == name) return static_cast<int>(i);
    lex_.error(fmt::format("no layout @{}", name), "declare it in a layout line above");
  }

  ValueId define(const std::string& name, Type type) {
    ValueId v = k_.new_value(type, name);
    if (!names_.emplace(name, v).second)
      lex_.error(fmt::format("%{} is defined twice", name), "give it another name");
    return v;
  }

  ValueId use() {
    std::string name = lex_.expect(TokenKind::Value, "a %value");
    auto it = names_.find(name);
    if (it == names_.end())
      lex_.error(fmt::format("%{} is not defined", name), "define it above its use");
    return it->second;
  }

  void ops(Region& r, int depth) {
    if (depth > max_depth)
      lex_.error("regions nested too deep", fmt::format("nest at most {}", max_depth));
    while (!lex_.accept("}")) operation(r, depth);
  }

  void operation(Region& r, int depth) {
    Operation op;
    op.loc = lex_.peek().loc;
    std::vector<std::string> results;
    if (lex_.peek().kind == TokenKind::Value) {
      do results.push_back(lex_.expect(TokenKind::Value, "a %value"));
      while (lex_.accept(","));
      lex_.expect("=");
    }
    std::string mnemonic = lex_.expect(TokenKind::Word, "an operation");
    auto it = ops_by_name().find(mnemonic);
    if (it == ops_by_name().end())
      lex_.error(fmt::format("unknown operation '{}'", mnemonic), "use one of docs/ops.md");
    op.op = it->second;
    // An op that takes nothing ends here: a value that follows is the next op's result.
    if (def(op.op).in_count() != 0 && lex_.peek().kind == TokenKind::Value) {
      do op.in.push_back(use());
      while (lex_.accept(","));
    }
    std::string literal;
    if (lex_.is("{")) attrs(op, literal);
    std::vector<Type> types;
    if (lex_.accept(":")) {
      do types.push_back(type());
      while (lex_.accept(","));
    }
    if (types.size() != results.size())
      lex_.error(fmt::format("{} results and {} types", results.size(), types.size()),
                 "write one type a result");
    if (!literal.empty()) literal_value(op, literal, types.empty() ? Elem::S32 : types[0].elem);
    location(op);
    while (lex_.accept("(")) region(op, depth);
    for (std::size_t i = 0; i < results.size(); ++i) op.out.push_back(define(results[i], types[i]));
    r.ops.push_back(std::move(op));
  }

  void location(Operation& op) {
    if (!lex_.accept("@")) return;
    op.loc.file = lex_.expect(TokenKind::String, "a file name");
    lex_.expect(":");
    op.loc.line = static_cast<std::uint32_t>(lex_.expect_int("a line"));
    lex_.expect(":");
    op.loc.column = static_cast<std::uint32_t>(lex_.expect_int("a column"));
  }

  void region(Operation& op, int depth) {
    Region& r = op.regions.emplace_back();
    while (!lex_.accept(")")) {
      std::string name = lex_.expect(TokenKind::Value, "a %value");
      lex_.expect(":");
      Type t = type();
      r.args.push_back(define(name, t));
      if (!lex_.is(")")) lex_.expect(",");
    }
    lex_.expect("{");
    ops(r, depth + 1);
  }

  void attrs(Operation& op, std::string& literal) {
    lex_.expect("{");
    do {
      std::string name = lex_.expect(TokenKind::Word, "an attribute");
      lex_.expect("=");
      attr(op, key_named(op, name), literal);
    } while (lex_.accept(","));
    lex_.expect("}");
  }

  Key key_named(const Operation& op, const std::string& name) {
    for (Key key : def(op.op).attrs)
      if (key != OpDef::no_key && info(key).name == name) return key;
    fail(Diag::BadAttr, lex_.peek().loc,
         fmt::format("{} has no attribute '{}'", ir::name(op.op), name),
         "see the operation's row in docs/ops.md");
  }

  void attr(Operation& op, Key key, std::string& literal) {
    AttrKind kind = info(key).kind;
    if (kind == AttrKind::Int) return op.set(key, lex_.expect_int("a number"));
    if (kind == AttrKind::String) return op.set(key, lex_.expect(TokenKind::String, "a string"));
    if (kind == AttrKind::Literal) {
      op.set(key, std::int64_t{0});
      literal = lex_.take().text;
      return;
    }
    std::string text = lex_.expect(TokenKind::Word, "a spelling");
    auto all = spellings(kind);
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i] == text) return op.set(key, static_cast<std::int64_t>(i));
    lex_.error(fmt::format("unknown {} '{}'", info(key).name, text),
               fmt::format("use one of: {}", fmt::join(all, ", ")));
  }

  /// The bits of a literal, read as its type prints it.
  void literal_value(Operation& op, const std::string& text, Elem e) {
    const char* end = text.data() + text.size();
    std::uint64_t raw = 0;
    std::from_chars_result r{};
    if (text == "true" || text == "false") {
      raw = text == "true";
      r = {end, {}};
    } else if (text.starts_with("0x")) {
      r = std::from_chars(text.data() + 2, end, raw, 16);
    } else if (is_float(e)) {
      r = float_literal(text, e, raw);
    } else if (text.starts_with("-")) {
      std::int64_t value = 0;
      r = std::from_chars(text.data(), end, value);
      raw = static_cast<std::uint64_t>(value);
    } else {
      r = std::from_chars(text.data(), end, raw);
    }
    if (r.ec != std::errc() || r.ptr != end)
      lex_.error(fmt::format("'{}' is no literal of {}", text, ir::name(e)),
                 "write a number of that type");
    if (bits(e) < 64) raw &= (1ull << bits(e)) - 1;
    op.set(Key::Value, static_cast<std::int64_t>(raw));
  }

  std::from_chars_result float_literal(const std::string& text, Elem e, std::uint64_t& raw) {
    double d = 0;
    float f = 0;
    const char* end = text.data() + text.size();
    auto r = e == Elem::F64 ? std::from_chars(text.data(), end, d)
                            : std::from_chars(text.data(), end, f);
    if (e == Elem::F64)
      raw = std::bit_cast<std::uint64_t>(d);
    else if (e == Elem::F32)
      raw = std::bit_cast<std::uint32_t>(f);
    else if (e == Elem::F16)
      raw = num::to_f16(f).bits;
    else
      raw = num::to_bf16(f).bits;
    return r;
  }

  Lexer lex_;
  Kernel k_;
  std::map<std::string, ValueId> names_;
};

}  // namespace

Kernel parse(std::string_view text, std::string file) {
  return Parser(text, std::move(file)).run();
}

}  // namespace barline::ir
