// SPDX-License-Identifier: Apache-2.0
// The header of a .npy file is a Python dictionary; only the form that NumPy writes is read.
#include "tools/npy.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>
#include <charconv>
#include <cstring>
#include <limits>
#include <optional>

#include "tools/error.h"
#include "tools/file.h"

namespace barline::tools {
namespace {

struct Header {
  std::string dtype;
  bool fortran = false;
  std::vector<std::int64_t> shape;
};

/// A cursor over the header's dictionary; every step answers false at the first surprise.
class HeaderParser {
 public:
  explicit HeaderParser(std::string_view text) : rest_(text) {}

  std::optional<Header> parse() {
    Header h;
    bool seen[3] = {};
    if (!eat('{')) return {};
    while (!eat('}')) {
      std::string key;
      if (!string(key) || !eat(':')) return {};
      int which = key == "descr" ? 0 : key == "fortran_order" ? 1 : key == "shape" ? 2 : 3;
      if (which == 3 || seen[which]) return {};
      seen[which] = true;
      bool good = which == 0 ? string(h.dtype) : which == 1 ? boolean(h.fortran) : shape(h.shape);
      if (!good) return {};
      if (!eat(',') && !peek('}')) return {};
    }
    skip();
    if (!rest_.empty() || !seen[0] || !seen[1] || !seen[2]) return {};
    return h;
  }

 private:
  void skip() {
    while (!rest_.empty() && (rest_[0] == ' ' || rest_[0] == '\n')) rest_.remove_prefix(1);
  }
  bool peek(char c) {
    skip();
    return !rest_.empty() && rest_[0] == c;
  }
  bool eat(char c) {
    if (!peek(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool word(std::string_view w) {
    skip();
    if (rest_.substr(0, w.size()) != w) return false;
    rest_.remove_prefix(w.size());
    return true;
  }
  bool string(std::string& out) {
    char quote = peek('"') ? '"' : '\'';
    if (!eat(quote)) return false;
    std::size_t end = rest_.find(quote);
    if (end == std::string_view::npos || end > 64) return false;
    out = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return true;
  }
  bool boolean(bool& out) {
    out = word("True");
    return out || word("False");
  }
  bool shape(std::vector<std::int64_t>& out) {
    if (!eat('(')) return false;
    while (!eat(')')) {
      skip();
      std::int64_t n = 0;
      auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), n);
      if (error != std::errc() || n < 0 || out.size() == 32) return false;
      rest_.remove_prefix(static_cast<std::size_t>(end - rest_.data()));
      out.push_back(n);
      if (!eat(',') && !peek(')')) return false;
    }
    return true;
  }

  std::string_view rest_;
};

[[noreturn]] void fail(const std::string& file, std::string_view rule, std::string_view fix) {
  throw UsageError(fmt::format("{}: {}; {}", file, rule, fix));
}

constexpr std::string_view save_fix = "write it with numpy.save";

/// Splits the file into its header text and its data.
std::pair<std::string_view, std::string_view> split(std::string_view bytes,
                                                    const std::string& file) {
  if (bytes.size() < 10 || bytes.substr(0, 6) != "\x93NUMPY") {
    fail(file, "this is not a .npy file", save_fix);
  }
  auto byte = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(bytes[i])}; };
  std::size_t version = byte(6), begin = version == 1 ? 10 : 12;
  if (version < 1 || version > 3) {
    fail(file, fmt::format("version {} of .npy is not known", version), "write version 1, 2 or 3");
  }
  if (bytes.size() < begin) fail(file, "the header is cut off", save_fix);
  std::size_t length = byte(8) | byte(9) << 8;
  if (version > 1) length |= byte(10) << 16 | byte(11) << 24;
  if (length > bytes.size() - begin) fail(file, "the header is cut off", save_fix);
  return {bytes.substr(begin, length), bytes.substr(begin + length)};
}

int packed_per_byte(ir::Elem elem) {
  return elem != ir::Elem::I1 && ir::bits(elem) < 8 ? 8 / ir::bits(elem) : 1;
}

/// Elements of a shape, or nothing when the count does not fit.
std::optional<std::int64_t> count_of(const std::vector<std::int64_t>& shape) {
  std::int64_t n = 1;
  for (std::int64_t d : shape) {
    if (d == 0) return 0;
  }
  for (std::int64_t d : shape) {
    if (n > (std::int64_t{1} << 48) / d) return {};
    n *= d;
  }
  return n;
}

void check_dtype(const Header& h, const std::string& file, ir::Elem elem) {
  std::string_view want = npy_dtype(elem);
  std::string_view got = h.dtype;
  auto body = [](std::string_view d) {  // a byte has no order, whichever is written
    return d.size() > 1 && d.back() == '1' && (d[0] == '<' || d[0] == '=') ? d.substr(1) : d;
  };
  bool same = got == want || (want[0] == '|' && body(got) == want.substr(1));
  if (same) return;
  fail(file, fmt::format("dtype '{}' does not hold {} elements", got, ir::name(elem)),
       fmt::format("convert it to '{}'", want));
}

}  // namespace

std::string_view npy_dtype(ir::Elem elem) {
  using enum ir::Elem;
  switch (elem) {
    case I1: return "|b1";
    case S8: return "|i1";
    case S16: return "<i2";
    case S32: return "<i4";
    case S64: return "<i8";
    case U16:
    case BF16: return "<u2";
    case U32: return "<u4";
    case U64: return "<u8";
    case F16: return "<f2";
    case F32: return "<f4";
    case F64: return "<f8";
    default: return "|u1";
  }
}

ir::Tensor parse_npy(std::string_view bytes, const std::string& file, ir::Elem elem) {
  auto [text, data] = split(bytes, file);
  std::optional<Header> h = HeaderParser(text).parse();
  if (!h) fail(file, "the header is malformed", save_fix);
  check_dtype(*h, file, elem);
  if (h->fortran && h->shape.size() > 1) {
    fail(file, "the array is in Fortran order", "save numpy.ascontiguousarray of it");
  }
  std::optional<std::int64_t> stored = count_of(h->shape);
  int packed = packed_per_byte(elem);
  std::int64_t width = elem == ir::Elem::I1 || packed > 1 ? 1 : ir::bytes(elem);
  if (!stored || static_cast<std::size_t>(*stored * width) != data.size()) {
    fail(file,
         fmt::format("shape ({}) and {} bytes of data do not agree", fmt::join(h->shape, ", "),
                     data.size()),
         "the file is cut off or has been changed: write it again");
  }
  ir::Tensor t;
  t.elem = elem;
  t.shape = h->shape;
  if (packed > 1 && t.shape.empty())
    fail(file, "packed elements need a dimension", "save a vector");
  if (packed > 1) t.shape.back() *= packed;
  t.data.resize(data.size());
  if (!data.empty()) std::memcpy(t.data.data(), data.data(), data.size());
  if (elem == ir::Elem::I1) {
    for (std::byte& b : t.data) b = std::byte(b != std::byte{0});
  }
  return t;
}

ir::Tensor read_npy(const std::string& path, ir::Elem elem) {
  return parse_npy(read_file(path, max_npy_bytes), path, elem);
}

std::string format_npy(const ir::Tensor& tensor) {
  std::vector<std::int64_t> shape = tensor.shape;
  if (int packed = packed_per_byte(tensor.elem); packed > 1) {
    if (shape.empty() || shape.back() % packed != 0) {
      throw UsageError(fmt::format("a packed {} array needs an even last dimension, not ({})",
                                   ir::name(tensor.elem), fmt::join(shape, ", ")));
    }
    shape.back() /= packed;
  }
  std::string header =
      fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}{}), }}",
                  npy_dtype(tensor.elem), fmt::join(shape, ", "), shape.size() == 1 ? "," : "");
  constexpr std::size_t preamble = 10, alignment = 64;
  std::size_t total = (preamble + header.size() + 1 + alignment - 1) / alignment * alignment;
  header.append(total - preamble - header.size() - 1, ' ').push_back('\n');
  std::string out("\x93NUMPY\x01\x00", 8);
  out.push_back(static_cast<char>(header.size() & 0xff));
  out.push_back(static_cast<char>(header.size() >> 8));
  out += header;
  out.append(reinterpret_cast<const char*>(tensor.data.data()), tensor.data.size());
  return out;
}

void write_npy(const std::string& path, const ir::Tensor& tensor) {
  write_file(path, format_npy(tensor));
}

}  // namespace barline::tools
