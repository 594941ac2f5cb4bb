// SPDX-License-Identifier: Apache-2.0
// `barline cache gc|clear|extract`: making it smaller, and taking code out of it.
#include <fmt/format.h>

#include "runtime/cache/maintain.h"
#include "tools/cache_actions.h"
#include "tools/error.h"
#include "tools/file.h"

namespace barline::tools {
namespace {

using runtime::Hash256;
using runtime::Store;

constexpr std::size_t shortest_prefix = 4;

/// The one entry that the front of a key means.
Hash256 find_key(const Store* store, const std::string& prefix) {
  if (prefix.size() < shortest_prefix ||
      prefix.find_first_not_of("0123456789abcdef") != prefix.npos) {
    throw UsageError(
        fmt::format("'{}' is no key; pass at least {} hex digits of one that `barline cache list` "
                    "shows",
                    prefix, shortest_prefix));
  }
  std::vector<Hash256> keys;
  if (store != nullptr) keys = runtime::cache_keys(*store, prefix);
  if (keys.empty()) {
    throw UsageError(
        fmt::format("no entry's key begins with '{}'; `barline cache list` shows them", prefix));
  }
  if (keys.size() > 1) {
    throw UsageError(
        fmt::format("{} entries' keys begin with '{}'; pass more digits, as in {} and {}",
                    keys.size(), prefix, keys[0].hex(), keys[1].hex()));
  }
  return keys.front();
}

std::string default_file(const runtime::Metadata& m, bool ptx) {
  std::string name = fmt::format("{}.{}.{}", m.entry.empty() ? m.kernel : m.entry, m.target,
                                 ptx ? "ptx" : "cubin");
  for (char& c : name) c = c == '/' ? '_' : c;
  return name;
}

std::string code_of(const runtime::Entry& entry, const Hash256& key, bool ptx) {
  std::string code =
      ptx ? entry.ptx
          : std::string(reinterpret_cast<const char*>(entry.cubin.data()), entry.cubin.size());
  if (code.empty()) {
    throw Failure(fmt::format("entry {} of '{}' holds no {}{}", key.hex().substr(0, 16),
                              entry.metadata.kernel, ptx ? "PTX" : "cubin",
                              ptx ? "" : "; --ptx writes its text"));
  }
  return code;
}

}  // namespace

ExitCode run_cache_gc(const Context& context, std::uint64_t max_bytes, std::uint64_t max_files) {
  std::unique_ptr<Store> store = open_store(context);
  runtime::CollectReport r;
  if (store) r = runtime::cache_collect(*store, max_bytes, max_files);
  if (context.json) {
    print_json("cache_gc", {{"removed", r.removed},
                            {"removed_bytes", r.removed_bytes},
                            {"temps", r.temps},
                            {"bad", r.bad},
                            {"kept", r.kept},
                            {"kept_bytes", r.kept_bytes},
                            {"max_bytes", max_bytes},
                            {"max_files", max_files}});
    return ExitCode::Ok;
  }
  print_out(
      fmt::format("{} files removed ({}), {} temporaries of dead processes, {} set aside long ago\n"
                  "{} files kept ({}); the caps are {} files and {}\n",
                  r.removed, size_text(r.removed_bytes), r.temps, r.bad, r.kept,
                  size_text(r.kept_bytes), max_files, size_text(max_bytes)));
  return ExitCode::Ok;
}

ExitCode run_cache_clear(const Context& context) {
  std::unique_ptr<Store> store = open_store(context);
  std::uint64_t removed = store ? runtime::cache_clear(*store) : 0;
  if (context.json) {
    print_json("cache_clear", {{"removed", removed}});
  } else {
    print_out(fmt::format("{} files removed\n", removed));
  }
  return ExitCode::Ok;
}

ExitCode run_cache_extract(const Context& context, const ExtractOptions& options) {
  std::unique_ptr<Store> store = open_store(context);
  Hash256 key = find_key(store.get(), options.key);
  runtime::ParsedEntry read = runtime::cache_read(*store, key);
  if (!read) {
    throw Failure(fmt::format("entry {} is bad: {}; `barline cache verify --repair` sets it aside",
                              key.hex().substr(0, 16), read.problem));
  }
  const runtime::Entry& entry = *read.entry;
  std::string code = code_of(entry, key, options.ptx);
  std::string file =
      options.file.empty() ? default_file(entry.metadata, options.ptx) : options.file;
  write_file(file, code);
  if (context.json) {
    print_json("cache_extract", {{"key", key.hex()},
                                 {"kernel", entry.metadata.kernel},
                                 {"schedule", entry.metadata.schedule},
                                 {"target", entry.metadata.target},
                                 {"file", file},
                                 {"bytes", code.size()}});
  } else {
    print_out(fmt::format("{}  {}  {}@{} {}\n", file, size_text(code.size()), entry.metadata.kernel,
                          entry.metadata.schedule, entry.metadata.target));
  }
  return ExitCode::Ok;
}

}  // namespace barline::tools
