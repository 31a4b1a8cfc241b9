// SPDX-License-Identifier: MIT
// longcord-keys: sshd's AuthorizedKeysCommand for the user longcord. Prints the paired Pis' keys,
// each with the forced command that names its Pi. Runs as root: Proxmox keeps the keys where only
// root reads (/etc/pve/priv), and sshd would read a key file as the user who logs in.
//
//     longcord-keys [--root DIR] [--program PATH]
//
// It always succeeds: keys that cannot be read are as good as not there. Reading /etc/pve can hang,
// which must not keep out the Pis in /etc/longcord.
#include "base/clock.hpp"
#include "base/files.hpp"
#include "base/roots.hpp"
#include "link/authorized_key.hpp"
#include "usb/place.hpp"

#include <condition_variable>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <syslog.h>
#include <thread>

#include <fmt/core.h>

#include <unistd.h>

namespace longcord {

namespace {

constexpr seconds pve_deadline{3};

/// A file that is there but holds no good key is kept too, as an empty one: it stands for its name.
using Keys = std::map<std::string, PublicKey>;

void complain(const std::filesystem::path& file, const std::string& why) {
    ::syslog(LOG_WARNING, "%s: ignored: %s", file.c_str(), why.c_str());
}

Keys read_keys(const std::filesystem::path& folder) {
    Keys keys;
    std::error_code error; // no folder: no keys
    for (std::filesystem::directory_iterator file(folder, error), end; !error && file != end;
         file.increment(error)) {
        const std::string name = file->path().filename().string();
        if (!is_pi_name(name)) {
            complain(file->path(), "its name is no name of a Pi");
            continue;
        }
        PublicKey& key = keys[name];
        const auto content = read_file(file->path(), max_key_file);
        if (!content) {
            complain(file->path(), content.error().message);
            continue;
        }
        if (auto parsed = parse_public_key(*content))
            key = std::move(*parsed);
        else
            complain(file->path(), parsed.error().message);
    }
    return keys;
}

struct Reading {
    std::mutex mutex;
    std::condition_variable changed;
    bool done = false;
    Keys keys;
};

Keys read_pve_keys(const std::filesystem::path& folder) {
    auto reading = std::make_shared<Reading>();
    std::thread([reading, folder] {
        Keys keys = read_keys(folder);
        const std::lock_guard lock(reading->mutex);
        reading->keys = std::move(keys);
        reading->done = true;
        reading->changed.notify_one();
    }).detach();
    std::unique_lock lock(reading->mutex);
    if (!reading->changed.wait_for(lock, pve_deadline, [&] { return reading->done; })) {
        complain(folder, "no answer from the file system");
        return {};
    }
    return reading->keys;
}

void print_keys(const Roots& roots, const std::string& program) {
    Keys keys = read_pve_keys(roots.pve() / "priv/longcord/pis");
    keys.merge(read_keys(roots.config() / "pis")); // the cluster's word counts where both have one
    for (const auto& [pi, key] : keys)
        if (!key.blob.empty())
            fmt::print("{}\n", authorized_keys_line(program, pi, key));
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
