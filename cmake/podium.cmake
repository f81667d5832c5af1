# Shared build rules: one static library a folder, unit tests beside the source.

find_package(Threads REQUIRED)
if(PODIUM_TESTS)
  enable_testing()
  find_package(GTest REQUIRED)
  include(GoogleTest)
endif()

add_library(podium_options INTERFACE)
# Errors name files from the source folder on; the compiler's cache then serves every checkout.
target_compile_options(podium_options INTERFACE -Wall -Wextra -Wpedantic -Wno-unused-parameter
                       -fmacro-prefix-map=${CMAKE_SOURCE_DIR}/=)
if(PODIUM_STRICT)
  target_compile_options(podium_options INTERFACE -Werror -Wshadow
                         $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wconversion>  # Clang's counts signs in
                         $<$<COMPILE_LANG_AND_ID:CXX,Clang>:-Wthread-safety>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")  # GCC 12 warns of sound std::string sums: its bug 105651
  target_compile_options(podium_options INTERFACE -Wno-restrict -Wno-stringop-overflow)
endif()
target_include_directories(podium_options INTERFACE ${CMAKE_SOURCE_DIR})
target_link_libraries(podium_options INTERFACE Threads::Threads)
# For a sanitizer's report. Checks of pointers at every access double a build, and AddressSanitizer
# sees what they lead to.
set(PODIUM_TRACED -fno-sanitize=null,vptr,object-size,pointer-overflow,alignment
                  -fno-omit-frame-pointer -g1)
if(PODIUM_SANITIZE)
  target_compile_options(podium_options INTERFACE -fsanitize=${PODIUM_SANITIZE} ${PODIUM_TRACED})
  target_link_options(podium_options INTERFACE -fsanitize=${PODIUM_SANITIZE})
  if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    target_compile_options(podium_options INTERFACE -fsanitize-address-outline-instrumentation)
  endif()
endif()

# Tests spend their time in the code that they test: their own is built in half the time.
set(PODIUM_TEST_OPTIONS $<$<NOT:$<CONFIG:Debug>>:-O1>)
if(PODIUM_SANITIZE)
  set(PODIUM_TEST_OPTIONS -O0)
endif()

# Public data of the tests: podium/base/test_data.h tells the suites that need it by their names.
if(PODIUM_TESTS)
  add_test(NAME fetch_movielens
           COMMAND ${CMAKE_SOURCE_DIR}/tools/fetch_movielens.sh build/testdata/ml-100k
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(fetch_movielens PROPERTIES FIXTURES_SETUP movielens TIMEOUT 300)
  add_test(NAME fetch_minilm
           COMMAND ${CMAKE_SOURCE_DIR}/tools/fetch_minilm.sh build/testdata/minilm
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(fetch_minilm PROPERTIES FIXTURES_SETUP minilm TIMEOUT 600)
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
    target_compile_options(podium_${folder}_test PRIVATE ${PODIUM_TEST_OPTIONS})
    podium_discover(podium_${folder}_test "-*OnMovieLens.*:*OnMiniLm.*:*OnData.*")
    podium_discover(podium_${folder}_test "*OnMovieLens.*" FIXTURES_REQUIRED movielens)
    podium_discover(podium_${folder}_test "*OnMiniLm.*" FIXTURES_REQUIRED minilm)
    podium_discover(podium_${folder}_test "*OnData.*" LABELS data)
  endif()
endfunction()

# podium_instrumented(NAME SANITIZERS FOLDERS...): instrumented/podium_FOLDER_NAME_test, a folder's
# unit tests with the code of all FOLDERS under SANITIZERS and that of the others as it is. Built
# when asked for: to instrument everything would be one more whole build.
function(podium_instrumented name sanitizers)
  set(flags -fsanitize=${sanitizers} ${PODIUM_TRACED} -O1)
  list(TRANSFORM ARGN PREPEND podium_ OUTPUT_VARIABLE libraries)
  set(objects)
  foreach(folder ${ARGN})
    get_target_property(sources podium_${folder} SOURCES)
    add_library(podium_${folder}_${name} OBJECT EXCLUDE_FROM_ALL ${sources})
    target_link_libraries(podium_${folder}_${name} PUBLIC podium_${folder})
    target_compile_options(podium_${folder}_${name} PUBLIC ${flags})
    list(APPEND objects $<TARGET_OBJECTS:podium_${folder}_${name}>)
  endforeach()
  foreach(folder ${ARGN})
    get_target_property(tests podium_${folder}_test SOURCES)
    get_target_property(defined podium_${folder}_test COMPILE_DEFINITIONS)
    set(test podium_${folder}_${name}_test)
    add_executable(${test} EXCLUDE_FROM_ALL ${tests} ${objects})
    target_link_libraries(${test} PRIVATE ${libraries} GTest::gtest_main)
    target_compile_options(${test} PRIVATE ${flags})
    set_target_properties(${test} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/instrumented)
    if(defined)
      target_compile_definitions(${test} PRIVATE ${defined})
    endif()
    # The instrumented objects come first, and so win over the plain ones of the libraries.
    target_link_options(${test} PRIVATE -fsanitize=${sanitizers} -Wl,--allow-multiple-definition)
  endforeach()
endfunction()
