// SPDX-License-Identifier: MIT
// Small files: sysfs attributes, rules, records.
#pragma once

#include "base/error.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace longcord {

/// The whole file, at most `limit` bytes; a larger one is ErrorKind::invalid. A vanished file is
/// ErrorKind::not_found, which for sysfs is a normal outcome.
Result<std::string> read_file(const std::filesystem::path& path, std::size_t limit);

/// A sysfs attribute: one read(2) of 4 KiB, one trailing newline removed.
Result<std::string> read_attribute(const std::filesystem::path& path);

/// A sysfs attribute: one write(2) of exactly these bytes, no newline added.
Result<> write_attribute(const std::filesystem::path& path, std::string_view value);

/// Replaces the file by rename, so no reader ever sees half of it. Creates missing parent folders.
Result<> write_file(
    const std::filesystem::path& path, std::string_view content, unsigned mode = 0644);

} // namespace longcord
