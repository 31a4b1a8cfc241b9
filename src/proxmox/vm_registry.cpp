// SPDX-License-Identifier: MIT
#include "proxmox/vm_registry.hpp"

#include "base/files.hpp"
#include "base/rounds.hpp"
#include "base/text.hpp"
#include "proxmox/qemu_process.hpp"
#include "proxmox/vm_files.hpp"

namespace longcord {

/// Events tell everything; this is only so that nothing can stay wrong for ever.
static constexpr seconds slow_look{10};

VmRegistry::VmRegistry(asio::io_context& loop, Roots roots)
    : roots_(std::move(roots)), directory_(loop, roots_.qemu_run()), set_(loop) {
    set_.add(directory_.fd());
}

Task<std::vector<RunningVm>> VmRegistry::next() {
    for (;;) {
        directory_.drain();
        directory_.arm();
        look();
        auto now = present();
        if (told_ != now) {
            told_ = now;
            co_return now;
        }
        co_await set_.wait(next_round(Clock::now(), slow_look));
    }
}

void VmRegistry::look() {
    drop_exited();
    const auto names = names_in(directory_.directory());
    if (!names)
        return; // not there: nobody runs, or those whom we know go on
    for (const auto& name : *names)
        if (const auto vmid = vmid_of(name, ".pid"))
            admit(*vmid);
}

void VmRegistry::drop_exited() {
    std::vector<unsigned> exited;
    for (const auto& [vmid, member] : members_)
        if (has_exited(member.process))
            exited.push_back(vmid);
    for (const unsigned vmid : exited)
        drop(vmid);
}

void VmRegistry::admit(unsigned vmid) {
    // A pidfile seen before it is written whole is empty or names a wrong process, which then is
    // not this VM's QEMU; the rest of it makes another event.
    constexpr std::size_t longest_pidfile = 64;
    constexpr unsigned highest_pid = 1U << 22; // PID_MAX_LIMIT, include/linux/threads.h
    const auto& folder = directory_.directory();
    const auto text = read_file(folder / fmt::format("{}.pid", vmid), longest_pidfile);
    const auto number = text ? parse_decimal(trim(*text), highest_pid) : std::nullopt;
    if (!number)
        return;
    const int pid = static_cast<int>(*number);
    const auto known = members_.find(vmid);
    if (known != members_.end() && known->second.vm.pid == pid)
        return;
    // QEMU writes the pidfile before it opens the socket.
    const auto socket = folder / fmt::format("{}.qmp", vmid);
    std::error_code ignored;
    if (!std::filesystem::is_socket(socket, ignored))
        return;
    auto process = open_qemu(roots_, pid, vmid);
    if (!process)
        return;
    drop(vmid);
    set_.add(process->get());
    members_.emplace(vmid, Member{RunningVm{vmid, pid, socket}, std::move(*process)});
}

void VmRegistry::drop(unsigned vmid) {
    const auto member = members_.find(vmid);
    if (member == members_.end())
        return;
    set_.remove(member->second.process.get());
    members_.erase(member);
}

std::vector<RunningVm> VmRegistry::present() const {
    std::vector<RunningVm> running;
    for (const auto& [vmid, member] : members_)
        running.push_back(member.vm);
    return running;
}

} // namespace longcord
