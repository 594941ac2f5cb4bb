// SPDX-License-Identifier: Apache-2.0
// The program itself: its version, the libraries that it was given, its register and its compiler.
#include <elf.h>
#include <fmt/format.h>
#include <link.h>

#include <chrono>
#include <filesystem>

#include "barline_codegen_id.h"
#include "codegen/ptx.h"
#include "ir/pipeline.h"
#include "tools/compile_job.h"
#include "tools/doctor.h"

namespace barline::tools {
namespace {

struct Loaded {
  std::filesystem::path path;
  std::string build_id;
};

std::string hex(const unsigned char* bytes, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += fmt::format("{:02x}", bytes[i]);
  return out;
}

/// The GNU build id among a library's notes.
std::string build_id(const dl_phdr_info& info) {
  for (int i = 0; i < info.dlpi_phnum; ++i) {
    const auto& segment = info.dlpi_phdr[i];
    if (segment.p_type != PT_NOTE) continue;
    auto at = reinterpret_cast<const unsigned char*>(info.dlpi_addr + segment.p_vaddr);
    const unsigned char* end = at + segment.p_memsz;
    while (at + sizeof(ElfW(Nhdr)) <= end) {
      const auto& note = *reinterpret_cast<const ElfW(Nhdr)*>(at);
      const unsigned char* name = at + sizeof note;
      const unsigned char* data = name + (note.n_namesz + 3) / 4 * 4;
      if (note.n_type == NT_GNU_BUILD_ID) return hex(data, std::min<std::size_t>(note.n_descsz, 6));
      at = data + (note.n_descsz + 3) / 4 * 4;
    }
  }
  return "none";
}

std::vector<Loaded> barline_libraries() {
  std::vector<Loaded> out;
  dl_iterate_phdr(
      [](dl_phdr_info* info, std::size_t, void* data) {
        std::error_code error;
        std::filesystem::path path = std::filesystem::canonical(info->dlpi_name, error);
        if (!error && path.filename().string().rfind("libbarline", 0) == 0) {
          static_cast<std::vector<Loaded>*>(data)->push_back({path, build_id(*info)});
        }
        return 0;
      },
      &out);
  return out;
}

Check check_program(const Context& context) {
  return {.name = "barline",
          .detail = fmt::format("{}, code generator {:.12}, {}", BARLINE_VERSION,
                                BARLINE_CODEGEN_ID, context.program.string()),
          .why = "the cache keys carry the code generator's id"};
}

/// Libraries of another tree (through LD_LIBRARY_PATH, say) hold other kernels and another compiler
/// than the program says.
Check check_libraries(const Context& context) {
  Check c{.name = "libraries", .why = "kernels and compiler come from them"};
  std::filesystem::path tree = context.program.parent_path().parent_path();
  for (const Loaded& l : barline_libraries()) {
    c.detail += fmt::format("{}{} ({})", c.detail.empty() ? "" : ", ", l.path.filename().string(),
                            l.build_id);
    std::string below = l.path.lexically_relative(tree).string();
    if (below.rfind("..", 0) != 0) continue;
    c.health = Health::Warn;
    c.detail += fmt::format(" from {}", l.path.parent_path().string());
    c.fix =
        fmt::format("unset LD_LIBRARY_PATH, or start the program of that tree: this one is of {}",
                    tree.string());
  }
  return c;
}

Check check_register(const Session& session) {
  const RegistrySource& source = session.source();
  Check c{.name = "register", .why = "it names kernels, targets and budgets"};
  if (source.path.empty()) {
    c.health = Health::Warn;
    c.detail = "no kernels.yaml";
    c.fix = "pass --registry FILE";
    return c;
  }
  c.detail = fmt::format("{}: {} kernels, {} files of other compilers, {} targets", source.path,
                         source.file.kernels.size(), source.file.sources.size(),
                         source.file.targets.size());
  return c;
}

/// The first kernel of the library, lowered and printed as PTX for the newest target.
Check check_code_generator(const Session& session) {
  Check c{.name = "codegen", .why = "every kernel goes through LLVM to PTX"};
  const ir::Target& target = ir::targets().back();
  auto start = std::chrono::steady_clock::now();
  try {
    const dsl::KernelEntry& entry = session.library().entries().front();
    dsl::Config config;
    config.schedule = entry.schedules.front();
    ir::Kernel kernel = dsl::instantiate(entry.make(entry.types.front()), config);
    ir::run_pipeline(kernel);
    std::string ptx = codegen::emit_ptx(kernel, target);
    std::chrono::duration<double, std::milli> ms = std::chrono::steady_clock::now() - start;
    c.detail = fmt::format("LLVM {}, {} for {} in {:.0f} ms", BARLINE_LLVM_VERSION, entry.name,
                           target.name, ms.count());
  } catch (const std::exception& e) {
    c.health = Health::Fail;
    c.detail = e.what();
    c.fix = "install the program again: it cannot compile its own kernels";
    c.code = ExitCode::Internal;
  }
  return c;
}

}  // namespace

void check_build(const Context& context, Session* session, Checks& out) {
  out.push_back(check_program(context));
  out.push_back(check_libraries(context));
  if (!session) return;
  out.push_back(check_register(*session));
  out.push_back(check_code_generator(*session));
}

}  // namespace barline::tools
