// SPDX-License-Identifier: Apache-2.0
// A parsed YAML document as plain data with the place of every node, and the error that speaks of
// such a place. Reading the text is the tool's work (tools/yaml_reader.h); meaning is given here.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace barline::verify {

/// A place in a text: line and column from 1, offset in bytes from 0.
struct Mark {
  int line = 1;
  int column = 1;
  std::size_t offset = 0;
};

/// A node of the tree. Keys of a map are scalars, in file order, without duplicates.
struct YamlNode {
  enum class Kind { Null, Scalar, Map, List };
  struct Entry;

  Kind kind = Kind::Null;
  Mark at{};
  bool flow = false;    ///< Map, List: written with braces or brackets
  bool quoted = false;  ///< Scalar: written in quotes, or as a block scalar
  std::string text{};   ///< Scalar: its value
  std::vector<Entry> entries{};
  std::vector<YamlNode> items{};

  bool is_map() const { return kind == Kind::Map; }
  bool is_null() const { return kind == Kind::Null; }
  /// The value under `key`, or nullptr.
  const YamlNode* find(std::string_view key) const;
};

struct YamlNode::Entry {
  std::string key{};
  Mark at{};
  YamlNode value{};
};

inline const YamlNode* YamlNode::find(std::string_view key) const {
  for (const Entry& e : entries) {
    if (e.key == key) return &e.value;
  }
  return nullptr;
}

/// A malformed input file. what() is "file:line:column: rule; fix".
class FileError : public std::runtime_error {
 public:
  FileError(std::string_view file, Mark at, std::string_view rule, std::string_view fix = {})
      : std::runtime_error(place(file, at) + join(rule, fix)),
        file(file),
        at(at),
        message(join(rule, fix)) {}
  std::string file;
  Mark at;
  std::string message;  ///< "rule; fix", for reports that print the place themselves

 private:
  static std::string place(std::string_view file, Mark at) {
    return std::string(file) + ":" + std::to_string(at.line) + ":" + std::to_string(at.column) +
           ": ";
  }
  static std::string join(std::string_view rule, std::string_view fix) {
    return std::string(rule) + (fix.empty() ? "" : "; ") + std::string(fix);
  }
};

/// A file that names what is not there: a kernel that was renamed or deleted, say.
class NameError : public FileError {
  using FileError::FileError;
};

}  // namespace barline::verify
