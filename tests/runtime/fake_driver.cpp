// SPDX-License-Identifier: Apache-2.0
// One stub is generated for every row of cuda.def; what a call puts into its out-parameters stands
// in an overload of `answer`, for the rows where that matters.
#include "tests/runtime/fake_driver.h"

#include <algorithm>
#include <cstring>
#include <mutex>

namespace barline::driver::test {
namespace {

using namespace abi;

FakeDriver* current = nullptr;
std::recursive_mutex calling;  // hosts call from several threads; an answer may call again

enum class Row {
#define DRIVER_FN(name, version, parameters) name,
#include "runtime/driver/cuda.def"
#undef DRIVER_FN
};
template <Row R>
struct At {};

template <typename Handle>
Handle handle(std::uintptr_t value) {
  return reinterpret_cast<Handle>(value);
}

template <Row R, typename... A>
void answer(At<R>, A...) {}  // nothing to fill in

void answer(At<Row::cuDriverGetVersion>, int* version) { *version = 13000; }
void answer(At<Row::cuGetErrorName>, Result result, const char** name) {
  *name = result == Result::OutOfMemory ? "CUDA_ERROR_OUT_OF_MEMORY" : "CUDA_ERROR_INJECTED";
}
void answer(At<Row::cuGetErrorString>, Result, const char** text) { *text = "as told"; }
void answer(At<Row::cuDeviceGetCount>, int* count) { *count = 1; }
void answer(At<Row::cuDeviceGet>, DeviceId* device, int ordinal) { *device = ordinal; }
void answer(At<Row::cuDeviceGetName>, char* name, int bytes, DeviceId) {
  std::strncpy(name, "Fake GPU", static_cast<std::size_t>(bytes));
}
void answer(At<Row::cuDeviceGetPCIBusId>, char* text, int bytes, DeviceId) {
  std::strncpy(text, "0000:00:00.0", static_cast<std::size_t>(bytes));
}
void answer(At<Row::cuDeviceGetAttribute>, int* value, DeviceAttribute attribute, DeviceId) {
  *value = current->attributes[attribute];
}
void answer(At<Row::cuDevicePrimaryCtxRetain>, Context* context, DeviceId) {
  *context = handle<Context>(current->context);
}
void answer(At<Row::cuCtxGetCurrent>, Context* context) { *context = nullptr; }
void answer(At<Row::cuLinkCreate>, unsigned count, JitOption* options, void** values,
            LinkHandle* link) {
  *link = handle<LinkHandle>(24);
  for (unsigned i = 0; i < count; ++i) {
    if (options[i] == JitOption::Target)
      current->link_target = reinterpret_cast<std::uintptr_t>(values[i]);
    if (options[i] == JitOption::InfoLogBuffer)
      std::strcpy(static_cast<char*>(values[i]), current->link_log.c_str());
  }
}
void answer(At<Row::cuLinkComplete>, LinkHandle, void** cubin, std::size_t* bytes) {
  *cubin = current->link_cubin.data();
  *bytes = current->link_cubin.size();
}
void answer(At<Row::cuLibraryLoadData>, LibraryHandle* library, const void*, JitOption* jit,
            void** values, unsigned count, LibraryOption*, void**, unsigned) {
  *library = handle<LibraryHandle>(32);
  for (unsigned i = 0; i < count; ++i) {
    if (jit[i] == JitOption::ErrorLogBuffer)
      std::strcpy(static_cast<char*>(values[i]), "line 3: syntax");
  }
}
void answer(At<Row::cuLibraryGetModule>, ModuleHandle* module, LibraryHandle) {
  *module = handle<ModuleHandle>(40);
}
void answer(At<Row::cuLibraryGetKernel>, KernelHandle* kernel, LibraryHandle, const char*) {
  *kernel = handle<KernelHandle>(48);
}
void answer(At<Row::cuLibraryGetKernelCount>, unsigned* count, LibraryHandle) { *count = 2; }
void answer(At<Row::cuKernelGetName>, const char** name, KernelHandle) { *name = "other"; }
void answer(At<Row::cuKernelGetFunction>, FunctionHandle* function, KernelHandle) {
  *function = handle<FunctionHandle>(64);
}
void answer(At<Row::cuKernelGetAttribute>, int* value, FunctionAttribute attribute, KernelHandle,
            DeviceId) {
  *value = attribute == FunctionAttribute::SharedBytes  ? current->static_shared
           : attribute == FunctionAttribute::LocalBytes ? current->local_bytes
                                                        : current->registers;
}
void answer(At<Row::cuOccupancyMaxActiveBlocksPerMultiprocessor>, int* blocks, FunctionHandle, int,
            std::size_t) {
  *blocks = current->blocks_per_sm;
}
void answer(At<Row::cuOccupancyMaxActiveClusters>, int* clusters, FunctionHandle,
            const LaunchConfig*) {
  *clusters = current->clusters;
}
void answer(At<Row::cuLaunchKernelEx>, const LaunchConfig* config, FunctionHandle,
            void** parameters, void** extra) {
  current->launch = *config;
  current->launch_attributes.assign(config->attributes,
                                    config->attributes + config->attribute_count);
  current->launch_parameters = parameters;
  if (current->on_launch) current->on_launch(parameters);
  current->launch_packed.clear();
  if (extra != nullptr && extra[0] == launch_param_buffer_pointer() &&
      extra[2] == launch_param_buffer_size() && extra[4] == launch_param_end()) {
    const auto* bytes = static_cast<const std::byte*>(extra[1]);
    current->launch_packed.assign(bytes, bytes + *static_cast<std::size_t*>(extra[3]));
  }
}
void answer(At<Row::cuTensorMapEncodeTiled>, TensorMap* map, TensorMapType type, unsigned,
            void* address, const std::uint64_t* extents, const std::uint64_t* strides,
            const std::uint32_t* box, const std::uint32_t*, TensorMapInterleave,
            TensorMapSwizzle swizzle, TensorMapL2, TensorMapFill fill) {
  current->maps.push_back({type, reinterpret_cast<std::uint64_t>(address), extents[0], extents[1],
                           strides[0], box[0], box[1], swizzle, fill});
  map->opaque[0] = current->maps.size();
}
void answer(At<Row::cuMemAlloc>, DevicePointer* pointer, std::size_t) { *pointer = 4096; }
void answer(At<Row::cuMemGetInfo>, std::size_t* free, std::size_t* total) {
  *free = 100;
  *total = 200;
}
void answer(At<Row::cuStreamCreate>, StreamHandle* stream, unsigned) {
  *stream = handle<StreamHandle>(80);
}
void answer(At<Row::cuStreamIsCapturing>, StreamHandle, CaptureStatus* status) {
  *status = current->capturing ? CaptureStatus::Active : CaptureStatus::None;
}
void answer(At<Row::cuStreamEndCapture>, StreamHandle, GraphHandle* graph) {
  *graph = handle<GraphHandle>(96);
}
void answer(At<Row::cuEventCreate>, EventHandle* event, unsigned) {
  *event = handle<EventHandle>(112);
}
void answer(At<Row::cuEventElapsedTime>, float* milliseconds, EventHandle, EventHandle) {
  *milliseconds = 2.0f;
}
void answer(At<Row::cuGraphInstantiateWithFlags>, GraphExecHandle* exec, GraphHandle,
            unsigned long long) {
  *exec = handle<GraphExecHandle>(128);
}
void answer(At<Row::cuGraphGetNodes>, GraphHandle, GraphNodeHandle*, std::size_t* count) {
  *count = 5;
}

template <Row R, typename Fn>
struct Stub;
template <Row R, typename... A>
struct Stub<R, Result (*)(A...)> {
  static const char* name;
  static Result call(A... arguments) {
    if (current->quick) return Result::Success;
    const std::lock_guard guard(calling);
    current->calls.emplace_back(name);
    answer(At<R>{}, arguments...);
    const auto at = current->results_at.find(current->calls.size() - 1);
    if (at != current->results_at.end()) return at->second;
    const auto injected = current->results.find(name);
    return injected == current->results.end() ? Result::Success : injected->second;
  }
};
#define DRIVER_FN(row, version, parameters) \
  template <>                               \
  const char* Stub<Row::row, decltype(Api::row)>::name = #row;
#include "runtime/driver/cuda.def"
#undef DRIVER_FN

Result get_proc_address(const char* name, void** address, int, std::uint64_t,
                        ProcAddressStatus* status) {
  const auto injected = current->results.find("cuGetProcAddress");
  if (injected != current->results.end()) return injected->second;
  *address = nullptr;
  if (current->absent.count(name) == 0) {
    const std::string wanted(name);
#define DRIVER_FN(row, version, parameters) \
  if (wanted == #row) *address = reinterpret_cast<void*>(&Stub<Row::row, decltype(Api::row)>::call);
#include "runtime/driver/cuda.def"
#undef DRIVER_FN
  }
  *status = *address != nullptr ? ProcAddressStatus::Success : ProcAddressStatus::SymbolNotFound;
  return Result::Success;
}

}  // namespace

FakeDriver::FakeDriver() : previous_(current) {
  attributes = {{DeviceAttribute::ComputeCapabilityMajor, 9},
                {DeviceAttribute::MultiprocessorCount, 4},
                {DeviceAttribute::MaxThreadsPerBlock, 1024},
                {DeviceAttribute::MaxSharedPerBlock, 48 << 10},
                {DeviceAttribute::MaxSharedPerBlockOptin, 227 << 10},
                {DeviceAttribute::L2CacheBytes, 1 << 20},
                {DeviceAttribute::CooperativeLaunch, 1},
                {DeviceAttribute::ClusterLaunch, 1}};
  current = this;
}

FakeDriver::~FakeDriver() { current = previous_; }

Options FakeDriver::options() const {
  Options options;
  options.get_proc_address = &get_proc_address;
  return options;
}

std::size_t FakeDriver::count(const std::string& name) const {
  return static_cast<std::size_t>(std::count(calls.begin(), calls.end(), name));
}

}  // namespace barline::driver::test
