// SPDX-License-Identifier: Apache-2.0
// Line by line: split off the prefix ("ptxas info    :", nvJitLink's "info    :", the continuation
// indents), then read the body by the grammar of ptxas's own format strings. The only state is
// which function the next block belongs to; every figure goes into the record of a name.
#include "codegen/report/ptxas_log.h"

#include <fmt/format.h>

#include <algorithm>

#include "codegen/report/scan_p.h"

namespace barline::codegen {
namespace {

enum class Kind { Info, Warning, Error, Continuation, Unknown };

struct Line {
  Kind kind = Kind::Unknown;
  std::string_view body;
};

std::string_view trimmed(std::string_view text) {
  std::size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

// "info    : body" -> Info; anything else leaves `scan` alone.
bool read_kind(Scan& scan, Kind& kind) {
  constexpr std::pair<std::string_view, Kind> kinds[] = {{"info", Kind::Info},
                                                         {"warning", Kind::Warning},
                                                         {"error", Kind::Error},
                                                         {"fatal", Kind::Error}};
  for (auto [word, meaning] : kinds) {
    Scan attempt = scan;
    if (!attempt.eat(word)) continue;
    attempt.spaces();
    if (!attempt.eat(":")) continue;
    attempt.spaces();
    scan = attempt;
    kind = meaning;
    return true;
  }
  return false;
}

Line split(std::string_view text) {
  Line line;
  Scan scan(text);
  bool indented = text.starts_with("  ") || text.starts_with('\t');
  if (text.starts_with("ERROR ")) return {Kind::Error, trimmed(text)};  // of nvJitLink itself
  scan.spaces();
  if (scan.eat("ptxas")) {
    scan.spaces();
    if (scan.eat(".")) {  // nvJitLink and NVRTC: "ptxas         .     0 bytes stack frame"
      scan.spaces();
      return {Kind::Continuation, trimmed(scan.rest())};
    }
    if (!read_kind(scan, line.kind)) {  // "ptxas FILE, line N; error   : text"
      std::size_t semicolon = scan.rest().find("; ");
      if (semicolon == std::string_view::npos) return {Kind::Unknown, trimmed(text)};
      scan = Scan(scan.rest().substr(semicolon + 2));
      if (!read_kind(scan, line.kind)) return {Kind::Unknown, trimmed(text)};
    }
  } else if (!read_kind(scan, line.kind)) {
    return {indented ? Kind::Continuation : Kind::Unknown, trimmed(text)};
  }
  line.body = trimmed(scan.rest());
  return line;
}

// "16+16": static and other bytes, as very old toolkits wrote them.
bool read_sum(Scan& scan, int& out) {
  if (!scan.number(out)) return false;
  for (int more = 0; scan.eat("+");)
    if (!scan.number(more) || __builtin_add_overflow(out, more, &out)) return false;
  return true;
}

bool read_bank(Scan& scan, std::map<int, int>& banks, int bytes) {
  int bank = 0;
  if (!scan.eat("cmem[") || !scan.number(bank) || !scan.eat("]")) return false;
  banks[bank] = bytes;
  return true;
}

// One suffix of the "Used" line.
bool read_suffix(Scan& scan, ResourceReport& out) {
  if (scan.eat("used ")) return scan.number(out.barriers) && scan.eat(" barriers");
  int n = 0;
  if (!read_sum(scan, n) || !scan.eat(" ")) return false;
  const std::pair<std::string_view, int*> words[] = {
      {"bytes cumulative stack size", &out.cumulative_stack},
      {"bytes lmem", &out.lmem},
      {"bytes smem", &out.smem_static},
      {"textures", &out.textures},
      {"samplers", &out.samplers},
      {"surfaces", &out.surfaces},
      {"barriers", &out.barriers},
      {"stack", &out.cumulative_stack}};
  for (auto [word, field] : words)
    if (scan.eat(word)) {
      *field = n;
      return true;
    }
  return scan.eat("bytes ") && read_bank(scan, out.cmem, n);
}

// "Used R registers, ..." into a copy; the caller decides where it goes.
bool read_usage(Scan scan, ResourceReport& out) {
  if (!scan.eat("Used ") && !scan.eat("used ")) return false;
  if (!scan.number(out.registers) || !scan.eat(" registers")) return false;
  while (!scan.done()) {
    if (!scan.eat(",")) return false;
    scan.spaces();
    if (!read_suffix(scan, out)) return false;
  }
  return true;
}

bool read_properties(Scan scan, ResourceReport& out) {
  if (!scan.number(out.stack) || !scan.eat(" bytes stack frame, ")) return false;
  if (!scan.number(out.spill_stores) || !scan.eat(" bytes spill stores, ")) return false;
  if (!scan.number(out.spill_loads) || !scan.eat(" bytes spill loads") || !scan.done())
    return false;
  out.has_properties = true;
  return true;
}

// The function that a message names: "... function 'F'", "... for entry F is ...".
std::string named_function(std::string_view body) {
  std::string name;
  for (std::string_view key : {"function '", "for entry ", "For entry ", " for '"}) {
    std::size_t at = body.find(key);
    if (at == std::string_view::npos) continue;
    bool in_quotes = key.back() == '\'';
    Scan scan(body.substr(at + key.size() - (in_quotes ? 1 : 0)));
    if (in_quotes ? scan.quoted(name) : scan.word(name)) return name;
  }
  return {};
}

class Parser {
 public:
  PtxasLog run(std::string_view text) {
    while (!text.empty()) {
      std::size_t end = std::min(text.find('\n'), text.size());
      std::string_view line = text.substr(0, end);
      text.remove_prefix(std::min(end + 1, text.size()));
      if (!trimmed(line).empty()) read_line(line);
    }
    return std::move(log_);
  }

 private:
  void read_line(std::string_view text) {
    Line line = split(text);
    bool known = true;
    switch (line.kind) {
      case Kind::Info: known = read_info(line.body); break;
      case Kind::Continuation: known = read_block(line.body); break;
      case Kind::Warning: add_warning(line.body); break;
      case Kind::Error: log_.errors.emplace_back(trimmed(text)); break;
      case Kind::Unknown: known = false; break;
    }
    if (!known) log_.unknown.emplace_back(trimmed(text));
  }

  bool read_info(std::string_view body) {
    Scan scan(body);
    if (scan.eat("Compiling entry function ")) return read_entry(scan);
    if (scan.eat("Function properties for ")) return read_owner(scan);
    if (body.starts_with("Used ")) return read_used(body);
    if (body.starts_with("used ")) return read_summary(body);
    if (scan.eat("Compile time = ")) return read_time(scan);
    if (scan.eat("(C")) return read_note(body);
    if (body.starts_with("Overriding maximum register limit")) {
      add_warning(body);
      return true;
    }
    return read_block(body) || read_module(scan);
  }

  bool read_entry(Scan scan) {
    std::string name, target;
    if (!scan.quoted(name)) return false;
    if (scan.eat(" for ")) scan.quoted(target);
    ResourceReport& report = record(name);
    // A second target's record under the same name would overwrite the first one's figures.
    if (report.entry && report.target != target) conflict(name);
    report.entry = true;
    report.target = target;
    entry_ = owner_ = name;
    return true;
  }

  bool read_owner(Scan scan) {
    std::string name;
    if (!scan.quoted(name) && !scan.word(name)) return false;
    record(name);
    owner_ = name;
    return true;
  }

  // The block of indented figures below "Function properties".
  bool read_block(std::string_view body) {
    if (owner_.empty()) return false;
    ResourceReport read;
    if (!read_properties(Scan(body), read)) return false;
    ResourceReport& out = record(owner_);
    if (out.has_properties && (out.stack != read.stack || out.spill_stores != read.spill_stores ||
                               out.spill_loads != read.spill_loads))
      conflict(owner_);
    out.stack = read.stack;
    out.spill_stores = read.spill_stores;
    out.spill_loads = read.spill_loads;
    out.has_properties = true;
    return true;
  }

  // A callee's properties may stand between an entry's heading and its "Used" line, so that line
  // belongs to the open entry before it belongs to the last properties.
  bool read_used(std::string_view body) {
    const std::string& name = entry_.empty() ? owner_ : entry_;
    if (name.empty()) return false;
    ResourceReport read;
    if (!read_usage(Scan(body), read)) return false;
    ResourceReport& out = record(name);
    if (out.has_usage && (out.registers != read.registers || out.smem_static != read.smem_static ||
                          out.barriers != read.barriers))
      conflict(name);
    for (int ResourceReport::*field :
         {&ResourceReport::registers, &ResourceReport::barriers, &ResourceReport::cumulative_stack,
          &ResourceReport::smem_static, &ResourceReport::lmem, &ResourceReport::textures,
          &ResourceReport::samplers, &ResourceReport::surfaces})
      out.*field = std::max(out.*field, read.*field);
    if (!read.cmem.empty()) out.cmem = std::move(read.cmem);
    out.has_usage = true;
    entry_.clear();
    return true;
  }

  // nvJitLink's -verbose tells of a function again, with the shared memory that the system keeps
  // and without spills: it counts where there is no record, and is held against one otherwise.
  bool read_summary(std::string_view body) {
    const std::string name = owner_;
    ResourceReport read;
    if (name.empty() || !read_usage(Scan(body), read)) return false;
    ResourceReport& out = record(name);
    if (!out.has_usage) return read_used(body);
    if (out.registers != read.registers || out.barriers != read.barriers) conflict(name);
    out.lmem = std::max(out.lmem, read.lmem);
    return true;
  }

  bool read_time(Scan scan) {
    double ms = 0;
    if (owner_.empty() || !scan.real(ms)) return false;
    record(owner_).compile_ms = ms;
    entry_.clear();
    return true;
  }

  bool read_note(std::string_view body) {
    std::size_t close = body.find(')');
    if (close == std::string_view::npos) return false;
    Note note{.code = std::string(body.substr(1, close - 1)),
              .text = std::string(trimmed(body.substr(close + 1))),
              .function = named_function(body),
              .performance_loss = body.find("Performance Loss") != std::string_view::npos};
    if (!note.function.empty()) record(note.function).notes.push_back(note);
    log_.notes.push_back(std::move(note));
    return true;
  }

  bool read_module(Scan scan) {
    int bytes = 0, gmem = 0;
    std::map<int, int> banks;
    if (!scan.number(gmem) || !scan.eat(" bytes gmem")) return false;
    while (!scan.done())
      if (!scan.eat(", ") || !scan.number(bytes) || !scan.eat(" bytes ") ||
          !read_bank(scan, banks, bytes))
        return false;
    log_.gmem = gmem;
    log_.gmem_cmem = std::move(banks);
    return true;
  }

  void add_warning(std::string_view body) {
    log_.warnings.emplace_back(body);
    if (std::string name = named_function(body); !name.empty())
      record(name).warnings.emplace_back(body);
    if (body.starts_with("(C")) read_note(body);
  }

  void conflict(const std::string& name) {
    record(name).conflicting = true;
    log_.errors.push_back(fmt::format("two records of '{}' disagree", name));
  }

  ResourceReport& record(const std::string& name) {
    ResourceReport& report = log_.functions[name];
    report.function = name;
    return report;
  }

  PtxasLog log_;
  std::string entry_;  // the entry function whose "Used" line has not come yet
  std::string owner_;  // the function of the last heading
};

const ResourceReport* find(const PtxasLog& log, std::string_view name) {
  auto found = log.functions.find(name);
  return found == log.functions.end() ? nullptr : &found->second;
}

}  // namespace

PtxasLog parse_ptxas_log(std::string_view text) { return Parser().run(text); }

const ResourceReport& PtxasLog::kernel(std::string_view name) const {
  const ResourceReport* report = find(*this, name);
  std::string_view why = !report                   ? "no record"
                         : report->conflicting     ? "two records that disagree"
                         : !report->entry          ? "no record of an entry function"
                         : !report->has_properties ? "no 'Function properties' block"
                         : !report->has_usage      ? "no 'Used registers' line"
                                                   : "";
  if (!why.empty())
    throw MissingRecord(fmt::format(
        "the log of ptxas -v has {} for kernel '{}'; without it no budget can be judged", why,
        name));
  return *report;
}

ResourceReport PtxasLog::verdict(std::string_view name,
                                 const std::vector<std::string>& callees) const {
  ResourceReport out = kernel(name);
  for (const std::string& callee : callees) {
    const ResourceReport* report = find(*this, callee);
    if (!report || !report->has_properties || report->conflicting)
      throw MissingRecord(
          fmt::format("the log of ptxas -v has no usable record for '{}', which kernel '{}' calls",
                      callee, name));
    for (int ResourceReport::*field :
         {&ResourceReport::registers, &ResourceReport::stack, &ResourceReport::cumulative_stack,
          &ResourceReport::spill_stores, &ResourceReport::spill_loads, &ResourceReport::lmem})
      out.*field = std::max(out.*field, report->*field);
    out.notes.insert(out.notes.end(), report->notes.begin(), report->notes.end());
    out.warnings.insert(out.warnings.end(), report->warnings.begin(), report->warnings.end());
  }
  return out;
}

ResourceReport PtxasLog::verdict(std::string_view name) const {
  std::vector<std::string> callees;
  for (const auto& [callee, report] : functions)
    if (!report.entry && callee != name) callees.push_back(callee);
  return verdict(name, callees);
}

}  // namespace barline::codegen
