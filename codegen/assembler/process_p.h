// SPDX-License-Identifier: Apache-2.0
// Runs one program without a shell, bounded in time and output. Its input and output files are
// descriptors of memory files, which the program sees as /proc/self/fd/3 and /proc/self/fd/4.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace barline::codegen {

/// A descriptor that closes itself; always close-on-exec and above the numbers that a child uses.
class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(other.fd_) { other.fd_ = -1; }
  Fd& operator=(Fd&& other) noexcept;
  ~Fd() { reset(); }
  int get() const { return fd_; }
  void reset();

 private:
  int fd_ = -1;
};

/// An empty memory file; throws std::system_error.
Fd memory_file(const char* name);
void write_all(const Fd& fd, std::string_view bytes);
std::vector<std::byte> read_all(const Fd& fd);

inline constexpr const char* child_input = "/proc/self/fd/3";
inline constexpr const char* child_output = "/proc/self/fd/4";

struct ProcessSpec {
  std::string path;               ///< absolute
  std::vector<std::string> args;  ///< without argv[0]
  const Fd* input = nullptr;      ///< becomes descriptor 3
  const Fd* output = nullptr;     ///< becomes descriptor 4
  std::chrono::milliseconds timeout{60'000};
  std::size_t log_cap = 8u << 20;
  std::size_t file_cap = std::size_t{1} << 30;
};

struct ProcessResult {
  int status =
      -1;  ///< exit code, 128 + signal, or -1 when another part of the host reaped the child
  bool timed_out = false;
  bool log_overflow = false;
  std::string log;  ///< stdout and stderr as they came
  double ms = 0;
};

/// Throws std::system_error when the program cannot be started. Every process of the child's group
/// is gone when this returns.
ProcessResult run_process(const ProcessSpec& spec);

}  // namespace barline::codegen
