// SPDX-License-Identifier: Apache-2.0
// Writes a pack of made-up kernels, for tests of hosts in other languages.
#include <cstdio>

#include "tests/host/samples.h"

using namespace barline::runtime::test;

int main(int argc, char** argv) {
  if (argc != 2) {
    std::puts("usage: barline_sample_pack FILE");
    return 2;
  }
  const char* every_type =
      "a:in:f16[n];b:in:s32[n];c:out:e4m3[n];i:scalar:s32;u:scalar:u8;h:scalar:f16;g:scalar:bf16;"
      "d:scalar:f64|n:1|n/1,1,1";
  write_pack(argv[1], {sample_item("rms_norm.bf16@row256", "sm_90a"),
                       sample_item("every.f16@s", "sm_90a", "", every_type),
                       sample_item("sums.f32@s", "sm_90a", "",
                                   "x:in:f32[n];partial:scratch:f32[n,parts=4];y:out:f32[n]|n:1|"
                                   "n/128,1,1")});
}
