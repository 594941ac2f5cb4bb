// SPDX-License-Identifier: Apache-2.0
// One assembly is one process. ptxas exits 0 with a truncated cubin when its disk is full, so the
// exit code is never believed alone: the ELF's bounds are checked too.
#include "codegen/assembler/ptxas.h"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>
#include <system_error>

#include "codegen/assembler/messages_p.h"
#include "codegen/assembler/process_p.h"
#include "codegen/cubin/cubin.h"

namespace barline::codegen {

struct Ptxas::State {
  std::string path;
  mutable std::once_flag asked;
  mutable std::string version, release;

  void ask() const;
};

namespace {

std::string replace_all(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

std::string line_with(std::string_view text, std::string_view key) {
  std::size_t at = text.find(key);
  if (at == std::string_view::npos) return {};
  return std::string(text.substr(at, text.find('\n', at) - at));
}

ProcessResult run(const ProcessSpec& spec) {
  try {
    return run_process(spec);
  } catch (const std::system_error& error) {
    throw AssembleError(fmt::format("cannot run ptxas: {}", error.what()), {}, -1);
  }
}

void check_result(const ProcessResult& result, const AssembleOptions& options,
                  std::string_view ptx) {
  if (result.timed_out)
    throw AssembleError(
        fmt::format("ptxas did not finish within {} ms for {} and was killed; unroll less, or "
                    "raise the timeout",
                    options.timeout.count(), options.sm),
        result.log, result.status, true);
  if (result.log_overflow)
    throw AssembleError(
        fmt::format("ptxas printed more than {} bytes and was killed", options.output_cap),
        result.log, result.status);
  if (result.status > 128 && result.status < 255)
    throw AssembleError(fmt::format("ptxas was killed by signal {} while it assembled for {}{}",
                                    result.status - 128, options.sm,
                                    result.status == 137 ? "; is the machine out of memory?" : ""),
                        result.log, result.status);
  if (result.status > 0)
    throw AssembleError(fmt::format("ptxas refused the PTX for {} (exit {}):\n{}", options.sm,
                                    result.status, explain_errors(result.log, ptx)),
                        result.log, result.status);
}

// A status of -1 (another part of the host reaped the child) is judged by the cubin alone.
void check_cubin(const Assembled& out, int status, std::string_view ptx) {
  try {
    Cubin::parse(out.cubin);
  } catch (const CubinError& error) {
    throw AssembleError(
        fmt::format("ptxas exited {} and left a cubin of {} bytes that is not whole: {}; is a disk "
                    "or the memory full?\n{}",
                    status, out.cubin.size(), error.what(), explain_errors(out.log, ptx)),
        out.log, status);
  }
}

}  // namespace

void Ptxas::State::ask() const {
  ProcessResult result =
      run({.path = path, .args = {"--version"}, .timeout = std::chrono::seconds(20)});
  std::string tools = line_with(result.log, "Cuda compilation tools, release ");
  if (result.status > 0 || tools.empty())
    throw MissingPtxas(fmt::format("{} does not answer --version as ptxas does (exit {}):\n{}",
                                   path, result.status, result.log.substr(0, 400)));
  std::string build = line_with(result.log, "Build ");
  std::string_view number = std::string_view(tools).substr(tools.find("release ") + 8);
  release = fmt::format("ptxas {}", number.substr(0, number.find(',')));
  version = build.empty() ? tools : fmt::format("{}; {}", tools, build);
}

Ptxas Ptxas::at(std::string absolute_path) {
  if (!absolute_path.starts_with('/'))
    throw MissingPtxas(fmt::format("'{}' is not an absolute path to ptxas", absolute_path));
  auto state = std::make_shared<State>();
  state->path = std::move(absolute_path);
  return Ptxas(std::move(state));
}

const std::string& Ptxas::path() const { return state_->path; }

const std::string& Ptxas::version() const {
  std::call_once(state_->asked, [this] { state_->ask(); });
  return state_->version;
}

const std::string& Ptxas::release() const {
  version();
  return state_->release;
}

Assembled Ptxas::assemble(std::string_view ptx, const AssembleOptions& options) const {
  std::vector<std::string> args = assemble_flags(options);
  args.insert(args.end(), {"-o", child_output, child_input});

  Fd input, output;
  try {
    input = memory_file("ptx");
    output = memory_file("cubin");
    write_all(input, ptx);
  } catch (const std::system_error& error) {
    throw AssembleError(fmt::format("cannot hand the PTX to ptxas: {}", error.what()), {}, -1);
  }
  ProcessResult result = run({.path = state_->path,
                              .args = std::move(args),
                              .input = &input,
                              .output = &output,
                              .timeout = options.timeout,
                              .log_cap = options.output_cap,
                              .file_cap = options.cubin_cap});
  result.log = replace_all(std::move(result.log), child_input, "ptx");
  check_result(result, options, ptx);

  Assembled out{.cubin = read_all(output), .log = std::move(result.log), .ms = result.ms};
  check_cubin(out, result.status, ptx);
  return out;
}

}  // namespace barline::codegen
