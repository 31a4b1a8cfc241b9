# SPDX-License-Identifier: MIT
# Every library is a Debian package; none is vendored. Asio needs 1.81: the 1.74 that Debian 12
# also has does not compile its coroutines with g++ 12.
find_package(Boost 1.81 REQUIRED)
find_package(Threads REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(spdlog REQUIRED)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(udev REQUIRED IMPORTED_TARGET libudev)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)
pkg_check_modules(libssh REQUIRED IMPORTED_TARGET libssh)
# libcrypto: the records of sealed streams where the kernel has no tls module, and pairing keys.
pkg_check_modules(libcrypto REQUIRED IMPORTED_TARGET libcrypto)
