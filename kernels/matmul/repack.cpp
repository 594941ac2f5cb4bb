// SPDX-License-Identifier: Apache-2.0
// Quantised weights from the layouts that kernels have as their interface to the register image of
// ir/packing.h, on the device: once, when a model is loaded.
//
//   repack_w4   u32 [N, K/8], nibble k % 8 of a word at bits 4 (k % 8)
//   repack_w8   s8 [K, N]
//
// A warp writes whole units of the image, 16 bytes a thread. Columns past N have the code 0.
#include "dsl/dsl.h"
#include "ir/packing.h"
#include "kernels/kernels.h"
#include "kernels/matmul/int4.h"
#include "kernels/matmul/int8.h"

namespace barline::kernels {
namespace {

using namespace dsl;

constexpr int warps = 8, threads = 32 * warps;
constexpr int unit_k = ir::Packing::unit_k, unit_words = ir::Packing::unit_words;
constexpr std::int64_t no_scales = -1;
constexpr ir::Schedule units256{.name = "units256", .threads = threads};

/// Nibbles 2t and 2t + 1 of four words in turn, as an image's word has them: the even ones in its
/// low half, the odd ones in its high half.
Value nibble_pairs(const std::vector<Value>& words, const Value& t) {
  Value sum;
  for (int i = 0; i < 4; ++i) {
    Value byte = words[i] >> (t * 8);
    Value pair = ((byte & 0xf) | (byte << 12 & 0xf0000)) << (4 * i);
    sum = i ? sum | pair : pair;
  }
  return sum;
}

/// A thread is a lane of one unit: of two columns, 8 apart, byte t of the 8 words of k.
KernelSource repack_w4(Elem) {
  constexpr int unit_n = ir::Packing{ir::Elem::S4}.unit_n(), half = unit_n / 2;
  Axis N{"N"}, K{"K", unit_k};
  Int4 w{"w", {N, K}, no_scales};
  Tensor codes = w.codes(false);
  Out image{"image", u32, w.codes(true).axes};
  LaunchShape launch{.threads = {threads}, .grid = {Blocks(K, unit_k * warps), Blocks(N, unit_n)}};
  return kernel("repack_w4", {w, image}, launch, [=](Thread& b) {
    auto unit = b.block().x * warps + b.warp(), lane = b.lane();
    b.when(unit * unit_k < K, [&] {
      Vec out;
      for (int side : {0, half}) {
        auto n = b.block().y * unit_n + lane / 4 + side;
        auto within = n < N;
        for (int word : {0, 4}) {
          Vec four = b.load_vec(codes(min(n, b.size(N) - 1), unit * 8 + word), 4);
          Value pairs = nibble_pairs(four.elements, lane % 4);
          out.elements.push_back(select(within, pairs, 0) ^ 0x88888888);
        }
      }
      b.store_vec(image(b.block().y, unit * unit_words + lane * 4), out);
    });
  });
}

/// A thread has four columns of the 16 places along k that one lane's bytes are of: it writes the
/// 16 bytes of four lanes. A warp's columns are 32 neighbours.
class Bytes {
 public:
  static constexpr int columns = 4, block_n = 8 * columns * warps;
  static constexpr int unit_n = ir::Packing{ir::Elem::S8}.unit_n();

  Bytes(Thread& b, const Axis& n, const Tensor& w, const Tensor& image)
      : b_(b), w_(w), image_(image), size_(b.size(n)), lane_(b.lane()), unit_(b.block().y) {
    first_ = (b.block().x * warps + b.warp()) * (8 * columns) + lane_ / 4 * columns;
  }

  /// Where rows are whole words: four columns in one access.
  void by_words() {
    auto within = first_ < size_;
    auto at = min(first_, size_ - columns);
    write([&](const Value& k) {
      Vec codes = b_.load_vec(w_(k, at), columns);
      for (Value& v : codes.elements) v = select(within, v.as(u8).to(u32), 0);
      return codes;
    });
  }

  void by_bytes() {
    write([&](const Value& k) {
      Vec codes;
      for (int i = 0; i < columns; ++i)
        codes.elements.push_back(b_.load_if(first_ + i < size_, w_(k, first_ + i)).as(u8).to(u32));
      return codes;
    });
  }

 private:
  /// codes_at(k): columns first_ .. first_ + 3.
  template <class F>
  void write(F codes_at) {
    std::vector<Vec> codes;  // in the order of a lane's bytes
    for (int k = 0; k < unit_k; k += 8)
      for (int odd : {0, 1}) codes.push_back(codes_at(unit_ * unit_k + lane_ % 4 * 2 + (k + odd)));
    for (int i = 0; i < columns; ++i) {
      Vec out;
      for (int word = 0; word < 16; word += 4)
        out.elements.push_back((codes[word][i] | codes[word + 1][i] << 8 |
                                codes[word + 2][i] << 16 | codes[word + 3][i] << 24) ^
                               0x80808080);
      auto n = first_ + i;
      // Units are whole: the last has columns past N.
      b_.when(n / unit_n * unit_n < size_, [&] {
        auto lane = n % unit_n * 4 + lane_ % 4;
        b_.store_vec(image_(n / unit_n, unit_ * unit_words + lane * 4), out);
      });
    }
  }

  Thread& b_;
  const Tensor& w_;
  const Tensor& image_;
  Value size_, lane_, unit_, first_;
};

KernelSource repack_w8(Elem) {
  Axis N{"N"}, K{"K", unit_k};
  Int8 w{"w", {K, N}};
  Tensor codes = w.codes(false);
  Out image{"image", u32, w.codes(true).axes};
  LaunchShape launch{.threads = {threads}, .grid = {Blocks(N, Bytes::block_n), Blocks(K, unit_k)}};
  return kernel("repack_w8", {w, image}, launch, [=](Thread& b) {
    Bytes bytes(b, N, codes, image);
    b.when(
        b.size(N) % Bytes::columns == 0, [&] { bytes.by_words(); }, [&] { bytes.by_bytes(); });
  });
}

/// Codes and image of `bits` a code; the image has whole units.
double bytes_moved(int bits, int unit_n, const std::map<std::string, std::int64_t>& n) {
  auto columns = n.at("N"), whole = (columns + unit_n - 1) / unit_n * unit_n;
  return bits / 8.0 * n.at("K") * (columns + whole);
}

}  // namespace

void add_repack(Registry& registry) {
  registry.add(
      {.name = "repack_w4",
       .doc = "the register image of int4 weights u32 [N, K/8]",
       .types = {u32},
       .schedules = {units256},
       .make = repack_w4,
       .reference =
           [](ReferenceArgs a) { a.tensors.at("image") = pack_int4_words(a.tensors.at("w")); },
       .bytes = [](Elem, const auto& n) { return bytes_moved(4, 16, n); }});
  registry.add(
      {.name = "repack_w8",
       .doc = "the register image of int8 weights s8 [K, N]",
       .types = {s8},
       .schedules = {units256},
       .make = repack_w8,
       .reference = [](ReferenceArgs a) { a.tensors.at("image") = pack_int8(a.tensors.at("w")); },
       .bytes = [](Elem, const auto& n) { return bytes_moved(8, 8, n); }});
}

}  // namespace barline::kernels
