// SPDX-License-Identifier: Apache-2.0
// Machines without a usable driver: each kind of failure has its own error, and says what to do.
#include <catch2/catch.hpp>
#include <cstdio>
#include <filesystem>

#include "runtime/driver/device.h"
#include "tests/runtime/fake_driver.h"

using namespace barline::driver;
using barline::driver::test::FakeDriver;

namespace {

ErrorKind load_fails(const Options& options, const std::string& expected) {
  try {
    Driver::load(options);
  } catch (const Error& error) {
    CHECK_THAT(error.what(), Catch::Contains(expected));
    CHECK(error.means_no_device());
    return error.kind();
  }
  FAIL("the driver loaded");
  return ErrorKind::Call;
}

}  // namespace

TEST_CASE("a missing driver library is named, with what works without it") {
  CHECK(load_fails({.libraries = {"libno_such_cuda.so.1"}}, "libno_such_cuda.so.1") ==
        ErrorKind::NoDriver);
  CHECK(load_fails({.libraries = {"libno_such_cuda.so.1", "/none/libcuda.so"}},
                   "/none/libcuda.so") == ErrorKind::NoDriver);
  CHECK(load_fails({.libraries = {"libno_such_cuda.so.1"}}, "simulator work without a GPU") ==
        ErrorKind::NoDriver);
  CHECK(load_fails({.libraries = {}}, "no library name was given") == ErrorKind::NoDriver);
}

TEST_CASE("the toolkit's stub is told apart from a driver") {
  const std::string stub = "/usr/local/cuda/lib64/stubs/libcuda.so";
  if (!std::filesystem::exists(stub)) {
    std::puts("SKIP: no CUDA toolkit stub");
    return;
  }
  CHECK(load_fails({.libraries = {stub}}, "is the CUDA toolkit's link-time stub, not a driver") ==
        ErrorKind::StubLibrary);
}

TEST_CASE("a library that is no driver at all is an old driver") {
  CHECK(load_fails({.libraries = {"libm.so.6"}}, "below CUDA 12.0") == ErrorKind::TooOld);
}

TEST_CASE("a stub that only cuInit or cuGetProcAddress gives away") {
  for (const char* where : {"cuInit", "cuGetProcAddress"}) {
    FakeDriver fake;
    fake.results[where] = abi::Result::StubLibrary;
    CHECK(load_fails(fake.options(), "link-time stub") == ErrorKind::StubLibrary);
  }
}

TEST_CASE("a driver that sees no device") {
  FakeDriver fake;
  fake.results["cuInit"] = abi::Result::NoDevice;
  CHECK(load_fails(fake.options(), "CUDA_VISIBLE_DEVICES") == ErrorKind::NoDevice);
}

TEST_CASE("a device ordinal that there is not") {
  FakeDriver fake;
  const auto driver = Driver::load(fake.options());
  CHECK(driver->version() == 13000);
  for (int ordinal : {-1, 1, 7}) {
    try {
      driver->device(ordinal);
      FAIL("device " << ordinal);
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::NoDevice);
      CHECK_THAT(error.what(), Catch::Contains("the driver sees 1 device"));
    }
  }
}

TEST_CASE("a needed entry point that the driver lacks is named; an optional one is left out") {
  FakeDriver old;
  old.absent = {"cuLibraryLoadData"};
  CHECK(load_fails(old.options(), "no cuLibraryLoadData of CUDA 12.0") == ErrorKind::TooOld);
  FakeDriver older;
  older.absent = {"cuFuncLoad", "cuLibraryGetKernelCount", "cuLibraryEnumerateKernels",
                  "cuKernelGetName"};
  const auto driver = Driver::load(older.options());
  CHECK(driver->api().cuFuncLoad == nullptr);
  CHECK(driver->api().cuLaunchKernelEx != nullptr);
}
