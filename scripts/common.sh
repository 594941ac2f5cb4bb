# SPDX-License-Identifier: Apache-2.0
# What the scripts share; to be sourced. Defines root, jobs, say, die, build, has_ptxas and has_gpu.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cd "$root"
began=$SECONDS

say() { printf '[%4ds] %s\n' $((SECONDS - began)) "$*" >&2; }
die() { printf 'error: %s\n' "$1" >&2; exit "${2:-1}"; }

# The assembler that `scripts/setup --ptxas` fetched serves where there is no other.
has_ptxas() {
  [ -n "${BARLINE_PTXAS:-}" ] || [ -x "${CUDA_HOME:-/usr/local/cuda}/bin/ptxas" ] ||
    [ -x /usr/local/cuda/bin/ptxas ]
}
use_fetched_ptxas() {
  has_ptxas || [ ! -x "$root/.deps/cuda/bin/ptxas" ] || export BARLINE_PTXAS=$root/.deps/cuda/bin/ptxas
}
use_fetched_ptxas
has_gpu() { [ -e /dev/nvidiactl ] && [ -e /dev/nvidia0 ]; }

jobs=${JOBS:-$(nproc)}

# build PRESET [TARGET...]: configures once, then lets ninja find out what is stale.
build() {
  local preset=$1
  shift
  say "build ($preset, $jobs jobs)"
  if [ ! -f "build/$preset/build.ninja" ]; then
    mkdir -p build
    cmake --preset "$preset" >build/configure.log 2>&1 ||
      { cat build/configure.log >&2; die "cmake --preset $preset failed"; }
  fi
  if [ -t 2 ]; then
    ninja -C "build/$preset" -j "$jobs" "$@" >&2
  else  # no terminal: a line now and then instead of one a file
    ninja -C "build/$preset" -j "$jobs" "$@" |
      awk '/^\[[0-9]+\/[0-9]+\]/ { if (++n % 50 == 0) print; next } { print; fflush() }' >&2
  fi
}
