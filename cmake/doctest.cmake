# SPDX-License-Identifier: MIT
# doctest, and the one main() of every test program.
find_package(doctest REQUIRED)
include(doctest)

add_library(unit_main STATIC ${PROJECT_SOURCE_DIR}/tests/unit/main.cpp)
target_link_libraries(unit_main PUBLIC longcord_flags)
