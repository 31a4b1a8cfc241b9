// SPDX-License-Identifier: MIT
#include "proxmox/pve_reader.hpp"

#include "base/files.hpp"
#include "base/inotify.hpp"
#include "proxmox/vm_files.hpp"

#include <algorithm>
#include <cerrno>

#include <nlohmann/json.hpp>

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

/// The later one; of two from the same second the one whose path sorts last.
bool is_newer(const std::filesystem::path& a, const std::filesystem::path& b) {
    std::error_code ignored;
    const auto time_a = std::filesystem::last_write_time(a, ignored);
    const auto time_b = std::filesystem::last_write_time(b, ignored);
    return time_a != time_b ? time_a > time_b : a > b;
}

} // namespace

PveReader::PveReader(const Roots& roots, UniqueFd inotify)
    : pve_(roots.pve()), folder_(pve_ / "qemu-server"), intents_(pve_ / "longcord/vm"),
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

/// As PVE::Cluster::check_cfs_quorum asks it; a node that is no cluster is always quorate.
bool PveReader::is_quorate() const {
    const auto text = read_file(pve_ / ".members", largest_file);
    const auto members = nlohmann::json::parse(text ? *text : "{}", nullptr, false);
    if (!members.is_object() || !members.contains("cluster") || !members["cluster"].is_object())
        return true;
    const auto& cluster = members["cluster"];
    const auto quorate = cluster.find("quorate");
    return quorate == cluster.end() || *quorate != 0;
}

Result<PveContent> PveReader::look(TimePoint now) {
    PveContent content;
    if (auto there = require_pmxcfs(); !there)
        return there.error();
    // Before reading, so that what changes from here on is told. Again at each look: pmxcfs may
    // have been mounted anew, the link may lead elsewhere. Where it fails, looking every 2 s
    // remains.
    for (const auto& folder : {folder_, pve_ / "mapping", intents_})
        (void)add_watch(inotify_.get(), folder, changes);
    const auto paths = list(content);
    if (!paths)
        return paths.error();
    auto entries = read_all(*paths, now, content.problems);
    if (!entries)
        return entries.error();
    if (auto read = read_mappings(content.problems); !read)
        return read.error();
    content.quorate = is_quorate();
    // If it left meanwhile, "no such file" meant nothing.
    if (auto there = require_pmxcfs(); !there)
        return there.error();
    entries_ = std::move(*entries);
    content.mappings = mappings_;
    fill(content);
    return content;
}

/// What is to be read. Of other nodes only what belongs to a VM of this one.
Result<PveReader::Paths> PveReader::list(PveContent& content) const {
    Paths paths;
    const auto names = names_in(folder_);
    if (!names && names.error().kind != ErrorKind::not_found)
        return names.error();
    std::set<unsigned> here;
    for (const auto& name : names ? *names : std::vector<std::string>{}) {
        if (!is_config(name) && !is_rules(name))
            continue;
        paths.push_back(folder_ / name);
        if (const auto vmid = vmid_of(name, ".usb.conf"))
            content.rules[*vmid].file = folder_ / name;
        else
            here.insert(*vmid_of(name, ".conf"));
    }
    content.vmids = here;
    for (const auto& path : elsewhere(content)) {
        const unsigned vmid = *vmid_of(path.filename().string(), ".usb.conf");
        if (here.contains(vmid))
            weigh(path, content.rules[vmid]);
    }
    for (const auto& [vmid, rules] : content.rules)
        if (rules.elsewhere)
            paths.push_back(rules.file);
    const auto intents = names_in(intents_);
    for (const auto& name : intents ? *intents : std::vector<std::string>{})
        if (vmid_of(name, ".json"))
            paths.push_back(intents_ / name);
    return paths;
}

/// Of several files of one VM the one of this node counts, else the newest.
void PveReader::weigh(const std::filesystem::path& path, RulesText& rules) {
    const bool first = rules.file.empty();
    if (!first && (!rules.elsewhere || is_newer(rules.file, path))) {
        rules.others.push_back(path);
        return;
    }
    if (!first)
        rules.others.push_back(rules.file);
    rules.file = path;
    rules.elsewhere = true;
}

/// Rules files in other nodes' directories, by path; notes whose VMs live there.
PveReader::Paths PveReader::elsewhere(PveContent& content) const {
    Paths paths;
    std::error_code error;
    const auto own = std::filesystem::read_symlink(pve_ / "local", error).filename();
    const auto nodes = names_in(pve_ / "nodes");
    for (const auto& node : nodes ? *nodes : std::vector<std::string>{}) {
        const auto folder = pve_ / "nodes" / node / "qemu-server";
        if (node == own.string())
            continue;
        const auto names = names_in(folder);
        for (const auto& name : names ? *names : std::vector<std::string>{})
            if (is_rules(name))
                paths.push_back(folder / name);
            else if (const auto vmid = vmid_of(name, ".conf"))
                content.vmids.insert(*vmid);
    }
    std::sort(paths.begin(), paths.end());
    return paths;
}

/// From what was read to what it says. A file that could not be read and was never seen is none.
void PveReader::fill(PveContent& content) const {
    for (auto rules = content.rules.begin(); rules != content.rules.end();) {
        const auto entry = entries_.find(rules->second.file);
        const bool there = entry != entries_.end();
        if (there)
            rules->second.text = entry->second.text;
        rules = there ? std::next(rules) : content.rules.erase(rules);
    }
    for (const auto& [path, entry] : entries_) {
        const std::filesystem::path file(path);
        const std::string name = file.filename().string();
        if (const auto of_vm = vmid_of(name, ".json"))
            content.intents[*of_vm] = entry.text;
        else if (const auto vmid = vmid_of(name, ".conf"))
            content.configs[*vmid] = parse_vm_config(entry.text);
    }
}

Result<PveReader::Entries> PveReader::read_all(
    const Paths& paths, TimePoint now, std::vector<std::string>& problems) const {
    Entries entries;
    for (const auto& path : paths) {
        const auto known = entries_.find(path);
        const Entry* before = known == entries_.end() ? nullptr : &known->second;
        auto entry = read(path, before, now);
        if (entry) {
            entries[path] = std::move(*entry);
        } else if (entry.error().kind == ErrorKind::unavailable) {
            return entry.error();
        } else if (entry.error().kind != ErrorKind::not_found) {
            problems.push_back(entry.error().message);
            if (before)
                entries[path] = *before;
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
    const std::filesystem::path& path, const Entry* before, TimePoint now) const {
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
    if (text->empty() && is_config(path.filename().string()) && before)
        return *before;
    return Entry{stamp, same ? before->changed : now, now, std::move(*text)};
}

} // namespace longcord
