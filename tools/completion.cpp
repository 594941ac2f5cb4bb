// SPDX-License-Identifier: Apache-2.0
#include "tools/completion.h"

#include <algorithm>

#include "verify/gate/registry_keys.h"
#include "verify/gate/resource_row.h"

namespace barline::tools {
namespace {

using Words = std::vector<std::string>;

bool is_option(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

/// The option that a word names, of the subcommand or of the program.
const CLI::Option* find_option(const CLI::App& at, const CLI::App& root, const std::string& word) {
  for (const CLI::App* app : {&at, &root}) {
    for (const CLI::Option* option : app->get_options()) {
      if (option->check_name(word)) return option;
    }
  }
  return nullptr;
}

bool takes_value(const CLI::Option* option) { return option && option->get_items_expected() > 0; }

const CLI::App* find_subcommand(const CLI::App& at, const std::string& word) {
  for (const CLI::App* sub : at.get_subcommands([](const CLI::App*) { return true; })) {
    if (sub->get_name() == word && !sub->get_group().empty()) return sub;
  }
  return nullptr;
}

/// How far the words before the cursor lead.
struct Cursor {
  const CLI::App* at = nullptr;
  const CLI::Option* value_of = nullptr;  ///< the option whose value stands at the cursor
  Words positionals{};
};

Cursor follow(const CLI::App& root, const Words& words) {
  Cursor c{.at = &root};
  for (std::size_t i = 1; i + 1 < words.size(); ++i) {
    if (is_option(words[i])) {
      const CLI::Option* option = find_option(*c.at, root, words[i]);
      if (!takes_value(option)) continue;
      if (i + 2 == words.size()) c.value_of = option;
      ++i;
    } else if (const CLI::App* sub = find_subcommand(*c.at, words[i])) {
      c.at = sub;
    } else {
      c.positionals.push_back(words[i]);
    }
  }
  return c;
}

/// "TEXT:{text,json}" -> text, json: what a check of the option lets through.
Words choices_of(const CLI::Option& option) {
  std::string type = option.get_type_name();
  std::size_t open = type.find('{'), close = type.find('}');
  Words out;
  if (open == std::string::npos || close == std::string::npos) return out;
  for (std::size_t at = open + 1; at < close;) {
    std::size_t end = std::min(type.find(',', at), close);
    out.push_back(type.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

/// Each choice behind what a list already holds: "sm_80,sm_" -> "sm_80,sm_90a".
Words in_list(const Words& choices, const std::string& word) {
  std::size_t comma = word.rfind(',');
  std::string front = comma == std::string::npos ? "" : word.substr(0, comma + 1);
  Words out;
  for (const std::string& choice : choices) out.push_back(front + choice);
  return out;
}

Words shapes_of(const verify::RegistryFile& registry, const Words& positionals) {
  Words out;
  for (const verify::KernelEntry& k : registry.kernels) {
    bool named = positionals.empty();
    for (const std::string& p : positionals) named = named || p.rfind(k.name, 0) == 0;
    if (!named) continue;
    for (const verify::Shape& s : k.shapes)
      if (std::find(out.begin(), out.end(), s.name) == out.end()) out.push_back(s.name);
  }
  return out;
}

Words values_of(const CLI::Option& option, const verify::RegistryFile& registry,
                const Cursor& cursor, const std::string& word) {
  const std::string name = option.get_lnames().empty() ? "" : option.get_lnames().front();
  if (name == "arch") return in_list(registry.targets, word);
  if (name == "shape") return shapes_of(registry, cursor.positionals);
  if (name == "device") return {"sim", "cuda:0"};
  return in_list(choices_of(option), word);
}

/// Families; once one is written, its types and configs.
Words kernels(const verify::RegistryFile& registry, const std::string& word, bool files) {
  std::string family = word.substr(0, word.find_first_of(".@"));
  bool whole = family.size() < word.size();
  Words out;
  for (const verify::KernelEntry& k : registry.kernels) {
    if (!whole) out.push_back(k.name);
    if (k.name != family) continue;
    for (const std::string& type : k.types) out.push_back(verify::config_name(k.name, type, ""));
    for (const verify::ScheduleEntry& s : k.schedules) {
      out.push_back(verify::config_name(k.name, "", s.name));
      for (const std::string& type : s.types) {
        out.push_back(verify::config_name(k.name, type, s.name));
      }
    }
  }
  for (const verify::SourceEntry& s : registry.sources)
    if (files && !whole) out.push_back(s.name);
  return out;
}

Words options_of(const CLI::App& at, const CLI::App& root) {
  Words out;
  for (const CLI::App* app : {&at, &root}) {
    for (const CLI::Option* option : app->get_options()) {
      for (const std::string& name : option->get_lnames()) {
        std::string word = "--" + name;
        if (std::find(out.begin(), out.end(), word) == out.end()) out.push_back(word);
      }
    }
  }
  return out;
}

Words subcommands_of(const CLI::App& at) {
  Words out;
  for (const CLI::App* sub : at.get_subcommands([](const CLI::App*) { return true; })) {
    if (!sub->get_group().empty()) out.push_back(sub->get_name());
  }
  return out;
}

Words positional_values(const CLI::App& at, const verify::RegistryFile& registry,
                        const std::string& word) {
  for (const CLI::Option* option : at.get_options()) {
    if (!option->get_positional()) continue;
    const std::string name = option->get_name(true);
    bool files = at.get_name() == "gate" || at.get_name() == "list";
    if (name == "kernel" || name == "kernels") return kernels(registry, word, files);
    return choices_of(*option);
  }
  return {};
}

Words candidates(const CLI::App& root, const verify::RegistryFile& registry, const Words& words) {
  const std::string& word = words.back();
  Cursor cursor = follow(root, words);
  if (cursor.value_of) return values_of(*cursor.value_of, registry, cursor, word);
  std::size_t equals = word.find('=');
  if (is_option(word) && equals != std::string::npos) {
    const CLI::Option* option = find_option(*cursor.at, root, word.substr(0, equals));
    if (!takes_value(option)) return {};
    Words out;
    for (const std::string& v : values_of(*option, registry, cursor, word.substr(equals + 1)))
      out.push_back(word.substr(0, equals + 1) + v);
    return out;
  }
  if (!word.empty() && word[0] == '-') return options_of(*cursor.at, root);
  Words out = subcommands_of(*cursor.at);
  return out.empty() ? positional_values(*cursor.at, registry, word) : out;
}

}  // namespace

std::vector<std::string> complete(const CLI::App& app, const verify::RegistryFile& registry,
                                  const std::vector<std::string>& words) {
  if (words.size() < 2) return {};
  Words out;
  for (std::string& c : candidates(app, registry, words)) {
    bool fits = c.rfind(words.back(), 0) == 0;
    if (fits && std::find(out.begin(), out.end(), c) == out.end()) out.push_back(std::move(c));
  }
  return out;
}

std::string option_value(const std::vector<std::string>& words, const std::string& name) {
  std::string out;
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    if (words[i].rfind(name + "=", 0) == 0) out = words[i].substr(name.size() + 1);
    if (words[i] == name && i + 2 < words.size()) out = words[i + 1];
  }
  return out;
}

}  // namespace barline::tools
