// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "tools/doctor.h"
#include "tools/session.h"

namespace barline::tools {

void check_assembler(Session* session, Checks& out) {
  if (!session) return;
  Check c{.name = "ptxas", .why = "PTX becomes machine code by it, and the gate reads its log"};
  try {
    const codegen::Ptxas& ptxas = session->ptxas();
    c.detail = fmt::format("{} at {}", ptxas.release(), ptxas.path());
    out.push_back(c);
    out.push_back(judge_release(ptxas.release(), session->registry().assembler));
  } catch (const codegen::MissingPtxas& e) {
    c.health = Health::Fail;
    c.detail = e.what();
    c.fix = "run `scripts/setup --ptxas`, or pass --ptxas PATH";
    c.code = ExitCode::Missing;
    out.push_back(c);
  }
}

}  // namespace barline::tools
