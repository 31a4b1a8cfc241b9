// SPDX-License-Identifier: MIT
#include "link/ssh_login.hpp"

#include "base/text.hpp"
#include "link/host_key.hpp"
#include "link/ssh_key_handle.hpp"

#include <fcntl.h>

namespace longcord {

namespace {

constexpr long answer_seconds = ssh_answer_deadline.count();
constexpr std::size_t max_ssh_words = 500;

Result<SshKey> private_key(const LinkTarget& target) {
    ssh_key raw = nullptr;
    const int read =
        target.identity_text.empty()
            ? ::ssh_pki_import_privkey_file(target.identity.c_str(), "", nullptr, nullptr, &raw)
            : ::ssh_pki_import_privkey_base64(
                  target.identity_text.c_str(), nullptr, nullptr, nullptr, &raw);
    if (read != SSH_OK)
        return fail(
            ErrorKind::refused, "{}: no private key without passphrase can be read",
            target.identity.string());
    return SshKey(raw);
}

} // namespace

void FreeSshSession::operator()(ssh_session session) const noexcept {
    // A socket it was given libssh leaves open here, and where it has closed it already nobody
    // could tell. So it is made one of its own now; the failure that is returned says just that.
    ::ssh_options_set(session, SSH_OPTIONS_FD, nullptr);
    ::ssh_disconnect(session);
    ::ssh_free(session);
}

Error ssh_lost(const LinkTarget& target, ssh_session session) {
    return fail(
        ErrorKind::unavailable, "{}: {}", target.host,
        printable(::ssh_get_error(session), max_ssh_words));
}

SshHandle make_ssh_session(const LinkTarget& target, int tcp) {
    SshHandle session(::ssh_new());
    const auto set = [&](ssh_options_e option, const void* value) {
        ::ssh_options_set(session.get(), option, value);
    };
    const bool process_config = false;
    const unsigned port = target.port;
    const socket_t fd = ::fcntl(tcp, F_DUPFD_CLOEXEC, 0);
    set(SSH_OPTIONS_PROCESS_CONFIG, &process_config);
    set(SSH_OPTIONS_HOST, target.host.c_str());
    set(SSH_OPTIONS_PORT, &port);
    set(SSH_OPTIONS_USER, target.user.c_str());
    set(SSH_OPTIONS_KNOWNHOSTS, target.known_hosts.c_str());
    set(SSH_OPTIONS_GLOBAL_KNOWNHOSTS, "/dev/null");
    set(SSH_OPTIONS_TIMEOUT, &answer_seconds);
    set(SSH_OPTIONS_FD, &fd);
    if (!target.pinned_type.empty())
        set(SSH_OPTIONS_HOSTKEYS, target.pinned_type == "ssh-rsa" ? "rsa-sha2-512,rsa-sha2-256"
                                                                  : target.pinned_type.c_str());
    return session;
}

Result<> check_host_key(ssh_session session, const LinkTarget& target) {
    return target.pinned_fingerprint.empty()
               ? check_host_key(session, target.host, target.port, target.known_hosts)
               : check_pinned_host_key(session, target.host, target.pinned_fingerprint);
}

Result<> ssh_log_in(ssh_session session, const LinkTarget& target) {
    const auto loaded = private_key(target);
    if (!loaded)
        return loaded.error();
    const SshKey& key = *loaded;
    switch (::ssh_userauth_publickey(session, nullptr, key.get())) {
    case SSH_AUTH_SUCCESS:
        return {};
    case SSH_AUTH_PARTIAL:
        return fail(
            ErrorKind::refused,
            "{}: sshd wants more than the key of {}: is "
            "/etc/ssh/sshd_config.d/50-longcord.conf there?",
            target.host, target.user);
    case SSH_AUTH_DENIED:
        if (!target.identity_text.empty())
            return fail(
                ErrorKind::refused,
                "{}: the token is not good there (any more): it is older than 10 minutes, or "
                "another was made after it",
                target.host);
        return fail(
            ErrorKind::refused, "{}: sshd refuses {} for user {}; pair this Pi (again)",
            target.host, target.identity.string(), target.user);
    default:
        return ssh_lost(target, session);
    }
}

} // namespace longcord
