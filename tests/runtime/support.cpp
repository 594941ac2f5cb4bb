// SPDX-License-Identifier: Apache-2.0
// Helpers of the cache tests.
#include "tests/runtime/support.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include "runtime/cache/bytes_p.h"

namespace barline::runtime::test {

std::filesystem::path fast_folder() {
  const char* in_memory = "/dev/shm";
  return ::access(in_memory, R_OK | W_OK | X_OK) == 0 ? std::filesystem::path(in_memory)
                                                      : std::filesystem::temp_directory_path();
}

std::vector<std::byte> tiny_cubin(std::size_t payload, unsigned fill) {
  std::vector<std::byte> out;
  put_bytes(out, bytes_of(std::string_view("\x7f"
                                           "ELF\x02\x01\x01",
                                           7)));
  out.resize(16);
  put_int(out, std::uint16_t{2});
  put_int(out, std::uint16_t{190});
  put_int(out, std::uint32_t{1});
  put_int(out, std::uint64_t{0});             // entry
  put_int(out, std::uint64_t{0});             // program headers
  put_int(out, std::uint64_t{64 + payload});  // section headers
  put_int(out, std::uint32_t{0});
  put_int(out, std::uint16_t{64});
  put_int(out, std::uint32_t{0});  // no program headers
  put_int(out, std::uint16_t{64});
  put_int(out, std::uint16_t{1});
  put_int(out, std::uint16_t{0});
  out.resize(64 + payload, static_cast<std::byte>(fill));
  put_int(out, std::uint32_t{0});
  put_int(out, std::uint32_t{1});  // SHT_PROGBITS
  put_int(out, std::uint64_t{0});
  put_int(out, std::uint64_t{0});
  put_int(out, std::uint64_t{64});
  put_int(out, std::uint64_t{payload});
  out.resize(64 + payload + 64);
  return out;
}

KeyRecord sample_key(const std::string& ir) {
  KeyRecord key;
  key.add("schema", "1").add("ir", ir).add("config", "row256").add("target", "sm_90a");
  return key;
}

WarmKey sample_warm(const std::string& config) {
  return {.kernel = "rms_norm.bf16",
          .config = config,
          .target = "sm_90a",
          .codegen_id = "0123",
          .assembler = "ptxas 13.0",
          .options = ""};
}

Entry sample_entry(const KeyRecord& key, std::size_t payload) {
  Entry entry;
  entry.key = key;
  entry.metadata.kernel = "rms_norm.bf16";
  entry.metadata.target = "sm_90a";
  entry.metadata.registers = 40;
  entry.cubin = tiny_cubin(payload);
  return entry;
}

CacheOptions options_for(const std::filesystem::path& dir, std::vector<std::string>* warnings) {
  CacheOptions options;
  options.dir = dir;
  if (warnings != nullptr) {
    options.warn = [warnings](const std::string& text) { warnings->push_back(text); };
  }
  return options;
}

int in_child(const std::function<int()>& body) {
  const pid_t pid = ::fork();
  if (pid < 0) throw std::runtime_error("fork failed");
  if (pid == 0) {
    int status = 99;
    try {
      status = body();
    } catch (...) {
      status = 98;
    }
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::vector<std::byte> read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  const auto bytes = bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

void write_bytes(const std::filesystem::path& path, const std::vector<std::byte>& bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(reinterpret_cast<const char*>(bytes.data()),
            static_cast<std::streamsize>(bytes.size()));
}

std::vector<std::filesystem::path> files_below(const std::filesystem::path& dir,
                                               const std::string& suffix) {
  std::vector<std::filesystem::path> files;
  for (const auto& item : std::filesystem::recursive_directory_iterator(dir)) {
    if (item.is_regular_file() && item.path().string().ends_with(suffix))
      files.push_back(item.path());
  }
  return files;
}

}  // namespace barline::runtime::test
