/* SPDX-License-Identifier: Apache-2.0
   A C host: out = x + y of a million floats on GPU 0, by a kernel out of a pack, where nothing
   compiles, or by one that is compiled when the cache does not hold it:
     barline pack vector_add.f32 -o kernels.blp
     host_c kernels.blp
     host_c --compile
   Memory and streams are the host's own business; this one asks the driver for them. */
#include <barline.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { count = 1000003 };

/* The few driver functions that a host of its own memory needs. */
typedef struct Gpu {
  int (*init)(unsigned);
  int (*device_get)(int*, int);
  int (*retain)(void**, int);
  int (*set_current)(void*);
  int (*alloc)(uint64_t*, size_t);
  int (*to_device)(uint64_t, const void*, size_t);
  int (*to_host)(void*, uint64_t, size_t);
  int (*synchronize)(void);
} Gpu;

static int find(void* library, const char* name, void* function) {
  void* address = dlsym(library, name);
  memcpy(function, &address, sizeof address);
  return address != NULL;
}

static int open_gpu(Gpu* gpu) {
  void* cuda = dlopen("libcuda.so.1", RTLD_NOW);
  void* context = NULL;
  int device = 0;
  return cuda != NULL && find(cuda, "cuInit", &gpu->init) &&
         find(cuda, "cuDeviceGet", &gpu->device_get) &&
         find(cuda, "cuDevicePrimaryCtxRetain", &gpu->retain) &&
         find(cuda, "cuCtxSetCurrent", &gpu->set_current) &&
         find(cuda, "cuMemAlloc_v2", &gpu->alloc) &&
         find(cuda, "cuMemcpyHtoD_v2", &gpu->to_device) &&
         find(cuda, "cuMemcpyDtoH_v2", &gpu->to_host) &&
         find(cuda, "cuCtxSynchronize", &gpu->synchronize) && gpu->init(0) == 0 &&
         gpu->device_get(&device, 0) == 0 && gpu->retain(&context, device) == 0 &&
         gpu->set_current(context) == 0;
}

static int failed(const char* what) {
  printf("FAIL: %s: %s\n", what, barline_last_error_json());
  return 1;
}

static int add(const Gpu* gpu, const barline_kernel* kernel, const float* x, const float* y,
               float* sum) {
  const size_t bytes = count * sizeof(float);
  uint64_t dx = 0, dy = 0, dsum = 0;
  if (gpu->alloc(&dx, bytes) || gpu->alloc(&dy, bytes) || gpu->alloc(&dsum, bytes) ||
      gpu->to_device(dx, x, bytes) || gpu->to_device(dy, y, bytes))
    return 0;
  const barline_arg args[] = {barline_arg_pointer(dx), barline_arg_pointer(dy),
                              barline_arg_pointer(dsum)};
  const int64_t sizes[] = {count};
  barline_launch_info launch = {.struct_size = sizeof launch};
  launch.args = args;
  launch.arg_count = 3;
  launch.sizes = sizes;
  launch.size_count = 1;
  return barline_launch(kernel, &launch) == BARLINE_OK && gpu->synchronize() == 0 &&
         gpu->to_host(sum, dsum, bytes) == 0;
}

static int check(const Gpu* gpu, const barline_kernel* kernel) {
  float* x = malloc(3 * count * sizeof(float));
  if (x == NULL) return failed("memory");
  float *y = x + count, *sum = y + count;
  for (int i = 0; i < count; ++i) {
    x[i] = (float)i / 7;
    y[i] = (float)(count - i) / 3;
  }
  int wrong = !add(gpu, kernel, x, y, sum);
  if (wrong) failed("launch");
  for (int i = 0; i < count && !wrong; ++i) wrong = sum[i] != x[i] + y[i];
  barline_kernel_info info = {.struct_size = sizeof info};
  barline_kernel_query(kernel, &info);
  printf("%s for %s, %u registers, %d floats: %s\n", info.entry, info.target, info.registers, count,
         wrong ? "FAIL" : "PASS, every sum to the bit");
  free(x);
  return wrong;
}

int main(int argc, char** argv) {
  barline_options options = {.struct_size = sizeof options, .jit = BARLINE_JIT_OFF};
  const int compile = argc == 2 && strcmp(argv[1], "--compile") == 0;
  barline_runtime* runtime = NULL;
  barline_kernel* kernel = NULL;
  if (argc != 2) {
    printf("usage: host_c kernels.blp | --compile   (barline %s)\n", barline_version());
    return 2;
  }
  if (compile) {
    options.jit = BARLINE_JIT_ON;
    options.kernels = ""; /* barline's own, which bring the compiler along */
  }
  if (barline_runtime_open(&options, &runtime) != BARLINE_OK) return failed("open");
  if (!compile && barline_runtime_add_pack(runtime, argv[1]) != BARLINE_OK) return failed("pack");
  barline_request request = {.struct_size = sizeof request, .name = "vector_add.f32@flat256"};
  Gpu gpu;
  const barline_status status = barline_prepare(runtime, &request, &kernel);
  int result = 0;
  if (status == BARLINE_NO_DEVICE || (status == BARLINE_OK && !open_gpu(&gpu)))
    printf("SKIP: %s\n", barline_last_error_json());
  else
    result = status == BARLINE_OK ? check(&gpu, kernel) : failed("prepare");
  barline_kernel_release(kernel);
  barline_runtime_close(runtime);
  return result;
}
