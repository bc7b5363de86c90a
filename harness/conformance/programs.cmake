# SPDX-License-Identifier: Apache-2.0
# Small programs, one a family, that must print the same natively and in the lab. Without sanitizers
# in every preset: it is the lab that is tested, and a program under ThreadSanitizer cannot run in it.
file(GLOB conformance_programs CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/harness/conformance/programs/*.cc)
foreach(source IN LISTS conformance_programs)
  get_filename_component(name ${source} NAME_WE)
  add_executable(conformance_${name} ${source})
  target_include_directories(conformance_${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(conformance_${name} PRIVATE tp_asio tp_sqlite)
  # Many a result is not what a case is about.
  target_compile_options(conformance_${name} PRIVATE -Wno-unused-result -fno-sanitize=all)
  target_link_options(conformance_${name} PRIVATE -fno-sanitize=all)
  set_target_properties(conformance_${name} PROPERTIES OUTPUT_NAME ${name} RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/conformance)
  add_dependencies(harness_conformance conformance_${name})
endforeach()
# That functions are bound at their first call is not every compiler's default.
target_compile_options(conformance_leaks PRIVATE -fplt)
target_link_options(conformance_leaks PRIVATE -Wl,-z,lazy)
target_compile_definitions(harness_conformance PRIVATE MIXLAB_SHIM="$<TARGET_FILE:mixlab_shim>"
  MIXLAB_CONFORMANCE_BIN="${CMAKE_BINARY_DIR}/conformance")
add_dependencies(harness_conformance mixlab_shim)
add_executable(conformance_static ${CMAKE_SOURCE_DIR}/harness/conformance/programs/clock.cc)
target_compile_options(conformance_static PRIVATE -fno-sanitize=all)
target_link_options(conformance_static PRIVATE -fno-sanitize=all -static)
set_target_properties(conformance_static PROPERTIES OUTPUT_NAME static RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/conformance)
add_dependencies(harness_conformance conformance_static)
