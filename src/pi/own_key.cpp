// SPDX-License-Identifier: MIT
#include "pi/own_key.hpp"

#include "base/files.hpp"
#include "link/identity.hpp"
#include "pairing/ssh_key.hpp"

namespace longcord {

Result<OwnKey> own_key(const std::filesystem::path& file, std::string_view comment) {
    auto there = public_half_of(file);
    if (there && there->type == "ssh-ed25519")
        return OwnKey{std::move(*there), false};
    if (there)
        return fail(
            ErrorKind::invalid,
            "{} is an {} key; pairing wants an ed25519 one. Move it away, and "
            "join makes a new one",
            file.string(), there->type);
    if (there.error().kind != ErrorKind::not_found)
        return fail(
            ErrorKind::invalid, "{}; move it away, and join makes a new one",
            there.error().message);
    const auto seed = make_key_seed();
    if (!seed)
        return seed.error();
    auto key = public_key_of(*seed);
    const auto text = private_key_file(*seed, comment);
    if (!key || !text)
        return key ? text.error() : key.error();
    if (auto written = write_file(file, *text, 0600); !written)
        return written.error();
    return OwnKey{std::move(*key), true};
}

} // namespace longcord
