// SPDX-License-Identifier: MIT
// Texts of sysfs, where what a hostile device or another kernel puts into them is read: vhci's
// table, descriptors, names of ports and controllers, places, speeds.
#include "base/text.hpp"
#include "must.hpp"
#include "usb/descriptors.hpp"
#include "usb/device.hpp"
#include "usb/topology.hpp"
#include "usbip/vhci_status.hpp"

#include <algorithm>

using namespace longcord;

static void check_vhci(std::string_view text) {
    const auto ports = parse_vhci_status(text);
    if (!ports)
        return must(is_utf8(ports.error().message), "a refusal can be shown");
    must(
        ports->size() <= static_cast<std::size_t>(std::ranges::count(text, '\n')),
        "a port is a line, after the first");
    for (const auto& port : *ports) {
        if (port.state != VhciPort::State::used)
            must(
                port.devid == 0 && port.sockfd == 0 && port.local_busid.empty(),
                "only a used port has a device");
        if (is_free(*ports, port.port))
            must(
                std::ranges::any_of(
                    *ports,
                    [&](const VhciPort& p) {
                        return p.port == port.port && p.state == VhciPort::State::free;
                    }),
                "a free port is in the table");
    }
}

static void check_descriptors(std::string_view bytes) {
    constexpr std::size_t least = 9; // bytes an interface descriptor has: USB 2.0, 9.6.5
    for (const unsigned configuration : {0U, 1U, 2U, 255U}) {
        const auto found = interfaces_in(bytes, configuration);
        must(found.size() <= 256, "an interface has a number of one byte");
        must(found.size() * least <= bytes.size(), "each was read from bytes of its own");
    }
}

static void check_names(std::string_view text) {
    if (const auto place = place_of_port(text)) {
        must(place->is_local() && !place->path.ports.empty(), "a port leads to a place here");
        must(Place::parse(place->to_string()) == *place, "a place has a name");
    }
    if (const auto place = Place::parse(text)) {
        must(place->to_string() == text, "a place has one form");
        must(place->covers(*place), "a place covers itself");
    }
    const auto controller = controller_of(text);
    must(controller.size() <= text.size() + std::string_view("platform-").size(), "a part of it");
    must(!is_vhci(text) || controller.starts_with("platform-vhci_hcd"), "vhci is by its name");
    if (const auto id = UsbId::parse(text))
        must(*UsbId::parse(id->to_string()) == *id, "an id has a name");
    must(!to_string(speed_from_sysfs(text)).empty(), "every speed has a word");
    const auto shown = printable(text);
    must(shown.size() <= max_device_string && is_utf8(shown), "what is shown has its limit");
    must(printable(shown) == shown, "what can be shown stays as it is");
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_vhci(text);
    check_descriptors(text);
    check_names(text);
    return 0;
}
