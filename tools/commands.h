// SPDX-License-Identifier: Apache-2.0
// The subcommands. Each function adds one to the app; when it is named, it sets Context::action.
#pragma once

namespace CLI {
class App;
}

namespace barline::tools {

struct Context;

void add_demo(CLI::App& app, Context& context);
void add_new(CLI::App& app, Context& context);
void add_list(CLI::App& app, Context& context);
void add_build(CLI::App& app, Context& context);
void add_gate(CLI::App& app, Context& context);
void add_verify(CLI::App& app, Context& context);
void add_mutate(CLI::App& app, Context& context);
void add_run(CLI::App& app, Context& context);
void add_bench(CLI::App& app, Context& context);
void add_sweep(CLI::App& app, Context& context);
void add_audit(CLI::App& app, Context& context);
void add_soak(CLI::App& app, Context& context);
void add_trace(CLI::App& app, Context& context);
void add_tune(CLI::App& app, Context& context);
void add_explain(CLI::App& app, Context& context);
void add_cache(CLI::App& app, Context& context);
void add_pack(CLI::App& app, Context& context);
void add_doctor(CLI::App& app, Context& context);
void add_schema(CLI::App& app, Context& context);
void add_completion(CLI::App& app, Context& context);

}  // namespace barline::tools
