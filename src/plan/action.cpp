// SPDX-License-Identifier: MIT
#include "plan/action.hpp"

namespace longcord {

namespace {

struct Describe {
    std::string operator()(const LookAtVm& a) const { return fmt::format("look at VM {}", a.vmid); }
    std::string operator()(const AddController& a) const {
        return fmt::format("add a USB controller to VM {}", a.vmid);
    }
    std::string operator()(const LookAtUse& a) const {
        return fmt::format("look who uses {}", a.place.to_string());
    }
    std::string operator()(const ImportDevice& a) const {
        return fmt::format(
            "import {} from {}:{} to vhci port {}", a.place.to_string(), a.server, a.server_port,
            a.vhci_port);
    }
    std::string operator()(const AuthorizeImport& a) const {
        return fmt::format("authorise {} ({})", a.place.to_string(), a.sysname);
    }
    std::string operator()(const PlugDevice& a) const {
        return fmt::format(
            "plug {} into VM {} ({} port {})", a.place.to_string(), a.vmid, a.command.bus,
            a.command.port);
    }
    std::string operator()(const UnplugDevice& a) const {
        return fmt::format("unplug {} from VM {}", a.place.to_string(), a.vmid);
    }
    std::string operator()(const DetachImport& a) const {
        return fmt::format(
            "detach {} from vhci port {}: {}", a.place.to_string(), a.vhci_port, a.why);
    }
};

} // namespace

std::string to_string(const Action& action) {
    return std::visit(Describe{}, action);
}

const Place* place_of(const Action& action) noexcept {
    const auto place = [](const auto& a) -> const Place* {
        if constexpr (requires { a.place; })
            return &a.place;
        else
            return nullptr;
    };
    return std::visit(place, action);
}

std::optional<unsigned> vhci_port_of(const Action& action) noexcept {
    const auto port = [](const auto& a) -> std::optional<unsigned> {
        if constexpr (requires { a.vhci_port; })
            return a.vhci_port;
        else
            return std::nullopt;
    };
    return std::visit(port, action);
}

} // namespace longcord
