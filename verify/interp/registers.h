// SPDX-License-Identifier: Apache-2.0
// Allocates byte ranges of a warp's register file: values whose last use has passed give theirs
// back, so that long straight-line kernels stay small enough for the host's caches.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>

namespace barline::verify::sim {

class Registers {
 public:
  std::uint32_t allocate(std::uint32_t bytes) {
    bytes = (bytes + 63) / 64 * 64;
    for (auto it = free_.begin(); it != free_.end(); ++it) {
      auto [at, size] = *it;
      if (size < bytes) continue;
      free_.erase(it);
      if (size > bytes) free_[at + bytes] = size - bytes;
      used_[at] = bytes;
      return at;
    }
    std::uint32_t at = end_;
    end_ += bytes;
    used_[at] = bytes;
    return at;
  }

  void release(std::uint32_t at) {
    auto it = used_.find(at);
    if (it == used_.end()) return;
    std::uint32_t size = it->second;
    used_.erase(it);
    auto after = free_.lower_bound(at);
    if (after != free_.end() && after->first == at + size) {
      size += after->second;
      after = free_.erase(after);
    }
    if (after != free_.begin()) {
      auto before = std::prev(after);
      if (before->first + before->second == at) {
        before->second += size;
        return;
      }
    }
    free_[at] = size;
  }

  std::uint32_t size() const { return end_; }

 private:
  std::map<std::uint32_t, std::uint32_t> free_, used_;  // offset -> bytes
  std::uint32_t end_ = 0;
};

}  // namespace barline::verify::sim
