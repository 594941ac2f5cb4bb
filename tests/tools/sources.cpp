// SPDX-License-Identifier: Apache-2.0
// The tool is a program and no library: its units under test are compiled into this binary.
#include "tools/file.cpp"
#include "tools/generate.cpp"
#include "tools/npy.cpp"
#include "tools/selection.cpp"
#include "tools/yaml_reader.cpp"
