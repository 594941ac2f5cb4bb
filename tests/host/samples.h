// SPDX-License-Identifier: Apache-2.0
// Packs with kernels that look like the library's, whose code no GPU has ever seen.
#pragma once
#include <filesystem>
#include <string>
#include <vector>

#include "runtime/pack/pack.h"
#include "tests/runtime/support.h"

namespace barline::runtime::test {

inline constexpr const char* rms_norm_signature =
    "x:in:bf16[rows,d];w:in:bf16[d];y:out:bf16[rows,d];eps:scalar:f32|rows:1,d:8|rows/1,1,1";

/// An entry of that name for a target; its PTX, if any, is written for `ptx_target`.
inline PackItem sample_item(const std::string& name, const std::string& target,
                            const std::string& ptx_target = "",
                            const std::string& signature = rms_norm_signature,
                            const std::string& bound = "") {
  KeyRecord key;
  key.add("ir", "kernel @" + name + bound)
      .add("config", name + " threads=256" + bound)
      .add("target", target);
  Entry entry = sample_entry(key, 24);
  Metadata& m = entry.metadata;
  m.kernel = name.substr(0, name.find('.'));
  m.schedule = name.substr(name.find('@') + 1);
  m.target = target;
  m.entry = "rms_norm_bf16_row256";
  m.signature = signature;
  m.registers = 40;
  m.stack = 40;
  m.threads_x = 256;
  if (!ptx_target.empty()) entry.ptx = ".version 8.0\n.target " + ptx_target + "\n";
  return {blake3(name + bound + target), std::make_shared<const Entry>(std::move(entry))};
}

inline std::filesystem::path write_pack(const std::filesystem::path& path,
                                        const std::vector<PackItem>& items) {
  write_bytes(path, serialize_pack(items));
  return path;
}

}  // namespace barline::runtime::test
