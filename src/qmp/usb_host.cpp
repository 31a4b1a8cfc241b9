// SPDX-License-Identifier: MIT
#include "qmp/usb_host.hpp"

#include "base/text.hpp"
#include "qmp/plug_id.hpp"

#include <algorithm>
#include <array>

namespace longcord {

/// More than any xHCI has (HCSPARAMS1.MaxPorts is 8 bits); QEMU's own have at most 15.
static constexpr unsigned max_port = 255;

static bool is_plain_name(std::string_view name) noexcept {
    const auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    };
    return !name.empty() && std::all_of(name.begin(), name.end(), allowed);
}

bool is_settable_property(std::string_view name) noexcept {
    static constexpr std::array<std::string_view, 10> ours = {
        "driver",  "id",       "bus",      "port",     "hostdevice",
        "hostbus", "hostaddr", "hostport", "vendorid", "productid"};
    return is_plain_name(name) && std::find(ours.begin(), ours.end(), name) == ours.end();
}

static Result<> check_id(std::string_view id) {
    if (place_of_plug_id(id))
        return {};
    return fail(
        ErrorKind::invalid, "\"{}\" is no id that Longcord gives; nothing was done to it",
        printable(id));
}

static bool is_node(std::string_view path) {
    return path.starts_with("/") && path.find("/bus/usb/") != std::string_view::npos &&
           path == printable(path, path.size());
}

Result<QmpCommand> device_add(const PlugCommand& plug) {
    if (auto id = check_id(plug.id); !id)
        return id.error();
    if (!is_node(plug.hostdevice))
        return fail(
            ErrorKind::invalid, "{}: \"{}\" is no node such as /dev/bus/usb/003/007", plug.id,
            printable(plug.hostdevice));
    if (plug.bus.empty())
        return fail(ErrorKind::invalid, "{}: no bus to plug it into", plug.id);
    if (plug.port == 0 || plug.port > max_port)
        return fail(
            ErrorKind::invalid, "{}: {} has no port {}", plug.id, printable(plug.bus), plug.port);
    nlohmann::json arguments{
        {"driver", "usb-host"},
        {"id", plug.id},
        {"hostdevice", plug.hostdevice},
        {"bus", plug.bus},
        {"port", std::to_string(plug.port)}};
    for (const auto& [name, value] : plug.properties) {
        if (!is_settable_property(name))
            return fail(
                ErrorKind::invalid, "{}: the property \"{}\" cannot be set", plug.id,
                printable(name));
        std::visit([&, &key = name](const auto& v) { arguments[key] = v; }, value);
    }
    return QmpCommand{"device_add", std::move(arguments)};
}

QmpCommand device_add(const AddControllerCommand& controller) {
    // p2, p3: as many ports as an xhci can have. bus, addr: see proxmox/vm_args.hpp.
    constexpr unsigned ports = 15;
    return {
        "device_add",
        {{"driver", "qemu-xhci"},
         {"id", controller.id},
         {"p2", ports},
         {"p3", ports},
         {"bus", "pci.1"},
         {"addr", "0x1f"}}};
}

Result<QmpCommand> device_del(const UnplugCommand& unplug) {
    if (auto id = check_id(unplug.id); !id)
        return id.error();
    return QmpCommand{"device_del", {{"id", unplug.id}}};
}

} // namespace longcord
