// SPDX-License-Identifier: Apache-2.0
// `barline schema`: the JSON schema of kernels.yaml.
#include "tools/command_line.h"
#include "tools/commands.h"
#include "tools/file.h"
#include "verify/gate/registry_file.h"

namespace barline::tools {

void add_schema(CLI::App& app, Context& context) {
  CLI::App& sub = add_command(app, "schema", "Print the JSON schema of kernels.yaml",
                              "barline schema > docs/kernels.schema.json");
  sub.callback([&context] {
    context.action = [] {
      print_out(verify::registry_schema());
      return ExitCode::Ok;
    };
  });
}

}  // namespace barline::tools
