// SPDX-License-Identifier: Apache-2.0
// A walk of the wanted tree along the parsed one collects edits {offset, length, text}; they are
// applied from the end of the text, so that the offsets of the parse stay true.
#include "verify/gate/yaml_merge.h"

#include <algorithm>

namespace barline::verify {
namespace {

using Entries = std::vector<std::pair<std::string, YamlWant>>;
constexpr std::size_t wrap_column = 140;

struct Edit {
  std::size_t offset, length;
  std::string text;
};

bool wanted(const YamlWant& w) {
  if (w.only_if_present) return false;
  if (!w.text.empty()) return true;
  return std::any_of(w.entries.begin(), w.entries.end(), [](auto& e) { return wanted(e.second); });
}

bool holds_maps(const YamlWant& w) {
  return std::any_of(w.entries.begin(), w.entries.end(),
                     [](auto& e) { return wanted(e.second) && e.second.text.empty(); });
}

/// "{a: 1, b: {c: 2}}" for a text that begins at `column`. A map of scalars stays on one line; a
/// map of maps is wrapped between its entries, aligned behind its brace.
std::string render_flow(const YamlWant& w, std::size_t column);

std::string render_entry(const std::string& key, const YamlWant& value, std::size_t column) {
  return key + ": " +
         (value.text.empty() ? render_flow(value, column + key.size() + 2) : value.text);
}

std::size_t last_line(const std::string& text) {
  std::size_t newline = text.rfind('\n');
  return newline == std::string::npos ? text.size() : text.size() - newline - 1;
}

/// The entries of a flow map whose first entry stands at `column`, from `used` on where that many
/// columns of the line are taken.
std::string render_entries(const Entries& entries, std::size_t column, std::size_t used) {
  std::string out;
  for (const auto& [key, value] : entries) {
    if (!wanted(value)) continue;
    if (!out.empty()) used += 2;
    std::string item = render_entry(key, value, used);
    bool fits = item.find('\n') == std::string::npos && used + item.size() < wrap_column;
    bool wrap = value.text.empty() && used > column && !fits;
    if (wrap) item = render_entry(key, value, column);
    if (!out.empty()) out += wrap ? "," : ", ";
    if (wrap) out += "\n" + std::string(column, ' ');
    out += item;
    bool broken = out.find('\n') != std::string::npos;
    used = broken ? last_line(out) : used + item.size();
  }
  return out;
}

std::string render_flow(const YamlWant& w, std::size_t column) {
  return "{" + render_entries(w.entries, column + 1, column + 1) + "}";
}

/// `entries` as lines of a block map indented by `column`, each with its newline in front. Maps two
/// levels above the scalars (budgets by target) and lower ones are written in flow style.
std::string render_block(const Entries& entries, std::size_t column) {
  std::string out;
  for (const auto& [key, value] : entries) {
    if (!wanted(value)) continue;
    out += "\n" + std::string(column, ' ') + key + ":";
    bool deep = std::any_of(value.entries.begin(), value.entries.end(),
                            [](auto& e) { return holds_maps(e.second); });
    if (!value.text.empty()) {
      out += " " + value.text;
    } else if (deep) {
      out += render_block(value.entries, column + 2);
    } else {
      out += " " + render_flow(value, column + key.size() + 2);
    }
  }
  return out;
}

class Merger {
 public:
  explicit Merger(std::string_view text) : text_(text) {}

  void merge(const YamlNode& node, std::size_t key_column, const YamlWant& want) {
    if (node.is_null()) return fill_block_null(node, key_column, want);
    if (!node.is_map()) return;
    Entries missing;
    for (const auto& [key, value] : want.entries) {
      const YamlNode::Entry* entry = find(node, key);
      if (!entry) {
        if (wanted(value)) missing.emplace_back(key, value);
      } else if (value.keep) {
        keep_items(node, *entry, *value.keep);
      } else if (value.text.empty() && node.flow && entry->value.is_null()) {
        fill_flow_null(*entry, value);
      } else if (value.text.empty()) {
        merge(entry->value, static_cast<std::size_t>(entry->at.column - 1), value);
      } else if (entry->value.kind == YamlNode::Kind::Scalar) {
        replace(entry->value, value.text);
      }
    }
    if (!missing.empty()) insert(node, missing);
  }

  void append(const YamlNode& map, std::string_view lines) {
    while (!lines.empty() && lines.back() == '\n') lines.remove_suffix(1);
    edits_.push_back({line_end(node_end(map)), 0, "\n" + std::string(lines)});
  }

  std::string apply() {
    std::stable_sort(edits_.begin(), edits_.end(),
                     [](const Edit& a, const Edit& b) { return a.offset > b.offset; });
    std::string out(text_);
    for (const Edit& e : edits_) out.replace(e.offset, e.length, e.text);
    return out;
  }

 private:
  static const YamlNode::Entry* find(const YamlNode& map, std::string_view key) {
    for (const YamlNode::Entry& e : map.entries) {
      if (e.key == key) return &e;
    }
    return nullptr;
  }

  void replace(const YamlNode& scalar, const std::string& value) {
    std::size_t end = node_end(scalar);
    if (text_.substr(scalar.at.offset, end - scalar.at.offset) == value) return;
    edits_.push_back({scalar.at.offset, end - scalar.at.offset, value});
  }

  void keep_items(const YamlNode& map, const YamlNode::Entry& entry,
                  const std::vector<std::string>& keep) {
    std::vector<const YamlNode*> going;
    std::string stays;
    for (const YamlNode& item : entry.value.items) {
      if (std::find(keep.begin(), keep.end(), item.text) == keep.end()) {
        going.push_back(&item);
      } else {
        stays += (stays.empty() ? "" : ", ") + item.text;
      }
    }
    if (going.empty()) return;
    if (stays.empty()) return remove(map, entry);
    if (!entry.value.flow) {
      for (const YamlNode* item : going) remove_lines(item->at.offset, node_end(*item));
      return;
    }
    std::size_t at = entry.value.at.offset;
    edits_.push_back({at, node_end(entry.value) - at, "[" + stays + "]"});
  }

  /// An entry of a map, with the comma that parts it from the one before. A comment between them
  /// stays; it speaks of the one before.
  void remove(const YamlNode& map, const YamlNode::Entry& entry) {
    const std::size_t begin = entry.at.offset, end = value_end(entry);
    if (!map.flow) return remove_lines(begin, end);
    const auto i = static_cast<std::size_t>(&entry - map.entries.data());
    if (i == 0) {
      std::size_t next = map.entries.size() > 1 ? map.entries[1].at.offset : end;
      return edits_.push_back({begin, next - begin, ""});
    }
    const std::size_t before = value_end(map.entries[i - 1]);
    if (text_.substr(before, begin - before).find('#') == std::string_view::npos)
      return edits_.push_back({before, end - before, ""});
    edits_.push_back({text_.find(',', before), 1, ""});
    edits_.push_back({begin, end - begin, ""});
  }

  /// The lines from one offset to another, with the line break in front: what is inserted behind
  /// them then lands behind the line before.
  void remove_lines(std::size_t from, std::size_t to) {
    std::size_t newline = text_.rfind('\n', from);
    std::size_t begin = newline == std::string_view::npos ? 0 : newline;
    if (begin > 0 && text_[begin - 1] == '\r') --begin;
    edits_.push_back({begin, line_end(to) - begin, ""});
  }

  /// In a flow map `name`, `name:` and `name: null` take a flow map, for nothing else may stand
  /// there.
  void fill_flow_null(const YamlNode::Entry& entry, const YamlWant& want) {
    if (!wanted(want)) return;
    const std::size_t key = entry.at.offset;
    const std::size_t end = std::max(key_end(key), key + entry.key.size());
    const std::size_t colon = skip_blanks(end);
    std::size_t at = end, length = 0;
    std::string lead = ": ";
    if (text_.substr(colon, 1) == ":") {
      at = colon + 1;
      lead = text_.substr(at, 1) == " " ? "" : " ";
      if (lead.empty()) ++at;
      const std::size_t value = skip_blanks(at);
      for (std::string_view null : {"~", "null", "Null", "NULL"}) {
        if (text_.substr(value, null.size()) != null) continue;
        at = value;
        length = null.size();
        lead.clear();
      }
    }
    const std::size_t newline = text_.rfind('\n', at - 1);
    const std::size_t column = at - (newline == std::string_view::npos ? 0 : newline + 1);
    edits_.push_back({at, length, lead + render_flow(want, column + lead.size())});
  }

  /// The first byte from `at` on that is neither white space nor part of a comment.
  std::size_t skip_blanks(std::size_t at) const {
    for (; at < text_.size(); ++at) {
      if (text_[at] == '#') at = line_end(at);
      if (std::string_view(" \t\r\n").find(text_.substr(at, 1)) == std::string_view::npos) break;
    }
    return std::min(at, text_.size());
  }

  /// `name:` without a value, or with a written null, takes a block map below its line.
  void fill_block_null(const YamlNode& node, std::size_t key_column, const YamlWant& want) {
    if (!wanted(want)) return;
    std::size_t key = node.at.offset;  // a null node has the place of its key
    std::size_t value = text_.find(':', key_end(key));
    value = std::min(text_.find_first_not_of(" :", value), text_.size());
    for (std::string_view null : {" ~", " null", " Null", " NULL"}) {
      if (text_.substr(value - 1, null.size()) == null)
        edits_.push_back({value - 1, null.size(), ""});
    }
    edits_.push_back({line_end(key), 0, render_block(want.entries, key_column + 2)});
  }

  std::size_t key_end(std::size_t key) const {
    bool quoted = text_[key] == '"' || text_[key] == '\'';
    return quoted ? skip_quoted(key) : key;
  }

  void insert(const YamlNode& map, const Entries& missing) {
    if (!map.flow) {
      std::size_t column =
          map.entries.empty() ? 0 : static_cast<std::size_t>(map.entries.front().at.column - 1);
      edits_.push_back({line_end(node_end(map)), 0, render_block(missing, column)});
      return;
    }
    std::size_t column = static_cast<std::size_t>(map.at.column);
    if (map.entries.empty()) {
      edits_.push_back({node_end(map) - 1, 0, render_entries(missing, column, column)});
      return;
    }
    std::size_t last = value_end(map.entries.back());
    std::size_t newline = text_.rfind('\n', last);
    std::size_t used = last - (newline == std::string_view::npos ? 0 : newline + 1);
    std::string more = render_entries(missing, column, std::max(used + 2, column + 1));
    bool wrapped = more.front() == '\n';
    edits_.push_back({last, 0, (wrapped ? "," : ", ") + more});
  }

  std::size_t value_end(const YamlNode::Entry& e) const {
    return e.value.is_null() ? e.value.at.offset : node_end(e.value);
  }

  std::size_t line_end(std::size_t from) const {
    std::size_t n = text_.find('\n', from);
    if (n == std::string_view::npos) n = text_.size();
    return n > from && text_[n - 1] == '\r' ? n - 1 : n;
  }

  /// The offset behind a node's last byte.
  std::size_t node_end(const YamlNode& node) const {
    std::size_t at = node.at.offset;
    switch (node.kind) {
      case YamlNode::Kind::Null: return at;
      case YamlNode::Kind::Scalar: return node.quoted ? skip_quoted(at) : at + node.text.size();
      case YamlNode::Kind::Map:
        if (!node.flow) return value_end(node.entries.back());
        break;
      case YamlNode::Kind::List:
        if (!node.flow) return node_end(node.items.back());
        break;
    }
    return skip_flow(at);
  }

  std::size_t skip_quoted(std::size_t at) const {
    char quote = text_[at];
    if (quote != '"' && quote != '\'') return line_end(at);  // a block scalar's header
    for (++at; at < text_.size(); ++at) {
      if (quote == '"' && text_[at] == '\\') {
        ++at;
      } else if (text_[at] == quote) {
        if (quote == '"' || at + 1 >= text_.size() || text_[at + 1] != quote) return at + 1;
        ++at;
      }
    }
    return text_.size();
  }

  std::size_t skip_flow(std::size_t at) const {
    int depth = 0;
    while (at < text_.size()) {
      char c = text_[at];
      bool starts_token =
          at > 0 && std::string_view(" \t\n{[,").find(text_[at - 1]) != std::string_view::npos;
      if ((c == '"' || c == '\'') && starts_token) {
        at = skip_quoted(at);
        continue;
      }
      if (c == '#' && starts_token) {
        at = line_end(at);
        continue;
      }
      if (c == '{' || c == '[') ++depth;
      if ((c == '}' || c == ']') && --depth == 0) return at + 1;
      ++at;
    }
    return text_.size();
  }

  std::string_view text_;
  std::vector<Edit> edits_;
};

}  // namespace

YamlWant& YamlWant::operator[](std::string_view key) {
  for (auto& [name, value] : entries) {
    if (name == key) return value;
  }
  return entries.emplace_back(std::string(key), YamlWant{}).second;
}

std::string append_yaml(std::string_view text, const YamlNode& map, std::string_view lines) {
  Merger merger(text);
  merger.append(map, lines);
  return merger.apply();
}

std::string merge_yaml(std::string_view text, const YamlNode& root, const YamlWant& want) {
  Merger merger(text);
  merger.merge(root, 0, want);
  return merger.apply();
}

}  // namespace barline::verify
