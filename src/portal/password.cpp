// SPDX-License-Identifier: MIT
#include "portal/password.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "portal/sessions.hpp"

#include <cerrno>
#include <crypt.h>
#include <memory>

namespace longcord {

static constexpr std::size_t max_file = 1'024;
static constexpr unsigned owner_only = 0600;

Result<> check_password(std::string_view password) {
    if (password.size() < min_password)
        return fail(ErrorKind::invalid, "the password needs at least {} characters", min_password);
    if (password.size() > max_password)
        return fail(ErrorKind::invalid, "the password is longer than {} bytes", max_password);
    if (!is_utf8(password) || printable(password, max_password) != password)
        return fail(ErrorKind::invalid, "the password has characters that cannot be typed");
    return {};
}

bool PasswordFile::is_set() const {
    std::error_code error;
    return std::filesystem::exists(file_, error);
}

/// crypt_data is 32 KiB: not on a worker's stack.
static std::string hash_with(const std::string& password, const char* setting) {
    const auto data = std::make_unique<crypt_data>();
    const char* hash = ::crypt_r(password.c_str(), setting, data.get());
    std::string out = hash && *hash != '*' ? hash : "";
    return out;
}

Result<> PasswordFile::set(const std::string& password) const {
    if (auto good = check_password(password); !good)
        return good;
    std::string setting(CRYPT_GENSALT_OUTPUT_SIZE, '\0');
    // Cost 0: the library's own choice; no random bytes given: it takes them from the kernel.
    const int size = static_cast<int>(setting.size());
    if (!::crypt_gensalt_rn("$y$", 0, nullptr, 0, setting.data(), size))
        return fail_errno(errno, "a salt for the password");
    const std::string hash = hash_with(password, setting.c_str());
    if (hash.empty())
        return fail_errno(errno, "a hash of the password");
    return write_file(file_, hash + "\n", owner_only);
}

Result<> PasswordFile::verify(const std::string& password) const {
    const auto text = read_file(file_, max_file);
    if (!text)
        return text.error();
    const std::string kept(trim(*text));
    // What check_password() refuses was never set, and a NUL would end it early.
    const std::string hash = check_password(password) ? hash_with(password, kept.c_str()) : "";
    if (hash.empty() || !equal_secrets(hash, kept))
        return fail(ErrorKind::refused, "this is not the password");
    return {};
}

} // namespace longcord
