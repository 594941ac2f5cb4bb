// SPDX-License-Identifier: Apache-2.0
// .npy files: what NumPy writes is read, what is written NumPy reads, and every refusal is named.
#include "tools/npy.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <set>
#include <thread>

#include "tests/support/temp_dir.h"
#include "tools/error.h"
#include "tools/file.h"
#include "tools/generate.h"

using namespace barline;
using ir::Elem;

namespace {

std::string npy(const std::string& dict, const std::string& data, char version = 1) {
  std::string out("\x93NUMPY", 6);
  out += version;
  out += '\0';
  out += static_cast<char>(dict.size());
  out += '\0';
  if (version > 1) out += std::string(2, '\0');
  return out + dict + data;
}

std::string error_of(const std::string& bytes, Elem elem) {
  try {
    tools::parse_npy(bytes, "x.npy", elem);
  } catch (const tools::UsageError& e) {
    return e.what();
  }
  return "no error";
}

const std::string two_by_three = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";

}  // namespace

TEST_CASE("npy versions 1 to 3 are read") {
  for (char version : {1, 2, 3}) {
    ir::Tensor t =
        tools::parse_npy(npy(two_by_three, std::string(24, '\0'), version), "x.npy", Elem::F32);
    CHECK(t.shape == std::vector<std::int64_t>{2, 3});
    CHECK(t.data.size() == 24);
  }
}

TEST_CASE("a tensor of every element type survives the way out and in") {
  for (int e = 0; e < ir::elem_count; ++e) {
    ir::Tensor t = tools::generate(static_cast<Elem>(e), {3, 8}, 7, "x");
    ir::Tensor back = tools::parse_npy(tools::format_npy(t), "x.npy", t.elem);
    CHECK(back.shape == t.shape);
    CHECK(back.data == t.data);
  }
  ir::Tensor scalar(Elem::F32, {});
  CHECK(tools::parse_npy(tools::format_npy(scalar), "x", Elem::F32).shape.empty());
  ir::Tensor none(Elem::F32, {0, 5});
  CHECK(tools::parse_npy(tools::format_npy(none), "x", Elem::F32).count() == 0);
}

TEST_CASE("the data of a written file is aligned and in the documented dtype") {
  std::string bytes = tools::format_npy(tools::generate(Elem::BF16, {5}, 1, "x"));
  CHECK((bytes.size() - 10) % 64 == 0);
  CHECK(bytes.find("'descr': '<u2'") != std::string::npos);
  CHECK(bytes.find("'shape': (5,)") != std::string::npos);
}

TEST_CASE("a file that does not fit names file, rule and fix") {
  std::string good = npy(two_by_three, std::string(24, '\0'));
  CHECK(error_of(good, Elem::F32) == "no error");
  CHECK(error_of(good, Elem::F16) ==
        "x.npy: dtype '<f4' does not hold f16 elements; convert it to '<f2'");
  CHECK(error_of(good.substr(0, 40), Elem::F32) ==
        "x.npy: the header is cut off; write it with numpy.save");
  CHECK(error_of(good.substr(0, good.size() - 1), Elem::F32) ==
        "x.npy: shape (2, 3) and 23 bytes of data do not agree; the file is cut off or has been "
        "changed: write it again");
  CHECK(error_of(good + "x", Elem::F32).find("25 bytes of data") != std::string::npos);
  CHECK(error_of("PK\x03\x04 a zip file", Elem::F32) ==
        "x.npy: this is not a .npy file; write it with numpy.save");
  CHECK(error_of(npy(two_by_three, "", 9), Elem::F32) ==
        "x.npy: version 9 of .npy is not known; write version 1, 2 or 3");
  CHECK(error_of(npy("{'descr': '<f4'}", ""), Elem::F32) ==
        "x.npy: the header is malformed; write it with numpy.save");
  CHECK(
      error_of(
          npy("{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", std::string(24, '\0')),
          Elem::F32) == "x.npy: the array is in Fortran order; save numpy.ascontiguousarray of it");
  std::string huge =
      "{'descr': '|u1', 'fortran_order': False, 'shape': (9223372036854775807, 4), }";
  CHECK(error_of(npy(huge, ""), Elem::U8).find("do not agree") != std::string::npos);
}

TEST_CASE("a packed tensor with an odd last dimension cannot be written") {
  CHECK_THROWS_AS(tools::format_npy(ir::Tensor(Elem::S4, {2, 3})), tools::UsageError);
}

TEST_CASE("files: a missing one is usage, a failing write is io and leaves nothing") {
  const barline::test::TempDir folder;
  const std::string dir = folder.path().string();
  CHECK_THROWS_AS(tools::read_npy(dir + "/none.npy", Elem::F32), tools::UsageError);
  CHECK_THROWS_AS(tools::read_file(dir, 10), tools::UsageError);
  CHECK_THROWS_AS(tools::write_file(dir + "/no/folder/x", "a"), tools::UsageError);
  CHECK_THROWS_AS(tools::write_file(dir, "a"), tools::UsageError);
  CHECK_THROWS_AS(tools::write_file("/proc/barline", "a"), tools::IoError);
  tools::write_file(dir + "/a", "one");
  tools::write_file(dir + "/a", "two");
  CHECK(tools::read_file(dir + "/a", 3) == "two");
  CHECK_THROWS_AS(tools::read_file(dir + "/a", 2), tools::UsageError);
  std::filesystem::directory_iterator files(dir), end;
  CHECK(std::distance(files, end) == 1);
}

TEST_CASE("an output that is no file of its own is written to and stays what it is") {
  namespace fs = std::filesystem;
  const barline::test::TempDir folder;
  const std::string dir = folder.path().string(), link = dir + "/link", real = dir + "/real";
  tools::write_file(real, "one");
  fs::permissions(real, fs::perms::owner_read | fs::perms::owner_write);
  fs::create_symlink("real", link);
  tools::write_file(link, "two");
  CHECK(fs::is_symlink(link));
  CHECK(tools::read_file(real, 9) == "two");
  CHECK(fs::status(real).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  fs::create_symlink("not_yet", dir + "/dangling");
  tools::write_file(dir + "/dangling", "three");
  CHECK(fs::is_symlink(dir + "/dangling"));
  CHECK(tools::read_file(dir + "/not_yet", 9) == "three");
  fs::create_symlink("loop", dir + "/loop");
  CHECK_THROWS_AS(tools::write_file(dir + "/loop", "a"), tools::IoError);

  const std::string fifo = dir + "/fifo";
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  std::string got;
  std::thread reader([&] {
    std::ifstream in(fifo);
    got.assign(std::istreambuf_iterator<char>(in), {});
  });
  tools::write_file(fifo, "four");
  reader.join();
  CHECK(got == "four");
  CHECK(fs::is_fifo(fifo));
  CHECK_THROWS_AS(tools::write_file("/dev/full", "a"), tools::IoError);
  CHECK(fs::is_character_file("/dev/full"));
}

TEST_CASE("generated inputs follow seed and name, stay finite and are never constant") {
  for (int e = 0; e < ir::elem_count; ++e) {
    auto elem = static_cast<Elem>(e);
    ir::Tensor a = tools::generate(elem, {64}, 1, "x");
    CHECK(a.data == tools::generate(elem, {64}, 1, "x").data);
    CHECK(a.data != tools::generate(elem, {64}, 2, "x").data);
    CHECK(a.data != tools::generate(elem, {64}, 1, "w").data);
    CHECK(std::set<std::byte>(a.data.begin(), a.data.end()).size() > 1);
  }
  ir::Tensor t = tools::generate(Elem::F32, {4096}, 3, "x");
  const float* v = t.as<float>();
  CHECK(*std::min_element(v, v + 4096) < -1.9f);
  CHECK(*std::max_element(v, v + 4096) > 1.9f);
  CHECK(std::all_of(v, v + 4096, [](float x) { return x >= -2 && x < 2; }));
}
