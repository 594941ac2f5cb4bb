// SPDX-License-Identifier: Apache-2.0
#include "ir/tensor_map.h"

#include <algorithm>

namespace barline::ir {

TensorMap map_of(const Operation& copy, int param) {
  return {param, copy.attr(Key::Rows, 1), copy.attr(Key::Columns, 1),
          copy.attr(Key::Swizzled) != 0};
}

std::vector<TensorMap> tensor_maps(const Kernel& k) {
  std::vector<TensorMap> maps;
  auto defs = definitions(k);
  walk(k.body, [&](const Operation& op) {
    if (!op.is(Op::CopyTensor)) return;
    for (int param : root_of(k, defs, op.in[2]).params) {
      TensorMap map = map_of(op, param);
      if (std::find(maps.begin(), maps.end(), map) == maps.end()) maps.push_back(map);
    }
  });
  return maps;
}

}  // namespace barline::ir
