// SPDX-License-Identifier: MIT
// The portal's password: a file with one line, its hash by crypt(3) (yescrypt, what Debian's own
// /etc/shadow has). The one file that touches libcrypt. Blocking, and slow by design: for a worker.
#pragma once

#include "base/error.hpp"

#include <filesystem>
#include <string>
#include <string_view>

namespace longcord {

constexpr std::size_t min_password = 8;
constexpr std::size_t max_password = 256; ///< bytes; crypt(3) takes 512

/// ErrorKind::invalid in words: too short, too long, or with what no keyboard types.
Result<> check_password(std::string_view password);

class PasswordFile {
  public:
    explicit PasswordFile(std::filesystem::path file) : file_(std::move(file)) {}

    /// A password was set, here or in the portal's life before.
    bool is_set() const;
    Result<> set(const std::string& password) const;
    /// ErrorKind::refused: it is another one. ::not_found: none is set.
    Result<> verify(const std::string& password) const;

  private:
    std::filesystem::path file_;
};

} // namespace longcord
