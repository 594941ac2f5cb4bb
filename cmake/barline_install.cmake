# SPDX-License-Identifier: Apache-2.0
# The install tree: relocatable, with headers, CMake package, pkg-config file and third-party
# notices. It holds every shared object that Debian's C and C++ runtime does not bring:
#   bin/barline   lib/libbarline*.so   lib/barline/libfmt   include/barline/   share/barline/kernels.yaml
include(CMakePackageConfigHelpers)
set(package_dir lib/cmake/barline)
set(license_dir share/doc/barline)

install(TARGETS barline barline_runtime barline_kernels EXPORT barline
        LIBRARY DESTINATION lib)
install(TARGETS barline_tool RUNTIME DESTINATION bin)

# Headers and the .def tables that they include; private ones (_p.h) and what names LLVM stay here.
foreach(folder ir formats dsl codegen runtime verify kernels)
  install(DIRECTORY ${folder} DESTINATION include/barline FILES_MATCHING
          PATTERN *.h PATTERN *.def
          PATTERN *_p.h EXCLUDE PATTERN codegen/lower EXCLUDE PATTERN codegen/target_machine.h EXCLUDE)
endforeach()

# C hosts say #include <barline.h>.
install(FILES runtime/abi/barline.h DESTINATION include/barline)
install(DIRECTORY python/barline DESTINATION share/barline/python FILES_MATCHING PATTERN *.py)

# Debian has no static libfmt, so its shared object travels along, under the name that is asked for
# and in a folder of its own: a project that uses fmt itself links the system's.
get_target_property(fmt_file fmt::fmt LOCATION)
get_filename_component(fmt_real ${fmt_file} REALPATH)
string(REGEX REPLACE "\\.[0-9]+\\.[0-9]+$" "" fmt_soname ${fmt_real})
get_filename_component(fmt_soname ${fmt_soname} NAME)
install(PROGRAMS ${fmt_real} DESTINATION lib/barline RENAME ${fmt_soname})

install(EXPORT barline FILE barline-targets.cmake NAMESPACE barline:: DESTINATION ${package_dir})
configure_package_config_file(cmake/barline-config.cmake.in ${CMAKE_BINARY_DIR}/barline-config.cmake
                              INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/barline-config-version.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_BINARY_DIR}/barline-config.cmake
              ${CMAKE_BINARY_DIR}/barline-config-version.cmake DESTINATION ${package_dir})
foreach(pc barline barline_runtime)
  configure_file(cmake/${pc}.pc.in ${CMAKE_BINARY_DIR}/${pc}.pc @ONLY)
  install(FILES ${CMAKE_BINARY_DIR}/${pc}.pc DESTINATION lib/pkgconfig)
endforeach()

install(FILES kernels.yaml DESTINATION share/barline)
install(FILES LICENSE README.md CHANGELOG.md DESTINATION ${license_dir})
install(DIRECTORY docs/ DESTINATION ${license_dir}/docs)

# Licence texts of what is linked in or travels along, as their Debian packages state them.
foreach(package llvm-19-dev libfmt-dev libyaml-cpp-dev libcli11-dev nlohmann-json3-dev libzstd-dev
                zlib1g-dev)
  set(text /usr/share/doc/${package}/copyright)
  if(EXISTS ${text})
    string(REGEX REPLACE "-dev$" "" name ${package})
    install(FILES ${text} DESTINATION ${license_dir}/third_party RENAME ${name}.txt)
  else()
    message(WARNING "${text} is missing: the install tree would lack a third-party notice")
  endif()
endforeach()

# The same tree as an archive: cpack --config <build>/CPackConfig.cmake
set(CPACK_GENERATOR TGZ)
set(CPACK_PACKAGE_VENDOR barline)
set(CPACK_PACKAGE_FILE_NAME barline-${PROJECT_VERSION}-linux-${CMAKE_SYSTEM_PROCESSOR})
set(CPACK_STRIP_FILES ON)
set(CPACK_VERBATIM_VARIABLES ON)
include(CPack)
