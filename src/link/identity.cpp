// SPDX-License-Identifier: MIT
#include "link/identity.hpp"

#include "base/files.hpp"

#include <memory>

#include <libssh/libssh.h>

namespace longcord {

Result<PublicKey> public_half_of(const std::filesystem::path& private_key) {
    const auto text = read_file(private_key, max_key_file);
    if (!text)
        return text.error();
    ssh_key raw = nullptr;
    char* blob = nullptr;
    const bool read =
        ::ssh_pki_import_privkey_base64(text->c_str(), "", nullptr, nullptr, &raw) == SSH_OK;
    const std::unique_ptr<ssh_key_struct, void (*)(ssh_key)> key(raw, ::ssh_key_free);
    if (!read || ::ssh_pki_export_pubkey_base64(key.get(), &blob) != SSH_OK)
        return fail(
            ErrorKind::invalid, "{}: holds no private key without passphrase",
            private_key.string());
    const std::unique_ptr<char, void (*)(char*)> base64(
        blob, [](char* s) { ::ssh_string_free_char(s); });
    return PublicKey{::ssh_key_type_to_char(::ssh_key_type(key.get())), base64.get()};
}

} // namespace longcord
