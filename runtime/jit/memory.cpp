// SPDX-License-Identifier: Apache-2.0
// A unit as bytes: every field of the schedule as it lies in memory, text and lists behind their
// length, so that two units have the same bytes only when they are equal. The bytes never leave the
// process.
#include "runtime/jit/memory.h"

#include <fmt/format.h>

#include <mutex>
#include <type_traits>

namespace barline::jit {
namespace {

/// Large enough for nearly every unit, so that a lookup allocates nothing.
using Buffer = fmt::basic_memory_buffer<char, 1024>;

class Bytes {
 public:
  explicit Bytes(Buffer& out) : out_(out) {}

  template <class T>
  void operator()(std::string_view, const T& value) {
    if constexpr (requires { fields(value, *this); }) {
      fields(value, *this);
    } else if constexpr (requires { value.items; }) {
      put(value.count);
      for (const auto& item : value) (*this)({}, item);
    } else if constexpr (std::is_convertible_v<T, std::string_view>) {
      const std::string_view text = value;
      put(text.size());
      out_.append(text.data(), text.data() + text.size());
    } else {
      put(value);
    }
  }

 private:
  template <class T>
  void put(T value) {
    static_assert(std::is_arithmetic_v<T> || std::is_enum_v<T>);
    const auto* bytes = reinterpret_cast<const char*>(&value);
    out_.append(bytes, bytes + sizeof value);
  }

  Buffer& out_;
};

std::string_view bytes_of(const Unit& unit, Buffer& out) {
  Bytes bytes(out);
  bytes("library", unit.entry->library);
  bytes("kernel", unit.entry->name);
  bytes("elem", unit.elem);
  bytes("target", unit.target->name);
  bytes("lineinfo", unit.lineinfo);
  bytes("debug", unit.config.debug);
  bytes("timing", unit.config.timing);
  bytes("name", unit.config.schedule.name);
  bytes("schedule", unit.config.schedule);
  for (const auto& [name, extent] : unit.config.dims) {
    bytes("dim", name);
    bytes("extent", extent);
  }
  return {out.data(), out.size()};
}

}  // namespace

std::shared_ptr<const runtime::Entry> Memory::find(const Unit& unit) const {
  Buffer buffer;
  const std::string_view bytes = bytes_of(unit, buffer);
  std::shared_lock guard(mutex_);
  const auto at = entries_.find(bytes);
  return at == entries_.end() ? nullptr : at->second;
}

void Memory::keep(const Unit& unit, std::shared_ptr<const runtime::Entry> entry) {
  if (unit.entry->library.empty()) return;
  Buffer buffer;
  std::string bytes(bytes_of(unit, buffer));
  std::unique_lock guard(mutex_);
  entries_.insert_or_assign(std::move(bytes), std::move(entry));
}

}  // namespace barline::jit
