// SPDX-License-Identifier: Apache-2.0
/* barline for C hosts, and for every language that calls C: kernels by name out of packs and filled
   caches, launched on the caller's stream. C11 and C++.

   Ownership: what an `open` or `prepare` gives is the caller's until `close` or `release`; the
   strings and arrays of a kernel live as long as the kernel. A kernel may outlive its runtime.
   Arguments are read during the call alone, strings are UTF-8 and end in a zero.
   Threads: every function may be called from any thread. Closing or releasing a handle that
   another thread still uses is the caller's mistake.
   Errors: a function that can fail returns a status; barline_last_error_json() then says more, for
   the calling thread. No exception leaves the library.
   Versions: structs begin with struct_size: zero the struct and set it to sizeof. Members are only
   ever added at the end, so a program runs with any later library of the same major version. */
#pragma once
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define BARLINE_ABI_VERSION 1

#if defined(__GNUC__)
#define BARLINE_API __attribute__((visibility("default")))
#else
#define BARLINE_API
#endif

/** What a call came to. Numbers are never given another meaning. */
typedef enum barline_status {
  BARLINE_OK = 0,
  BARLINE_INVALID_ARGUMENT = 1, /**< the call itself is wrong; the message says what to pass */
  BARLINE_NOT_FOUND = 2,        /**< no pack and no cache holds the kernel for this GPU */
  BARLINE_BAD_PACK = 3,         /**< a pack cannot be read, or is not as it was written */
  BARLINE_NO_DEVICE = 4,        /**< no driver, no GPU, or too old a driver */
  BARLINE_DRIVER_ERROR = 5,     /**< a driver call failed; driver_code and call stand in the JSON */
  BARLINE_OVER_BUDGET = 6,      /**< compiled by the driver, over the budget, with strict_budget */
  BARLINE_IN_CAPTURE = 7,       /**< preparing on a stream that is being captured */
  BARLINE_OUT_OF_MEMORY = 8,    /**< of the host */
  BARLINE_INTERNAL_ERROR = 9,
  BARLINE_COMPILE_ERROR = 10 /**< the kernel does not compile, or nothing here assembles it */
} barline_status;

typedef struct barline_runtime barline_runtime; /**< packs, cache, devices */
typedef struct barline_kernel barline_kernel;   /**< a kernel loaded on one device */

/** BARLINE_ABI_VERSION of the library that is loaded. */
BARLINE_API uint32_t barline_abi_version(void);
/** "0.1.0" */
BARLINE_API const char* barline_version(void);
/** "BARLINE_NOT_FOUND"; "?" for a number that is none. */
BARLINE_API const char* barline_status_name(barline_status status);
/** The last failed call of this thread as one JSON object: schema "barline.error/1", status, code,
    message, and of a driver call driver_code, driver_name and call. "{}" before any. The text is
    the library's and stands until the thread's next failing call. */
BARLINE_API const char* barline_last_error_json(void);

/* ---- Runtime ---- */

typedef enum barline_jit {
  BARLINE_JIT_DEFAULT = 0, /**< as BARLINE_JIT in the environment says: on */
  BARLINE_JIT_ON = 1,      /**< PTX of a pack may be compiled by the driver for a newer GPU, and
                                kernels by the compiler where options.kernels is set */
  BARLINE_JIT_OFF = 2      /**< what has no machine code is BARLINE_NOT_FOUND; the message of a
                                runtime with options.kernels names the key that is missing */
} barline_jit;

/** Zero members keep what the environment says (docs/environment.md), read once at the open. */
typedef struct barline_options {
  uint32_t struct_size;
  uint32_t jit;           /**< a barline_jit */
  const char* cache_dir;  /**< absolute; "" for none */
  const char* libcuda;    /**< the driver library instead of libcuda.so.1 */
  uint32_t strict_budget; /**< not 0: a driver compile over the budget is an error */
  uint32_t reserved;
  void (*warn)(void* user, const char* message); /**< called from any thread */
  void* warn_user;
  /** What neither packs nor cache hold is compiled from these libraries of kernels, "file:file"; ""
      for barline's own, libbarline_kernels beside this library; null: nothing is compiled. They
      bring the compiler along, some 30 MB. */
  const char* kernels;
  const char*
      assembler; /**< "auto", "ptxas", "nvjitlink" or "driver"; null: as the environment says */
} barline_options;

/** Opens a runtime; options may be null. Loads no driver: that waits for the first prepare. */
BARLINE_API barline_status barline_runtime_open(const barline_options* options,
                                                barline_runtime** runtime);
/** Null is allowed. */
BARLINE_API void barline_runtime_close(barline_runtime* runtime);
/** Reads a pack and checks every byte of it. Packs are asked before the cache, in order. */
BARLINE_API barline_status barline_runtime_add_pack(barline_runtime* runtime, const char* path);
/** Calls `visit` with the name of each kernel that packs and cache hold, sorted. */
BARLINE_API barline_status barline_runtime_names(barline_runtime* runtime,
                                                 void (*visit)(void* user, const char* name),
                                                 void* user);

/* ---- Kernels ---- */

typedef struct barline_request {
  uint32_t struct_size;
  int32_t device;   /**< CUDA ordinal */
  const char* name; /**< "rms_norm.bf16@row256" */
  const char* key;  /**< content key where a name means several entries of a cache; may be null */
  void* stream;     /**< CUstream; where it is being captured, the call refuses. May be null */
  const char* bind; /**< sizes that the kernel is compiled for, "d=8192 K=64": no pack and no cache
                         serves another, options.kernels compiles it. May be null */
} barline_request;

/** Finds and loads a kernel. All that may load, allocate or wait is done here. */
BARLINE_API barline_status barline_prepare(barline_runtime* runtime, const barline_request* request,
                                           barline_kernel** kernel);
/** Null is allowed. Work that still runs the kernel must be done. */
BARLINE_API void barline_kernel_release(barline_kernel* kernel);

/** DLPack's DLDataType; code: 0 int, 1 uint, 2 float, 4 bfloat, 6 bool, 10 e4m3, 12 e5m2, 17 e2m1
 */
typedef struct barline_dtype {
  uint8_t code;
  uint8_t bits;
  uint16_t lanes;
} barline_dtype;

typedef struct barline_kernel_info {
  uint32_t struct_size;
  uint32_t registers;    /**< a thread, of the code that is loaded */
  const char* name;      /**< "rms_norm" */
  const char* schedule;  /**< "row256" */
  const char* target;    /**< "sm_90a" */
  const char* entry;     /**< symbol */
  const char* signature; /**< all below as one line of text */
  const char* key;       /**< content key, 64 digits */
  uint32_t spill_bytes;  /**< stores and loads together */
  uint32_t stack_bytes;
  uint32_t static_smem_bytes; /**< a block */
  uint32_t dynamic_smem_bytes;
  uint32_t block[3];        /**< threads */
  uint32_t cluster[3];      /**< blocks */
  uint32_t cooperative;     /**< 1: all blocks run at once */
  uint32_t programmatic;    /**< 1: BARLINE_LAUNCH_PROGRAMMATIC has an effect */
  uint64_t workspace_bytes; /**< of every launch; 0 where the kernel has no scratch or its size
                                 depends on the launch's: see barline_kernel_workspace */
  uint64_t workspace_align;
  uint32_t param_count;
  uint32_t axis_count; /**< dynamic axes */
} barline_kernel_info;
/** Fills as much of `info` as its struct_size says. */
BARLINE_API barline_status barline_kernel_query(const barline_kernel* kernel,
                                                barline_kernel_info* info);

typedef struct barline_param {
  uint32_t struct_size;
  uint32_t is_tensor;
  const char* name;
  barline_dtype dtype;
  uint32_t rank;
  uint32_t is_read, is_written; /**< by the kernel; of tensors */
  uint32_t is_scratch;          /**< may be given by a workspace instead */
  uint32_t reserved;
} barline_param;
BARLINE_API barline_status barline_kernel_param(const barline_kernel* kernel, uint32_t index,
                                                barline_param* param);

/** A size that a launch gives: 1 .. 2^31-1 and a multiple of `multiple`. */
typedef struct barline_axis {
  uint32_t struct_size;
  uint32_t reserved;
  const char* name;
  int64_t multiple;
} barline_axis;
BARLINE_API barline_status barline_kernel_axis(const barline_kernel* kernel, uint32_t index,
                                               barline_axis* axis);

/** What a launch of these sizes of the dynamic axes needs for the kernel's scratch tensors as one
    workspace: bytes, 0 where it has none, and the alignment of its address. */
BARLINE_API barline_status barline_kernel_workspace(const barline_kernel* kernel,
                                                    const int64_t* sizes, uint32_t size_count,
                                                    uint64_t* bytes, uint64_t* align);

/* ---- Launch ---- */

/** DLPack's DLDevice. */
typedef struct barline_device {
  int32_t type; /**< 2 CUDA, 13 CUDA managed */
  int32_t id;
} barline_device;

/** DLPack's DLTensor, member by member: a DLTensor* may be cast to a pointer to this. */
typedef struct barline_tensor {
  void* data;
  barline_device device;
  int32_t ndim;
  barline_dtype dtype;
  int64_t* shape;
  int64_t* strides; /**< in elements; null: dense rows */
  uint64_t byte_offset;
} barline_tensor;

typedef enum barline_arg_kind {
  BARLINE_ARG_POINTER =
      1, /**< an address on the device; type, rank and shape are the caller's word */
  BARLINE_ARG_TENSOR = 2, /**< checked against the parameter: device, type, shape, dense rows */
  BARLINE_ARG_SCALAR = 3  /**< of `dtype`, its bits in `value` from the lowest up */
} barline_arg_kind;

typedef struct barline_arg {
  uint32_t kind; /**< a barline_arg_kind */
  barline_dtype dtype;
  union {
    uint64_t pointer;
    const barline_tensor* tensor;
    uint64_t bits;
    float f32;
    double f64;
    int32_t s32;
    uint32_t u32;
    int64_t s64;
    uint64_t u64;
  } value;
} barline_arg;

/** The kernel may start before the grid before it in the stream ends, where it waits for that
    itself; another kernel is launched as ever. */
#define BARLINE_LAUNCH_PROGRAMMATIC 1u

typedef struct barline_launch_info {
  uint32_t struct_size;
  uint32_t flags;
  void* stream;            /**< CUstream or cudaStream_t; null: the legacy default stream */
  const barline_arg* args; /**< one a parameter, in order; with a workspace without the scratch */
  const int64_t* sizes;    /**< one a dynamic axis, in order; null: read off the tensors' shapes */
  uint32_t arg_count;
  uint32_t size_count;
  /** Device address of the kernel's scratch and its bytes; 0: scratch tensors are arguments. The
      caller keeps one a stream, zeroes it when it is made and when it is used with other sizes. */
  uint64_t workspace;
  uint64_t workspace_bytes;
} barline_launch_info;

/** One driver call (one more on the host for each tensor map): never loads, allocates or waits, so
    it belongs into captures. Tensors stand at multiples of 16 bytes. */
BARLINE_API barline_status barline_launch(const barline_kernel* kernel,
                                          const barline_launch_info* launch);

static inline barline_arg barline_arg_pointer(uint64_t address) {
  barline_arg arg = {BARLINE_ARG_POINTER, {1, 64, 1}, {0}};
  arg.value.pointer = address;
  return arg;
}
static inline barline_arg barline_arg_tensor(const barline_tensor* tensor) {
  barline_arg arg = {BARLINE_ARG_TENSOR, {0, 0, 0}, {0}};
  arg.value.tensor = tensor;
  return arg;
}
static inline barline_arg barline_arg_f32(float value) {
  barline_arg arg = {BARLINE_ARG_SCALAR, {2, 32, 1}, {0}};
  arg.value.f32 = value;
  return arg;
}
static inline barline_arg barline_arg_s32(int32_t value) {
  barline_arg arg = {BARLINE_ARG_SCALAR, {0, 32, 1}, {0}};
  arg.value.s32 = value;
  return arg;
}

#ifdef __cplusplus
}
#endif
