# SPDX-License-Identifier: Apache-2.0
# The code generator id: a hash of the sources of ir/ and codegen/. It stands in the cache key, so
# that a rebuild of anything else keeps the cache warm and a change of the compiler never hits it.
set(BARLINE_CODEGEN_ID_HEADER ${CMAKE_BINARY_DIR}/generated/barline_codegen_id.h)
add_custom_target(barline_codegen_id
  COMMAND ${CMAKE_COMMAND} -DROOT=${CMAKE_SOURCE_DIR} -DOUT=${BARLINE_CODEGEN_ID_HEADER}
          -DLLVM_VERSION=${BARLINE_LLVM_VERSION} -DPROJECT_VERSION=${PROJECT_VERSION}
          -P ${CMAKE_SOURCE_DIR}/cmake/write_codegen_id.cmake
  BYPRODUCTS ${BARLINE_CODEGEN_ID_HEADER} VERBATIM)
