# Shared build rules: one static library a folder, unit tests beside the source.

find_package(Threads REQUIRED)
if(PODIUM_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

add_library(podium_options INTERFACE)
target_compile_options(podium_options INTERFACE -Wall -Wextra -Wpedantic -Wno-unused-parameter)
if(PODIUM_STRICT)
  target_compile_options(podium_options INTERFACE -Werror -Wshadow
                         $<$<CXX_COMPILER_ID:GNU>:-Wconversion>  # Clang's counts signs in
                         $<$<CXX_COMPILER_ID:Clang>:-Wthread-safety>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # GCC 12 warns of sound std::string sums: its bug 105651
  target_compile_options(podium_options INTERFACE -Wno-restrict -Wno-stringop-overflow)
endif()
target_include_directories(podium_options INTERFACE ${CMAKE_SOURCE_DIR})
target_link_libraries(podium_options INTERFACE Threads::Threads)
if(PODIUM_SANITIZE)
  target_compile_options(podium_options INTERFACE -fsanitize=${PODIUM_SANITIZE}
                                                  -fno-omit-frame-pointer -g1)
  target_link_options(podium_options INTERFACE -fsanitize=${PODIUM_SANITIZE})
endif()

# Public data of the tests: podium/base/test_data.h tells the suites that need it by their names.
if(PODIUM_TESTS)
  add_test(NAME fetch_movielens
           COMMAND ${CMAKE_SOURCE_DIR}/tools/fetch_movielens.sh build/testdata/ml-100k
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(fetch_movielens PROPERTIES FIXTURES_SETUP movielens TIMEOUT 300)
endif()

# podium_discover(TARGET FILTER PROPERTY VALUE): ctest's tests of one binary, of the suites named.
function(podium_discover target filter)
  set(properties)
  if(ARGN)
    set(properties PROPERTIES ${ARGN})
  endif()
  gtest_discover_tests(${target} TEST_FILTER ${filter} DISCOVERY_TIMEOUT 60
                       WORKING_DIRECTORY ${CMAKE_SOURCE_DIR} ${properties})
endfunction()

# podium_library(FOLDER LIBS...): builds podium/FOLDER/*.cc (tests aside) as podium_FOLDER, and its
# tests *_test.cc as one binary podium_FOLDER_test. LIBS are podium folders or outside targets.
function(podium_library folder)
  file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  set(tests ${sources})
  list(FILTER tests INCLUDE REGEX "_test\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|_main)\\.cc$")
  set(links)
  foreach(lib ${ARGN})
    if(EXISTS ${CMAKE_SOURCE_DIR}/podium/${lib})
      list(APPEND links podium_${lib})
    else()
      list(APPEND links ${lib})
    endif()
  endforeach()
  if(NOT sources)  # headers alone
    add_library(podium_${folder} INTERFACE)
    target_link_libraries(podium_${folder} INTERFACE podium_options ${links})
    return()
  endif()
  add_library(podium_${folder} STATIC ${sources})
  target_link_libraries(podium_${folder} PUBLIC podium_options ${links})
  if(PODIUM_TESTS AND tests)
    add_executable(podium_${folder}_test ${tests})
    target_link_libraries(podium_${folder}_test PRIVATE podium_${folder} GTest::gtest_main)
    podium_discover(podium_${folder}_test "-*OnMovieLens.*:*OnData.*")
    podium_discover(podium_${folder}_test "*OnMovieLens.*" FIXTURES_REQUIRED movielens)
    podium_discover(podium_${folder}_test "*OnData.*" LABELS data)
  endif()
endfunction()
