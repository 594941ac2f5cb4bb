// SPDX-License-Identifier: Apache-2.0
// The tree is built from yaml-cpp's events and not from its Node: a Node resolves aliases and keeps
// the last of two equal keys without a word, and both are refused here.
#include "tools/yaml_reader.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/yaml.h>

#include <sstream>

#include "verify/gate/registry_file.h"

namespace barline::tools {
namespace {

using verify::FileError;
using verify::Mark;
using verify::YamlNode;

Mark to_mark(const YAML::Mark& m) {
  return {m.line + 1, m.column + 1, static_cast<std::size_t>(std::max(m.pos, 0))};
}

class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view file) : file_(file) {}

  YamlNode take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& m, YAML::anchor_t anchor) override {
    check(m, "", anchor);
    put({.kind = YamlNode::Kind::Null, .at = to_mark(m)});
  }
  void OnAlias(const YAML::Mark& m, YAML::anchor_t) override {
    fail(m, "aliases are not allowed", "write the value out");
  }
  void OnScalar(const YAML::Mark& m, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check(m, tag, anchor);
    put({.kind = YamlNode::Kind::Scalar, .at = to_mark(m), .quoted = tag == "!", .text = value});
  }
  void OnSequenceStart(const YAML::Mark& m, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override {
    open(YamlNode::Kind::List, m, tag, anchor, style);
  }
  void OnMapStart(const YAML::Mark& m, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override {
    open(YamlNode::Kind::Map, m, tag, anchor, style);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }

 private:
  /// A collection under construction; a map waits for a key, then for its value.
  struct Open {
    YamlNode node;
    bool has_key = false;
  };

  [[noreturn]] void fail(const YAML::Mark& m, std::string_view rule, std::string_view fix) const {
    throw FileError(file_, to_mark(m), rule, fix);
  }

  void check(const YAML::Mark& m, const std::string& tag, YAML::anchor_t anchor) const {
    if (anchor) fail(m, "anchors are not allowed", "delete the &name");
    if (!tag.empty() && tag != "?" && tag != "!") {
      fail(m, fmt::format("tags are not allowed ('{}')", tag), "delete the tag");
    }
  }

  void open(YamlNode::Kind kind, const YAML::Mark& m, const std::string& tag, YAML::anchor_t anchor,
            YAML::EmitterStyle::value style) {
    check(m, tag == "!" ? "!!" : tag, anchor);
    constexpr std::size_t deepest = 16;
    if (open_.size() >= deepest) fail(m, "more than 16 levels of nesting", "flatten the value");
    bool flow = style == YAML::EmitterStyle::Flow;
    open_.push_back({{.kind = kind, .at = to_mark(m), .flow = flow}});
  }

  void close() {
    YamlNode node = std::move(open_.back().node);
    open_.pop_back();
    put(std::move(node));
  }

  void put(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
    } else if (Open& top = open_.back(); top.node.kind == YamlNode::Kind::List) {
      top.node.items.push_back(std::move(node));
    } else if (top.has_key) {
      YamlNode::Entry& entry = top.node.entries.back();
      if (node.is_null()) node.at = entry.at;  // a missing value has no place of its own
      entry.value = std::move(node);
      top.has_key = false;
    } else {
      put_key(top, std::move(node));
    }
  }

  void put_key(Open& top, YamlNode key) {
    if (key.kind != YamlNode::Kind::Scalar) {
      throw FileError(file_, key.at, "a key is a plain text", "write `name: value`");
    }
    if (top.node.find(key.text)) {
      throw FileError(file_, key.at, fmt::format("key '{}' stands twice in this map", key.text),
                      "delete or rename one");
    }
    top.node.entries.push_back({key.text, key.at, {.at = key.at}});
    top.has_key = true;
  }

  std::string file_;
  YamlNode root_;
  std::vector<Open> open_;
};

void check_bytes(std::string_view text, std::string_view file) {
  if (text.size() > verify::max_registry_bytes) {
    throw FileError(file, {}, fmt::format("the file has {} bytes, more than 1 MiB", text.size()),
                    "split or shorten it");
  }
  Mark at;
  for (char c : text) {
    auto byte = static_cast<unsigned char>(c);
    bool control = byte < 0x20 && c != '\n' && c != '\r' && c != '\t';
    // 0xef at the very start is a byte order mark; 0xfe and 0xff never occur in UTF-8.
    if (control || byte >= 0xfe || (byte == 0xef && at.offset == 0)) {
      throw FileError(file, at, fmt::format("byte 0x{:02x} is not allowed here", byte),
                      "save the file as UTF-8 text without byte order mark");
    }
    ++at.offset;
    ++at.column;
    if (c == '\n') at = {at.line + 1, 1, at.offset};
  }
}

}  // namespace

YamlNode read_yaml(std::string_view text, std::string_view file) {
  check_bytes(text, file);
  std::istringstream stream{std::string(text)};
  TreeBuilder builder(file);
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) return {};
    YamlNode root = builder.take();
    TreeBuilder rest(file);
    if (parser.HandleNextDocument(rest)) {
      throw FileError(file, {}, "the file holds more than one YAML document", "delete the `---`");
    }
    return root;
  } catch (const YAML::Exception& e) {
    bool placed = !e.mark.is_null();
    throw FileError(file, placed ? to_mark(e.mark) : Mark{}, "malformed YAML: " + e.msg,
                    "see docs/kernels.schema.json for the form");
  }
}

}  // namespace barline::tools
