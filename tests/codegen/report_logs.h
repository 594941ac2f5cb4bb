// SPDX-License-Identifier: Apache-2.0
// Golden logs: what ptxas 13.0 prints for real PTX, and the variants of older toolkits, nvJitLink
// and NVRTC. Each is used by name in report_log.cpp and is a seed of the fuzz test.
#pragma once

namespace barline::codegen::test::logs {

// sm_80: constant bank on the "Used" line.
inline constexpr const char* plain = R"(ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'k' for 'sm_80'
ptxas info    : Function properties for k
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 10 registers, used 1 barriers, 512 bytes smem, 364 bytes cmem[0]
ptxas info    : Compile time = 23.608 ms
)";

// From sm_90 on no constant bank is printed.
inline constexpr const char* hopper = R"(ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'k' for 'sm_90a'
ptxas info    : Function properties for k
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 10 registers, used 1 barriers, 512 bytes smem
ptxas info    : Compile time = 4.936 ms
)";

// A callee that spills; its record follows its caller's "Compile time" and precedes another entry.
inline constexpr const char* calls =
    R"(ptxas warning : Local memory used for function 'k_rec', size of stack frame: 256 bytes
ptxas warning : Local memory used for function 'rec', size of stack frame: 16 bytes
ptxas warning : Registers are spilled to local memory in function 'rec', 16 bytes spill stores, 20 bytes spill loads
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'k_rec' for 'sm_80'
ptxas info    : Function properties for k_rec
    256 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 24 registers, used 0 barriers, 256 bytes cumulative stack size, 364 bytes cmem[0]
ptxas info    : Compile time = 11.908 ms
ptxas info    : Function properties for rec
    16 bytes stack frame, 16 bytes spill stores, 20 bytes spill loads
ptxas info    : Compiling entry function 'k_one' for 'sm_80'
ptxas info    : Function properties for k_one
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 8 registers, used 0 barriers, 360 bytes cmem[0]
ptxas info    : Compile time = 0.735 ms
)";

// Separate compilation: the callee comes first, with a time of its own.
inline constexpr const char* separate = R"(ptxas info    : 0 bytes gmem
ptxas info    : Function properties for rec
    16 bytes stack frame, 12 bytes spill stores, 12 bytes spill loads
ptxas info    : Compile time = 2.175 ms
ptxas info    : Compiling entry function 'k_rec' for 'sm_80'
ptxas info    : Function properties for k_rec
    256 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 24 registers, used 0 barriers, 364 bytes cmem[0]
ptxas info    : Compile time = 0.850 ms
)";

// Old: the callee's properties stand between the entry's heading and its "Used" line.
inline constexpr const char* callee_inside =
    R"(ptxas info    : Compiling entry function 'k' for 'sm_35'
ptxas info    : Function properties for k
    8 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Function properties for f
    32 bytes stack frame, 4 bytes spill stores, 4 bytes spill loads
ptxas info    : Used 18 registers, 344 bytes cmem[0], 16 bytes cmem[2]
)";

// Very old: no target, no barriers, no time, sums in the sizes.
inline constexpr const char* ancient = R"(ptxas info    : Compiling entry function '_Z3addPf'
ptxas info    : Used 6 registers, 2048+16 bytes smem, 8 bytes cmem[1], 4 bytes lmem
ptxas info    : Function properties for _Z3addPf
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
)";

// nvJitLink and NVRTC: a dotted continuation, the owner quoted with a colon, a second summary.
inline constexpr const char* jitlink =
    R"(ptxas info    : 16 bytes gmem, 8 bytes cmem[3], 4 bytes cmem[4]
ptxas info    : Compiling entry function 'k' for 'sm_80'
ptxas info    : Function properties for 'k':
ptxas         .     24 bytes stack frame, 8 bytes spill stores, 12 bytes spill loads
ptxas info    : Used 32 registers, used 2 barriers, 24 bytes cumulative stack size, 100 bytes smem, 400 bytes cmem[0], 1 textures, 2 samplers, 3 surfaces
info    : Function properties for 'k':
info    : used 32 registers, used 2 barriers, 24 stack, 100 bytes smem, 400 bytes cmem[0], 24 bytes lmem
)";

// Performance-loss notes are information; some name their function.
inline constexpr const char* notes =
    R"(ptxas info    : (C7508) Potential Performance Loss: 'setmaxnreg' ignored; unable to determine register count at entry.
ptxas info    : (C7510) Potential Performance Loss: wgmma.mma_async instructions are serialized due to insufficient register resources for the wgmma pipeline in the function 'k'
ptxas warning : For profile sm_90a adjusting per thread register count of 10 to lower bound of 24
ptxas warning : Value of threads per SM for entry k is out of range. .minnctapersm will be ignored
ptxas info    : Overriding maximum register limit 256 for 'k' with  40 of maxrregcount option
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'k' for 'sm_90a'
ptxas info    : Function properties for k
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 40 registers, used 1 barriers
)";

// A refusal after full statistics.
inline constexpr const char* too_much =
    R"(ptxas error   : Entry function 'k' uses too much shared data (0xea60 bytes, 0xc000 max)
ptxas info    : 0 bytes gmem
ptxas info    : Compiling entry function 'k' for 'sm_80'
ptxas info    : Function properties for k
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 4 registers, used 0 barriers, 60000 bytes smem, 352 bytes cmem[0]
ptxas info    : Compile time = 1.373 ms
)";

inline constexpr const char* refused = R"(ptxas bad.ptx, line 5; error   : Unknown symbol '%r9'
ptxas bad2.ptx, line 1; fatal   : Unsupported .version 9.9; current version is '9.0'
ptxas fatal   : Ptx assembly aborted due to errors
)";

// One PTX assembled for two targets into one log.
inline constexpr const char* two_targets =
    R"(ptxas info    : Compiling entry function 'k' for 'sm_80'
ptxas info    : Function properties for k
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 10 registers, used 1 barriers
ptxas info    : Compiling entry function 'k' for 'sm_90'
ptxas info    : Function properties for k
    0 bytes stack frame, 0 bytes spill stores, 0 bytes spill loads
ptxas info    : Used 12 registers, used 1 barriers
)";

inline constexpr const char* all[] = {plain,   hopper, calls,    separate, callee_inside, ancient,
                                      jitlink, notes,  too_much, refused,  two_targets};

}  // namespace barline::codegen::test::logs
