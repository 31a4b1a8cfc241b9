// SPDX-License-Identifier: MIT
#include "proxmox/pve_reader.hpp"

#include "base/files.hpp"
#include "base/inotify.hpp"
#include "proxmox/vm_files.hpp"

#include <cerrno>

#include <sys/stat.h>

namespace longcord {

namespace {

constexpr std::size_t largest_file = 1U << 20; // pmxcfs' own limit, memdb.h MEMDB_MAX_FILE_SIZE
// mtime counts in whole seconds, of the clock of whichever node wrote: a file that has just changed
// may change again without looking different.
constexpr seconds fresh{3};
constexpr seconds believe_stamp{30};

constexpr std::uint32_t changes =
    IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_CLOSE_WRITE | IN_ONLYDIR;

bool is_config(const std::string& name) {
    return vmid_of(name, ".conf").has_value();
}
bool is_rules(const std::string& name) {
    return vmid_of(name, ".usb.conf").has_value();
}

} // namespace

PveReader::PveReader(const Roots& roots, UniqueFd inotify)
    : pve_(roots.pve()), folder_(pve_ / "qemu-server"),
      database_(roots.prefix / "var/lib/pve-cluster"), inotify_(std::move(inotify)) {}

Result<> PveReader::require_pmxcfs() const {
    // As PVE::Cluster::check_cfs_is_mounted does: the link is part of the mounted file system.
    struct stat status;
    if (::lstat((pve_ / "local").c_str(), &status) == 0 && S_ISLNK(status.st_mode))
        return {};
    if (::lstat(pve_.c_str(), &status) == 0 || errno == ENOENT || errno == ENOTDIR)
        if (::lstat(database_.c_str(), &status) != 0)
            return fail(ErrorKind::not_found, "{}: no Proxmox VE here", pve_.string());
    return fail(
        ErrorKind::unavailable, "{} is not there (pve-cluster.service not running?)",
        pve_.string());
}

Result<PveContent> PveReader::look(TimePoint now) {
    PveContent content;
    if (auto there = require_pmxcfs(); !there)
        return there.error();
    // Before reading, so that what changes from here on is told. Again at each look: pmxcfs may
    // have been mounted anew, the link may lead elsewhere. Where it fails, looking every 2 s
    // remains.
    (void)add_watch(inotify_.get(), folder_, changes);
    (void)add_watch(inotify_.get(), pve_ / "mapping", changes);
    auto entries = read_all(now, content.problems);
    if (!entries)
        return entries.error();
    if (auto read = read_mappings(content.problems); !read)
        return read.error();
    // If it left meanwhile, "no such file" meant nothing.
    if (auto there = require_pmxcfs(); !there)
        return there.error();
    entries_ = std::move(*entries);
    content.mappings = mappings_;
    for (const auto& [name, entry] : entries_) {
        if (const auto vmid = vmid_of(name, ".usb.conf"))
            content.rules[*vmid] = RulesText{folder_ / name, entry.text};
        else if (const auto of_vm = vmid_of(name, ".conf"))
            content.configs[*of_vm] = parse_vm_config(entry.text);
    }
    return content;
}

Result<PveReader::Entries> PveReader::read_all(
    TimePoint now, std::vector<std::string>& problems) const {
    Entries entries;
    const auto names = names_in(folder_);
    if (!names && names.error().kind == ErrorKind::not_found)
        return entries;
    if (!names)
        return names.error();
    for (const auto& name : *names) {
        if (!is_config(name) && !is_rules(name))
            continue;
        const auto known = entries_.find(name);
        const Entry* before = known == entries_.end() ? nullptr : &known->second;
        auto entry = read(name, before, now);
        if (entry) {
            entries[name] = std::move(*entry);
        } else if (entry.error().kind == ErrorKind::unavailable) {
            return entry.error();
        } else if (entry.error().kind != ErrorKind::not_found) {
            problems.push_back(entry.error().message);
            if (before)
                entries[name] = *before;
        }
    }
    return entries;
}

Result<> PveReader::read_mappings(std::vector<std::string>& problems) {
    const auto text = read_file(pve_ / "mapping/usb.cfg", largest_file);
    if (text)
        mappings_ = parse_usb_mappings(*text);
    else if (text.error().kind == ErrorKind::not_found)
        mappings_.clear();
    else if (text.error().kind == ErrorKind::unavailable)
        return text.error();
    else
        problems.push_back(text.error().message);
    return {};
}

Result<PveReader::Entry> PveReader::read(
    const std::string& name, const Entry* before, TimePoint now) const {
    const auto path = folder_ / name;
    struct stat status;
    if (::stat(path.c_str(), &status) != 0)
        return fail_errno(errno, "stat " + path.string());
    const Stamp stamp{status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
    const bool same = before && before->stamp == stamp;
    if (same && now - before->changed >= fresh && now - before->read < believe_stamp)
        return *before;
    auto text = read_file(path, largest_file);
    if (!text)
        return text.error();
    // A VM's configuration is never empty; one that is, is being written.
    if (text->empty() && is_config(name) && before)
        return *before;
    return Entry{stamp, same ? before->changed : now, now, std::move(*text)};
}

} // namespace longcord
