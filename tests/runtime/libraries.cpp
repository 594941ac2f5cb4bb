// SPDX-License-Identifier: Apache-2.0
// Loaded code is shared: once for a device and as long as a kernel of it lives.
#include "runtime/launch/libraries.h"

#include <atomic>
#include <catch2/catch.hpp>
#include <thread>

#include "tests/runtime/fake_driver.h"
#include "tests/runtime/support.h"

using namespace barline;
using namespace barline::runtime;
using driver::test::FakeDriver;

TEST_CASE("code is loaded once for a device, and unloaded with the last kernel that holds it") {
  FakeDriver fake;
  const driver::Device device = driver::Driver::load(fake.options())->device(0);
  Libraries libraries;
  const Entry entry = runtime::test::sample_entry();
  auto first = libraries.get(device, entry, Code::Cubin);
  auto second = libraries.get(device, entry, Code::Cubin);
  CHECK(first == second);
  CHECK(fake.count("cuLibraryLoadData") == 1);
  first.reset();
  CHECK(fake.count("cuLibraryUnload") == 0);
  second.reset();
  CHECK(fake.count("cuLibraryUnload") == 1);
  second = libraries.get(device, entry, Code::Cubin);
  CHECK(fake.count("cuLibraryLoadData") == 2);
}

TEST_CASE("other code, the same as PTX, and another device are libraries of their own") {
  FakeDriver fake;
  const auto loaded = driver::Driver::load(fake.options());
  const driver::Device device = loaded->device(0);
  Libraries libraries;
  Entry entry = runtime::test::sample_entry(), other = runtime::test::sample_entry(runtime::test::sample_key(), 44);
  entry.ptx = ".version 8.0";
  const auto a = libraries.get(device, entry, Code::Cubin);
  const auto b = libraries.get(device, other, Code::Cubin);
  const auto c = libraries.get(device, entry, Code::Ptx);
  CHECK((a != b && a != c && b != c));
  CHECK(fake.count("cuLibraryLoadData") == 3);
  fake.context = 17;
  const auto d = libraries.get(loaded->device(0), entry, Code::Cubin);
  CHECK(d != a);
  CHECK(fake.count("cuLibraryLoadData") == 4);
}

TEST_CASE("a load that failed is tried again") {
  FakeDriver fake;
  const driver::Device device = driver::Driver::load(fake.options())->device(0);
  Libraries libraries;
  const Entry entry = runtime::test::sample_entry();
  fake.results["cuLibraryLoadData"] = driver::abi::Result::OutOfMemory;
  CHECK_THROWS_AS(libraries.get(device, entry, Code::Cubin), driver::Error);
  fake.results.clear();
  CHECK(libraries.get(device, entry, Code::Cubin) != nullptr);
}

TEST_CASE("threads that prepare one kernel load it once") {
  FakeDriver fake;
  const driver::Device device = driver::Driver::load(fake.options())->device(0);
  Libraries libraries;
  const Entry entry = runtime::test::sample_entry();
  std::vector<std::shared_ptr<const driver::Library>> held(8);
  std::vector<std::thread> threads;
  for (auto& library : held)
    threads.emplace_back([&] { library = libraries.get(device, entry, Code::Cubin); });
  for (std::thread& t : threads) t.join();
  CHECK(fake.count("cuLibraryLoadData") == 1);
  for (const auto& library : held) CHECK(library == held.front());
}
