// SPDX-License-Identifier: MIT
// longcord-keys: sshd's AuthorizedKeysCommand for the user longcord. Prints the paired Pis' keys,
// each with the forced command that names its Pi, and the throw-away keys of pairings that are
// under way. Runs as root: Proxmox keeps the keys where only root reads (/etc/pve/priv), and sshd
// would read a key file as the user who logs in.
//
//     longcord-keys [--root DIR] [--program PATH]
//
// A throw-away key that was used stays in the list until it expires: whoever comes with it a second
// time is refused in words by the service, which tells the admin.
//
// It always succeeds: keys that cannot be read are as good as not there. Reading /etc/pve can hang,
// or pmxcfs be away; then the last good copies serve, and no pairing.
#include "base/clock.hpp"
#include "base/roots.hpp"
#include "pairing/key_folders.hpp"
#include "pairing/pending_store.hpp"

#include <condition_variable>
#include <cstdio>
#include <ctime>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <syslog.h>
#include <thread>

#include <fmt/core.h>

#include <unistd.h>

namespace longcord {

namespace {

constexpr seconds pve_deadline{3};

void complain(const std::filesystem::path& file, const std::string& why) {
    ::syslog(LOG_WARNING, "%s: ignored: %s", file.c_str(), why.c_str());
}

struct Reading {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    std::optional<PairedKeys> keys;
    std::vector<OpenPairing> pending;
};

void read_all(const Roots& roots, Reading& into) {
    auto keys = read_paired(roots, complain);
    auto pending = read_pending(roots, complain);
    const std::lock_guard lock(into.mutex);
    if (keys)
        into.keys = std::move(*keys);
    else
        complain(roots.pve(), keys.error().message);
    if (keys && pending)
        into.pending = std::move(*pending);
    into.done = true;
    into.changed.notify_one();
}

void print_keys(const Roots& roots, const std::string& program) {
    auto reading = std::make_shared<Reading>();
    std::thread([reading, roots] { read_all(roots, *reading); }).detach();
    std::unique_lock lock(reading->mutex);
    if (!reading->changed.wait_for(lock, pve_deadline, [&] { return reading->done; }))
        complain(roots.pve(), "no answer from the file system");
    const PairedKeys keys = reading->keys ? *reading->keys : read_paired_copies(roots, complain);
    for (const auto& [pi, key] : keys)
        if (!key.fingerprint.empty())
            fmt::print("{}\n", authorized_keys_line(program, pi, key.fingerprint, key.key));
    for (const auto& pairing : reading->pending)
        if (is_in_time(pairing.pending, std::time(nullptr)))
            fmt::print(
                "{}\n",
                pairing_keys_line(program, pairing.pi, pairing.fingerprint, pairing.pending));
    std::fflush(stdout);
}

} // namespace

} // namespace longcord

int main(int argc, char** argv) {
    longcord::Roots roots;
    std::string program = "/usr/libexec/longcord/longcord-link";
    for (int i = 1; i + 1 < argc; i += 2) {
        const std::string option = argv[i];
        if (option == "--root")
            roots.prefix = argv[i + 1];
        else if (option == "--program")
            program = argv[i + 1];
    }
    ::openlog("longcord-keys", LOG_PID, LOG_AUTHPRIV);
    longcord::print_keys(roots, program);
    ::_exit(0); // not waiting for a thread that hangs in /etc/pve
}
