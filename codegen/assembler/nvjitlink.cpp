// SPDX-License-Identifier: Apache-2.0
// Traps of the library, each met in release 13.0: linking reports success after an input was
// refused, and gives an empty cubin, so the first bad result counts; a target that it does not know
// ends the process (exit, or a fault), so it is never asked; its -verbose log repeats each record
// with the bytes of shared memory that the system keeps, so only ptxas's own -v is asked for.
#include "codegen/assembler/nvjitlink.h"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdint>
#include <filesystem>

#include "codegen/assembler/messages_p.h"
#include "codegen/assembler/trusted_p.h"
#include "codegen/cubin/cubin.h"
#include "ir/build_id.h"

namespace barline::codegen {
namespace {

namespace fs = std::filesystem;

// The library's ABI, written here so that the build needs no header of it.
using Handle = struct NvJitLinkTag*;
using Result = int;
constexpr Result success = 0;
constexpr int input_ptx = 2;

struct Functions {
  Result (*version)(unsigned* major, unsigned* minor);
  Result (*create)(Handle*, std::uint32_t count, const char* const* options);
  Result (*destroy)(Handle*);
  Result (*add_data)(Handle, int type, const void* data, std::size_t, const char* name);
  Result (*complete)(Handle);
  Result (*cubin_size)(Handle, std::size_t*);
  Result (*cubin)(Handle, void*);
  Result (*info_log_size)(Handle, std::size_t*);
  Result (*info_log)(Handle, char*);
  Result (*error_log_size)(Handle, std::size_t*);
  Result (*error_log)(Handle, char*);
};

constexpr const char* names[] = {"libnvJitLink.so.13", "libnvJitLink.so.12"};
constexpr int least_release = 124;  // the first that says what it is

constexpr const char* how_to_get =
    "how to get one: `pip install nvidia-nvjitlink`, or install the CUDA toolkit's libnvjitlink "
    "package; then name the library by BARLINE_NVJITLINK or set CUDA_HOME";

/// The first entry point that the library lacks, or null.
const char* resolve(void* library, Functions& f) {
  const char* missing = nullptr;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::decay_t<decltype(function)>>(::dlsym(library, name));
    if (!function && !missing) missing = name;
  };
  find(f.version, "nvJitLinkVersion");
  find(f.create, "nvJitLinkCreate");
  find(f.destroy, "nvJitLinkDestroy");
  find(f.add_data, "nvJitLinkAddData");
  find(f.complete, "nvJitLinkComplete");
  find(f.cubin_size, "nvJitLinkGetLinkedCubinSize");
  find(f.cubin, "nvJitLinkGetLinkedCubin");
  find(f.info_log_size, "nvJitLinkGetInfoLogSize");
  find(f.info_log, "nvJitLinkGetInfoLog");
  find(f.error_log_size, "nvJitLinkGetErrorLogSize");
  find(f.error_log, "nvJitLinkGetErrorLog");
  return missing;
}

std::string text_of(Handle link, Result (*size)(Handle, std::size_t*),
                    Result (*get)(Handle, char*)) {
  std::size_t bytes = 0;
  if (size(link, &bytes) != success || bytes == 0) return {};
  std::string text(bytes, '\0');
  if (get(link, text.data()) != success) return {};
  text.resize(text.find('\0') == std::string::npos ? bytes : text.find('\0'));
  return text;
}

}  // namespace

struct NvJitLink::Library {
  std::string path, version, release;
  int number = 0;  ///< 130 for 13.0
  Functions f{};

  /// Why the library cannot be used, or empty.
  std::string take(void* handle, std::string from);
};

namespace {

/// One linking, ended with the scope.
class Link {
 public:
  Link(const Functions& f, const std::vector<std::string>& options) : f_(f) {
    std::vector<const char*> list;
    for (const std::string& option : options) list.push_back(option.c_str());
    note(f_.create(&link_, static_cast<std::uint32_t>(list.size()), list.data()));
  }
  ~Link() {
    if (link_) f_.destroy(&link_);
  }
  Link(const Link&) = delete;
  Link& operator=(const Link&) = delete;

  /// The first bad result of all steps.
  Result run(std::string_view ptx) {
    if (result_ == success) note(f_.add_data(link_, input_ptx, ptx.data(), ptx.size(), "ptx"));
    if (result_ == success) note(f_.complete(link_));
    return result_;
  }
  std::string log() const {
    if (!link_) return {};
    return text_of(link_, f_.error_log_size, f_.error_log) +
           text_of(link_, f_.info_log_size, f_.info_log);
  }
  std::vector<std::byte> cubin() {
    std::size_t bytes = 0;
    note(f_.cubin_size(link_, &bytes));
    std::vector<std::byte> cubin(result_ == success ? bytes : 0);
    if (!cubin.empty()) note(f_.cubin(link_, cubin.data()));
    return result_ == success ? cubin : std::vector<std::byte>{};
  }

 private:
  void note(Result result) {
    if (result_ == success) result_ = result;
  }

  const Functions& f_;
  Handle link_ = nullptr;
  Result result_ = success;
};

std::vector<std::string> link_options(const AssembleOptions& options) {
  std::vector<std::string> flags = assemble_flags(options), out{"-arch=" + options.sm};
  for (std::size_t i = 2; i < flags.size(); ++i) out.push_back("-Xptxas=" + flags[i]);
  return out;
}

struct Place {
  std::string directory, file;
};

std::vector<Place> places(const NvJitLinkSearch& search) {
  std::vector<Place> all;
  for (const std::string& root : {search.cuda_home, search.toolkit})
    for (const char* lib : {"/lib64", "/lib"})
      for (const char* file : names)
        if (!root.empty()) all.push_back({root + lib, file});
  return all;
}

}  // namespace

std::string NvJitLink::Library::take(void* handle, std::string from) {
  if (!handle) {
    const char* why = ::dlerror();
    return why ? why : "it cannot be loaded";
  }
  unsigned major = 0, minor = 0;
  const char* missing = resolve(handle, f);
  if (missing) return fmt::format("it has no {}: it is no nvJitLink, or older than 12.4", missing);
  if (f.version(&major, &minor) != success) return "it does not say its version";
  number = static_cast<int>(major * 10 + minor);
  if (number < least_release) return "it is older than 12.4";
  path = std::move(from);
  release = fmt::format("nvJitLink {}.{}", major, minor);
  // Without a build id, two builds of one release are taken for one.
  version =
      fmt::format("{}; Build {}", release, ir::build_id(reinterpret_cast<const void*>(f.create)));
  return {};
}

NvJitLink NvJitLink::open(const NvJitLinkSearch& search) {
  auto library = std::make_shared<Library>();
  const auto load = [&](const std::string& path) {
    return library->take(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL), path);
  };
  if (!search.explicit_path.empty()) {
    std::error_code error;
    std::string path = fs::absolute(search.explicit_path, error).lexically_normal().string();
    std::string why = why_no_file(path);
    if (why.empty()) why = load(path);
    if (why.empty()) return NvJitLink(std::move(library));
    throw MissingAssembler(
        fmt::format("cannot use {} as nvJitLink: {}\n{}", path, why, how_to_get));
  }
  std::string looked;
  for (const Place& place : places(search)) {
    std::string path = place.directory + "/" + place.file;
    std::string why = why_not_trusted(place.directory, place.file);
    if (why.empty()) why = load(path);
    if (why.empty()) return NvJitLink(std::move(library));
    looked += fmt::format("  {}: {}\n", path, why);
  }
  for (const char* name : names) {
    void* handle = search.loaded ? ::dlopen(name, RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD) : nullptr;
    if (handle && library->take(handle, name).empty()) return NvJitLink(std::move(library));
  }
  throw MissingAssembler(
      fmt::format("no usable libnvJitLink; looked at\n{}{}", looked, how_to_get));
}

const std::string& NvJitLink::path() const { return library_->path; }
const std::string& NvJitLink::version() const { return library_->version; }
const std::string& NvJitLink::release() const { return library_->release; }

bool nvjitlink_knows(int release, std::string_view sm) {
  struct Row {
    std::string_view sm;
    int since;
  };
  constexpr Row rows[] = {{"sm_80", 120},   {"sm_86", 120},   {"sm_87", 120},   {"sm_89", 120},
                          {"sm_90", 120},   {"sm_90a", 120},  {"sm_100", 128},  {"sm_100a", 128},
                          {"sm_120", 128},  {"sm_120a", 128}, {"sm_100f", 129}, {"sm_103", 129},
                          {"sm_103a", 129}, {"sm_103f", 129}, {"sm_120f", 129}, {"sm_121", 129},
                          {"sm_121a", 129}, {"sm_121f", 129}};
  for (const Row& row : rows)
    if (row.sm == sm) return release >= row.since;
  return false;
}

Assembled NvJitLink::assemble(std::string_view ptx, const AssembleOptions& options) const {
  const std::vector<std::string> flags = link_options(options);
  if (!nvjitlink_knows(library_->number, options.sm))
    throw AssembleError(fmt::format("{} does not assemble for {}; take ptxas or a newer nvJitLink",
                                    library_->release, options.sm),
                        {}, -1);
  const auto start = std::chrono::steady_clock::now();
  Link link(library_->f, flags);
  const Result result = link.run(ptx);
  Assembled out;
  if (result == success) out.cubin = link.cubin();
  out.log = link.log();
  out.ms =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  if (result != success)
    throw AssembleError(fmt::format("{} refused the PTX for {} (result {}):\n{}", library_->release,
                                    options.sm, result, explain_errors(out.log, ptx)),
                        out.log, result);
  try {
    Cubin::parse(out.cubin);
  } catch (const CubinError& error) {
    throw AssembleError(fmt::format("{} left a cubin of {} bytes that is not whole: {}",
                                    library_->release, out.cubin.size(), error.what()),
                        out.log, result);
  }
  return out;
}

}  // namespace barline::codegen
