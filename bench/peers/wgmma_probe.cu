// SPDX-License-Identifier: Apache-2.0
// What a GPU's wgmma computes, against the model of ir/tensor_core.h, bit for bit: random operands
// of every class, A in registers and in shared memory, one instruction alone and four chained.
//
//   g++ -std=c++20 -O3 -march=native -I. -c ir/tensor_core.cpp -o tensor_core.o
//   nvcc -std=c++20 -O3 -gencode=arch=compute_90a,code=sm_90a -I. bench/peers/wgmma_probe.cu \
//     tensor_core.o -o wgmma_probe && ./wgmma_probe <commit> [record.json [samples.txt]]
#include <cuda_runtime.h>

#include <bit>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "bench/peers/wgmma_operands.h"
#include "ir/tensor_core.h"

namespace {

using namespace barline;
using ir::Elem;
using probe::row_bytes;
using probe::row_words;
using probe::rows;

// ---- the instruction -------------------------------------------------------------------------

/// A K-major matrix without a swizzle: `stride` bytes from its first 16 bytes of k to the next 16,
/// 128 from 8 rows to the next 8.
__device__ std::uint64_t described(const void* matrix, int stride) {
  const auto address = static_cast<std::uint64_t>(__cvta_generic_to_shared(matrix));
  return address >> 4 | static_cast<std::uint64_t>(stride >> 4) << 16 |
         std::uint64_t{128 >> 4} << 32;
}

#define SUMS_8 "{%0, %1, %2, %3}"
#define OUT_8 "+r"(s[0]), "+r"(s[1]), "+r"(s[2]), "+r"(s[3])
#define SUMS_64                                                                                 \
  "{%0, %1, %2, %3, %4, %5, %6, %7, %8, %9, %10, %11, %12, %13, %14, %15, %16, %17, %18, %19, " \
  "%20, %21, %22, %23, %24, %25, %26, %27, %28, %29, %30, %31}"
#define OUT_4(i) "+r"(s[i]), "+r"(s[i + 1]), "+r"(s[i + 2]), "+r"(s[i + 3])
#define OUT_64 OUT_4(0), OUT_4(4), OUT_4(8), OUT_4(12), OUT_4(16), OUT_4(20), OUT_4(24), OUT_4(28)

// `tail` holds what follows the predicate: signs of A and B, and for 16-bit types the transposes.
#define FROM_REGISTERS(name, n, a0, a1, a2, a3, b0, p0, tail)                                    \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %" #p0 ", 0; wgmma.mma_async.sync.aligned." name  \
               " " SUMS_##n ", {%" #a0 ", %" #a1 ", %" #a2 ", %" #a3 "}, %" #b0 ", p" tail "; }" \
               : OUT_##n                                                                         \
               : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "l"(b), "r"(add))
#define FROM_SLOTS(name, n, a0, b0, p0, tail)                                                   \
  asm volatile("{ .reg .pred p; setp.ne.b32 p, %" #p0 ", 0; wgmma.mma_async.sync.aligned." name \
               " " SUMS_##n ", %" #a0 ", %" #b0 ", p" tail "; }"                                \
               : OUT_##n                                                                        \
               : "l"(a_slot), "l"(b), "r"(add))
#define BOTH(name, n, a0, a1, a2, a3, b0, p0, in_registers, in_slots) \
  if constexpr (registers)                                            \
    FROM_REGISTERS(name, n, a0, a1, a2, a3, b0, p0, in_registers);    \
  else                                                                \
    FROM_SLOTS(name, n, a0, a1, a2, in_slots)

/// s += A B; without `add` s = A B.
template <Elem e, bool registers, int n>
__device__ void multiply(std::uint32_t (&s)[n / 2], const std::uint32_t* a, std::uint64_t a_slot,
                         std::uint64_t b, int add) {
  if constexpr (n == 8 && e == Elem::F16) {
    BOTH("m64n8k16.f32.f16.f16", 8, 4, 5, 6, 7, 8, 9, ", 1, 1, 0", ", 1, 1, 0, 0");
  } else if constexpr (n == 8 && e == Elem::BF16) {
    BOTH("m64n8k16.f32.bf16.bf16", 8, 4, 5, 6, 7, 8, 9, ", 1, 1, 0", ", 1, 1, 0, 0");
  } else if constexpr (n == 8) {
    BOTH("m64n8k32.s32.s8.s8", 8, 4, 5, 6, 7, 8, 9, "", "");
  } else if constexpr (e == Elem::F16) {
    BOTH("m64n64k16.f32.f16.f16", 64, 32, 33, 34, 35, 36, 37, ", 1, 1, 0", ", 1, 1, 0, 0");
  } else if constexpr (e == Elem::BF16) {
    BOTH("m64n64k16.f32.bf16.bf16", 64, 32, 33, 34, 35, 36, 37, ", 1, 1, 0", ", 1, 1, 0, 0");
  } else {
    BOTH("m64n64k32.s32.s8.s8", 64, 32, 33, 34, 35, 36, 37, "", "");
  }
}

/// Lays rows of 32 bytes down as 8 x 16 byte cores, those of the first 16 bytes first.
__device__ void lay_down(uint4* slot, const uint4* from, int of) {
  for (int i = threadIdx.x; i < of * 2; i += blockDim.x) slot[i % 2 * of + i / 2] = from[i];
}

/// One tile a block: A [steps][64][32 bytes], B [steps][n][32 bytes], C and D [64][n]. The steps
/// are one group, or with `group_each` a group each, all in flight; `fresh`: the first leaves C
/// out.
template <Elem e, bool registers, int n, int steps, bool group_each>
__global__ void __launch_bounds__(128) tiles(const std::uint32_t* a, const std::uint32_t* b,
                                             const std::uint32_t* c, std::uint32_t* d, int fresh) {
  __shared__ alignas(128) uint4 a_slots[steps][rows * 2];
  __shared__ alignas(128) uint4 b_slots[steps][n * 2];
  const std::size_t tile = blockIdx.x;
  a += tile * steps * rows * row_words;
  b += tile * steps * n * row_words;
  c += tile * rows * n;
  d += tile * rows * n;
  for (int i = 0; i < steps; ++i) {
    lay_down(a_slots[i], reinterpret_cast<const uint4*>(a) + i * rows * 2, rows);
    lay_down(b_slots[i], reinterpret_cast<const uint4*>(b) + i * n * 2, n);
  }
  const int lane = threadIdx.x % 32, row = threadIdx.x / 32 * 16 + lane / 4, t = lane % 4;
  std::uint32_t operand[steps][4], s[n / 2];
#pragma unroll
  for (int i = 0; i < steps; ++i)
#pragma unroll
    for (int r = 0; r < 4; ++r)
      operand[i][r] = a[(i * rows + row + r % 2 * 8) * row_words + t + r / 2 * 4];
#pragma unroll
  for (int i = 0; i < n / 2; ++i) s[i] = c[(row + i / 2 % 2 * 8) * n + i / 4 * 8 + t * 2 + i % 2];
  asm volatile("fence.proxy.async;" ::: "memory");
  __syncthreads();
  asm volatile("wgmma.fence.sync.aligned;" ::: "memory");
#pragma unroll
  for (int i = 0; i < steps; ++i) {
    multiply<e, registers, n>(s, operand[i], described(a_slots[i], rows * 16),
                              described(b_slots[i], n * 16), i > 0 || !fresh);
    if (i + 1 == steps || group_each) asm volatile("wgmma.commit_group.sync.aligned;" ::: "memory");
  }
  asm volatile("wgmma.wait_group.sync.aligned 0;" ::: "memory");
#pragma unroll
  for (int i = 0; i < n / 2; ++i) d[(row + i / 2 % 2 * 8) * n + i / 4 * 8 + t * 2 + i % 2] = s[i];
}

// ---- the comparison --------------------------------------------------------------------------

void check(cudaError_t status) {
  if (status == cudaSuccess) return;
  std::fprintf(stderr, "wgmma_probe: %s\n", cudaGetErrorString(status));
  std::exit(1);
}

/// A tensor on both sides.
struct Words {
  std::vector<std::uint32_t> host;
  std::uint32_t* device = nullptr;

  void resize(std::size_t n) {
    if (n <= host.size()) return;
    check(cudaFree(device));
    host.resize(n);
    check(cudaMalloc(&device, n * 4));
  }
  void up(std::size_t n) { check(cudaMemcpy(device, host.data(), n * 4, cudaMemcpyHostToDevice)); }
  void down(std::size_t n) {
    check(cudaMemcpy(host.data(), device, n * 4, cudaMemcpyDeviceToHost));
  }
};

/// What one row of the record is about.
struct Case {
  Elem type;
  int n, steps, tiles;
  probe::Class of;
  bool group_each = false, fresh = false;
  std::size_t a() const { return std::size_t(tiles) * steps * rows * row_words; }
  std::size_t b() const { return std::size_t(tiles) * steps * n * row_words; }
  std::size_t c() const { return std::size_t(tiles) * rows * n; }
  std::string instruction() const {
    const bool bytes = type == Elem::S8;
    return "wgmma m64n" + std::to_string(n) + (bytes ? "k32 " : "k16 ") +
           std::string(ir::info(type).name);
  }
};

template <Elem e, bool registers>
void launch(const Case& k, const Words& a, const Words& b, const Words& c, const Words& d) {
  auto run = [&](auto kernel) {
    kernel<<<k.tiles, 128>>>(a.device, b.device, c.device, d.device, k.fresh);
  };
  if (k.n == 64)
    run(tiles<e, registers, 64, 4, false>);
  else if (k.steps == 1)
    run(tiles<e, registers, 8, 1, false>);
  else if (k.group_each)
    run(tiles<e, registers, 8, 4, true>);
  else
    run(tiles<e, registers, 8, 4, false>);
  check(cudaGetLastError());
}

template <bool registers>
void launch(const Case& k, const Words& a, const Words& b, const Words& c, const Words& d) {
  if (k.type == Elem::F16) return launch<Elem::F16, registers>(k, a, b, c, d);
  if (k.type == Elem::BF16) return launch<Elem::BF16, registers>(k, a, b, c, d);
  launch<Elem::S8, registers>(k, a, b, c, d);
}

/// Calls f(first, last, part) for parts of [0, count) side by side.
template <class F>
void in_parts(int count, int parts, F f) {
  std::vector<std::thread> threads;
  for (int i = 0; i < parts; ++i)
    threads.emplace_back([=] { f(count * (long long)i / parts, count * (i + 1LL) / parts, i); });
  for (std::thread& t : threads) t.join();
}

/// One step of a tile by the model: d += A B over [64][n].
void modelled(Elem e, int n, const std::uint32_t* a, const std::uint32_t* b, std::uint32_t* d) {
  if (e == Elem::S8) {
    const auto* x = reinterpret_cast<const std::int8_t*>(a);
    const auto* y = reinterpret_cast<const std::int8_t*>(b);
    for (int i = 0; i < rows * n; ++i)
      d[i] = ir::mma_dot_s8(x + i / n * row_bytes, y + i % n * row_bytes, row_bytes, d[i]);
    return;
  }
  for (int i = 0; i < rows; i += 16)
    for (int j = 0; j < n; j += 8) {
      float block[128];
      for (int r = 0; r < 16; ++r) std::memcpy(block + r * 8, d + (i + r) * n + j, 32);
      ir::mma_tile(e, reinterpret_cast<const std::uint16_t*>(a + i * row_words),
                   reinterpret_cast<const std::uint16_t*>(b + j * row_words), 16, block, block);
      for (int r = 0; r < 16; ++r) std::memcpy(d + (i + r) * n + j, block + r * 8, 32);
    }
}

struct Counts {
  long long mismatches = 0, nan = 0, infinite = 0, subnormal = 0, zero = 0;
  void see(std::uint32_t got, std::uint32_t want) {
    mismatches += got != want;
    const std::uint32_t m = got & 0x7fffffff;
    nan += m > 0x7f800000;
    infinite += m == 0x7f800000;
    subnormal += m > 0 && m < 0x800000;
    zero += m == 0;
  }
  void operator+=(const Counts& o) {
    mismatches += o.mismatches, nan += o.nan, infinite += o.infinite;
    subnormal += o.subnormal, zero += o.zero;
  }
};

class Probe {
 public:
  Probe(std::FILE* record, std::FILE* samples) : record_(record), samples_(samples) {}

  void run(const Case& k) {
    a_.resize(k.a()), b_.resize(k.b()), c_.resize(k.c()), d_.resize(k.c());
    want_.resize(k.c());
    in_parts(k.tiles, parts_, [&](int first, int last, int) {
      for (int tile = first; tile < last; ++tile) prepare(k, tile);
    });
    a_.up(k.a()), b_.up(k.b()), c_.up(k.c());
    launch<true>(k, a_, b_, c_, d_);
    compare(k, "registers");
    launch<false>(k, a_, b_, c_, d_);
    compare(k, "slots");
  }
  long long mismatches() const { return mismatches_; }

 private:
  void prepare(const Case& k, std::size_t tile) {
    std::uint32_t* a = &a_.host[tile * k.steps * rows * row_words];
    std::uint32_t* b = &b_.host[tile * k.steps * k.n * row_words];
    std::uint32_t* c = &c_.host[tile * rows * k.n];
    probe::fill(k.type, k.of, k.n, k.steps, tile * 1000 + static_cast<int>(k.of), a, b, c);
    std::uint32_t* want = &want_[tile * rows * k.n];
    for (int i = 0; i < rows * k.n; ++i) want[i] = k.fresh ? 0 : c[i];
    for (int i = 0; i < k.steps; ++i)
      modelled(k.type, k.n, a + i * rows * row_words, b + i * k.n * row_words, want);
  }

  void compare(const Case& k, const char* where) {
    d_.down(k.c());
    std::vector<Counts> counts(parts_);
    in_parts(k.tiles, parts_, [&](int first, int last, int part) {
      const std::size_t each = std::size_t(rows) * k.n;
      for (std::size_t i = first * each; i < last * each; ++i)
        counts[part].see(d_.host[i], want_[i]);
    });
    Counts all;
    for (const Counts& c : counts) all += c;
    mismatches_ += all.mismatches;
    write(k, where, all);
    sample(k, where);
  }

  void write(const Case& k, const char* where, const Counts& c) {
    std::string issued = k.steps == 1 ? "" : ", \"chained\": " + std::to_string(k.steps);
    if (k.group_each) issued += ", \"groups\": " + std::to_string(k.steps);
    if (k.fresh) issued += ", \"without_c\": true";
    std::fprintf(record_,
                 "%s  {\"instruction\": \"%s\", \"a\": \"%s\"%s, \"class\": \"%s\", \"tiles\": %d, "
                 "\"dots\": %zu, \"mismatches\": %lld",
                 first_ ? "" : ",\n", k.instruction().c_str(), where, issued.c_str(),
                 probe::name(k.of), k.tiles, k.c(), c.mismatches);
    first_ = false;
    const std::pair<const char*, long long> results[] = {
        {"nan", c.nan}, {"inf", c.infinite}, {"subnormal", c.subnormal}, {"zero", c.zero}};
    for (const auto& [what, count] : results)
      if (count && k.type != Elem::S8) std::fprintf(record_, ", \"results_%s\": %lld", what, count);
    std::fprintf(record_, "}");
    std::printf("%-24s %-9s x%d%s%s %-14s %9zu dots  %lld differ\n", k.instruction().c_str(), where,
                k.steps, k.group_each ? " groups" : "", k.fresh ? " fresh" : "", probe::name(k.of),
                k.c(), c.mismatches);
  }

  /// Results with their operands, in hex: some of all, and some of those that differ.
  void sample(const Case& k, const char* where) {
    if (!samples_ || k.type == Elem::S8) return;
    int differ = 0;
    const std::size_t every = k.c() / 200 | 1;
    for (std::size_t i = 0; i < k.c(); ++i) {
      const bool wrong = d_.host[i] != want_[i] && differ < 500;
      if (!wrong && (i % every || where[0] != 'r')) continue;
      differ += wrong;
      const std::size_t tile = i / (rows * k.n), row = i / k.n % rows, column = i % k.n;
      std::fprintf(samples_, "%s|%s|%d|%d|%s|%08x|%08x|%08x|", k.instruction().c_str(), where,
                   k.steps, k.fresh, probe::name(k.of), c_.host[i], d_.host[i], want_[i]);
      for (int s = 0; s < k.steps; ++s)
        print_row(&a_.host[((tile * k.steps + s) * rows + row) * row_words]);
      std::fprintf(samples_, "|");
      for (int s = 0; s < k.steps; ++s)
        print_row(&b_.host[((tile * k.steps + s) * k.n + column) * row_words]);
      std::fprintf(samples_, "\n");
    }
  }

  void print_row(const std::uint32_t* row) {
    for (int i = 0; i < row_words; ++i)
      std::fprintf(samples_, "%04x%04x", row[i] & 0xffff, row[i] >> 16);
  }

  std::FILE *record_, *samples_;
  Words a_, b_, c_, d_;
  std::vector<std::uint32_t> want_;
  int parts_ = static_cast<int>(std::thread::hardware_concurrency());
  long long mismatches_ = 0;
  bool first_ = true;
};

void run_all(Probe& probe) {
  for (Elem type : {Elem::F16, Elem::BF16}) {
    for (probe::Class c : probe::classes) {
      probe.run({type, 8, 1, 40000, c});
      probe.run({type, 8, 4, 10000, c});
    }
    for (probe::Class c : {probe::Class::Window, probe::Class::Cancel, probe::Class::Special}) {
      probe.run({type, 8, 4, 10000, c, true});
      probe.run({type, 8, 4, 10000, c, false, true});
      probe.run({type, 64, 4, 2000, c});
    }
  }
  for (int steps : {1, 4}) probe.run({Elem::S8, 8, steps, 10000, probe::Class::RandomBits});
  probe.run({Elem::S8, 64, 4, 1000, probe::Class::RandomBits});
}

}  // namespace

int main(int argc, char** argv) {
  cudaDeviceProp device;
  if (cudaGetDeviceProperties(&device, 0) != cudaSuccess) return std::puts("no GPU"), 1;
  int driver = 0;
  check(cudaDriverGetVersion(&driver));
  std::FILE* record = argc > 2 ? std::fopen(argv[2], "w") : std::tmpfile();
  std::FILE* samples = argc > 3 ? std::fopen(argv[3], "w") : nullptr;
  if (!record) return std::perror("wgmma_probe"), 1;
  char date[32];
  const std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof date, "%FT%TZ", std::gmtime(&now));
  std::fprintf(
      record,
      "{\n \"schema\": \"barline.tensor_core_model/1\", \"device\": \"%s\", \"driver\": %d,"
      " \"date\": \"%s\", \"commit\": \"%s\",\n \"rows\": [\n",
      device.name, driver, date, argc > 1 ? argv[1] : "");
  Probe probe(record, samples);
  run_all(probe);
  std::fprintf(record, "\n ]\n}\n");
  std::printf("%lld differ in all\n", probe.mismatches());
  return probe.mismatches() != 0;
}
