// SPDX-License-Identifier: Apache-2.0
// The tool is a program and no library: the readers that are fuzzed are compiled into this binary.
#include "tools/file.cpp"
#include "tools/npy.cpp"
#include "tools/yaml_reader.cpp"
