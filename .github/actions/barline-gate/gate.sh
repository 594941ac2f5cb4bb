#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the gate for a GitHub workflow: annotations on stdout, the table in the step's summary, JSON
# and SARIF beside the runner's other temporaries. Exits as `barline gate` does.
set -euo pipefail

out=$(mktemp -d "${RUNNER_TEMP:-/tmp}/barline-gate.XXXXXX")
args=(gate --format github
  --report "markdown=$out/gate.md" --report "json=$out/gate.json" --report "sarif=$out/gate.sarif")
[ -z "${GATE_REGISTRY:-}" ] || args+=(--registry "$GATE_REGISTRY")
[ -z "${GATE_ARCH:-}" ] || args+=(--arch "$GATE_ARCH")
[ -z "${GATE_PTXAS:-}" ] || args+=(--ptxas "$GATE_PTXAS")
[ -z "${GATE_BASELINE:-}" ] || args+=(--baseline "$GATE_BASELINE")
[ "${GATE_ALLOW_IMPROVED:-false}" != true ] || args+=(--allow-improved)
# Names stand in lines or side by side.
read -r -d '' -a kernels <<<"${GATE_KERNELS:-}" || true

code=0
"${GATE_BARLINE:-barline}" "${args[@]}" ${kernels[@]+"${kernels[@]}"} 2>"$out/errors" || code=$?
cat "$out/errors" >&2

# A command line that is refused leaves no report: its message is the report.
if [ ! -s "$out/gate.md" ] && [ $code != 0 ]; then
  text=$(sed 's/%/%25/g' "$out/errors")
  echo "::error title=barline gate::${text//$'\n'/%0A}"
  { echo '```'; cat "$out/errors"; echo '```'; } >"$out/gate.md"
fi
if [ -s "$out/gate.md" ] && [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
  cat "$out/gate.md" >>"$GITHUB_STEP_SUMMARY"
fi
if [ -n "${GITHUB_OUTPUT:-}" ]; then
  {
    if [ $code = 0 ]; then echo "passed=true"; else echo "passed=false"; fi
    [ ! -s "$out/gate.json" ] || echo "report=$out/gate.json"
    [ ! -s "$out/gate.sarif" ] || echo "sarif=$out/gate.sarif"
  } >>"$GITHUB_OUTPUT"
fi
exit $code
