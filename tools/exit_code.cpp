// SPDX-License-Identifier: Apache-2.0
#include "tools/exit_code.h"

#include <CLI/Error.hpp>
#include <new>
#include <system_error>

#include "codegen/assembler/assembler.h"
#include "codegen/cubin/cubin.h"
#include "codegen/report/ptxas_log.h"
#include "ir/diagnostic.h"
#include "runtime/driver/driver.h"
#include "tools/error.h"
#include "verify/gate/yaml_tree.h"

namespace barline::tools {
namespace {

int rank(ExitCode code) {
  switch (code) {
    case ExitCode::Internal: return 5;
    case ExitCode::Io: return 4;
    case ExitCode::Missing: return 3;
    case ExitCode::Usage: return 2;
    case ExitCode::Failed: return 1;
    case ExitCode::Ok: return 0;
  }
  return 5;
}

}  // namespace

ExitCode worse(ExitCode a, ExitCode b) { return rank(a) < rank(b) ? b : a; }

ExitReport report_of(std::exception_ptr error) {
  try {
    std::rethrow_exception(error);
  } catch (const UsageError& e) {
    return {ExitCode::Usage, e.what()};
  } catch (const verify::FileError& e) {
    return {ExitCode::Usage, e.what()};
  } catch (const ir::Error& e) {
    return {ExitCode::Usage, e.what()};
  } catch (const CLI::ParseError& e) {
    return {ExitCode::Usage, e.what()};
  } catch (const MissingError& e) {
    return {ExitCode::Missing, e.what()};
  } catch (const codegen::MissingAssembler& e) {
    return {ExitCode::Missing, e.what()};
  } catch (const driver::Error& e) {
    return {e.means_no_device() ? ExitCode::Missing : ExitCode::Failed, e.what()};
  } catch (const Failure& e) {
    return {ExitCode::Failed, e.what()};
  } catch (const codegen::AssembleError& e) {
    return {ExitCode::Failed, e.what()};
  } catch (const codegen::MissingRecord& e) {
    return {ExitCode::Failed, e.what()};
  } catch (const codegen::CubinError& e) {
    return {ExitCode::Failed, e.what()};
  } catch (const IoError& e) {
    return {ExitCode::Io, e.what()};
  } catch (const std::system_error& e) {
    return {ExitCode::Io, e.what()};
  } catch (const std::bad_alloc&) {
    return {ExitCode::Internal, "out of memory"};
  } catch (const std::exception& e) {
    return {ExitCode::Internal, std::string("internal error: ") + e.what()};
  } catch (...) {
    return {ExitCode::Internal, "internal error: unknown exception"};
  }
}

}  // namespace barline::tools
