# SPDX-License-Identifier: Apache-2.0
#
# A folder is a library is a floor.
#
#   floor(<folder> LEVEL <n> [USES <folder>...] [LIBS <third party>...] [PURE] [PROGRAM <name>] [NO_TESTS]
#         [FUZZ_ALSO <folder>...])
#
# * *.cc of the folder, but for main.cc, *_test.cc, *_bench.cc and *_fuzz.cc, become one static library.
# * *_test.cc become one Boost.Test program, registered with ctest as the folder's name;
#   PURE floors (no I/O, no clock) carry the ctest label "pure": they also run under ASan in every test.sh.
# * main.cc becomes the program <name> in build/bin.
# * <thing>_bench.cc becomes bench_<thing> (Google Benchmark); <thing>_fuzz.cc becomes fuzz_<thing>, run by
#   ctest over its corpus in <folder>/corpus/<thing>/ and the folders of FUZZ_ALSO, and by scripts/fuzz.sh
#   with libFuzzer.
# * <thing>.sql (or <thing>_gdb.py) is embedded: `#include "<folder>/<thing>.sql.inc"` is its text as one string literal.
# * page/* of the folder (HTML, CSS, JavaScript) is embedded likewise: `#include "<folder>/page/<file>.inc"`.
# * Every header is compiled on its own (target all_verify_interface_header_sets).
# * A quoted include must be spelt from the repository root and name this folder or one in USES; each
#   folder in USES must be on a lower level. Anything else stops the configure step.
enable_testing()
set_property(GLOBAL PROPERTY FLOORS_PROBLEMS "")
file(WRITE ${CMAKE_BINARY_DIR}/fuzz_targets.txt "")  # what scripts/fuzz.sh runs

# Third-party headers and who may include them (regex of header -> regex of files).
set(FLOOR_OWNERS
  "sodium.*" "src/crypto/.*"
  "openssl/.*" "src/crypto/.*"
  "sqlite3.h" "src/sqlite/.*"
  "boost/beast.*" "src/runtime/[^/]*\\.cc"
  "boost/asio.*" "src/runtime/.*"
  "toml\\+\\+/.*" "harness/scenario/.*")

function(floor_problem text)
  set_property(GLOBAL APPEND PROPERTY FLOORS_PROBLEMS "${text}")
endfunction()

function(floor_check_includes folder file uses)
  file(STRINGS ${CMAKE_SOURCE_DIR}/${file} lines REGEX "^[ \t]*#[ \t]*include")
  foreach(line IN LISTS lines)
    if(line MATCHES "include[ \t]+\"([^\"]+)\"")
      set(header ${CMAKE_MATCH_1})
      get_filename_component(dir ${header} DIRECTORY)
      if(NOT dir STREQUAL folder AND NOT dir STREQUAL "${folder}/page" AND NOT dir IN_LIST uses)
        floor_problem("${file}: includes \"${header}\", but ${folder} does not name ${dir} in USES")
      endif()
    elseif(line MATCHES "include[ \t]+<([^>]+)>")
      set(header ${CMAKE_MATCH_1})
      set(owners ${FLOOR_OWNERS})
      while(owners)
        list(POP_FRONT owners pattern owner)
        if(header MATCHES "^${pattern}$" AND NOT file MATCHES "^${owner}$")
          floor_problem("${file}: includes <${header}>, which only ${owner} may")
        endif()
      endwhile()
    endif()
  endforeach()
endfunction()

# The text of a file as a C++ string literal, made anew when the file changes.
function(floor_embed folder name)
  set(source ${CMAKE_SOURCE_DIR}/${folder}/${name})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${source})
  file(READ ${source} text)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/embedded/${folder}/${name}.inc
       CONTENT "R\"embedded(${text})embedded\"\n" @ONLY)
endfunction()

# fuzz_<thing>: with libFuzzer in the preset fuzz, elsewhere with a main of ours. ctest runs it over its
# corpus in both, so that what once crashed stays mended under every compiler.
function(floor_fuzz_target folder lib file pure also)
  get_filename_component(thing ${file} NAME_WE)
  string(REGEX REPLACE "_fuzz$" "" thing ${thing})
  set(corpus ${CMAKE_SOURCE_DIR}/${folder}/corpus/${thing})
  if(NOT IS_DIRECTORY ${corpus})
    floor_problem("${file}: no seed corpus in ${folder}/corpus/${thing}/")
  endif()
  set(folders ${folder}/corpus/${thing} ${also})
  string(REPLACE ";" " " folder_words "${folders}")
  list(TRANSFORM folders PREPEND ${CMAKE_SOURCE_DIR}/)
  add_executable(fuzz_${thing} ${CMAKE_SOURCE_DIR}/${file})
  target_link_libraries(fuzz_${thing} PRIVATE ${lib})
  if(MIXLAB_FUZZ)
    target_link_options(fuzz_${thing} PRIVATE -fsanitize=fuzzer)
    add_test(NAME fuzz_${thing} COMMAND fuzz_${thing} -runs=0 -timeout=10 ${folders})
    file(APPEND ${CMAKE_BINARY_DIR}/fuzz_targets.txt "fuzz_${thing} ${folder_words}\n")
  else()
    target_sources(fuzz_${thing} PRIVATE ${CMAKE_SOURCE_DIR}/scripts/cmake/fuzz_main.cc)
    set_target_properties(fuzz_${thing} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME fuzz_${thing} COMMAND fuzz_${thing} ${folders})
    if(pure)
      set_tests_properties(fuzz_${thing} PROPERTIES LABELS pure)
      set_property(GLOBAL APPEND PROPERTY FLOOR_PURE_TESTS fuzz_${thing})
    endif()
  endif()
  set_tests_properties(fuzz_${thing} PROPERTIES TIMEOUT 120)
endfunction()

function(floor folder)
  cmake_parse_arguments(F "PURE;NO_TESTS" "LEVEL;PROGRAM" "USES;LIBS;FUZZ_ALSO" ${ARGN})
  string(REPLACE "/" "_" lib ${folder})
  set_property(GLOBAL PROPERTY FLOOR_LEVEL_${folder} ${F_LEVEL})
  set(links)
  foreach(used IN LISTS F_USES)
    get_property(level GLOBAL PROPERTY FLOOR_LEVEL_${used})
    if("${level}" STREQUAL "")
      floor_problem("${folder}: USES ${used}, which is not declared below it")
    elseif(NOT level LESS F_LEVEL)
      floor_problem("${folder} (level ${F_LEVEL}): USES ${used} (level ${level}): arrows must go down")
    endif()
    string(REPLACE "/" "_" used_lib ${used})
    list(APPEND links ${used_lib})
  endforeach()
  foreach(third IN LISTS F_LIBS)
    list(APPEND links tp_${third})
  endforeach()

  set(dir ${CMAKE_SOURCE_DIR}/${folder})
  file(GLOB all CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR} ${dir}/*.cc ${dir}/*.h)
  foreach(file IN LISTS all)
    floor_check_includes(${folder} ${file} "${F_USES}")
  endforeach()
  file(GLOB scripts CONFIGURE_DEPENDS RELATIVE ${dir} ${dir}/*.sql ${dir}/*_gdb.py ${dir}/page/*)
  foreach(script IN LISTS scripts)
    floor_embed(${folder} ${script})
  endforeach()
  set(sources ${all})
  list(FILTER sources INCLUDE REGEX "\\.cc$")
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  set(benches ${sources})
  list(FILTER benches INCLUDE REGEX "_bench\\.cc$")
  set(fuzzers ${sources})
  list(FILTER fuzzers INCLUDE REGEX "_fuzz\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|_bench|_fuzz|/main)\\.cc$")
  set(headers ${all})
  list(FILTER headers INCLUDE REGEX "\\.h$")
  list(TRANSFORM sources PREPEND ${CMAKE_SOURCE_DIR}/)
  list(TRANSFORM headers PREPEND ${CMAKE_SOURCE_DIR}/)

  if(sources)
    set(scope PUBLIC)
    add_library(${lib} STATIC ${sources})
  else()
    set(scope INTERFACE)
    add_library(${lib} INTERFACE)
  endif()
  target_include_directories(${lib} ${scope} ${CMAKE_SOURCE_DIR})
  if(scripts)
    target_include_directories(${lib} ${scope} ${CMAKE_BINARY_DIR}/embedded)
  endif()
  target_link_libraries(${lib} ${scope} ${links})
  if(headers)
    target_sources(${lib} ${scope} FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${headers})
    set_target_properties(${lib} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
  endif()

  if(F_PROGRAM)
    add_executable(${F_PROGRAM} ${dir}/main.cc)
    target_link_libraries(${F_PROGRAM} PRIVATE ${lib})
  endif()
  foreach(file IN LISTS fuzzers)
    floor_fuzz_target(${folder} ${lib} ${file} "${F_PURE}" "${F_FUZZ_ALSO}")
  endforeach()
  if(MIXLAB_FUZZ)
    return()
  endif()
  if(tests AND NOT F_NO_TESTS)
    list(TRANSFORM tests PREPEND ${CMAKE_SOURCE_DIR}/)
    add_executable(${lib}_test ${tests} ${CMAKE_SOURCE_DIR}/scripts/cmake/test_main.cc)
    target_link_libraries(${lib}_test PRIVATE ${lib} tp_unit_test)
    set_target_properties(${lib}_test PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    add_test(NAME ${folder} COMMAND ${lib}_test WORKING_DIRECTORY ${dir})
    set_tests_properties(${folder} PROPERTIES TIMEOUT 300)
    if(F_PURE)
      set_tests_properties(${folder} PROPERTIES LABELS pure)
      set_property(GLOBAL APPEND PROPERTY FLOOR_PURE_TESTS ${lib}_test)
    endif()
  endif()
  if(benches AND TARGET tp_bench)
    foreach(file IN LISTS benches)
      get_filename_component(thing ${file} NAME_WE)
      string(REGEX REPLACE "_bench$" "" thing ${thing})
      add_executable(bench_${thing} EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/${file})
      target_link_libraries(bench_${thing} PRIVATE ${lib} tp_bench)
      set_target_properties(bench_${thing} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bench)
    endforeach()
  endif()
endfunction()

# Reports every problem at once; defines the target `pure_tests`.
function(finish_floors)
  get_property(problems GLOBAL PROPERTY FLOORS_PROBLEMS)
  if(problems)
    list(JOIN problems "\n  " text)
    message(FATAL_ERROR "The floors do not stand:\n  ${text}")
  endif()
  get_property(pure GLOBAL PROPERTY FLOOR_PURE_TESTS)
  if(pure)
    add_custom_target(pure_tests DEPENDS ${pure})
  endif()
endfunction()
