// SPDX-License-Identifier: MIT
#include "link/authorized_key.hpp"

#include "base/base64.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>

namespace longcord {

namespace {

constexpr std::array<std::string_view, 7> types = {
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "ssh-rsa",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
};

std::string_view take_word(std::string_view& rest) {
    const auto end = rest.find_first_of(" \t");
    const std::string_view word = rest.substr(0, end);
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    rest = trim(rest);
    return word;
}

/// The key's blob begins with its type as an SSH string: four bytes of length, big endian (RFC
/// 4253, 6.6).
bool names_type(std::string_view blob, std::string_view type) {
    const std::string head = {0, 0, 0, static_cast<char>(type.size())};
    return blob.starts_with(head + std::string(type)) && blob.size() > head.size() + type.size();
}

} // namespace

Result<PublicKey> parse_public_key(std::string_view content) {
    std::string_view line = content;
    if (line.ends_with('\n'))
        line.remove_suffix(1);
    if (line.ends_with('\r'))
        line.remove_suffix(1);
    if (!is_utf8(line) || line.find_first_of(std::string_view("\0\n\r", 3)) != line.npos)
        return fail(ErrorKind::invalid, "is not one line of text");
    std::string_view rest = trim(line);
    const std::string_view type = take_word(rest);
    const std::string_view blob = take_word(rest);
    if (std::find(types.begin(), types.end(), type) == types.end())
        return fail(
            ErrorKind::invalid,
            "begins with \"{}\", not with the type of a key such as "
            "ssh-ed25519 (options are not allowed here)",
            printable(type, 40));
    const auto bytes = decode_base64(blob);
    if (!bytes || !names_type(*bytes, type))
        return fail(ErrorKind::invalid, "holds no {} key", type);
    return PublicKey{std::string(type), std::string(blob)};
}

std::string authorized_keys_line(
    std::string_view program, std::string_view pi, std::string_view fingerprint,
    const PublicKey& key) {
    return fmt::format(
        "restrict,command=\"{} --pi {} --key {}\" {} {}", program, pi, fingerprint, key.type,
        key.blob);
}

} // namespace longcord
