// SPDX-License-Identifier: Apache-2.0
// Level 4: shared memory. A slot is declared with its extent; the body stores and loads. Nobody
// writes a barrier: the compiler sees that a thread loads what another one stored and places one.
#include "level.h"

using namespace barline::dsl;

constexpr int side = 32;

/// y = x transposed, in tiles of 32 x 32; rows of the slot are padded against bank conflicts.
KernelSource level_transpose(Elem type) {
  Axis rows{"rows"}, cols{"cols"};
  In x{"x", type, {rows, cols}};
  Out y{"y", type, {cols, rows}};
  LaunchShape launch{.threads = {side, side}, .grid = {Blocks(cols, side), Blocks(rows, side)}};
  return kernel("level_transpose", {x, y}, launch, [=](Thread& t) {
    Shared tile = t.shared("tile", type, side * (side + 1));
    auto i = t.thread().x, j = t.thread().y;
    auto first_row = t.block().y * side, first_col = t.block().x * side;

    auto row = first_row + j, col = first_col + i;
    t.store(tile, j * (side + 1) + i, t.load_if((row < rows) & (col < cols), x(row, col)));

    auto to_row = first_col + j, to_col = first_row + i;  // of y
    auto value = t.load(tile, i * (side + 1) + j);
    t.store_if((to_row < cols) & (to_col < rows), y(to_row, to_col), value);
  });
}

void reference(ReferenceArgs args) {
  std::int64_t rows = args.sizes.at("rows"), cols = args.sizes.at("cols");
  for (std::int64_t i = 0; i < rows * cols; ++i)
    args.tensors.at("y").as<float>()[i % cols * rows + i / cols] =
        args.tensors.at("x").as<float>()[i];
}

extern "C" void barline_plugin(Registry& registry) {
  registry.add({.name = "level_transpose",
                .doc = "y[c, r] = x[r, c]",
                .types = {f32},
                .schedules = {{.name = "tile32", .threads = side * side}},
                .make = level_transpose,
                .reference = reference,
                .bytes = [](Elem, const auto& n) { return 8.0 * n.at("rows") * n.at("cols"); }});
}

int main() { return level::run({{"rows", 33}, {"cols", 70}}); }
