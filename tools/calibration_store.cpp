// SPDX-License-Identifier: Apache-2.0
#include "tools/calibration_store.h"

#include <fmt/format.h>

#include <sstream>

#include "barline_codegen_id.h"

namespace barline::tools {

using codegen::Calibration;
using codegen::SassOp;

std::string to_text(const Calibration& calibration) {
  std::string out;
  for (int op = 0; op < codegen::sass_op_count; ++op) {
    auto kind = static_cast<SassOp>(op);
    if (!calibration.has(kind)) continue;
    out += codegen::sass_op_name(kind);
    for (std::uint16_t code = 0; code < 512; ++code) {
      // Kind 0 is what every opcode is that no probe has taught: it needs no list.
      if (op != 0 && calibration.of(code) == kind) out += fmt::format(" {:x}", code);
    }
    out += '\n';
  }
  return out;
}

std::optional<Calibration> calibration_of(const std::string& text, const std::string& target) {
  Calibration out(target);
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    int op = 0;
    while (op < codegen::sass_op_count && codegen::sass_op_name(static_cast<SassOp>(op)) != name) {
      ++op;
    }
    if (op == codegen::sass_op_count) return {};
    unsigned code = 0;
    while (words >> std::hex >> code) {
      if (code >= 512) return {};
      out.set(static_cast<std::uint16_t>(code), static_cast<SassOp>(op));
    }
    if (!words.eof()) return {};
  }
  return out;
}

const Calibration& CalibrationStore::get(const std::string& target) {
  std::lock_guard lock(mutex_);
  if (auto it = known_.find(target); it != known_.end()) return it->second;
  runtime::KeyRecord key;
  key.add("what", "sass calibration")
      .add("target", target)
      .add("assembler", assembler_.version())
      .add("codegen_id", BARLINE_CODEGEN_ID);
  if (runtime::Found found = cache_.find(key)) {
    if (auto kept = calibration_of(found.entry->ptx, target)) {
      return known_.emplace(target, std::move(*kept)).first->second;
    }
  }
  Calibration learnt = codegen::calibrate(assembler_, target);
  runtime::Entry entry{.key = key, .metadata = {}, .cubin = {}, .ptx = to_text(learnt)};
  entry.metadata.kernel = "sass_calibration";
  entry.metadata.target = target;
  cache_.disk().publish(key.hash(), entry);
  return known_.emplace(target, std::move(learnt)).first->second;
}

}  // namespace barline::tools
