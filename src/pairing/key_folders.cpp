// SPDX-License-Identifier: MIT
#include "pairing/key_folders.hpp"

#include "base/files.hpp"
#include "pairing/ssh_key.hpp"
#include "usb/place.hpp"

#include <cerrno>
#include <vector>

#include <sys/stat.h>
#include <unistd.h>

namespace longcord {

namespace fs = std::filesystem;

namespace {

fs::path local_pis(const Roots& roots) {
    return roots.config() / "pis";
}
fs::path copied_pis(const Roots& roots) {
    return roots.state() / "pis";
}

UnixTime written_at(const fs::path& file) {
    struct stat found {};
    return ::stat(file.c_str(), &found) == 0 ? found.st_mtim.tv_sec : 0;
}

PairedKey read_key(const fs::path& file, const Complain& complain) {
    PairedKey paired;
    paired.since = written_at(file);
    const auto content = read_file(file, max_key_file);
    if (!content) {
        complain(file, content.error().message);
        return paired;
    }
    auto key = parse_public_key(*content);
    if (!key) {
        complain(file, key.error().message);
        return paired;
    }
    paired.fingerprint = fingerprint_of(*key);
    paired.key = std::move(*key);
    return paired;
}

/// No folder: no keys. A folder that cannot be read is another matter.
Result<PairedKeys> read_folder(const fs::path& folder, const Complain& complain) {
    PairedKeys keys;
    std::error_code error;
    fs::directory_iterator file(folder, error);
    for (const fs::directory_iterator end; !error && file != end; file.increment(error)) {
        const std::string name = file->path().filename().string();
        if (name.ends_with(".tmp"))
            continue; // one that is being written
        if (is_pi_name(name))
            keys[name] = read_key(file->path(), complain);
        else
            complain(file->path(), "its name is no name of a Pi");
    }
    if (error && error != std::errc::no_such_file_or_directory)
        return fail_errno(error.value(), "read " + folder.string());
    return keys;
}

Result<> remove_file(const fs::path& file) {
    if (::unlink(file.c_str()) != 0)
        return fail_errno(errno, "remove " + file.string());
    return {};
}

Error away() {
    return fail(
        ErrorKind::unavailable, "/etc/pve is away (is pve-cluster.service running?): nothing can "
                                "be paired or unpaired until it is back");
}

} // namespace

PveState pve_state(const Roots& roots) {
    struct stat found {};
    if (::lstat(roots.pve().c_str(), &found) != 0 && errno == ENOENT)
        return PveState::none;
    return ::lstat((roots.pve() / "local").c_str(), &found) == 0 ? PveState::there : PveState::away;
}

fs::path cluster_folder(const Roots& roots) {
    return roots.pve() / "priv/longcord";
}

Result<fs::path> pairing_base(const Roots& roots) {
    switch (pve_state(roots)) {
    case PveState::none:
        return roots.config();
    case PveState::there:
        return cluster_folder(roots);
    default:
        return away();
    }
}

Result<PairedKeys> read_paired(const Roots& roots, const Complain& complain) {
    PairedKeys keys;
    const PveState before = pve_state(roots);
    if (before == PveState::away)
        return away();
    if (before == PveState::there) {
        auto cluster = read_folder(cluster_folder(roots) / "pis", complain);
        if (!cluster)
            return fail(ErrorKind::unavailable, "{}", cluster.error().message);
        if (pve_state(roots) != PveState::there)
            return away();
        keys = std::move(*cluster);
        for (auto& [pi, key] : keys)
            key.cluster = true;
    }
    auto local = read_folder(local_pis(roots), complain);
    if (!local)
        return local.error();
    keys.merge(*local);
    return keys;
}

PairedKeys read_paired_copies(const Roots& roots, const Complain& complain) {
    PairedKeys keys;
    for (const auto& folder : {copied_pis(roots), local_pis(roots)}) {
        auto found = read_folder(folder, complain);
        if (found)
            keys.merge(*found);
        else
            complain(folder, found.error().message);
    }
    return keys;
}

Result<> keep_copies(const Roots& roots, const PairedKeys& paired) {
    const auto ignored = [](const fs::path&, const std::string&) {};
    const auto copies = read_folder(copied_pis(roots), ignored);
    if (!copies)
        return copies.error();
    for (const auto& [pi, copy] : *copies)
        if (const auto at = paired.find(pi); at == paired.end() || !at->second.cluster)
            if (auto removed = remove_file(copied_pis(roots) / pi); !removed)
                return removed;
    for (const auto& [pi, key] : paired) {
        const auto copy = copies->find(pi);
        if (!key.cluster || (copy != copies->end() && copy->second.key == key.key))
            continue;
        // One without a good key is copied as such: its name must not fall to /etc/longcord/pis.
        const std::string line = key.key.type + ' ' + key.key.blob + '\n';
        if (auto written = write_file(copied_pis(roots) / pi, line, 0600); !written)
            return written;
    }
    return {};
}

Result<> write_paired(const Roots& roots, const std::string& pi, const PublicKey& key) {
    const auto base = pairing_base(roots);
    if (!base)
        return base.error();
    return write_file(*base / "pis" / pi, key.type + ' ' + key.blob + ' ' + pi + '\n', 0600);
}

Result<> remove_paired(const Roots& roots, const std::string& pi) {
    const auto base = pairing_base(roots);
    if (!base)
        return base.error();
    bool found = false;
    // The copy last: while the others cannot be removed, nothing has changed.
    for (const auto& folder : {*base / "pis", local_pis(roots), copied_pis(roots)}) {
        auto removed = remove_file(folder / pi);
        if (!removed && removed.error().kind != ErrorKind::not_found)
            return removed;
        found = found || removed;
    }
    if (!found)
        return fail(ErrorKind::not_found, "no Pi \"{}\" is paired", pi);
    return {};
}

} // namespace longcord
