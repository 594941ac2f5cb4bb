// SPDX-License-Identifier: Apache-2.0
// A recursive-descent reader of the grammar in docs/bir.md. Nesting is bounded, so that no text
// can exhaust the stack.
#include "ir/parse.h"

#include <fmt/format.h>
#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
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
    parents();
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
    else if (word == "gate")
      gate();
    else if (word == "ring")
      ring();
    else if (word == "threads")
      for (auto& t : k_.launch.threads)
        t = static_cast<std::int32_t>(lex_.expect_int("threads", 0, 1 << 20));
    else if (word == "grid")
      for (auto& g : k_.launch.grid) grid_dim(g);
    else if (word == "cooperative")
      k_.launch.cooperative = true;
    else if (word == "role")
      role();
    else if (word == "walks")
      k_.launch.walks = true;
    else if (word == "persistent")
      k_.launch.persistent = true;
    else if (word == "cluster")
      k_.launch.cluster = static_cast<int>(lex_.expect_int("blocks of a cluster", 1, 16));
    else if (word == "min_ctas_per_sm")
      k_.launch.min_ctas_per_sm = static_cast<int>(lex_.expect_int("a count of blocks", 0, 32));
    else if (word == "max_registers")
      k_.launch.max_registers = static_cast<int>(lex_.expect_int("a count of registers", 0, 255));
    else if (word == "debug")
      k_.debug = true;
    else if (word == "region")
      timed_region();
    else if (word == "timed")
      k_.timed = true;
    else
      lex_.error_at_taken(fmt::format("unknown header line '{}'", word),
                          "use config, axis, layout, param, size, slot, gate, ring, threads, grid, "
                          "cooperative, persistent, cluster, min_ctas_per_sm, max_registers, "
                          "debug, region or timed");
  }

  void axis() {
    Axis a;
    a.name = lex_.expect(TokenKind::Word, "an axis name");
    if (lex_.accept("=")) a.bound = lex_.expect_int("the bound");
    if (lex_.accept("of")) {
      derived_.emplace_back(k_.axes.size(), lex_.peek().loc);
      parents_.push_back(lex_.expect(TokenKind::Word, "an axis name"));
      if (lex_.accept("/")) a.per = lex_.expect_int("elements of the parent", 1, INT32_MAX);
      if (lex_.accept("*")) a.times = lex_.expect_int("elements a share", 1, INT32_MAX);
    }
    if (lex_.accept("multiple")) a.multiple = lex_.expect_int("the multiple");
    k_.axes.push_back(std::move(a));
    k_.axis_sizes.push_back(no_value);
  }

  /// An axis may derive from one that is declared below it.
  void parents() {
    for (std::size_t i = 0; i < parents_.size(); ++i) {
      auto is = [&](const Axis& a) { return a.name == parents_[i]; };
      auto at = std::find_if(k_.axes.begin(), k_.axes.end(), is);
      if (at == k_.axes.end())
        fail(Diag::BadSyntax, derived_[i].second, fmt::format("no axis '{}'", parents_[i]),
             "declare it in an axis line");
      k_.axes[derived_[i].first].of = static_cast<int>(at - k_.axes.begin());
    }
  }

  int axis_named(const std::string& name) {
    for (std::size_t i = 0; i < k_.axes.size(); ++i)
      if (k_.axes[i].name == name) return static_cast<int>(i);
    lex_.error_at_taken(fmt::format("no axis '{}'", name), "declare it in an axis line above");
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
        lex_.error_at_taken(fmt::format("unknown coordinate '{}'", in),
                            "use bit, word, reg, lane, slab, unit, warp, cta, row or chunk");
      d.in = *parsed;
      d.extent = lex_.expect_int("the extent");
      d.axis = axis_ref();
      lex_.expect("*");
      d.step = lex_.expect_int("the step");
      // Threads that hold the same elements have a digit of step 0.
      bool threads = d.in == In::Lane || d.in == In::Warp;
      if (d.extent < 0 || d.step < (threads ? 0 : 1))
        lex_.error_at_taken("a digit out of range",
                            "extents are at least 0, steps at least 1 (lanes and warps: 0)");
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
    else if (lex_.accept("scratch")) {
      p.access = Access::InOut;
      p.scratch = true;
    } else
      has_access = false;
    p.type = type();
    if (p.type.is_pointer() != has_access)
      lex_.error_at_taken("a tensor without an access, or a scalar with one",
                          "write in, out, inout or scratch before a ptr type");
    if (has_access) {
      lex_.expect("[");
      do p.axes.push_back(axis_ref());
      while (lex_.accept(","));
      lex_.expect("]");
    }
    p.value = define(p.name, p.type, p.loc);
    k_.params.push_back(std::move(p));
  }

  void size() {
    std::string name = lex_.expect(TokenKind::Value, "%axis");
    int a = axis_named(name);
    k_.axis_sizes[a] = define(name, scalar(Elem::S32), lex_.taken());
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
    s.copies = static_cast<int>(lex_.expect_int("copies", 1, 1024));
    if (lex_.accept("align")) s.align = static_cast<int>(lex_.expect_int("bytes", 16, 1024));
    s.value = define(s.name, pointer(s.elem, Space::Shared), s.loc);
    k_.slots.push_back(std::move(s));
  }

  void gate() {
    Slot s;
    s.loc = lex_.peek().loc;
    s.name = lex_.expect(TokenKind::Value, "%name");
    s.elem = Elem::U64;
    s.extent = 1;
    lex_.expect("arrivals");
    s.arrivals = static_cast<int>(lex_.expect_int("arrivals", 1, 1024));
    lex_.expect("x");
    s.copies = static_cast<int>(lex_.expect_int("copies", 1, 1024));
    s.value = define(s.name, pointer(s.elem, Space::Shared), s.loc);
    k_.slots.push_back(std::move(s));
  }

  void ring() {
    Ring r;
    r.name = lex_.expect(TokenKind::At, "@name");
    std::string by = lex_.expect(TokenKind::Word, "an agent");
    auto all = spellings(AttrKind::AgentKind);
    auto at = std::find(all.begin(), all.end(), by);
    if (at == all.end())
      lex_.error_at_taken(fmt::format("unknown agent '{}'", by),
                          fmt::format("use one of: {}", fmt::join(all, ", ")));
    r.by = static_cast<Agent>(at - all.begin());
    lex_.expect("slots");
    r.slots = static_cast<int>(lex_.expect_int("copies", 0, 64));
    lex_.expect("ahead");
    r.ahead = static_cast<int>(lex_.expect_int("uses", 0, r.slots));
    r.hoist = lex_.accept("hoist");
    r.guard = lex_.accept("guard");
    if (lex_.accept("reg")) r.store = Store::Reg;
    if (r.slots == 0 && !r.hoist)
      lex_.error_at_taken(fmt::format("ring '{}' of 0 slots that does not hoist", r.name),
                          "write 'hoist' (loads to registers, early), or give it a slot");
    k_.rings.push_back(std::move(r));
  }

  void role() {
    WarpRole r;
    r.name = lex_.expect(TokenKind::At, "@name");
    lex_.expect("warps");
    r.warps = static_cast<int>(lex_.expect_int("warps", 1, 32));
    lex_.expect("registers");
    r.registers = static_cast<int>(lex_.expect_int("registers of a thread", 0, 256));
    k_.roles.push_back(std::move(r));
  }

  void timed_region() {
    regions::Region r;
    r.name = lex_.expect(TokenKind::At, "@name");
    auto klass = regions::parse_class(lex_.expect(TokenKind::Word, "a class"));
    if (!klass)
      lex_.error_at_taken("unknown class of a region",
                          "use work, wait, dynamic_single_block or kernel_boundary");
    r.klass = *klass;
    if (lex_.accept("where")) r.where = lex_.expect(TokenKind::String, "a string");
    k_.region_table.push_back(std::move(r));
  }

  void grid_dim(GridDim& g) {
    if (lex_.peek().kind == TokenKind::Number) {
      g.count = lex_.expect_int("blocks");
      return;
    }
    g.axis = axis_ref();
    g.abreast = lex_.is("|");
    while (lex_.accept(g.abreast ? "|" : "+")) g.also.push_back(axis_ref());
    lex_.expect("/");
    g.per_block = lex_.expect_int("elements a block");
  }

  Elem elem() {
    std::string text = lex_.expect(TokenKind::Word, "an element type");
    auto e = parse_elem(text);
    if (!e)
      lex_.error_at_taken(fmt::format("unknown element type '{}'", text),
                          "use a type of ir/elems.def: f32, bf16, s32, ...");
    return *e;
  }

  Type type() {
    if (lex_.accept("token")) return {.kind = Kind::Token};
    if (lex_.accept("cursor")) return {.kind = Kind::Cursor};
    bool compound = lex_.is("vec") || lex_.is("flight") || lex_.is("ptr") || lex_.is("tile");
    std::string shape = compound ? lex_.take().text : "";
    if (shape.empty()) return scalar(elem());
    lex_.expect("<");
    Elem e = elem();
    Type t;
    if (shape == "vec" || shape == "flight") {
      lex_.expect("x");
      auto lanes = lex_.expect_int("lanes");
      if (lanes != 2 && lanes != 4 && lanes != 8 && lanes != 16)
        lex_.error_at_taken(fmt::format("a vector of {}", lanes), "use 2, 4, 8 or 16 lanes");
      t = vector(e, static_cast<int>(lanes));
      t.in_flight = shape == "flight";
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
    lex_.error_at_taken(fmt::format("no layout @{}", name), "declare it in a layout line above");
  }

  ValueId define(const std::string& name, Type type, const Loc& loc) {
    ValueId v = k_.new_value(type, name);
    if (!names_.emplace(name, v).second)
      fail(Diag::BadSyntax, loc, fmt::format("%{} is defined twice", name), "give it another name");
    return v;
  }

  ValueId use() {
    std::string name = lex_.expect(TokenKind::Value, "a %value");
    auto it = names_.find(name);
    if (it == names_.end())
      lex_.error_at_taken(fmt::format("%{} is not defined", name), "define it above its use");
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
    std::vector<Token> results;
    if (lex_.peek().kind == TokenKind::Value) {
      do {
        lex_.require(TokenKind::Value, "a %value");
        results.push_back(lex_.take());
      } while (lex_.accept(","));
      lex_.expect("=");
    }
    const std::uint32_t line = lex_.peek().loc.line;
    std::string mnemonic = lex_.expect(TokenKind::Word, "an operation");
    auto it = ops_by_name().find(mnemonic);
    if (it == ops_by_name().end())
      lex_.error_at_taken(fmt::format("unknown operation '{}'", mnemonic),
                          "use one of docs/ops.md");
    op.op = it->second;
    // An op that takes nothing, or nothing here, ends: a value that follows is the next op's
    // result.
    const bool here = def(op.op).in_count() != 0 && lex_.peek().loc.line == line;
    if (here && lex_.peek().kind == TokenKind::Value) {
      do op.in.push_back(use());
      while (lex_.accept(","));
    }
    Token literal;
    if (lex_.is("{")) attrs(op, literal);
    std::vector<Type> types;
    if (lex_.accept(":")) {
      do types.push_back(type());
      while (lex_.accept(","));
    }
    if (types.size() != results.size())
      lex_.error_at_taken(fmt::format("{} results and {} types", results.size(), types.size()),
                          "write one type a result");
    if (!literal.text.empty())
      literal_value(op, literal, types.empty() ? Elem::S32 : types[0].elem);
    location(op);
    while (lex_.accept("(")) region(op, depth);
    for (std::size_t i = 0; i < results.size(); ++i)
      op.out.push_back(define(results[i].text, types[i], results[i].loc));
    r.ops.push_back(std::move(op));
  }

  void location(Operation& op) {
    if (!lex_.accept("@")) return;
    op.loc.file = lex_.expect(TokenKind::String, "a file name");
    lex_.expect(":");
    op.loc.line = static_cast<std::uint32_t>(lex_.expect_int("a line", 0, UINT32_MAX));
    lex_.expect(":");
    op.loc.column = static_cast<std::uint32_t>(lex_.expect_int("a column", 0, UINT32_MAX));
  }

  void region(Operation& op, int depth) {
    Region& r = op.regions.emplace_back();
    while (!lex_.accept(")")) {
      std::string name = lex_.expect(TokenKind::Value, "a %value");
      Loc loc = lex_.taken();
      lex_.expect(":");
      Type t = type();
      r.args.push_back(define(name, t, loc));
      if (!lex_.is(")")) lex_.expect(",");
    }
    lex_.expect("{");
    ops(r, depth + 1);
  }

  void attrs(Operation& op, Token& literal) {
    lex_.expect("{");
    do {
      std::string name = lex_.expect(TokenKind::Word, "an attribute");
      Key key = key_named(op, name);
      if (op.find(key))
        lex_.error_at_taken(fmt::format("'{}' twice", name), "write each attribute once");
      lex_.expect("=");
      attr(op, key, literal);
    } while (lex_.accept(","));
    lex_.expect("}");
  }

  Key key_named(const Operation& op, const std::string& name) {
    for (Key key : def(op.op).attrs)
      if (key != OpDef::no_key && info(key).name == name) return key;
    fail(Diag::BadAttr, lex_.taken(),
         fmt::format("{} has no attribute '{}'", ir::name(op.op), name),
         "see the operation's row in docs/ops.md");
  }

  void attr(Operation& op, Key key, Token& literal) {
    AttrKind kind = info(key).kind;
    if (kind == AttrKind::Int) return op.set(key, lex_.expect_int("a number"));
    if (kind == AttrKind::String) return op.set(key, lex_.expect(TokenKind::String, "a string"));
    if (kind == AttrKind::Literal) {
      op.set(key, std::int64_t{0});
      bool word = lex_.peek().kind == TokenKind::Word;
      lex_.require(word ? TokenKind::Word : TokenKind::Number, "a number, true or false");
      literal = lex_.take();
      return;
    }
    std::string text = lex_.expect(TokenKind::Word, "a spelling");
    auto all = spellings(kind);
    for (std::size_t i = 0; i < all.size(); ++i)
      if (all[i] == text) return op.set(key, static_cast<std::int64_t>(i));
    lex_.error_at_taken(fmt::format("unknown {} '{}'", info(key).name, text),
                        fmt::format("use one of: {}", fmt::join(all, ", ")));
  }

  /// The bits of a literal, read as its type prints it.
  void literal_value(Operation& op, const Token& literal, Elem e) {
    const std::string& text = literal.text;
    std::uint64_t raw = 0;
    bool ok = false;
    if (text == "true" || text == "false") {
      raw = text == "true";
      ok = e == Elem::I1;
    } else if (text.starts_with("0x")) {
      ok = whole(std::from_chars(text.data() + 2, text.data() + text.size(), raw, 16), text);
      ok = ok && (bits(e) == 64 || raw >> bits(e) == 0);
    } else if (is_float(e)) {
      ok = float_literal(text, e, raw);
    } else {
      ok = int_literal(text, e, raw);
    }
    if (!ok)
      fail(Diag::BadSyntax, literal.loc, fmt::format("'{}' is no literal of {}", text, ir::name(e)),
           "write a number of that type");
    op.set(Key::Value, static_cast<std::int64_t>(raw));
  }

  static bool whole(std::from_chars_result r, const std::string& text) {
    return r.ec == std::errc() && r.ptr == text.data() + text.size();
  }

  /// An integer that the type holds; its bits, cut to the type's width.
  static bool int_literal(const std::string& text, Elem e, std::uint64_t& raw) {
    const char *begin = text.data(), *end = begin + text.size();
    if (!is_signed(e))
      return whole(std::from_chars(begin, end, raw), text) &&
             (bits(e) == 64 || raw >> bits(e) == 0);
    std::int64_t value = 0, top = static_cast<std::int64_t>(~0ull >> (65 - bits(e)));
    if (!whole(std::from_chars(begin, end, value), text) || value > top || value < -top - 1)
      return false;
    raw = static_cast<std::uint64_t>(value) & (~0ull >> (64 - bits(e)));
    return true;
  }

  static bool float_literal(const std::string& text, Elem e, std::uint64_t& raw) {
    const char *begin = text.data(), *end = begin + text.size();
    if (e == Elem::F64) {
      double d = 0;
      bool ok = whole(std::from_chars(begin, end, d), text);
      raw = std::bit_cast<std::uint64_t>(d);
      return ok && std::isfinite(d);
    }
    float f = 0;
    bool ok = whole(std::from_chars(begin, end, f), text);
    raw = e == Elem::F32   ? std::bit_cast<std::uint32_t>(f)
          : e == Elem::F16 ? num::to_f16(f).bits
                           : num::to_bf16(f).bits;
    return ok && std::isfinite(f);
  }

  Lexer lex_;
  Kernel k_;
  std::map<std::string, ValueId> names_;
  std::vector<std::pair<std::size_t, Loc>> derived_;  ///< axes, and where their parents are named
  std::vector<std::string> parents_;
};

}  // namespace

Kernel parse(std::string_view text, std::string file) {
  return Parser(text, std::move(file)).run();
}

}  // namespace barline::ir
