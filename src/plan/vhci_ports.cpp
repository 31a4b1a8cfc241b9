// SPDX-License-Identifier: MIT
#include "plan/vhci_ports.hpp"

#include "plan/pins.hpp"

#include <algorithm>
#include <tuple>

namespace longcord {

namespace {

/// An enumeration takes 0.2 to 0.5 s; one that takes longer has met a device that does not answer.
constexpr milliseconds usual_enumeration{1'000};

/// `status` lists controller after controller, each with its hs ports before its ss ports.
std::map<unsigned, unsigned> controllers(const std::vector<VhciPort>& ports) {
    std::map<unsigned, unsigned> controller_of;
    unsigned controller = 0;
    for (std::size_t i = 0; i < ports.size(); ++i) {
        if (i > 0 && ports[i - 1].super && !ports[i].super)
            ++controller;
        controller_of[ports[i].port] = controller;
    }
    return controller_of;
}

struct Load {
    unsigned others = 0; ///< imports of other Pis
    unsigned own = 0;
    unsigned pending = 0; ///< being enumerated
};

class Controllers {
  public:
    Controllers(const World& world, const std::string& pi, const TakenVhciPorts& taken)
        : of_(controllers(world.vhci)) {
        for (const auto& [port, controller] : of_)
            load_[controller];
        for (const auto& [port, holder] : taken) {
            const auto controller = of_.find(port);
            if (controller == of_.end())
                continue;
            Load& load = load_[controller->second];
            ++(holder.pi == pi ? load.own : load.others);
            const auto import = world.imports.find(port);
            load.pending += import == world.imports.end() || !import->second.enumerated ? 1 : 0;
        }
        for (const auto& [controller, load] : load_)
            mine_ += load.own > 0 ? 1 : 0;
        const auto pis = world.pis.size() + (world.pis.contains(pi) ? 0 : 1);
        // A hub enumerates one device after the other: one Pi alone has all of them.
        share_ = pis == 1 ? load_.size() : std::max<std::size_t>(1, load_.size() / (pis + 1));
    }

    bool has_others(unsigned port) const { return load(port).others > 0; }

    /// Less is better.
    auto cost(unsigned port) const {
        const Load& there = load(port);
        const bool beyond_share = there.own == 0 && mine_ >= share_;
        return std::tuple(
            there.others, beyond_share, there.pending, there.others + there.own, port);
    }

  private:
    const Load& load(unsigned port) const { return load_.at(of_.at(port)); }

    std::map<unsigned, unsigned> of_;
    std::map<unsigned, Load> load_; ///< by controller
    std::size_t mine_ = 0;          ///< controllers with an import of this Pi
    std::size_t share_ = 1;
};

/// The other imports on this port's controller.
template <typename Imports, typename Visit>
void each_neighbour(
    const std::vector<VhciPort>& ports, Imports& imports, unsigned port, Visit visit) {
    const auto controller_of = controllers(ports);
    const auto mine = controller_of.find(port);
    for (auto& [other, import] : imports) {
        const auto theirs = controller_of.find(other);
        if (other != port && mine != controller_of.end() && theirs != controller_of.end() &&
            mine->second == theirs->second)
            visit(import);
    }
}

} // namespace

TakenVhciPorts vhci_ports_taken(const World& world) {
    TakenVhciPorts taken;
    for (const auto& [port, import] : world.imports)
        taken[port] = import.place;
    // Also those of imports that have died meanwhile: what is under way there would reach the next.
    for (const auto& [place, action] : world.in_flight)
        if (const auto port = vhci_port_of(action))
            taken.try_emplace(*port, place);
    return taken;
}

std::optional<unsigned> choose_vhci_port(
    const World& world, const Place& place, bool super, const TakenVhciPorts& taken) {
    const auto fits = [&](const VhciPort& row) {
        return row.super == super && row.state == VhciPort::State::free &&
               !taken.contains(row.port);
    };
    if (std::none_of(world.vhci.begin(), world.vhci.end(), fits))
        return std::nullopt; // cheap, since every device that waits for a port asks at every plan
    const Controllers controllers(world, place.pi, taken);
    const auto pinned = pinned_vhci_port(world, place);
    std::optional<unsigned> best;
    for (const VhciPort& row : world.vhci) {
        if (!fits(row))
            continue;
        if (row.port == pinned && !controllers.has_others(row.port))
            return pinned;
        if (!best || controllers.cost(row.port) < controllers.cost(*best))
            best = row.port;
    }
    return best;
}

std::string why_no_vhci_port(const World& world, bool super, const TakenVhciPorts& taken) {
    if (world.vhci.empty())
        return "this host has no vhci_hcd: run \"modprobe vhci-hcd\"";
    std::string holders;
    std::size_t ports = 0;
    for (const auto& row : world.vhci) {
        if (row.super != super)
            continue;
        ++ports;
        if (const auto holder = taken.find(row.port); holder != taken.end())
            holders += (holders.empty() ? "" : ", ") + holder->second.to_string();
    }
    return fmt::format(
        "all {} vhci ports of its speed are taken{}{}: it is fetched when one is free", ports,
        holders.empty() ? "" : " by ", holders);
}

const Import* enumerated_before(const World& world, unsigned port, const Import& import) {
    const Import* before = nullptr;
    each_neighbour(world.vhci, world.imports, port, [&](const Import& other) {
        if (!other.enumerated && other.place.pi != import.place.pi && other.since < import.since)
            before = &other;
    });
    return before;
}

const Import* late_neighbour(const World& world, unsigned port, TimePoint now) {
    const Import* late = nullptr;
    each_neighbour(world.vhci, world.imports, port, [&](const Import& other) {
        if (!other.enumerated && now - other.since >= usual_enumeration)
            late = &other;
    });
    return late;
}

void enumeration_over(World& world, unsigned port, bool enumerated, TimePoint now) {
    const auto done = world.imports.find(port);
    if (done == world.imports.end())
        return;
    const std::string pi = done->second.place.pi;
    each_neighbour(world.vhci, world.imports, port, [&](Import& other) {
        if (!other.enumerated && (enumerated || other.place.pi != pi))
            other.since = std::max(other.since, now);
    });
}

} // namespace longcord
