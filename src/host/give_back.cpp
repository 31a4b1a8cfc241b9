// SPDX-License-Identifier: MIT
#include "host/give_back.hpp"

#include "base/log.hpp"
#include "base/spawn.hpp"
#include "control/client.hpp"
#include "plan/machine_id.hpp"
#include "plan/situation.hpp"
#include "usbip/authorize.hpp"

#include <cstdio>
#include <cstdlib>

#include <spdlog/spdlog.h>

namespace longcord {

GiveBack::GiveBack(
    asio::io_context& loop, Roots roots, HostConfig config, std::filesystem::path config_file)
    : loop_(loop), roots_(std::move(roots)), config_(std::move(config)), pool_(loop),
      journal_(
          [](const Event&) {},
          [this](std::string text) {
              return with_machine_names(text, reconciler_.world().machines);
          }),
      reconciler_(
          loop, {[this](const Action& action) { executor_.start(action); },
                 [](const Place&, const Outcome*) {}, [this] { planned(); }}),
      nodes_(loop), sessions_(loop, roots_, pool_, reconciler_, journal_, nodes_), opens_(loop),
      dialer_(pool_, opens_, config_), importer_(loop, roots_, pool_, reconciler_, opens_, dialer_),
      uses_(loop, roots_, pool_, reconciler_, nodes_),
      executor_(loop, importer_, sessions_, uses_, reconciler_, journal_),
      kernel_(
          loop, roots_, pool_, reconciler_, importer_, journal_,
          config_.foreign_imports == ForeignImports::allow, [](const Place&) {}),
      intents_(loop, roots_, pool_, reconciler_, journal_),
      rules_(loop, roots_, pool_, reconciler_, journal_), roster_(reconciler_, journal_),
      machines_(loop, std::move(config_file), reconciler_, journal_, rules_, roster_),
      pve_(loop, roots_, pool_, reconciler_, journal_, nodes_, intents_, rules_, roster_),
      timer_(loop) {
    // There are no links: nobody is told.
    opens_.send_with([](const std::string&, const HostMessage&) {});
    importer_.on_detached([](const Place&) {});
    reconciler_.world().giving_back = true;
    reconciler_.world().dev = roots_.dev().string();
}

void GiveBack::start() {
    spawn_guarded(loop_, "kernel source", kernel_.run());
    spawn_guarded(loop_, "VM registry", pve_.watch_vms());
    spawn_guarded(loop_, "configs", pve_.watch_config());
    spawn_guarded(loop_, "device nodes", pve_.watch_nodes());
    machines_.configure(config_.virtual_machines);
    spawn_guarded(loop_, "machines of host.yaml", machines_.watch());
    spawn_guarded(loop_, "limit", end_at_the_limit());
}

std::vector<std::string> GiveBack::left() const {
    const World& world = reconciler_.world();
    std::vector<std::string> left;
    for (const auto& [place, situation] : situations(world)) {
        if (situation.import)
            left.push_back(fmt::format(
                "{} is attached to vhci port {}: usbip detach -p {}", place.to_string(),
                situation.vhci_port, situation.vhci_port));
        for (const SeenPlug& plug : situation.plugs)
            if (plug.device->hostport.empty()) // else another script's, and not ours to remove
                left.push_back(fmt::format(
                    "{} is plugged into VM {}: it stays until the VM stops, or: device_del {}",
                    place.to_string(), plug.vmid, plug.device->id));
    }
    for (const auto& [vmid, vm] : world.vms)
        if (!vm.view)
            left.push_back(fmt::format(
                "VM {} does not answer; what it has stays plugged until it stops", vmid));
    if (!world.complete())
        left.emplace_back("VMs, rules and devices could not all be read");
    for (auto& sentence : left)
        sentence = with_machine_names(sentence, world.machines);
    return left;
}

void GiveBack::planned() {
    if (reconciler_.world().in_flight.empty() && left().empty())
        loop_.stop();
}

Task<> GiveBack::end_at_the_limit() {
    timer_.expires_after(limit);
    co_await timer_.async_wait(as_value);
    std::vector<DetachImport> imports;
    for (const auto& [port, import] : reconciler_.world().imports)
        imports.push_back({import.place, port, "it is given back regardless", false});
    for (const DetachImport& detach : imports) {
        const auto detached = co_await importer_.detach(detach);
        journal_.action_ended(detach, detached, milliseconds(0));
        if (detached)
            reconciler_.world().imports.erase(detach.vhci_port);
    }
    loop_.stop();
}

static HostConfig config_or_none(const std::filesystem::path& file) {
    auto config = load_host_config(file);
    if (config)
        return std::move(*config);
    spdlog::warn("{}; its machines are passed over", config.error().message);
    return {};
}

int give_back(const Roots& roots, const std::filesystem::path& config_file) {
    start_logging("info");
    if (ControlClient::connect(roots.run() / "host.sock")) {
        spdlog::error("longcord-host runs; first: systemctl stop longcord-host");
        return EXIT_FAILURE;
    }
    std::vector<std::string> left;
    {
        asio::io_context loop(1);
        GiveBack giving(loop, roots, config_or_none(config_file), config_file);
        giving.start();
        loop.run();
        left = giving.left();
    }
    // After the claims of ports are gone: the end of the last one closes the hubs once more.
    const auto restored = restore_vhci_root_hubs(roots);
    if (!restored && restored.error().kind != ErrorKind::not_found)
        left.push_back(restored.error().message);
    for (const auto& sentence : left)
        spdlog::warn("not given back: {}", sentence);
    if (left.empty())
        spdlog::info("everything is given back");
    return left.empty() && !guarded_task_failed() ? EXIT_SUCCESS : EXIT_FAILURE;
}

} // namespace longcord
