// SPDX-License-Identifier: MIT
#include "proxmox/open_node.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "proxmox/qemu_process.hpp"
#include "proxmox/vm_files.hpp"

#include <algorithm>

#include <unistd.h>

namespace longcord {

bool has_open(const Roots& roots, int pid, const std::filesystem::path& node) {
    // The kernel shows a path without symlinks, and adds " (deleted)" to one that has left: a node
    // of the same name made anew is another device, and does not count.
    std::error_code error;
    const auto real = std::filesystem::canonical(node, error);
    if (error)
        return false;
    const auto folder = proc_of(roots) / std::to_string(pid) / "fd";
    for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
        std::error_code closed_meanwhile;
        if (std::filesystem::read_symlink(entry->path(), closed_meanwhile) == real)
            return true;
    }
    return false;
}

std::vector<HostUse::Opener> openers_of(const Roots& roots, const std::filesystem::path& node) {
    std::vector<HostUse::Opener> openers;
    const auto proc = proc_of(roots);
    const auto names = names_in(proc);
    if (!names)
        return openers;
    for (const auto& name : *names) {
        const auto number = parse_decimal(name);
        if (!number || *number == static_cast<unsigned>(::getpid()))
            continue;
        const int pid = static_cast<int>(*number);
        if (!has_open(roots, pid, node))
            continue;
        const auto comm = read_attribute(proc / name / "comm");
        openers.push_back({pid, comm ? printable(*comm) : "a process"});
    }
    std::sort(openers.begin(), openers.end());
    return openers;
}

Result<> NodeWatch::watch(const std::string& node) {
    const auto watch = inotify_.watch(node, IN_CLOSE);
    if (!watch)
        return watch.error();
    nodes_[*watch] = node;
    return {};
}

void NodeWatch::forget(const std::string& node) {
    for (auto entry = nodes_.begin(); entry != nodes_.end();) {
        const bool found = entry->second == node;
        if (found)
            inotify_.forget(entry->first);
        entry = found ? nodes_.erase(entry) : std::next(entry);
    }
    std::erase(closed_, node);
}

void NodeWatch::note_closed(const std::string& node) {
    if (std::find(closed_.begin(), closed_.end(), node) == closed_.end())
        closed_.push_back(node);
}

void NodeWatch::note(const InotifyEvent& event) {
    if (event.overflow()) {
        for (const auto& [watch, node] : nodes_)
            note_closed(node);
        return;
    }
    const auto known = nodes_.find(event.watch);
    if (known == nodes_.end())
        return;
    if ((event.mask & IN_CLOSE) != 0)
        note_closed(known->second);
    if ((event.mask & IN_IGNORED) != 0)
        nodes_.erase(known);
}

Task<std::string> NodeWatch::closed() {
    while (closed_.empty()) {
        const auto events = co_await inotify_.next();
        for (const auto& event : events)
            note(event);
    }
    std::string node = std::move(closed_.front());
    closed_.erase(closed_.begin());
    co_return node;
}

} // namespace longcord
