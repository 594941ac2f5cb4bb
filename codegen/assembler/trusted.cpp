// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "codegen/assembler/trusted_p.h"

namespace barline::codegen {
namespace {

std::string writable_by_others(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return {};
  if (info.st_mode & S_IWOTH) return fmt::format("{} is writable by every user", path);
  if (info.st_uid != 0 && info.st_uid != geteuid())
    return fmt::format("{} belongs to another user", path);
  return {};
}

}  // namespace

std::string why_no_file(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) return "there is no such file";
  if (!S_ISREG(info.st_mode)) return "it is not a regular file";
  return {};
}

std::string why_not_trusted(const std::string& directory, const std::string& file) {
  if (directory.empty() || directory.front() != '/') return "it is not an absolute path";
  const std::string path = directory + "/" + file;
  if (std::string why = why_no_file(path); !why.empty()) return why;
  if (std::string why = writable_by_others(directory); !why.empty()) return why;
  return writable_by_others(path);
}

}  // namespace barline::codegen
