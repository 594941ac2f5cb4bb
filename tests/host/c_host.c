/* SPDX-License-Identifier: Apache-2.0
   A host in C11, built with -pedantic -Werror: barline.h is C, and enough to launch a kernel. */
#include "tests/host/c_host.h"

#include <string.h>

#include "runtime/abi/barline.h"

#define MUST(condition) \
  if (!(condition)) return "c_host.c: " #condition

static const char* check_kernel(const barline_kernel* kernel) {
  barline_kernel_info info = {.struct_size = sizeof info};
  MUST(barline_kernel_query(kernel, &info) == BARLINE_OK);
  MUST(strcmp(info.name, "rms_norm") == 0);
  MUST(strcmp(info.target, "sm_90a") == 0);
  MUST(strlen(info.key) == 64);
  MUST(info.registers == 40 && info.block[0] == 256 && info.block[1] == 1);
  MUST(info.param_count == 4 && info.axis_count == 2);
  barline_param x = {.struct_size = sizeof x};
  MUST(barline_kernel_param(kernel, 0, &x) == BARLINE_OK);
  MUST(x.is_tensor && x.is_read && !x.is_written && x.rank == 2);
  MUST(x.dtype.code == 4 && x.dtype.bits == 16 && x.dtype.lanes == 1);
  barline_axis d = {.struct_size = sizeof d};
  MUST(barline_kernel_axis(kernel, 1, &d) == BARLINE_OK);
  MUST(strcmp(d.name, "d") == 0 && d.multiple == 8);
  MUST(barline_kernel_axis(kernel, 2, &d) == BARLINE_INVALID_ARGUMENT);
  return NULL;
}

static const char* launch(const barline_kernel* kernel, void* stream) {
  int64_t matrix[2] = {3, 16}, row[1] = {16};
  const barline_device gpu = {2, 0};
  const barline_dtype bf16 = {4, 16, 1};
  barline_tensor x = {(void*)0x4000, gpu, 2, bf16, matrix, NULL, 0};
  barline_tensor w = {(void*)0x5000, gpu, 1, bf16, row, NULL, 0};
  barline_tensor y = {(void*)0x6000, gpu, 2, bf16, matrix, NULL, 0};
  const barline_arg tensors[4] = {barline_arg_tensor(&x), barline_arg_tensor(&w),
                                  barline_arg_tensor(&y), barline_arg_f32(1e-6f)};
  barline_launch_info info = {.struct_size = sizeof info};
  info.stream = stream;
  info.args = tensors;
  info.arg_count = 4;
  MUST(barline_launch(kernel, &info) == BARLINE_OK);

  const barline_arg pointers[4] = {barline_arg_pointer(0x4000), barline_arg_pointer(0x5000),
                                   barline_arg_pointer(0x6000), barline_arg_f32(1e-6f)};
  const int64_t sizes[2] = {7, 16};
  info.args = pointers;
  info.sizes = sizes;
  info.size_count = 2;
  MUST(barline_launch(kernel, &info) == BARLINE_OK);
  const barline_arg wrong[4] = {pointers[0], pointers[1], pointers[2], barline_arg_s32(1)};
  info.args = wrong;
  MUST(barline_launch(kernel, &info) == BARLINE_INVALID_ARGUMENT);
  MUST(strstr(barline_last_error_json(), "'eps' is not a scalar of f32") != NULL);
  return NULL;
}

const char* c_host_run(const char* libcuda, const char* pack, void* stream) {
  MUST(barline_abi_version() == BARLINE_ABI_VERSION);
  barline_options options = {.struct_size = sizeof options, .jit = BARLINE_JIT_OFF};
  options.cache_dir = "";
  options.libcuda = libcuda;
  barline_runtime* runtime = NULL;
  MUST(barline_runtime_open(&options, &runtime) == BARLINE_OK);
  MUST(barline_runtime_add_pack(runtime, pack) == BARLINE_OK);
  barline_request request = {.struct_size = sizeof request};
  request.name = "rms_norm.bf16@row256";
  request.stream = stream;
  barline_kernel* kernel = NULL;
  MUST(barline_prepare(runtime, &request, &kernel) == BARLINE_OK);
  barline_runtime_close(runtime); /* a kernel may outlive it */
  const char* wrong = check_kernel(kernel);
  if (wrong == NULL) wrong = launch(kernel, stream);
  barline_kernel_release(kernel);
  return wrong;
}
