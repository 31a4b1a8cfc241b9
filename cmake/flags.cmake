# SPDX-License-Identifier: MIT
add_library(longcord_flags INTERFACE)
target_include_directories(longcord_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
# -Wnull-dereference is left out: it fires inside Asio's headers. So does -Wmismatched-new-delete at
# -O2, where g++ 12 takes the frames of coroutines for it.
target_compile_options(longcord_flags INTERFACE
  -Wall -Wextra -Wpedantic $<$<BOOL:${LONGCORD_WERROR}>:-Werror> -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align
  -Woverloaded-virtual -Wconversion -Wno-sign-conversion -Wdouble-promotion -Wformat=2
  -Wimplicit-fallthrough -Wno-mismatched-new-delete)
# Without implicit conversions a json is no Error, so Result<json> can be made from one; and what
# would throw on data from outside has to be written out.
target_compile_definitions(longcord_flags INTERFACE
  LONGCORD_VERSION="${PROJECT_VERSION}"
  BOOST_ASIO_NO_DEPRECATED
  JSON_USE_IMPLICIT_CONVERSIONS=0)
if(CMAKE_BUILD_TYPE STREQUAL "RelWithDebInfo" AND NOT LONGCORD_SANITIZE)
  target_compile_options(longcord_flags INTERFACE -fstack-protector-strong)
  target_compile_definitions(longcord_flags INTERFACE _FORTIFY_SOURCE=2)
endif()
# Several files of a room as one: what packages are built with, in a third of the time. Then a file's own
# names and types are those of a file that was included, which these two warn of.
if(CMAKE_UNITY_BUILD)
  target_compile_options(longcord_flags INTERFACE -Wno-shadow -Wno-subobject-linkage)
endif()
# Asio has a fence beside each of its locks, which ThreadSanitizer does not know; the locks it does.
if(LONGCORD_SANITIZE STREQUAL "thread")
  target_compile_options(longcord_flags INTERFACE -Wno-tsan)
endif()
if(LONGCORD_SANITIZE)
  target_compile_options(longcord_flags INTERFACE
    -fsanitize=${LONGCORD_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(longcord_flags INTERFACE -fsanitize=${LONGCORD_SANITIZE})
endif()

# A room of the house: one folder, one static library, and the rooms and libraries it may know.
# Which room knows which is the architecture; docs/architecture.md says why.
function(longcord_room name)
  cmake_parse_arguments(room "" "" "SOURCES;KNOWS" ${ARGN})
  add_library(longcord_${name} STATIC ${room_SOURCES})
  target_link_libraries(longcord_${name} PUBLIC longcord_flags ${room_KNOWS})
endfunction()
