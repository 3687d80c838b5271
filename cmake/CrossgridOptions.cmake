# What a user can switch, and the flags that every target shares.
option(CROSSGRID_CUDA "Build the CUDA part where a toolkit (>= 12.0) is found" ON)
option(CROSSGRID_NATIVE "Compile for this machine's processor only (-march=native)" OFF)
set(CROSSGRID_SANITIZE "" CACHE STRING "Sanitizers to build with: address,undefined, thread or (Clang) fuzzer-no-link,address,undefined")
if(DEFINED ENV{CI})
  set(crossgrid_werror_default ON)
else()
  set(crossgrid_werror_default OFF)
endif()
option(CROSSGRID_WERROR "Treat compiler warnings as errors (on where CI is set)" ${crossgrid_werror_default})

if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

find_program(CROSSGRID_CCACHE ccache)
if(CROSSGRID_CCACHE)
  # Without these ccache compiles anew whatever uses a precompiled header.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CROSSGRID_CCACHE})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CROSSGRID_CCACHE})
endif()

# Equal bits on every host need IEEE arithmetic: no contraction, no reassociation.
string(CONCAT crossgrid_all_flags "${CMAKE_CXX_FLAGS}" " ${CMAKE_CXX_FLAGS_RELEASE}" " ${CMAKE_CXX_FLAGS_DEBUG}"
       " ${CMAKE_CXX_FLAGS_RELWITHDEBINFO}" " $ENV{CXXFLAGS}")
if(crossgrid_all_flags MATCHES "-ffast-math|-Ofast|-funsafe-math-optimizations|-fassociative-math")
  message(FATAL_ERROR "Crossgrid's results are reproducible to the bit only without -ffast-math and its kin; "
                      "found in the compiler flags: ${crossgrid_all_flags}")
endif()

add_library(crossgrid_flags INTERFACE)
target_include_directories(crossgrid_flags INTERFACE ${CMAKE_CURRENT_SOURCE_DIR}/include)
target_compile_features(crossgrid_flags INTERFACE cxx_std_20)
target_compile_options(crossgrid_flags INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-ffp-contract=off -fno-math-errno -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor>
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<CONFIG:Release>>:-O3>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 13)
  # GCC 12 warns of overlapping copies in std::string's own code (GCC bug 105651).
  target_compile_options(crossgrid_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-restrict>)
endif()
if(CROSSGRID_WERROR)
  target_compile_options(crossgrid_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Werror>)
endif()
if(CROSSGRID_NATIVE)
  target_compile_options(crossgrid_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-march=native>)
endif()
if(CROSSGRID_SANITIZE)
  target_compile_options(crossgrid_flags INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${CROSSGRID_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all -g1 -O1>)
  if(CROSSGRID_SANITIZE MATCHES "address")
    # A bad pointer is AddressSanitizer's to find; checked twice, the JSON library's code takes half as long again to compile.
    target_compile_options(crossgrid_flags INTERFACE
      $<$<COMPILE_LANGUAGE:CXX>:-fno-sanitize=null,object-size,pointer-overflow,nonnull-attribute,returns-nonnull-attribute>)
  endif()
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # With sanitizers GCC takes members of standard containers for uninitialised (GCC bug 105562).
    target_compile_options(crossgrid_flags INTERFACE $<$<COMPILE_LANGUAGE:CXX>:-Wno-maybe-uninitialized>)
  endif()
  target_link_options(crossgrid_flags INTERFACE -fsanitize=${CROSSGRID_SANITIZE})
  if(CROSSGRID_SANITIZE STREQUAL "thread")
    # ThreadSanitizer knows no fences. Asio's thread pool hands its work over under a mutex, which it does know.
    target_compile_definitions(crossgrid_flags INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
endif()
# The tests' own code, and with sanitizers that of the modules that compute little, need not be fast: it compiles in
# half the time.
if(CROSSGRID_SANITIZE)
  set(crossgrid_slow_level -Og)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
  set(crossgrid_slow_level -O1)
endif()
target_compile_options(crossgrid_flags INTERFACE
  $<$<AND:$<COMPILE_LANGUAGE:CXX>,$<BOOL:$<TARGET_PROPERTY:CROSSGRID_NEED_NOT_BE_FAST>>>:${crossgrid_slow_level}>)
