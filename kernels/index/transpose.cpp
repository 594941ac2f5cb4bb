// SPDX-License-Identifier: Apache-2.0
// y = x transposed, through a shared tile of 64 x 64. A tile's row is padded by one 4-byte word:
// neighbours of a column then lie one bank (and one row) apart, so that neither the rows written
// nor the columns read meet a bank conflict, at 2 and at 4 bytes an element.
#include <cstring>

#include "dsl/dsl.h"
#include "kernels/kernels.h"

namespace barline::kernels {
namespace {

using namespace dsl;

constexpr int side = 64, lines = 4;  // a block is 64 x 4 threads; each thread takes 16 elements
constexpr ir::Schedule tile64{.name = "tile64", .threads = side * lines};

KernelSource transpose(Elem type) {
  Axis rows{"rows"}, cols{"cols"};
  In x{"x", type, {rows, cols}};
  Out y{"y", type, {cols, rows}};
  LaunchShape launch{.threads = {side, lines}, .grid = {Blocks(cols, side), Blocks(rows, side)}};
  return kernel("transpose", {x, y}, launch, [=](Thread& t) {
    const int pitch = side + 4 / ir::bytes(type);
    Shared tile = t.shared("tile", type, side * pitch);
    auto across = t.thread().x, line = t.thread().y;
    auto first_col = t.block().x * side, first_row = t.block().y * side;
    for (int i = 0; i < side; i += lines) {
      auto row = first_row + line + i, col = first_col + across;
      auto value = t.load_if((row < rows) & (col < cols), x(row, col));
      t.store(tile, (line + i) * pitch + across, value);
    }
    for (int i = 0; i < side; i += lines) {
      auto row = first_row + across, col = first_col + line + i;
      auto value = t.load(tile, across * pitch + line + i);
      t.store_if((row < rows) & (col < cols), y(col, row), value);
    }
  });
}

void transpose_reference(ReferenceArgs a) {
  std::int64_t rows = a.sizes.at("rows"), cols = a.sizes.at("cols");
  const ir::Tensor& x = a.tensors.at("x");
  ir::Tensor& y = a.tensors.at("y");
  const int size = ir::bytes(x.elem);
  for (std::int64_t r = 0; r < rows; ++r)
    for (std::int64_t c = 0; c < cols; ++c)
      std::memcpy(&y.data[(c * rows + r) * size], &x.data[(r * cols + c) * size], size);
}

}  // namespace

void add_transpose(Registry& registry) {
  registry.add({.name = "transpose",
                .doc = "y[c, r] = x[r, c]",
                .types = {f32, f16, bf16},
                .schedules = {tile64},
                .make = transpose,
                .reference = transpose_reference,
                .bytes = [](Elem e, const auto& n) {
                  return ir::bytes(e) * 2.0 * n.at("rows") * n.at("cols");
                }});
}

}  // namespace barline::kernels
