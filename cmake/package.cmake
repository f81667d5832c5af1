# `cpack -G DEB`: one Debian package of the program, its service and its manual, components `server`,
# `service` and `docs`. Those two are no part of `cmake --install`: their places are the system's.
set(PODIUM_MAINTAINER "The podium maintainers <maintainers@podium.invalid>"
    CACHE STRING "Who made the package: Name <address>")
find_program(GZIP gzip)
if(NOT GZIP)
  return()
endif()
get_filename_component(root ${CMAKE_CURRENT_LIST_DIR} DIRECTORY)
set(packaging ${root}/packaging)
set(made ${CMAKE_BINARY_DIR}/package)
set(manual /usr/share/doc/podium)

# As Debian wants them: compressed, without a time.
string(TIMESTAMP podium_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(${packaging}/changelog.in ${made}/changelog.Debian @ONLY)
configure_file(${root}/CHANGELOG.md ${made}/changelog COPYONLY)
configure_file(${packaging}/podium.1 ${made}/podium.1 COPYONLY)
foreach(file changelog.Debian changelog podium.1)
  execute_process(COMMAND ${GZIP} -9nkf ${made}/${file} COMMAND_ERROR_IS_FATAL ANY)
endforeach()

function(podium_package component destination)
  install(FILES ${ARGN} DESTINATION ${destination} COMPONENT ${component} EXCLUDE_FROM_ALL)
endfunction()
podium_package(service /lib/systemd/system ${packaging}/podium.service ${packaging}/podium-train.service
               ${packaging}/podium-train.timer)
podium_package(service /etc/podium ${packaging}/podium.env ${packaging}/podium-train.env)
install(PROGRAMS ${packaging}/podium-retrain DESTINATION /usr/libexec/podium COMPONENT service
        EXCLUDE_FROM_ALL)
podium_package(docs /usr/share/man/man1 ${made}/podium.1.gz)
podium_package(docs ${manual} ${packaging}/copyright ${root}/README.md ${root}/SECURITY.md
               ${made}/changelog.gz ${made}/changelog.Debian.gz)
file(GLOB pages ${root}/docs/*.md ${root}/docs/*.svg)
podium_package(docs ${manual}/docs ${pages})
file(GLOB examples ${packaging}/*.conf ${packaging}/*.cfg ${packaging}/*.json
     ${packaging}/alerts.yml)
podium_package(docs ${manual}/examples ${examples})

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME podium)
set(CPACK_PACKAGE_CONTACT ${PODIUM_MAINTAINER})
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "recommendation engine with a re-ranker that reasons")
set(CPACK_PACKAGE_DESCRIPTION
    "From interactions and a catalogue podium trains a funnel of retrieval,
ranking and re-ranking, and serves it over HTTP on an ordinary CPU, with events
and new items as they come. It is an open implementation of GR2, the Generative
Reasoning Re-Ranker.")
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_SET_DESTDIR OFF)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE
    GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_COMPONENTS_ALL server service docs)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_SECTION science)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_DEPENDS adduser)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS curl)  # podium-retrain asks by it
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
file(WRITE ${made}/conffiles "/etc/podium/podium.env\n/etc/podium/podium-train.env\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${made}/conffiles ${packaging}/postinst ${packaging}/prerm
    ${packaging}/postrm)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
