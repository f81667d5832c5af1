# PODIUM_VERSION: "0.1.0 (a1bd0d4)", the commit from git; "0.1.0" where there is no git or no
# history. Configuring runs again after a commit, so that the text stays true.
set(PODIUM_VERSION ${PROJECT_VERSION})
find_package(Git QUIET)
if(GIT_FOUND)
  function(podium_git out)
    execute_process(COMMAND ${GIT_EXECUTABLE} -C ${PROJECT_SOURCE_DIR} ${ARGN}
                    OUTPUT_VARIABLE text OUTPUT_STRIP_TRAILING_WHITESPACE
                    ERROR_QUIET RESULT_VARIABLE failed)
    if(failed)
      set(text "")
    endif()
    set(${out} "${text}" PARENT_SCOPE)
  endfunction()
  podium_git(prefix rev-parse --show-prefix)  # not empty: sources unpacked inside another checkout
  podium_git(commit rev-parse --short HEAD)
  podium_git(log rev-parse --path-format=absolute --git-path logs/HEAD)
  if(commit AND NOT prefix)
    set(PODIUM_VERSION "${PROJECT_VERSION} (${commit})")
    if(EXISTS "${log}")
      set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${log}")
    endif()
  endif()
endif()
