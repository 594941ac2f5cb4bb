// SPDX-License-Identifier: Apache-2.0
/* What the C part of the tests offers to the C++ part. */
#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/* A host in C: opens a runtime on that driver, loads the pack, asks about its kernel and launches
   it, by tensors and by pointers. Null, or what went wrong. */
const char* c_host_run(const char* libcuda, const char* pack, void* stream);

#ifdef __cplusplus
}
#endif
