# podium_console(TARGET): the web console, built from console/ and embedded in TARGET; an empty one
# where PODIUM_CONSOLE is off.

find_program(NODE node)
find_program(NPM npm)
set(node_version 0)
if(NODE AND NPM)
  execute_process(COMMAND ${NODE} --version OUTPUT_VARIABLE node_version)
  string(REGEX MATCH "[0-9.]+" node_version "${node_version}")
endif()
set(can_build OFF)
if(node_version VERSION_GREATER_EQUAL 18)
  set(can_build ON)
endif()
option(PODIUM_CONSOLE "Build the web console into podium (needs Node 18, npm and its registry)" ${can_build})

function(podium_console target)
  set(generated ${CMAKE_CURRENT_BINARY_DIR}/console_assets.cc)
  target_sources(${target} PRIVATE ${generated})
  set_source_files_properties(${generated} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  if(NOT PODIUM_CONSOLE)
    file(CONFIGURE OUTPUT ${generated} CONTENT [[
#include "podium/serve/console_assets.h"

std::span<const podium::serve::ConsoleAsset> podium::serve::console_assets() { return {}; }
]])
    return()
  endif()
  if(NOT can_build)
    message(FATAL_ERROR "the console needs Node 18 and npm: install them, or set PODIUM_CONSOLE=OFF")
  endif()

  set(console ${CMAKE_SOURCE_DIR}/console)
  set(installed ${console}/node_modules/.package-lock.json)  # npm's own mark
  add_custom_command(
    OUTPUT ${installed}
    COMMAND ${NPM} ci --no-audit --no-fund --loglevel=error
    DEPENDS ${console}/package-lock.json
    WORKING_DIRECTORY ${console}
    COMMENT "Fetching the console's packages (without a network: -DPODIUM_CONSOLE=OFF)"
    VERBATIM)
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${console}/src/* ${console}/public/*)
  list(FILTER sources EXCLUDE REGEX "\\.test\\.")
  set(built ${CMAKE_CURRENT_BINARY_DIR}/console)
  set(embed ${CMAKE_SOURCE_DIR}/tools/embed_assets)
  add_custom_command(
    OUTPUT ${generated}
    COMMAND ${NPM} run -s build -- --outDir ${built} --emptyOutDir --logLevel warn
    COMMAND ${embed} ${built} ${generated}
    DEPENDS ${installed} ${sources} ${console}/index.html ${console}/vite.config.mjs ${embed}
    WORKING_DIRECTORY ${console}
    COMMENT "Building the console"
    VERBATIM)
endfunction()
