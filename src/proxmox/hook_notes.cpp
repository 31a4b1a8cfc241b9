// SPDX-License-Identifier: MIT
#include "proxmox/hook_notes.hpp"

#include "base/rounds.hpp"
#include "base/text.hpp"
#include "proxmox/vm_files.hpp"

#include <algorithm>
#include <cerrno>
#include <optional>
#include <tuple>

#include <spdlog/spdlog.h>

#include <sys/stat.h>
#include <unistd.h>

namespace longcord {

namespace {

constexpr seconds slow_look{10};

struct Written {
    timespec written{};
    std::string name;
    HookNote note;
};

/// "100.post-start": what the hookscript accepts, and nothing else.
std::optional<HookNote> parse_note(const std::string& name) {
    constexpr std::size_t longest_phase = 32;
    const auto dot = name.find('.');
    if (dot == std::string::npos)
        return std::nullopt;
    const auto phase = name.substr(dot + 1);
    const auto vmid = vmid_of(name, name.substr(dot));
    const auto allowed = [](char c) { return (c >= 'a' && c <= 'z') || c == '-'; };
    if (!vmid || phase.empty() || phase.size() > longest_phase ||
        !std::all_of(phase.begin(), phase.end(), allowed))
        return std::nullopt;
    return HookNote{*vmid, phase};
}

} // namespace

HookNotes::HookNotes(asio::io_context& loop, const Roots& roots)
    : directory_(loop, roots.run() / "hook"), set_(loop) {
    const auto& path = directory_.directory();
    std::error_code ignored; // what is wrong is said by mkdir
    std::filesystem::create_directories(path.parent_path(), ignored);
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        spdlog::warn(
            "{}; notes of the hookscript are not seen",
            fail_errno(errno, "make " + path.string()).message);
    set_.add(directory_.fd());
}

Task<std::vector<HookNote>> HookNotes::next() {
    for (;;) {
        directory_.drain();
        directory_.arm();
        auto notes = take();
        if (!notes.empty())
            co_return notes;
        co_await set_.wait(next_round(Clock::now(), slow_look));
    }
}

std::vector<HookNote> HookNotes::take() {
    std::vector<Written> found;
    const auto names = names_in(directory_.directory());
    if (!names)
        return {};
    for (const auto& name : *names) {
        auto note = parse_note(name);
        struct stat status;
        if (note && ::lstat((directory_.directory() / name).c_str(), &status) == 0)
            found.push_back(Written{status.st_mtim, name, std::move(*note)});
    }
    std::sort(found.begin(), found.end(), [](const Written& a, const Written& b) {
        return std::tie(a.written.tv_sec, a.written.tv_nsec, a.name) <
               std::tie(b.written.tv_sec, b.written.tv_nsec, b.name);
    });
    std::vector<HookNote> notes;
    for (auto& entry : found)
        // What cannot be deleted would be news for ever. Whatever is not a directory goes, be it a
        // FIFO or a symlink: it lies where the next note has to be written.
        if (::unlink((directory_.directory() / entry.name).c_str()) == 0)
            notes.push_back(std::move(entry.note));
    return notes;
}

} // namespace longcord
