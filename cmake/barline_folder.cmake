# SPDX-License-Identifier: Apache-2.0
# barline_folder(DIR DEPENDS ...) : the object library of one folder (its own .cpp files and those
# of sub-folders that are not folders of their own). barline_shared / _kernels / _tool join them.
set(BARLINE_OWN_FOLDERS runtime/driver runtime/jit)

function(barline_target_name out dir)
  string(REPLACE "/" "_" name ${dir})
  set(${out} barline_obj_${name} PARENT_SCOPE)
endfunction()

function(barline_sources out dir)
  file(GLOB_RECURSE found CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/${dir}/*.cpp ${CMAKE_SOURCE_DIR}/${dir}/*.c)
  foreach(own ${BARLINE_OWN_FOLDERS})
    if(NOT dir STREQUAL own)
      list(FILTER found EXCLUDE REGEX "^${CMAKE_SOURCE_DIR}/${own}/")
    endif()
  endforeach()
  set(${out} ${found} PARENT_SCOPE)
endfunction()

function(barline_folder dir)
  cmake_parse_arguments(arg "" "" "DEPENDS" ${ARGN})
  barline_target_name(target ${dir})
  barline_sources(sources ${dir})
  if(NOT sources)
    file(WRITE ${CMAKE_BINARY_DIR}/empty.cpp "")
    set(sources ${CMAKE_BINARY_DIR}/empty.cpp)
  endif()
  add_library(${target} OBJECT ${sources})
  target_include_directories(${target} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}> $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/generated>)
  target_link_libraries(${target} PUBLIC fmt::fmt)
  if(dir MATCHES "^runtime$|^codegen$|^verify$|jit")
    target_include_directories(${target} SYSTEM PRIVATE ${llvm_include})
  endif()
  if(dir STREQUAL "codegen" OR dir MATCHES "runtime")
    add_dependencies(${target} barline_codegen_id)
  endif()
endfunction()

# A shared object: LLVM's archives hidden, barline's own symbols visible to its tests.
function(barline_shared name)
  cmake_parse_arguments(arg "" "" "FOLDERS;LINK" ${ARGN})
  add_library(${name} SHARED)
  foreach(dir ${arg_FOLDERS})
    barline_target_name(target ${dir})
    target_sources(${name} PRIVATE $<TARGET_OBJECTS:${target}>)
  endforeach()
  target_include_directories(${name} PUBLIC
    $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}> $<BUILD_INTERFACE:${CMAKE_BINARY_DIR}/generated>
    $<INSTALL_INTERFACE:include/barline>)
  target_compile_features(${name} INTERFACE cxx_std_20)
  # No public header includes fmt: who uses an installed barline needs none.
  target_link_libraries(${name} PUBLIC $<BUILD_INTERFACE:fmt::fmt> ${arg_LINK}
                        PRIVATE Threads::Threads ${CMAKE_DL_LIBS})
  if(name STREQUAL "barline")
    target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:barline_llvm>)
    target_link_options(${name} PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/hide_llvm.map)
    set_target_properties(${name} PROPERTIES EXPORT_NAME barline LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/hide_llvm.map)
  else()
    target_link_libraries(${name} PRIVATE $<BUILD_INTERFACE:barline_blake3>)
    target_link_options(${name} PRIVATE -Wl,--version-script=${CMAKE_SOURCE_DIR}/cmake/runtime_symbols.map)
    set_target_properties(${name} PROPERTIES EXPORT_NAME runtime LINK_DEPENDS ${CMAKE_SOURCE_DIR}/cmake/runtime_symbols.map)
  endif()
  target_link_options(${name} PRIVATE -Wl,--exclude-libs,ALL -Wl,-z,defs -Wl,--gc-sections)
  set_target_properties(${name} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0
    BUILD_RPATH "$ORIGIN" INSTALL_RPATH "$ORIGIN;$ORIGIN/barline")
endfunction()

# The kernel library stands alone, so that editing a kernel relinks nothing else.
function(barline_kernels name)
  cmake_parse_arguments(arg "" "FOLDER" "LINK" ${ARGN})
  barline_sources(sources ${arg_FOLDER})
  add_library(${name} SHARED ${sources})
  target_include_directories(${name} PUBLIC $<INSTALL_INTERFACE:include/barline>)
  target_link_libraries(${name} PUBLIC ${arg_LINK})
  set_target_properties(${name} PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION 0
    BUILD_RPATH "$ORIGIN" INSTALL_RPATH "$ORIGIN;$ORIGIN/barline" EXPORT_NAME kernels)
endfunction()

function(barline_tool name)
  cmake_parse_arguments(arg "" "OUTPUT;FOLDER" "LINK" ${ARGN})
  barline_sources(sources ${arg_FOLDER})
  add_executable(${name} ${sources})
  target_link_libraries(${name} PRIVATE ${arg_LINK} ${BARLINE_YAML_STATIC})
  set_target_properties(${name} PROPERTIES OUTPUT_NAME ${arg_OUTPUT}
    BUILD_RPATH "$ORIGIN/../lib" INSTALL_RPATH "$ORIGIN/../lib;$ORIGIN/../lib/barline")
endfunction()
