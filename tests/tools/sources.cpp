// SPDX-License-Identifier: Apache-2.0
// The tool is a program and no library: its units under test are compiled into this binary.
#include "tools/calibration_store.cpp"
#include "tools/exit_code.cpp"
#include "tools/file.cpp"
#include "tools/generate.cpp"
#include "tools/line_diff.cpp"
#include "tools/npy.cpp"
#include "tools/registry_source.cpp"
#include "tools/selection.cpp"
#include "tools/yaml_reader.cpp"
