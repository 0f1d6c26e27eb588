# predictor.hpp and the headers that it includes -> one header that stands alone.
# Included, it gives automs_amalgamate(OUTPUT); as a script:
#   cmake -DOUTPUT=single/automs/predictor.hpp -P cpp/predictor/amalgamate.cmake
# Headers (.hpp) are put in once, where they are included first, so none may be included inside #if only; bodies
# (.inc), which mean something else each time, are put in every time.
cmake_policy(PUSH)
cmake_policy(VERSION 3.18)

set(AUTOMS_PREDICTOR_DIR ${CMAKE_CURRENT_LIST_DIR})
# The version stands in pyproject.toml alone.
file(STRINGS ${CMAKE_CURRENT_LIST_DIR}/../../pyproject.toml AUTOMS_VERSION REGEX "^version = \"")
string(REGEX REPLACE "^version = \"([0-9.]+).*" "\\1" AUTOMS_VERSION "${AUTOMS_VERSION}")

# The text of a file, with those that it includes in their place.
function(_automs_expand path result)
  get_property(seen GLOBAL PROPERTY _AUTOMS_SEEN)
  if(path IN_LIST seen)
    set(${result} "" PARENT_SCOPE)
    return()
  endif()
  if(path MATCHES "\\.hpp$")
    set_property(GLOBAL APPEND PROPERTY _AUTOMS_SEEN "${path}")
  endif()
  file(READ "${AUTOMS_PREDICTOR_DIR}/${path}" text)
  string(REPLACE "#pragma once\n" "" text "${text}")
  string(REGEX MATCHALL "#include \"automs/[a-z0-9_/]+\\.(hpp|inc)\"\n" lines "${text}")
  foreach(line IN LISTS lines)
    string(REGEX REPLACE "^#include \"(.*)\"\n$" "\\1" included "${line}")
    _automs_expand("${included}" inner)
    string(REPLACE "${line}" "${inner}" text "${text}")
  endforeach()
  set(${result} "${text}" PARENT_SCOPE)
endfunction()

# Writes `output`, which is left alone where nothing changed.
function(automs_amalgamate output)
  set_property(GLOBAL PROPERTY _AUTOMS_SEEN "")
  _automs_expand("automs/predictor.hpp" text)
  string(CONCAT text "// Made from the headers of automs ${AUTOMS_VERSION} by amalgamate.cmake: change those.\n"
    "// SPDX-License-Identifier: BSD-3-Clause\n#pragma once\n\n" "${text}")
  set(before "")
  if(EXISTS "${output}")
    file(READ "${output}" before)
  endif()
  if(NOT text STREQUAL before)
    file(WRITE "${output}" "${text}")
  endif()
endfunction()

if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  automs_amalgamate("${OUTPUT}")
endif()
cmake_policy(POP)
