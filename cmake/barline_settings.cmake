# SPDX-License-Identifier: Apache-2.0
# Compiler settings and third-party packages. Everything here comes from Debian 12 (scripts/setup).
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_CXX_FLAGS_DEV "-O1")                    # quick to build, quick enough to simulate
set(CMAKE_C_FLAGS_DEV "-O1")
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

# -ffp-contract=off: the references and the simulator are bit-exact, so the host must not fuse.
# -ffile-prefix-map: a diagnostic and a line table name files relative to the source tree.
add_compile_options(-Wall -Wextra -Werror -ffp-contract=off
                    -ffile-prefix-map=${CMAKE_SOURCE_DIR}/=)
# GCC 12 warns of overlapping copies in std::string's own operator+ from -O2 on (its bug 105651).
add_compile_options($<$<CONFIG:Release>:-Wno-restrict>)
# The build id tells one build of a kernel library from another (the cache's warm keys).
add_link_options(-Wl,--build-id=sha1)
if(BARLINE_SANITIZE)
  add_compile_options(-fsanitize=${BARLINE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer -g1)
  add_compile_options(-Wno-maybe-uninitialized)  # GCC 12, instrumented: false in <regex>
  add_link_options(-fsanitize=${BARLINE_SANITIZE})
endif()

find_program(BARLINE_CCACHE ccache)
if(BARLINE_CCACHE)
  # A base_dir of the user's ccache would make source paths relative to the build folder: no prefix
  # map matches them then, and kernels would name places that are not there.
  set(CMAKE_C_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR= ${BARLINE_CCACHE})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR= ${BARLINE_CCACHE})
endif()
find_program(BARLINE_MOLD mold)
if(BARLINE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(Threads REQUIRED)

# LLVM 19, static, NVPTX only; asked of llvm-config so that no imported target drags in z3 or xml2.
find_program(BARLINE_LLVM_CONFIG NAMES llvm-config-19 PATHS /usr/lib/llvm-19/bin REQUIRED)
execute_process(COMMAND ${BARLINE_LLVM_CONFIG} --version OUTPUT_VARIABLE BARLINE_LLVM_VERSION
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${BARLINE_LLVM_CONFIG} --includedir OUTPUT_VARIABLE llvm_include
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${BARLINE_LLVM_CONFIG} --libdir OUTPUT_VARIABLE llvm_libdir
                OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
execute_process(COMMAND ${BARLINE_LLVM_CONFIG} --link-static --libs nvptx
                OUTPUT_VARIABLE llvm_libs OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
separate_arguments(llvm_libs UNIX_COMMAND "${llvm_libs}")
find_library(BARLINE_ZSTD_STATIC libzstd.a REQUIRED)
find_library(BARLINE_Z_STATIC libz.a REQUIRED)
find_library(BARLINE_YAML_STATIC libyaml-cpp.a REQUIRED)  # in the tool, so that nothing need travel

add_library(barline_llvm INTERFACE)
target_include_directories(barline_llvm SYSTEM INTERFACE ${llvm_include})
target_link_directories(barline_llvm INTERFACE ${llvm_libdir})
target_link_libraries(barline_llvm INTERFACE ${llvm_libs} ${BARLINE_ZSTD_STATIC} ${BARLINE_Z_STATIC}
                      Threads::Threads ${CMAKE_DL_LIBS} rt m)

# LLVM's C implementation of BLAKE3, alone: the runtime library needs and exports nothing else of LLVM.
add_library(barline_blake3 INTERFACE)
target_include_directories(barline_blake3 SYSTEM INTERFACE ${llvm_include})
target_link_libraries(barline_blake3 INTERFACE ${llvm_libdir}/libLLVMSupport.a)
