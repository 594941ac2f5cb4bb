// SPDX-License-Identifier: Apache-2.0
// The few declarations of the CUDA Driver API that barline needs, written here so that the build
// needs no CUDA toolkit. Values and layouts are the driver's ABI; a test compares them with cuda.h.
#pragma once
#include <cstddef>
#include <cstdint>

namespace barline::driver::abi {

using DeviceId = int;
using DevicePointer = std::uint64_t;
using Context = struct ContextTag*;
using LibraryHandle = struct LibraryTag*;
using LinkHandle = struct LinkTag*;
using ModuleHandle = struct ModuleTag*;
using KernelHandle = struct KernelTag*;
using FunctionHandle = struct FunctionTag*;
using StreamHandle = struct StreamTag*;
using EventHandle = struct EventTag*;
using GraphHandle = struct GraphTag*;
using GraphExecHandle = struct GraphExecTag*;
using GraphNodeHandle = struct GraphNodeTag*;

/// The results that barline tells apart; any other value passes through unnamed.
enum class Result : int {
  Success = 0,
  InvalidValue = 1,
  OutOfMemory = 2,
  NotInitialized = 3,
  Deinitialized = 4,
  StubLibrary = 34,
  NoDevice = 100,
  InvalidDevice = 101,
  InvalidImage = 200,
  InvalidContext = 201,
  NoBinaryForGpu = 209,
  InvalidPtx = 218,
  UnsupportedPtxVersion = 222,
  InvalidHandle = 400,
  NotFound = 500,
  NotReady = 600,
  IllegalAddress = 700,
  LaunchOutOfResources = 701,
  ContextIsDestroyed = 709,
  MisalignedAddress = 716,
  LaunchFailed = 719,
  CooperativeLaunchTooLarge = 720,
  NotPermitted = 800,
  NotSupported = 801,
  SystemDriverMismatch = 803,
  StreamCaptureUnsupported = 900,
  StreamCaptureInvalidated = 901,
  InvalidClusterSize = 912,
  Unknown = 999,
};

enum class DeviceAttribute : int {
  MaxThreadsPerBlock = 1,
  MaxSharedPerBlock = 8,
  WarpSize = 10,
  MaxRegistersPerBlock = 12,
  ClockRateKhz = 13,
  MultiprocessorCount = 16,
  MemoryClockRateKhz = 36,
  MemoryBusBits = 37,
  L2CacheBytes = 38,
  MaxThreadsPerMultiprocessor = 39,
  ComputeCapabilityMajor = 75,
  ComputeCapabilityMinor = 76,
  MaxSharedPerMultiprocessor = 81,
  MaxRegistersPerMultiprocessor = 82,
  CooperativeLaunch = 95,
  MaxSharedPerBlockOptin = 97,
  MaxBlocksPerMultiprocessor = 106,
  ReservedSharedPerBlock = 111,
  ClusterLaunch = 120,
};

enum class FunctionAttribute : int {
  MaxThreadsPerBlock = 0,
  SharedBytes = 1,
  ConstBytes = 2,
  LocalBytes = 3,
  Registers = 4,
  PtxVersion = 5,
  BinaryVersion = 6,
  MaxDynamicSharedBytes = 8,
  PreferredSharedCarveout = 9,
  NonPortableClusterAllowed = 14,
};

enum class JitOption : int {
  MaxRegisters = 0,
  WallTime = 2,
  InfoLogBuffer = 3,
  InfoLogBufferBytes = 4,
  ErrorLogBuffer = 5,
  ErrorLogBufferBytes = 6,
  OptimizationLevel = 7,
  Target = 9,
  LogVerbose = 12,
  GenerateLineInfo = 13,
  OverrideDirectiveValues = 33,
};

enum class JitInput : int { Cubin = 0, Ptx = 1 };
enum class LibraryOption : int { HostUniversalFunctionAndDataTable = 0, BinaryIsPreserved = 1 };
enum class CaptureMode : int { Global = 0, ThreadLocal = 1, Relaxed = 2 };
enum class CaptureStatus : int { None = 0, Active = 1, Invalidated = 2 };
enum class LaunchAttributeId : int {
  Ignore = 0,
  Cooperative = 2,
  ClusterDimension = 4,
  ProgrammaticStreamSerialization = 6,
};
/// Element types of a tensor map; those that it copies as bits only go by their width.
enum class TensorMapType : int {
  U8 = 0,
  U16 = 1,
  U32 = 2,
  S32 = 3,
  U64 = 4,
  S64 = 5,
  F16 = 6,
  F32 = 7,
  F64 = 8,
  BF16 = 9,
};
enum class TensorMapInterleave : int { None = 0 };
enum class TensorMapSwizzle : int { None = 0, Bytes128 = 3 };
enum class TensorMapL2 : int { None = 0, Bytes128 = 2 };
enum class TensorMapFill : int { Zeros = 0 };
enum class ProcAddressStatus : int { Success = 0, SymbolNotFound = 1, VersionNotSufficient = 2 };

inline constexpr unsigned stream_non_blocking = 1;
inline constexpr unsigned event_default = 0;
inline constexpr unsigned event_disable_timing = 2;
inline constexpr std::uint64_t proc_address_legacy_stream = 1;

/// The pointers in `extra` of a launch whose arguments are packed in one buffer.
inline void* launch_param_end() { return nullptr; }
inline void* launch_param_buffer_pointer() { return reinterpret_cast<void*>(std::uintptr_t{1}); }
inline void* launch_param_buffer_size() { return reinterpret_cast<void*>(std::uintptr_t{2}); }

/// What the copy engine knows of a tensor; its address is a multiple of 64.
struct alignas(64) TensorMap {
  std::uint64_t opaque[16];
};

struct LaunchAttribute {
  LaunchAttributeId id;
  char pad[8 - sizeof(LaunchAttributeId)];
  union Value {
    char pad[64];
    int cooperative;
    struct {
      unsigned x, y, z;
    } cluster;
    int programmatic_stream_serialization;
  } value;
};

struct LaunchConfig {
  unsigned grid_x, grid_y, grid_z;
  unsigned block_x, block_y, block_z;
  unsigned dynamic_shared_bytes;
  StreamHandle stream;
  LaunchAttribute* attributes;
  unsigned attribute_count;
};

}  // namespace barline::driver::abi
