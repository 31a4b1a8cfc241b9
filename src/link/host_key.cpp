// SPDX-License-Identifier: MIT
#include "link/host_key.hpp"

#include "base/files.hpp"
#include "link/ssh_key_handle.hpp"

#include <memory>
#include <sstream>

namespace longcord {

namespace {

constexpr std::size_t max_known_hosts = 1024 * 1024;
constexpr unsigned default_ssh_port = 22;

struct FreeEntry {
    void operator()(ssh_knownhosts_entry* entry) const noexcept {
        ::ssh_knownhosts_entry_free(entry);
    }
};
using Entry = std::unique_ptr<ssh_knownhosts_entry, FreeEntry>;

/// "ssh-ed25519 SHA256:...", as ssh-keygen -l prints it.
std::string fingerprint(ssh_key key) {
    unsigned char* hash = nullptr;
    std::size_t size = 0;
    if (::ssh_get_publickey_hash(key, SSH_PUBLICKEY_HASH_SHA256, &hash, &size) != 0)
        return "unreadable";
    const std::unique_ptr<char, void (*)(char*)> text(
        ::ssh_get_fingerprint_hash(SSH_PUBLICKEY_HASH_SHA256, hash, size),
        [](char* s) { ::ssh_string_free_char(s); });
    ::ssh_clean_pubkey_hash(&hash);
    return fmt::format(
        "{} {}", ::ssh_key_type_to_char(::ssh_key_type(key)), text ? text.get() : "");
}

std::string public_key_text(ssh_key key) {
    char* blob = nullptr;
    if (::ssh_pki_export_pubkey_base64(key, &blob) != SSH_OK)
        return {};
    const std::unique_ptr<char, void (*)(char*)> text(
        blob, [](char* s) { ::ssh_string_free_char(s); });
    return fmt::format("{} {}", ::ssh_key_type_to_char(::ssh_key_type(key)), text.get());
}

/// The fingerprints that known_hosts has for this host, in its order.
std::string pinned(const std::string& name, const std::string& content) {
    std::string all;
    std::istringstream lines(content);
    for (std::string line; std::getline(lines, line);) {
        ssh_knownhosts_entry* parsed = nullptr;
        if (::ssh_known_hosts_parse_line(name.c_str(), line.c_str(), &parsed) != SSH_OK)
            continue;
        const Entry entry(parsed);
        all += (all.empty() ? "" : ", ") + fingerprint(entry->publickey);
    }
    return all;
}

} // namespace

Result<> check_host_key(
    ssh_session session, const std::string& host, unsigned port,
    const std::filesystem::path& known_hosts) {
    const std::string name = port == default_ssh_port ? host : fmt::format("[{}]:{}", host, port);
    const auto content = read_file(known_hosts, max_known_hosts);
    if (!content)
        return fail(
            ErrorKind::refused, "{}: no host key to compare with: {}", name,
            content.error().message);
    ssh_key raw = nullptr;
    if (::ssh_get_server_publickey(session, &raw) != SSH_OK)
        return fail(ErrorKind::protocol, "{}: no host key: {}", name, ::ssh_get_error(session));
    const SshKey offered(raw);
    if (::ssh_session_is_known_server(session) == SSH_KNOWN_HOSTS_OK)
        return {};
    const std::string expected = pinned(name, *content);
    if (expected.empty())
        return fail(
            ErrorKind::refused, "{}: its host key {} is not in {}; join the node, or add it", name,
            fingerprint(offered.get()), known_hosts.string());
    return fail(
        ErrorKind::refused,
        "{}: wrong host key: {} was offered, {} has {}. Either the node "
        "was installed anew, or somebody else answers in its place",
        name, fingerprint(offered.get()), known_hosts.string(), expected);
}

Result<> check_pinned_host_key(
    ssh_session session, const std::string& host, const std::string& expected) {
    ssh_key raw = nullptr;
    if (::ssh_get_server_publickey(session, &raw) != SSH_OK)
        return fail(ErrorKind::protocol, "{}: no host key: {}", host, ::ssh_get_error(session));
    const SshKey offered(raw);
    const std::string got = fingerprint(offered.get());
    if (got.ends_with(" " + expected))
        return {};
    return fail(
        ErrorKind::refused,
        "{}: wrong host key: {} was offered, the token has {}. Either this is another machine, or "
        "somebody answers in the node's place; nothing was sent to it",
        host, got, expected);
}

std::string host_key_of(ssh_session session) {
    ssh_key raw = nullptr;
    if (::ssh_get_server_publickey(session, &raw) != SSH_OK)
        return {};
    const SshKey offered(raw);
    return public_key_text(offered.get());
}

} // namespace longcord
