// SPDX-License-Identifier: Apache-2.0
// Exceptions and their exit codes; several failures at once.
#include "tools/exit_code.h"

#include <CLI/Error.hpp>
#include <catch2/catch.hpp>
#include <system_error>

#include "codegen/assembler/ptxas.h"
#include "codegen/report/ptxas_log.h"
#include "ir/diagnostic.h"
#include "tools/error.h"
#include "verify/gate/yaml_tree.h"

using namespace barline;
using tools::ExitCode;

namespace {

template <class E>
ExitCode code_of(const E& e) {
  return tools::report_of(std::make_exception_ptr(e)).code;
}

}  // namespace

TEST_CASE("each kind of failure has its exit code") {
  CHECK(code_of(tools::Failure("x")) == ExitCode::Failed);
  CHECK(code_of(codegen::AssembleError("x", "", 1)) == ExitCode::Failed);
  CHECK(code_of(codegen::MissingRecord("x")) == ExitCode::Failed);
  CHECK(code_of(tools::UsageError("x")) == ExitCode::Usage);
  CHECK(code_of(verify::FileError("f", {}, "rule")) == ExitCode::Usage);
  CHECK(code_of(ir::Error(ir::Diagnostic{})) == ExitCode::Usage);
  CHECK(code_of(CLI::RequiredError("x")) == ExitCode::Usage);
  CHECK(code_of(tools::MissingError("x")) == ExitCode::Missing);
  CHECK(code_of(codegen::MissingPtxas("x")) == ExitCode::Missing);
  CHECK(code_of(tools::IoError("x")) == ExitCode::Io);
  CHECK(code_of(std::system_error(5, std::generic_category())) == ExitCode::Io);
  CHECK(code_of(std::logic_error("x")) == ExitCode::Internal);
  CHECK(code_of(3) == ExitCode::Internal);
}

TEST_CASE("of several failures the one that says most decides: 4, 5, 3, 2, 1") {
  const ExitCode order[] = {ExitCode::Ok,      ExitCode::Failed, ExitCode::Usage,
                            ExitCode::Missing, ExitCode::Io,     ExitCode::Internal};
  for (int a = 0; a < 6; ++a) {
    for (int b = 0; b < 6; ++b) CHECK(worse(order[a], order[b]) == order[std::max(a, b)]);
  }
}
