// SPDX-License-Identifier: Apache-2.0
// The rate of mma.sync m16n8k16 (f16 in, f32 sums) that a GPU sustains from registers alone: what a
// product of matrices through that instruction is measured against. Each warp multiplies 4 fragments
// of A by 8 of B into 32 accumulators, as a warp tile of 64 x 64 does; operands are random numbers,
// since the power that a card draws, and with it its clock, depends on the data.
//
//   nvcc -O3 -arch=sm_90a bench/peers/mma_peak.cu -o mma_peak && ./mma_peak [file.json]
#include <cuda_runtime.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <vector>

namespace {

constexpr int rows = 4, columns = 8;  // fragments of A and B

__device__ std::uint32_t random_halves(std::uint32_t& state) {
  state = state * 1664525u + 1013904223u;
  // Two f16 of [1, 2) with random mantissas and signs.
  return (state & 0x83ff83ffu) | 0x3c003c00u;
}

__global__ void multiply(float* out, int trips) {
  std::uint32_t a[rows][4], b[columns][2], state = blockIdx.x * 7919u + threadIdx.x * 104729u + 1;
  for (auto& fragment : a)
    for (auto& word : fragment) word = random_halves(state);
  for (auto& fragment : b)
    for (auto& word : fragment) word = random_halves(state);
  float c[rows][columns][4] = {};
  for (int i = 0; i < trips; ++i)
#pragma unroll
    for (int m = 0; m < rows; ++m)
#pragma unroll
      for (int n = 0; n < columns; ++n)
        asm volatile(
            "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 "
            "{%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};"
            : "+f"(c[m][n][0]), "+f"(c[m][n][1]), "+f"(c[m][n][2]), "+f"(c[m][n][3])
            : "r"(a[m][0]), "r"(a[m][1]), "r"(a[m][2]), "r"(a[m][3]), "r"(b[n][0]), "r"(b[n][1]));
  float sum = 0;
  for (auto& row : c)
    for (auto& fragment : row)
      for (float v : fragment) sum += v;
  out[blockIdx.x * blockDim.x + threadIdx.x] = sum;
}

/// TFLOP/s of `repeats` launches of about the time of a product of 4096^3, the median.
double rate(int sms, int warps, int per_sm, float* out) {
  const double flops_a_trip = 2.0 * 16 * 8 * 16 * rows * columns * warps * per_sm * sms;
  const int trips = static_cast<int>(2.0 * 4096 * 4096 * 4096 / flops_a_trip);
  cudaEvent_t begin, end;
  cudaEventCreate(&begin);
  cudaEventCreate(&end);
  std::vector<double> rates;
  for (int r = 0; r < 40; ++r) {
    cudaEventRecord(begin);
    multiply<<<sms * per_sm, 32 * warps>>>(out, trips);
    cudaEventRecord(end);
    cudaEventSynchronize(end);
    float ms = 0;
    cudaEventElapsedTime(&ms, begin, end);
    if (r >= 10) rates.push_back(flops_a_trip * trips / ms / 1e9);
  }
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  cudaDeviceProp device;
  if (cudaGetDeviceProperties(&device, 0) != cudaSuccess) return std::puts("no GPU"), 1;
  float* out = nullptr;
  cudaMalloc(&out, 1 << 24);
  std::FILE* file = argc > 1 ? std::fopen(argv[1], "w") : stdout;
  if (!file) return std::perror(argv[1]), 1;
  std::fprintf(file, "{\"schema\": \"barline.mma_peak/1\", \"device\": \"%s\", \"rows\": [\n",
               device.name);
  const int shapes[][2] = {{4, 1}, {8, 1}, {4, 2}, {8, 2}};
  for (const auto& [warps, per_sm] : shapes) {
    double tflops = rate(device.multiProcessorCount, warps, per_sm, out);
    std::fprintf(file, "%s  {\"warps\": %d, \"blocks_per_sm\": %d, \"tflops\": %.1f}",
                 &shapes[0][0] == &warps ? "" : ",\n", warps, per_sm, tflops);
    std::printf("mma.sync from registers: %d warps x %d blocks an SM  %.1f TFLOP/s\n", warps, per_sm,
                tflops);
  }
  std::fprintf(file, "\n]}\n");
  return 0;
}
