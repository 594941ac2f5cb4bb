// SPDX-License-Identifier: Apache-2.0
// Our declarations of the driver's ABI against the toolkit's own headers, where there are any.
#include "runtime/driver/cuda_abi.h"

#include <catch2/catch.hpp>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <type_traits>

#include "runtime/driver/api.h"

namespace abi = barline::driver::abi;

// Named before cuda.h is seen, whose macros rename half of the entry points.
#define DRIVER_FN(name, version, parameters) using Our_##name = decltype(abi::Api::name);
#include "runtime/driver/cuda.def"
#undef DRIVER_FN

#if __has_include("/usr/local/cuda/include/cuda.h")
#include "/usr/local/cuda/include/cuda.h"
#include "/usr/local/cuda/include/cudaTypedefs.h"

namespace {

template <typename Ours, typename Theirs>
constexpr bool same_value(Ours ours, Theirs theirs) {
  return static_cast<long long>(ours) == static_cast<long long>(theirs);
}

/// Same number of parameters, each of the same size and the same kind: pointer or number.
template <typename Ours, typename Theirs>
struct SameShape {
  static constexpr bool value = false;
};
template <typename R, typename... A, typename S, typename... B>
requires(sizeof...(A) == sizeof...(B)) struct SameShape<R (*)(A...), S (*)(B...)> {
  static constexpr bool value =
      sizeof(R) == sizeof(S) &&
      ((sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B>)&&...);
};

#define DRIVER_FN(name, version, parameters)                           \
  static_assert(SameShape<Our_##name, PFN_##name##_v##version>::value, \
                #name " differs from the toolkit's declaration");
#include "runtime/driver/cuda.def"
#undef DRIVER_FN

static_assert(sizeof(abi::LaunchConfig) == sizeof(CUlaunchConfig));
static_assert(offsetof(abi::LaunchConfig, stream) == offsetof(CUlaunchConfig, hStream));
static_assert(offsetof(abi::LaunchConfig, attributes) == offsetof(CUlaunchConfig, attrs));
static_assert(offsetof(abi::LaunchConfig, attribute_count) == offsetof(CUlaunchConfig, numAttrs));
static_assert(sizeof(abi::LaunchAttribute) == sizeof(CUlaunchAttribute));
static_assert(offsetof(abi::LaunchAttribute, value) == offsetof(CUlaunchAttribute, value));
static_assert(sizeof(abi::DevicePointer) == sizeof(CUdeviceptr));

static_assert(sizeof(abi::TensorMap) == sizeof(CUtensorMap));

#define SAME(ours, theirs) static_assert(same_value(abi::ours, theirs))
SAME(TensorMapType::U8, CU_TENSOR_MAP_DATA_TYPE_UINT8);
SAME(TensorMapType::U16, CU_TENSOR_MAP_DATA_TYPE_UINT16);
SAME(TensorMapType::U32, CU_TENSOR_MAP_DATA_TYPE_UINT32);
SAME(TensorMapType::S32, CU_TENSOR_MAP_DATA_TYPE_INT32);
SAME(TensorMapType::U64, CU_TENSOR_MAP_DATA_TYPE_UINT64);
SAME(TensorMapType::S64, CU_TENSOR_MAP_DATA_TYPE_INT64);
SAME(TensorMapType::F16, CU_TENSOR_MAP_DATA_TYPE_FLOAT16);
SAME(TensorMapType::F32, CU_TENSOR_MAP_DATA_TYPE_FLOAT32);
SAME(TensorMapType::F64, CU_TENSOR_MAP_DATA_TYPE_FLOAT64);
SAME(TensorMapType::BF16, CU_TENSOR_MAP_DATA_TYPE_BFLOAT16);
SAME(TensorMapInterleave::None, CU_TENSOR_MAP_INTERLEAVE_NONE);
SAME(TensorMapSwizzle::None, CU_TENSOR_MAP_SWIZZLE_NONE);
SAME(TensorMapSwizzle::Bytes128, CU_TENSOR_MAP_SWIZZLE_128B);
SAME(TensorMapL2::None, CU_TENSOR_MAP_L2_PROMOTION_NONE);
SAME(TensorMapL2::Bytes128, CU_TENSOR_MAP_L2_PROMOTION_L2_128B);
SAME(TensorMapFill::Zeros, CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);
SAME(Result::InvalidValue, CUDA_ERROR_INVALID_VALUE);
SAME(Result::OutOfMemory, CUDA_ERROR_OUT_OF_MEMORY);
SAME(Result::NotInitialized, CUDA_ERROR_NOT_INITIALIZED);
SAME(Result::Deinitialized, CUDA_ERROR_DEINITIALIZED);
SAME(Result::StubLibrary, CUDA_ERROR_STUB_LIBRARY);
SAME(Result::NoDevice, CUDA_ERROR_NO_DEVICE);
SAME(Result::InvalidDevice, CUDA_ERROR_INVALID_DEVICE);
SAME(Result::InvalidImage, CUDA_ERROR_INVALID_IMAGE);
SAME(Result::InvalidContext, CUDA_ERROR_INVALID_CONTEXT);
SAME(Result::NoBinaryForGpu, CUDA_ERROR_NO_BINARY_FOR_GPU);
SAME(Result::InvalidPtx, CUDA_ERROR_INVALID_PTX);
SAME(Result::UnsupportedPtxVersion, CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
SAME(Result::InvalidHandle, CUDA_ERROR_INVALID_HANDLE);
SAME(Result::NotFound, CUDA_ERROR_NOT_FOUND);
SAME(Result::NotReady, CUDA_ERROR_NOT_READY);
SAME(Result::IllegalAddress, CUDA_ERROR_ILLEGAL_ADDRESS);
SAME(Result::LaunchOutOfResources, CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES);
SAME(Result::ContextIsDestroyed, CUDA_ERROR_CONTEXT_IS_DESTROYED);
SAME(Result::MisalignedAddress, CUDA_ERROR_MISALIGNED_ADDRESS);
SAME(Result::LaunchFailed, CUDA_ERROR_LAUNCH_FAILED);
SAME(Result::CooperativeLaunchTooLarge, CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE);
SAME(Result::NotPermitted, CUDA_ERROR_NOT_PERMITTED);
SAME(Result::NotSupported, CUDA_ERROR_NOT_SUPPORTED);
SAME(Result::SystemDriverMismatch, CUDA_ERROR_SYSTEM_DRIVER_MISMATCH);
SAME(Result::StreamCaptureUnsupported, CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED);
SAME(Result::StreamCaptureInvalidated, CUDA_ERROR_STREAM_CAPTURE_INVALIDATED);
SAME(Result::InvalidClusterSize, CUDA_ERROR_INVALID_CLUSTER_SIZE);
SAME(Result::Unknown, CUDA_ERROR_UNKNOWN);

SAME(DeviceAttribute::MaxThreadsPerBlock, CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
SAME(DeviceAttribute::MaxSharedPerBlock, CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK);
SAME(DeviceAttribute::WarpSize, CU_DEVICE_ATTRIBUTE_WARP_SIZE);
SAME(DeviceAttribute::MaxRegistersPerBlock, CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_BLOCK);
SAME(DeviceAttribute::ClockRateKhz, CU_DEVICE_ATTRIBUTE_CLOCK_RATE);
SAME(DeviceAttribute::MultiprocessorCount, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
SAME(DeviceAttribute::MemoryClockRateKhz, CU_DEVICE_ATTRIBUTE_MEMORY_CLOCK_RATE);
SAME(DeviceAttribute::MemoryBusBits, CU_DEVICE_ATTRIBUTE_GLOBAL_MEMORY_BUS_WIDTH);
SAME(DeviceAttribute::L2CacheBytes, CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE);
SAME(DeviceAttribute::MaxThreadsPerMultiprocessor,
     CU_DEVICE_ATTRIBUTE_MAX_THREADS_PER_MULTIPROCESSOR);
SAME(DeviceAttribute::ComputeCapabilityMajor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
SAME(DeviceAttribute::ComputeCapabilityMinor, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
SAME(DeviceAttribute::MaxSharedPerMultiprocessor,
     CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR);
SAME(DeviceAttribute::MaxRegistersPerMultiprocessor,
     CU_DEVICE_ATTRIBUTE_MAX_REGISTERS_PER_MULTIPROCESSOR);
SAME(DeviceAttribute::CooperativeLaunch, CU_DEVICE_ATTRIBUTE_COOPERATIVE_LAUNCH);
SAME(DeviceAttribute::MaxSharedPerBlockOptin,
     CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
SAME(DeviceAttribute::MaxBlocksPerMultiprocessor,
     CU_DEVICE_ATTRIBUTE_MAX_BLOCKS_PER_MULTIPROCESSOR);
SAME(DeviceAttribute::ReservedSharedPerBlock, CU_DEVICE_ATTRIBUTE_RESERVED_SHARED_MEMORY_PER_BLOCK);
SAME(DeviceAttribute::ClusterLaunch, CU_DEVICE_ATTRIBUTE_CLUSTER_LAUNCH);

SAME(FunctionAttribute::MaxThreadsPerBlock, CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
SAME(FunctionAttribute::SharedBytes, CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES);
SAME(FunctionAttribute::ConstBytes, CU_FUNC_ATTRIBUTE_CONST_SIZE_BYTES);
SAME(FunctionAttribute::LocalBytes, CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES);
SAME(FunctionAttribute::Registers, CU_FUNC_ATTRIBUTE_NUM_REGS);
SAME(FunctionAttribute::PtxVersion, CU_FUNC_ATTRIBUTE_PTX_VERSION);
SAME(FunctionAttribute::BinaryVersion, CU_FUNC_ATTRIBUTE_BINARY_VERSION);
SAME(FunctionAttribute::MaxDynamicSharedBytes, CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
SAME(FunctionAttribute::PreferredSharedCarveout,
     CU_FUNC_ATTRIBUTE_PREFERRED_SHARED_MEMORY_CARVEOUT);
SAME(FunctionAttribute::NonPortableClusterAllowed,
     CU_FUNC_ATTRIBUTE_NON_PORTABLE_CLUSTER_SIZE_ALLOWED);

SAME(JitOption::MaxRegisters, CU_JIT_MAX_REGISTERS);
SAME(JitOption::WallTime, CU_JIT_WALL_TIME);
SAME(JitOption::InfoLogBuffer, CU_JIT_INFO_LOG_BUFFER);
SAME(JitOption::InfoLogBufferBytes, CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES);
SAME(JitOption::ErrorLogBuffer, CU_JIT_ERROR_LOG_BUFFER);
SAME(JitOption::ErrorLogBufferBytes, CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
SAME(JitOption::OptimizationLevel, CU_JIT_OPTIMIZATION_LEVEL);
SAME(JitOption::Target, CU_JIT_TARGET);
SAME(JitInput::Ptx, CU_JIT_INPUT_PTX);
SAME(JitOption::LogVerbose, CU_JIT_LOG_VERBOSE);
SAME(JitOption::GenerateLineInfo, CU_JIT_GENERATE_LINE_INFO);
SAME(JitOption::OverrideDirectiveValues, CU_JIT_OVERRIDE_DIRECTIVE_VALUES);
SAME(LibraryOption::BinaryIsPreserved, CU_LIBRARY_BINARY_IS_PRESERVED);

SAME(CaptureMode::Global, CU_STREAM_CAPTURE_MODE_GLOBAL);
SAME(CaptureMode::ThreadLocal, CU_STREAM_CAPTURE_MODE_THREAD_LOCAL);
SAME(CaptureMode::Relaxed, CU_STREAM_CAPTURE_MODE_RELAXED);
SAME(CaptureStatus::Active, CU_STREAM_CAPTURE_STATUS_ACTIVE);
SAME(CaptureStatus::Invalidated, CU_STREAM_CAPTURE_STATUS_INVALIDATED);
SAME(LaunchAttributeId::Cooperative, CU_LAUNCH_ATTRIBUTE_COOPERATIVE);
SAME(LaunchAttributeId::ClusterDimension, CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION);
SAME(LaunchAttributeId::ProgrammaticStreamSerialization,
     CU_LAUNCH_ATTRIBUTE_PROGRAMMATIC_STREAM_SERIALIZATION);
SAME(ProcAddressStatus::SymbolNotFound, CU_GET_PROC_ADDRESS_SYMBOL_NOT_FOUND);
SAME(ProcAddressStatus::VersionNotSufficient, CU_GET_PROC_ADDRESS_VERSION_NOT_SUFFICIENT);
SAME(stream_non_blocking, CU_STREAM_NON_BLOCKING);
SAME(event_disable_timing, CU_EVENT_DISABLE_TIMING);
SAME(proc_address_legacy_stream, CU_GET_PROC_ADDRESS_LEGACY_STREAM);

}  // namespace

TEST_CASE("the ABI that cannot be compared while compiling") {
  CHECK(abi::launch_param_end() == CU_LAUNCH_PARAM_END);
  CHECK(abi::launch_param_buffer_pointer() == CU_LAUNCH_PARAM_BUFFER_POINTER);
  CHECK(abi::launch_param_buffer_size() == CU_LAUNCH_PARAM_BUFFER_SIZE);
  // The members of the value union, by where they put their bytes.
  abi::LaunchAttribute ours{};
  ours.value.cluster = {2, 3, 4};
  CUlaunchAttribute theirs{};
  std::memcpy(static_cast<void*>(&theirs), &ours, sizeof theirs);
  CHECK(theirs.value.clusterDim.x == 2);
  CHECK(theirs.value.clusterDim.z == 4);
  ours.value.cooperative = 7;
  std::memcpy(static_cast<void*>(&theirs), &ours, sizeof theirs);
  CHECK(theirs.value.cooperative == 7);
  CHECK(theirs.value.programmaticStreamSerializationAllowed == 7);
}
#else
TEST_CASE("the ABI is compared with cuda.h") { std::puts("SKIP: no CUDA toolkit headers"); }
#endif
