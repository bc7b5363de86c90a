# SPDX-License-Identifier: Apache-2.0
# The shim: kernel library and shim as one freestanding shared object, its rules held after linking.
file(GLOB shim_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/harness/kernel/*.cc ${CMAKE_SOURCE_DIR}/harness/shim/*.cc)
list(FILTER shim_sources EXCLUDE REGEX "_test\\.cc$")
add_library(mixlab_shim MODULE ${shim_sources})
set_target_properties(mixlab_shim PROPERTIES OUTPUT_NAME mixlab-shim LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
target_include_directories(mixlab_shim PRIVATE ${CMAKE_SOURCE_DIR})
target_compile_options(mixlab_shim PRIVATE -O2 -ffreestanding -fno-exceptions -fno-rtti -fno-stack-protector
  -fno-threadsafe-statics -fvisibility=hidden -fasynchronous-unwind-tables -fno-tree-loop-distribute-patterns
  -fno-sanitize=all -fcf-protection=none -mgeneral-regs-only -Wno-pedantic)
target_link_options(mixlab_shim PRIVATE -nostdlib -Wl,-z,initfirst -Wl,-z,now -Wl,-z,noexecstack -Wl,--build-id=none -fno-sanitize=all)
add_custom_command(TARGET mixlab_shim POST_BUILD VERBATIM COMMAND ${CMAKE_COMMAND} -DSHIM=$<TARGET_FILE:mixlab_shim> -DNM=${CMAKE_NM}
  -DOBJDUMP=${CMAKE_OBJDUMP} -DREADELF=${CMAKE_READELF} -P ${CMAKE_SOURCE_DIR}/scripts/cmake/check_shim.cmake)
