// SPDX-License-Identifier: Apache-2.0
// Helpers for tests of the assembler and its readers: a private directory, programs that pretend to
// be ptxas, small PTX, and the cubins kept beside the tests.
#pragma once

#include <sys/stat.h>

#include <cstddef>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/temp_dir.h"

namespace barline::codegen::test {

/// A private directory for programs.
class TempDir : public barline::test::TempDir {
 public:
  std::string path(const std::string& name = "") const {
    const std::filesystem::path& folder = barline::test::TempDir::path();
    return name.empty() ? folder.string() : (folder / name).string();
  }

  /// Writes an executable shell script and returns its path.
  std::string script(const std::string& name, const std::string& body) const {
    std::string file = path(name);
    std::filesystem::create_directories(std::filesystem::path(file).parent_path());
    std::ofstream(file) << "#!/bin/sh\n" << body << "\n";
    chmod(file.c_str(), 0755);
    return file;
  }
};

inline std::vector<std::byte> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  std::vector<std::byte> bytes(text.size());
  if (!text.empty()) std::memcpy(bytes.data(), text.data(), text.size());
  return bytes;
}

/// A cubin kept in tests/codegen/cubins.
inline std::string cubin_path(const std::string& name) {
  return std::string(BARLINE_SOURCE_DIR) + "/tests/codegen/cubins/" + name;
}

/// 10 registers or so, 512 bytes of static shared memory, one barrier, 128 threads.
inline constexpr const char* small_ptx = R"(.version 7.8
.target sm_80
.address_size 64
.visible .entry k(.param .u64 p, .param .u32 n)
.maxntid 128, 1, 1
{
  .reg .b64 %rd<4>; .reg .b32 %r<8>;
  .shared .align 16 .b8 sm[512];
  ld.param.u64 %rd1, [p];
  cvta.to.global.u64 %rd1, %rd1;
  mov.u32 %r1, %tid.x;
  mul.wide.u32 %rd2, %r1, 4;
  add.s64 %rd3, %rd1, %rd2;
  ld.global.u32 %r3, [%rd3];
  shl.b32 %r4, %r1, 2;
  mov.u32 %r5, sm;
  add.u32 %r5, %r5, %r4;
  st.shared.u32 [%r5], %r3;
  bar.sync 0;
  ld.shared.u32 %r6, [%r5+4];
  st.global.u32 [%rd3], %r6;
  ret;
}
)";

}  // namespace barline::codegen::test
