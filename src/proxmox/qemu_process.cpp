// SPDX-License-Identifier: MIT
#include "proxmox/qemu_process.hpp"

#include "base/files.hpp"

#include <cerrno>

#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace longcord {

bool is_qemu_of(std::string_view cmdline, unsigned vmid) {
    const std::string wanted = fmt::format("/qemu-server/{}.pid", vmid);
    bool pidfile = false; // the argument before was -pidfile
    while (!cmdline.empty()) {
        const auto end = cmdline.find('\0');
        const auto argument = cmdline.substr(0, end);
        if (pidfile && argument.ends_with(wanted))
            return true;
        pidfile = argument == "-pidfile" || argument == "--pidfile";
        cmdline = end == std::string_view::npos ? std::string_view() : cmdline.substr(end + 1);
    }
    return false;
}

std::filesystem::path proc_of(const Roots& roots) {
    std::error_code ignored;
    return std::filesystem::is_directory(roots.proc(), ignored) ? roots.proc() : "/proc";
}

Result<UniqueFd> open_process(int pid) {
    // By number: the declaration in glibc 2.36 (Debian 12) lacks extern "C" and does not link.
    UniqueFd process(pid > 0 ? static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)) : -1);
    if (!process)
        return fail_errno(pid > 0 ? errno : ESRCH, fmt::format("process {}", pid));
    return process;
}

bool has_exited(const UniqueFd& process) {
    pollfd poll{process.get(), POLLIN, 0};
    return ::poll(&poll, 1, 0) > 0;
}

Result<UniqueFd> open_qemu(const Roots& roots, int pid, unsigned vmid) {
    // First the pidfd, then the command line, then the question whether it still runs: so the
    // command line was this process' own.
    auto process = open_process(pid);
    if (!process)
        return process;
    constexpr std::size_t longest_cmdline = 2U << 20; // the kernel's own limit for argv
    const auto cmdline =
        read_file(proc_of(roots) / std::to_string(pid) / "cmdline", longest_cmdline);
    if (!cmdline)
        return cmdline.error();
    if (!is_qemu_of(*cmdline, vmid) || has_exited(*process))
        return fail(ErrorKind::not_found, "process {} is not the QEMU of VM {}", pid, vmid);
    return process;
}

} // namespace longcord
