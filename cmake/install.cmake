# What `cmake --install` lays down: the programs, libpodium.so with its header, and how to find them
# (pkg-config, find_package). Included by podium/capi. Nothing of a sanitizer's build is installed.
if(PODIUM_SANITIZE)
  return()
endif()
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(map ${CMAKE_CURRENT_SOURCE_DIR}/podium.map)
add_library(podium_shared SHARED capi.cc)
target_link_libraries(podium_shared PRIVATE podium_capi)
target_include_directories(podium_shared INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_options(podium_shared PRIVATE -Wl,--version-script=${map})
set_target_properties(podium_shared PROPERTIES
                      OUTPUT_NAME podium EXPORT_NAME podium LINK_DEPENDS ${map}
                      VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
                      PUBLIC_HEADER ${CMAKE_CURRENT_SOURCE_DIR}/podium.h)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/podium)
install(TARGETS podium_shared EXPORT podium LIBRARY PUBLIC_HEADER)
install(EXPORT podium NAMESPACE podium:: FILE podium-config.cmake DESTINATION ${package})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/podium-config-version.cmake
                                 COMPATIBILITY SameMajorVersion)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/podium-config-version.cmake DESTINATION ${package})

# Relative to its own place, so that the whole tree can be moved.
set(pkgconfig ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
file(RELATIVE_PATH PODIUM_PREFIX_FROM_PC /${pkgconfig} /)
configure_file(${PROJECT_SOURCE_DIR}/cmake/podium.pc.in ${CMAKE_CURRENT_BINARY_DIR}/podium.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/podium.pc DESTINATION ${pkgconfig})

if(PODIUM_TESTS)
  add_executable(podium_test_bundle test_bundle_main.cc)
  target_link_libraries(podium_test_bundle PRIVATE podium_serving)
  add_test(NAME install
           COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/install_test.sh ${CMAKE_BINARY_DIR}
                   $<TARGET_FILE:podium_test_bundle>
           WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  set_tests_properties(install PROPERTIES TIMEOUT 120)
endif()
