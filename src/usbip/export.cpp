// SPDX-License-Identifier: MIT
#include "usbip/export.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "usb/place.hpp"

#include <algorithm>

namespace longcord {

namespace fs = std::filesystem;

constexpr std::string_view driver_name = "usbip-host";

fs::path UsbipHost::device(std::string_view busid) const {
    return roots_.sys() / "bus/usb/devices" / busid;
}

fs::path UsbipHost::driver(std::string_view file) const {
    return roots_.sys() / "bus/usb/drivers" / driver_name / file;
}

bool UsbipHost::present() const {
    std::error_code ignored;
    return fs::exists(driver("match_busid"), ignored);
}

/// "usb", "usbip-host", or empty: none.
std::string UsbipHost::driver_of(std::string_view busid) const {
    std::error_code ignored;
    return fs::read_symlink(device(busid) / "driver", ignored).filename();
}

static Result<> check_busid(std::string_view busid) {
    const auto place = Place::parse(busid);
    if (place && place->is_local() && place->busid() == busid)
        return {};
    return fail(ErrorKind::invalid, "\"{}\" is no busid such as 1-1.2", printable(busid));
}

Result<> UsbipHost::check(std::string_view busid) const {
    if (auto good = check_busid(busid); !good)
        return good;
    if (!present())
        return fail(
            ErrorKind::unavailable,
            "the kernel module usbip_host is not loaded: modprobe usbip-host");
    const auto device_class = read_attribute(device(busid) / "bDeviceClass");
    if (!device_class)
        return fail(ErrorKind::not_found, "{} is not there any more", busid);
    // stub_probe() refuses both, but only after the device has lost its driver.
    if (*device_class == "09")
        return fail(ErrorKind::refused, "{} is a hub: hubs are not exported", busid);
    std::error_code ignored;
    const auto real = fs::canonical(device(busid), ignored);
    if (real.string().find("/vhci_hcd.") != std::string::npos)
        return fail(ErrorKind::refused, "{} is itself imported: it is not exported again", busid);
    return {};
}

Result<> UsbipHost::take(std::string_view busid) const {
    // No newline: match_busid takes the rest of the write as the busid, whatever it is.
    if (auto matched = write_attribute(driver("match_busid"), fmt::format("add {}", busid));
        !matched) {
        if (matched.error().kind != ErrorKind::full)
            return matched;
        return fail(
            ErrorKind::full,
            "{}: usbip-host has {} exports, which is all it can have: set one to off or serial "
            "(`longcord mode`); places that were unplugged count too until they are bound again",
            busid, max_exports);
    }
    return write_attribute(driver("bind"), busid);
}

/// The table's entry goes only by `rebind` (del_match_busid() leaves one in state ADDED alone), and
/// `rebind` uses the device that was bound last: so it is written right after our own unbind, and
/// never for a device that may be gone. (Deleted while its device is bound, an entry stays for good
/// in state REMOV, and that place cannot be bound again: tried on a real kernel.)
void UsbipHost::give_back(std::string_view busid) const {
    (void)write_attribute(driver("match_busid"), fmt::format("del {}", busid));
    (void)write_attribute(driver("rebind"), busid);
    if (driver_of(busid).empty())
        (void)write_attribute(roots_.sys() / "bus/usb/drivers_probe", busid);
}

Result<> UsbipHost::bind(std::string_view busid) const {
    if (auto good = check(busid); !good)
        return good;
    const auto before = driver_of(busid);
    if (before == driver_name)
        return {};
    if (!before.empty())
        if (auto left = write_attribute(device(busid) / "driver/unbind", busid); !left)
            return left;
    auto taken = take(busid);
    if (!taken) {
        (void)write_attribute(driver("match_busid"), fmt::format("del {}", busid));
        (void)write_attribute(roots_.sys() / "bus/usb/drivers_probe", busid);
    }
    return taken;
}

Result<> UsbipHost::unbind(std::string_view busid) const {
    if (auto good = check_busid(busid); !good)
        return good;
    if (driver_of(busid) != driver_name)
        return {};
    auto left = write_attribute(driver("unbind"), busid);
    if (!left && left.error().kind == ErrorKind::not_found) // unplugged meanwhile
        return {};
    if (!left)
        return left;
    give_back(busid);
    return {};
}

Result<> UsbipHost::let_drivers_in(std::string_view busid) const {
    if (auto good = check_busid(busid); !good)
        return good;
    if (driver_of(busid) == "usb")
        if (auto left = write_attribute(device(busid) / "driver/unbind", busid); !left)
            return left;
    return write_attribute(roots_.sys() / "bus/usb/drivers_probe", busid);
}

std::vector<std::string> UsbipHost::bound() const {
    std::vector<Place> places;
    std::error_code error;
    for (fs::directory_iterator it(driver(""), error), end; !error && it != end;
         it.increment(error))
        if (auto place = Place::parse(it->path().filename().string()); place && place->is_local())
            places.push_back(std::move(*place));
    std::sort(places.begin(), places.end());
    std::vector<std::string> busids;
    busids.reserve(places.size());
    for (const Place& place : places)
        busids.push_back(place.busid());
    return busids;
}

Result<unsigned> UsbipHost::status(std::string_view busid) const {
    if (auto good = check_busid(busid); !good)
        return good.error();
    const auto text = read_attribute(device(busid) / "usbip_status");
    if (!text)
        return fail(text.error().kind, "{} is not bound to usbip-host", busid);
    const auto value = parse_decimal(*text);
    if (!value)
        return fail(ErrorKind::protocol, "{}: usbip_status is \"{}\"", busid, printable(*text));
    return *value;
}

Result<> UsbipHost::serve(std::string_view busid, int socket) const {
    const auto now = status(busid);
    if (!now)
        return now.error();
    if (*now == status_used)
        return fail(ErrorKind::busy, "{}: another stream has it", busid);
    if (*now != status_available)
        return fail(ErrorKind::unavailable, "{}: usbip-host has it in error state", busid);
    return write_attribute(device(busid) / "usbip_sockfd", fmt::format("{}", socket));
}

} // namespace longcord
