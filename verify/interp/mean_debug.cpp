// SPDX-License-Identifier: Apache-2.0
// Print and check. A print is one line a thread, spelled as the device spells it.
#include <fmt/format.h>

#include "verify/interp/elementwise.h"

namespace barline::verify::sim {
namespace {

template <class T>
std::string value_text(T a) {
  if constexpr (std::same_as<T, i1_t>)
    return a ? "1" : "0";
  else if constexpr (std::integral<T>)
    return fmt::format("{}", +a);
  else if constexpr (std::floating_point<T>)
    return fmt::format("{:.9g}", a);
  else if constexpr (ir::SmallFloat<T> || ir::TinyFloat<T>)
    return fmt::format("{:.9g}", num::to_f32(a));
  else if constexpr (std::same_as<T, s4_t>)
    return fmt::format("{}", static_cast<std::int8_t>(a.bits << 4) >> 4);
  else
    return fmt::format("{}", a.bits & 15);
}

std::string place_of(const Operation& op) {
  return op.loc ? fmt::format("{}:{}", op.loc.file, op.loc.line) : std::string("unknown place");
}

/// The line that the device prints too: message (file:line) name=value ...
void run_print(Warp& w, const Inst& i) {
  Machine& machine = w.worker->machine;
  if (!machine.options->print) return;
  const Program& p = w.worker->program;
  const Message& m = p.messages[i.info];
  const Operation& op = *p.origin[w.pc - 1];
  for_each_lane(w.mask, [&](int l) {
    std::string line = fmt::format("{} ({})", m.text, place_of(op));
    for (std::size_t v = 0; v < m.values.size(); ++v) {
      const std::string& called = p.kernel->values[op.in[v]].name;
      auto [elem, operand] = m.values[v];
      with_elem(elem, [&](auto as) {
        line += fmt::format(" {}{}{}", called, called.empty() ? "" : "=",
                            value_text(w.at<typename decltype(as)::type>(operand)[l]));
      });
    }
    line += '\n';
    std::lock_guard lock(machine.print_mutex);
    machine.options->print(line);
  });
}

void run_check(Warp& w, const Inst& i) {
  const i1_t* c = w.at<i1_t>(i.a);
  for_each_lane(w.mask, [&](int l) {
    if (c[l]) return;
    halt(w, l, FindingKind::Trap, "check failed: " + w.worker->program.messages[i.info].text);
  });
}

Message message_of(Compiler& c, const Operation& op) {
  Message m;
  if (const ir::Attr* text = op.find(ir::Key::Message)) m.text = text->text;
  for (ir::ValueId v : op.in) m.values.emplace_back(c.elem(v), c.in(v));
  return m;
}

}  // namespace

void mean(Tag<Op::Print>, Compiler& c, const Operation& op) {
  c.emit({.run = &run_print, .weight = 1, .info = c.add(message_of(c, op))});
}

void mean(Tag<Op::Check>, Compiler& c, const Operation& op) {
  c.emit({.run = &run_check, .a = c.in(op.in[0]), .weight = 1, .info = c.add(message_of(c, op))});
}

}  // namespace barline::verify::sim
