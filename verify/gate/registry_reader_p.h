// SPDX-License-Identifier: Apache-2.0
// Typed reading of scalars and lists out of a YamlNode, with errors that name place, rule and fix.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "verify/gate/registry_file.h"
#include "verify/gate/registry_keys.h"

namespace barline::verify {

class RegistryReader {
 public:
  explicit RegistryReader(std::string_view file) : file_(file) {}

  [[noreturn]] void fail(Mark at, std::string_view rule, std::string_view fix = {}) const;

  /// Checks that `node` is a map with only the section's keys and all of its required ones, and
  /// that its counts are in their ranges.
  void check_section(const YamlNode& node, Section section, std::string_view what) const;
  /// Checks that `node` is a map (a null node passes as an empty one where `or_null`).
  void need_map(const YamlNode& node, std::string_view what, bool or_null = false) const;
  /// Checks a name used as a key: letters, digits and _ . - + / only.
  void check_name(const YamlNode::Entry& entry, std::string_view what) const;

  std::string text(const YamlNode& node, std::string_view what) const;
  std::int64_t integer(const YamlNode& node, std::string_view what, std::int64_t least,
                       std::int64_t most) const;
  /// The value of a count whose range check_section has held.
  int count(const YamlNode& node, std::string_view what) const;
  double number(const YamlNode& node, std::string_view what) const;
  /// A list of distinct names, each out of `known`; `kind` is what one is called.
  std::vector<std::string> names(const YamlNode& node, std::string_view kind,
                                 const std::vector<std::string>& known) const;
  Dims dims(const YamlNode& node) const;
  /// A list of distinct codes of ptxas's notes: C7510.
  std::vector<std::string> notes(const YamlNode& node) const;

 private:
  std::string file_;
};

}  // namespace barline::verify
