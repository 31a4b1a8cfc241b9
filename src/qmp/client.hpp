// SPDX-License-Identifier: MIT
// A session (session.hpp) on a real socket: connect, wait for the greeting without holding anything
// up, do what the machine says, leave. connect() succeeding means nothing: QEMU greets only when
// the client before us has left, and a Proxmox backup may stay for 125 s.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/task.hpp"
#include "qmp/commands.hpp"
#include "qmp/vm_view.hpp"

#include <filesystem>
#include <functional>
#include <vector>

namespace longcord {

struct SessionLimits {
    milliseconds greeting{130'000}; ///< from the call, attempts to connect included
    milliseconds session{1'000};    ///< from the greeting; then the socket is closed regardless
    milliseconds joining{300};      ///< from the greeting; then nothing more is begun
};

/// What was asked of the VM since the session began. One visit with all of it holds others up
/// for less time than two.
using Latecomers = std::function<std::vector<VmCommand>()>;

struct SessionReport {
    Result<VmView> view;            ///< at the session's end
    std::vector<Result<>> outcomes; ///< one a command, latecomers last; see Session::outcomes
    milliseconds held{};            ///< from greeting to close: how long others had to wait
    int pid = 0; ///< of the process that listens there (QEMU, daemonized or not); 0: not known
};

/// Never fails as a whole: what went wrong is in the view and the outcomes, and names the socket.
/// Latecomers are asked for between the greeting and `joining` after it, whenever QEMU has
/// answered.
Task<SessionReport> run_session(
    std::filesystem::path socket, std::vector<VmCommand> commands, SessionLimits limits,
    Latecomers latecomers = {});

} // namespace longcord
