// SPDX-License-Identifier: MIT
#include "host/machine_source.hpp"

#include "base/rounds.hpp"
#include "plan/machine_id.hpp"
#include "proxmox/qemu_process.hpp"
#include "qmp/unix_connect.hpp"
#include "rules/parse.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>

#include <sys/eventfd.h>
#include <unistd.h>

namespace longcord {

namespace {

/// Events tell everything; this is only so that nothing can stay wrong for ever.
constexpr seconds slow_look{10};
/// QEMU binds its socket a moment before it listens, and only the first makes an event.
constexpr milliseconds knock_again{100};
constexpr unsigned most_knocks = 50;

UniqueFd make_eventfd() {
    UniqueFd fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    if (!fd)
        throw std::system_error(errno, std::generic_category(), "eventfd");
    return fd;
}

} // namespace

MachineSource::MachineSource(
    asio::io_context& loop, std::filesystem::path config_file, Reconciler& reconciler,
    Journal& journal, RulesBook& rules, VmRoster& roster)
    : loop_(loop), config_file_(config_file.string()), reconciler_(reconciler), journal_(journal),
      rules_(rules), roster_(roster), set_(loop), configured_(make_eventfd()) {
    set_.add(configured_.get());
}

void MachineSource::configure(const std::vector<MachineConfig>& machines) {
    std::vector<std::string> names;
    names.reserve(machines.size());
    for (const auto& machine : machines)
        names.push_back(machine.name);
    const auto ids = machine_ids(names);
    std::set<unsigned> wanted;
    auto& shown = reconciler_.world().machines;
    shown.clear();
    for (const auto& config : machines) {
        const unsigned id = ids.at(config.name);
        wanted.insert(id);
        shown[id] = config.name;
        const auto known = machines_.find(id);
        if (known != machines_.end() && known->second.config.socket != config.socket)
            forget(id); // another process, most likely
        Machine& machine = machines_[id];
        machine.config = config;
        if (!machine.folder) {
            machine.folder = std::make_unique<DirectoryWatch>(loop_, config.socket.parent_path());
            set_.add(machine.folder->fd());
        }
        set_rules(id, config);
    }
    std::vector<unsigned> gone;
    for (const auto& [id, machine] : machines_)
        if (!wanted.contains(id))
            gone.push_back(id);
    for (const unsigned id : gone) {
        forget(id);
        rules_.drop_machine(id);
    }
    ::eventfd_write(configured_.get(), 1);
}

/// Each port is a rule, as in a .usb.conf; messages name its line in host.yaml.
void MachineSource::set_rules(unsigned id, const MachineConfig& machine) {
    RulesState state;
    state.file = config_file_;
    for (const RuleText& port : machine.ports)
        state.text += port.text + '\n';
    ParsedRules parsed = parse_rules(machine.ports);
    for (const Diagnostic& diagnostic : parsed.diagnostics)
        journal_.vm(
            id, diagnostic.severity == Diagnostic::Severity::error ? "rules-error" : "rules",
            format_diagnostic(config_file_, diagnostic));
    const bool usable = parsed.ok();
    state.diagnostics = std::move(parsed.diagnostics);
    rules_.set_machine(
        id, std::move(state), usable ? std::optional(std::move(parsed.rules)) : std::nullopt);
}

void MachineSource::forget(unsigned id) {
    const auto machine = machines_.find(id);
    if (machine == machines_.end())
        return;
    if (machine->second.folder)
        set_.remove(machine->second.folder->fd());
    if (machine->second.process)
        set_.remove(machine->second.process.get());
    machines_.erase(machine);
}

Task<> MachineSource::watch() {
    std::optional<std::vector<RunningVm>> told;
    for (;;) {
        eventfd_t ignored = 0;
        ::eventfd_read(configured_.get(), &ignored);
        const bool expecting = look();
        auto now = present();
        if (told != now) {
            told = now;
            roster_.machines(std::move(now));
        }
        const TimePoint began = Clock::now();
        co_await set_.wait(expecting ? began + knock_again : next_round(began, slow_look));
    }
}

/// True: a socket is there on which nobody listens, perhaps not yet.
bool MachineSource::look() {
    bool expecting = false;
    for (auto& [id, machine] : machines_) {
        if (machine.process && has_exited(machine.process)) {
            set_.remove(machine.process.get());
            machine.process.reset();
            machine.pid = 0;
        }
        if (!machine.folder->take().empty())
            machine.knocks = 0;
        machine.folder->arm();
        std::error_code ignored;
        if (machine.process || !std::filesystem::is_socket(machine.config.socket, ignored))
            continue;
        knock(machine);
        expecting = expecting || (!machine.process && machine.knocks < most_knocks);
    }
    return expecting;
}

void MachineSource::knock(Machine& machine) {
    ++machine.knocks;
    const auto socket = connect_unix(machine.config.socket);
    const int pid = socket ? peer_pid(socket->get()) : 0;
    if (pid <= 0)
        return; // nobody listens, others wait for it already, or it lives where we cannot see it
    auto process = open_process(pid);
    if (!process || has_exited(*process))
        return;
    machine.pid = pid;
    machine.process = std::move(*process);
    set_.add(machine.process.get());
}

std::vector<RunningVm> MachineSource::present() const {
    std::vector<RunningVm> running;
    for (const auto& [id, machine] : machines_)
        if (machine.process)
            running.push_back(
                {id, machine.pid, machine.config.socket, machine.config.name, machine.config.hubs});
    return running;
}

} // namespace longcord
