// SPDX-License-Identifier: Apache-2.0
// Independent pieces of work on a few threads.
#pragma once

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace barline::tools {

/// Calls work(i) for every i in [0, count) on at most `threads` threads, in rising order of start.
/// The first exception stops what has not begun and is thrown here.
template <class Work>
void for_each_parallel(int threads, std::size_t count, Work&& work) {
  std::atomic<std::size_t> next{0};
  std::exception_ptr error;
  std::mutex mutex;
  auto worker = [&] {
    for (std::size_t i = next++; i < count; i = next++) {
      try {
        work(i);
      } catch (...) {
        std::lock_guard lock(mutex);
        if (!error) error = std::current_exception();
        next = count;
      }
    }
  };
  std::vector<std::jthread> pool;
  for (std::size_t t = 1; t < std::min<std::size_t>(static_cast<std::size_t>(threads), count);
       ++t) {
    pool.emplace_back(worker);
  }
  worker();
  pool.clear();  // joins
  if (error) std::rethrow_exception(error);
}

}  // namespace barline::tools
