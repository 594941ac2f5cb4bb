// SPDX-License-Identifier: Apache-2.0
// Tensors of frameworks against a kernel's signature: every rule, its message, and the sizes.
#include "runtime/host/bind.h"

#include <catch2/catch.hpp>

#include "tests/host/samples.h"
#include "tests/runtime/fake_driver.h"

using namespace barline;
using namespace barline::runtime;
using namespace barline::runtime::test;
using driver::test::FakeDriver;

namespace {

struct Tensor {
  std::vector<std::int64_t> shape, strides;
  TensorView view{};

  Tensor(std::uint8_t code, std::uint8_t bits, std::vector<std::int64_t> of)
      : shape(std::move(of)) {
    view = {reinterpret_cast<void*>(0x4000),
            2,
            0,
            static_cast<std::int32_t>(shape.size()),
            code,
            bits,
            1,
            shape.data(),
            nullptr,
            0};
  }
  Tensor(Tensor&&) = default;  // the views point into the vectors, which a copy would leave behind
  Tensor with_strides(std::vector<std::int64_t> s) && {
    strides = std::move(s);
    view.strides = strides.data();
    return std::move(*this);
  }
};

Tensor bf16(std::vector<std::int64_t> shape) { return {4, 16, std::move(shape)}; }
Tensor u8(std::vector<std::int64_t> shape) { return {1, 8, std::move(shape)}; }

struct Kernel {
  FakeDriver fake;
  driver::Device device = driver::Driver::load(fake.options())->device(0);
  Libraries libraries;
  Prepared prepared;
  explicit Kernel(const std::string& signature = rms_norm_signature)
      : prepared(device, {sample_item("k.bf16@s", "sm_90a", "", signature).entry, Source::Pack},
                 libraries) {}

  std::string refusal(std::size_t index, const Tensor& t, std::vector<std::int64_t> sizes) {
    try {
      bind_tensor(prepared, index, t.view, sizes);
    } catch (const std::invalid_argument& e) {
      return e.what();
    }
    return "";
  }
};

}  // namespace

TEST_CASE("a tensor that is as the signature says gives its address") {
  Kernel k;
  const std::vector<std::int64_t> sizes{3, 16};
  Tensor x = bf16({3, 16}).with_strides({16, 1});
  x.view.byte_offset = 64;
  const Argument a = bind_tensor(k.prepared, 0, x.view, sizes);
  CHECK(a.is_pointer());
  CHECK(a.value() == 0x4040);
  CHECK(k.refusal(0, bf16({3, 16}), sizes) == "");
  CHECK(k.refusal(0, bf16({1, 16}).with_strides({999, 1}), {1, 16}) == "");  // one row
  Tensor managed = bf16({16});
  managed.view.device_type = 13;
  CHECK(k.refusal(1, managed, sizes) == "");
}

TEST_CASE("a tensor that is not is refused with name, rule and fix") {
  Kernel k;
  const std::vector<std::int64_t> sizes{3, 16};
  using Catch::Contains;
  CHECK_THAT(k.refusal(0, {2, 16, {3, 16}}, sizes),
             Contains("launch of 'rms_norm_bf16_row256': tensor 'x' has elements of DLPack type 2 "
                      "with 16 bits x 1") &&
                 Contains("pass bf16"));
  CHECK_THAT(k.refusal(0, bf16({16}), sizes), Contains("tensor 'x' has 1 axes; pass 2"));
  CHECK_THAT(k.refusal(1, bf16({8}), sizes),
             Contains("tensor 'w' has shape [8]; axis 'd' has 16 elements here"));
  CHECK_THAT(k.refusal(0, bf16({3, 16}).with_strides({32, 1}), sizes),
             Contains("make it contiguous"));
  CHECK_THAT(k.refusal(0, bf16({3, 16}).with_strides({1, 3}), sizes),
             Contains("make it contiguous"));
  Tensor host = bf16({3, 16});
  host.view.device_type = 1;
  CHECK_THAT(k.refusal(0, host, sizes), Contains("is on device 1:0") && Contains("CUDA device 0"));
  Tensor other = bf16({3, 16});
  other.view.device_id = 1;
  CHECK_THAT(k.refusal(0, other, sizes), Contains("is on device 2:1"));
  Tensor wide = bf16({3, 16});
  wide.view.lanes = 2;
  CHECK_THAT(k.refusal(0, wide, sizes), Contains("x 2"));
  Tensor nowhere = bf16({3, 16});
  nowhere.view.data = nullptr;
  CHECK_THAT(k.refusal(0, nowhere, sizes), Contains("tensor 'x' has no memory"));
  Tensor shapeless = bf16({3, 16});
  shapeless.view.shape = nullptr;
  CHECK_THAT(k.refusal(0, shapeless, sizes), Contains("tensor 'x' has no shape"));
  CHECK_THAT(k.refusal(3, bf16({1}), sizes), Contains("'eps' is a tensor; pass a scalar of f32"));
}

TEST_CASE("sizes are read off the shapes, and an axis that none shows is named") {
  Kernel k;
  Tensor x = bf16({3, 16}), w = bf16({16});
  const TensorView* tensors[] = {&x.view, &w.view, nullptr, nullptr};
  std::int64_t sizes[2] = {};
  infer_sizes(k.prepared, tensors, sizes);
  CHECK(sizes[0] == 3);
  CHECK(sizes[1] == 16);
  const TensorView* no_rows[] = {nullptr, &w.view, nullptr, nullptr};
  CHECK_THROWS_WITH(infer_sizes(k.prepared, no_rows, sizes),
                    Catch::Contains("no tensor shows the size of axis 'rows'; pass the sizes"));
}

TEST_CASE("bound and derived axes have the extents of their rules") {
  Kernel k("x:in:f16[m,K=128];w:in:u32[n,words=n%8*1];y:out:f16[m,n]|m:1,n:8|m/1,1,1");
  Tensor x{2, 16, {5, 128}}, y{2, 16, {5, 24}};
  const std::vector<std::int64_t> sizes{5, 24};
  CHECK(k.refusal(0, x, sizes) == "");
  CHECK_THAT(k.refusal(0, {2, 16, {5, 64}}, sizes), Catch::Contains("axis 'K' has 128 elements"));
  CHECK(k.refusal(1, {1, 32, {24, 3}}, sizes) == "");
  CHECK(k.refusal(1, {0, 32, {24, 3}}, sizes) == "");  // torch has int32 where words are meant
  CHECK_THAT(k.refusal(1, {1, 32, {24, 4}}, sizes), Catch::Contains("axis 'words' has 3 elements"));
  const TensorView* tensors[] = {&x.view, nullptr, &y.view};
  std::int64_t inferred[2] = {};
  infer_sizes(k.prepared, tensors, inferred);
  CHECK(inferred[1] == 24);
}

TEST_CASE("narrow elements may come as bytes, packed along the last axis") {
  Kernel k("q:in:e2m1[n,K];s:in:e4m3[n];y:out:f32[n,K]|n:1,K:16|n/1,1,1");
  const std::vector<std::int64_t> sizes{4, 32};
  CHECK(k.refusal(0, u8({4, 16}), sizes) == "");
  CHECK(k.refusal(0, {17, 4, {4, 32}}, sizes) == "");
  CHECK_THAT(k.refusal(0, u8({4, 32}), sizes), Catch::Contains("axis 'K' has 16 elements"));
  CHECK(k.refusal(1, u8({4}), sizes) == "");
  CHECK(k.refusal(1, {10, 8, {4}}, sizes) == "");
  CHECK_FALSE(k.refusal(1, {12, 8, {4}}, sizes) == "");
  Tensor q = u8({4, 16}), y{2, 32, {4, 32}};
  const TensorView* tensors[] = {&q.view, nullptr, &y.view};
  std::int64_t inferred[2] = {};
  infer_sizes(k.prepared, tensors, inferred);
  CHECK(inferred[1] == 32);  // not the bytes of q
}
