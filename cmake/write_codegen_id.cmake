# SPDX-License-Identifier: Apache-2.0
# Writes the header that holds the code generator id; touches it only when the id changes.
file(GLOB_RECURSE sources RELATIVE ${ROOT} ${ROOT}/ir/* ${ROOT}/codegen/*)
list(SORT sources)
set(text "llvm ${LLVM_VERSION}\n")
foreach(source ${sources})
  file(SHA256 ${ROOT}/${source} hash)
  string(APPEND text "${hash} ${source}\n")
endforeach()
string(SHA256 id "${text}")
string(SUBSTRING ${id} 0 32 id)
set(header "// Written by cmake/write_codegen_id.cmake.\n#pragma once\n
#define BARLINE_CODEGEN_ID \"${id}\"\n#define BARLINE_LLVM_VERSION \"${LLVM_VERSION}\"
#define BARLINE_VERSION \"${PROJECT_VERSION}\"\n")
if(EXISTS ${OUT})
  file(READ ${OUT} old)
endif()
if(NOT "${old}" STREQUAL "${header}")
  file(WRITE ${OUT} "${header}")
endif()
