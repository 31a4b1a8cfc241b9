// SPDX-License-Identifier: MIT
#include "usb/sysfs_reader.hpp"

#include "base/files.hpp"
#include "base/text.hpp"
#include "usb/descriptors.hpp"
#include "usb/topology.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

namespace longcord {

namespace fs = std::filesystem;

static constexpr unsigned max_hub_ports = 255; // USB 2.0, 11.23.2.1: bNbrPorts is a byte

namespace {

fs::path devices_folder(const Roots& roots) {
    return roots.sys() / "bus/usb/devices";
}

/// Attributes of one directory; what is missing or malformed reads as empty or 0.
class Attributes {
  public:
    explicit Attributes(fs::path folder) : folder_(std::move(folder)) {}

    std::string text(const char* name) const {
        const auto value = read_attribute(folder_ / name);
        return value ? *value : std::string();
    }
    unsigned decimal(const char* name) const { return parse_decimal(trim(text(name))).value_or(0); }
    template <class T> T hex(const char* name) const {
        return static_cast<T>(parse_hex(trim(text(name)), T(-1)).value_or(0));
    }
    /// The last component of a symbolic link: the driver's name.
    std::string link(const char* name) const {
        std::error_code ignored;
        return fs::read_symlink(folder_ / name, ignored).filename().string();
    }
    InterfaceClass code(const char* code, const char* subclass, const char* protocol) const {
        return {hex<std::uint8_t>(code), hex<std::uint8_t>(subclass), hex<std::uint8_t>(protocol)};
    }

  private:
    fs::path folder_;
};

std::vector<std::string> children(const fs::path& folder) {
    std::vector<std::string> names;
    std::error_code error;
    for (auto it = fs::directory_iterator(folder, error); !error && it != fs::directory_iterator();
         it.increment(error))
        names.push_back(it->path().filename().string());
    std::sort(names.begin(), names.end());
    return names;
}

/// Adds `names` to a sorted list without doubles.
void merge(std::vector<std::string>& list, const std::vector<std::string>& names) {
    list.insert(list.end(), names.begin(), names.end());
    std::sort(list.begin(), list.end());
    list.erase(std::unique(list.begin(), list.end()), list.end());
}

/// Block devices of a mass-storage interface: host0/target0:0:0/0:0:0:0/block/sda.
std::vector<std::string> disks_below(const fs::path& folder, unsigned depth = 3) {
    auto disks = children(folder / "block");
    if (depth == 0)
        return disks;
    for (const auto& name : children(folder)) {
        std::error_code ignored;
        if (name.find_first_of("0123456789") != std::string::npos &&
            fs::symlink_status(folder / name, ignored).type() == fs::file_type::directory)
            merge(disks, disks_below(folder / name, depth - 1));
    }
    return disks;
}

/// "/devices/pci0000:00/...": where the link in /sys/bus/usb/devices leads.
std::string devpath_of(const Roots& roots, const fs::path& folder) {
    std::error_code error;
    const auto target = fs::canonical(folder, error).string();
    const auto sys = fs::canonical(roots.sys(), error).string();
    return !error && target.starts_with(sys + '/') ? target.substr(sys.size()) : std::string();
}

void read_interfaces(const fs::path& folder, const std::string& sysname, LocalDevice& local) {
    std::map<unsigned, InterfaceClass> classes;
    for (const auto& name : children(folder)) {
        if (!name.starts_with(sysname + ':'))
            continue;
        const fs::path interface = folder / name;
        const Attributes attributes(interface);
        const auto code =
            attributes.code("bInterfaceClass", "bInterfaceSubClass", "bInterfaceProtocol");
        classes.emplace(attributes.hex<std::uint8_t>("bInterfaceNumber"), code);
        if (local.on_vhci)
            local.interfaces_authorized =
                local.interfaces_authorized.value_or(true) && attributes.text("authorized") == "1";
        const auto driver = attributes.link("driver");
        if (driver.empty())
            ++local.driverless;
        else
            merge(local.drivers, {driver});
        merge(local.networks, children(interface / "net"));
        merge(local.networks, children(interface / "ieee80211"));
        if (code.code == class_mass_storage)
            merge(local.disks, disks_below(interface));
    }
    for (const auto& [number, code] : classes)
        local.device.interfaces.push_back(code);
}

/// The other half of a USB 3 receptacle: `port` is the hub port this device hangs on, `port/peer`
/// the one of the other speed (drivers/usb/core/port.c).
void read_peer(const Roots& roots, const fs::path& folder, LocalDevice& local) {
    const auto peer = devpath_of(roots, folder / "port/peer");
    const auto place = place_of_port(fs::path(peer).filename().string());
    if (!place)
        return;
    local.peer = *place;
    // .../usb4/4-0:1.0/usb4-port1: port, hub interface, hub.
    local.peer_devpath = (fs::path(peer).parent_path().parent_path() / place->busid()).string();
}

} // namespace

Result<LocalDevice> read_local_device(const Roots& roots, std::string_view sysname) {
    auto place = Place::parse(sysname);
    if (!place || !place->is_local())
        return fail(ErrorKind::invalid, "\"{}\" is no USB device", printable(sysname));
    const fs::path folder = devices_folder(roots) / sysname;
    const auto gone = [&] { return fail(ErrorKind::not_found, "{}: no device there", sysname); };
    const Attributes attributes(folder);

    LocalDevice local;
    local.sysfs_path = sysname;
    local.devpath = devpath_of(roots, folder);
    Device& device = local.device;
    device.place = *place;
    device.devnum = attributes.decimal("devnum");
    if (device.devnum == 0)
        return gone();
    device.controller = controller_of(local.devpath);
    device.id = {
        attributes.hex<std::uint16_t>("idVendor"), attributes.hex<std::uint16_t>("idProduct")};
    device.bcd_device = attributes.hex<std::uint16_t>("bcdDevice");
    device.device_class = attributes.code("bDeviceClass", "bDeviceSubClass", "bDeviceProtocol");
    device.configurations = attributes.decimal("bNumConfigurations");
    device.speed = speed_from_sysfs(trim(attributes.text("speed")));
    device.manufacturer = printable(attributes.text("manufacturer"));
    device.product = printable(attributes.text("product"));
    device.serial = printable(attributes.text("serial"));
    local.on_vhci = is_vhci(local.devpath);
    // In this order: the link is there while the driver's probe is still at work, and the lock that
    // a read of the configuration waits for is held until it is over (really_probe, dd.c), and
    // while the device is being authorised (usb_authorize_device, hub.c): what stood there before
    // would be told afterwards.
    local.device_driver = attributes.link("driver");
    local.configuration = attributes.decimal("bConfigurationValue");
    local.authorized = attributes.text("authorized") == "1";
    read_interfaces(folder, local.sysfs_path, local);
    if (device.interfaces.empty())
        device.interfaces = interfaces_in(attributes.text("descriptors"), local.configuration);
    read_peer(roots, folder, local);
    // Another device may have come to this place meanwhile: half of each is nothing.
    if (attributes.decimal("devnum") != device.devnum)
        return gone();
    return local;
}

Result<LocalDevice> read_again(const Roots& roots, const LocalDevice& seen) {
    const Attributes attributes(devices_folder(roots) / seen.sysfs_path);
    LocalDevice now = seen;
    Device& device = now.device;
    device.devnum = attributes.decimal("devnum");
    device.id = {
        attributes.hex<std::uint16_t>("idVendor"), attributes.hex<std::uint16_t>("idProduct")};
    device.bcd_device = attributes.hex<std::uint16_t>("bcdDevice");
    now.device_driver = attributes.link("driver"); // first, as above
    now.configuration = attributes.decimal("bConfigurationValue");
    now.authorized = attributes.text("authorized") == "1";
    const bool same = device == seen.device && seen.configuration == 0 && now.configuration == 0;
    return same && attributes.decimal("devnum") == device.devnum
               ? Result<LocalDevice>(std::move(now))
               : read_local_device(roots, seen.sysfs_path);
}

std::vector<std::string> list_local_devices(const Roots& roots) {
    std::vector<Place> places;
    for (const auto& name : children(devices_folder(roots)))
        if (auto place = Place::parse(name))
            places.push_back(std::move(*place));
    std::sort(places.begin(), places.end());
    std::vector<std::string> names;
    names.reserve(places.size());
    for (const auto& place : places)
        names.push_back(place.busid());
    return names;
}

std::vector<HubPorts> list_hubs(const Roots& roots) {
    std::vector<HubPorts> hubs;
    std::error_code error;
    const auto sys = std::filesystem::canonical(roots.sys(), error).string();
    for (const auto& name : children(devices_folder(roots))) {
        const auto folder = devices_folder(roots) / name;
        const auto count = read_attribute(folder / "maxchild");
        const unsigned ports = count ? parse_decimal(*count, 255).value_or(0) : 0;
        const bool bus = name.starts_with("usb");
        if (!bus && ports == 0)
            continue; // no hub, or an interface
        const auto real = std::filesystem::canonical(folder, error).string();
        HubPorts hub{name, "", ports};
        if (bus && real.starts_with(sys + '/'))
            hub.controller = controller_of(real.substr(sys.size()) + "/" + name.substr(3) + "-1");
        hubs.push_back(std::move(hub));
    }
    return hubs;
}

std::vector<UsbPort> list_usb_ports(const Roots& roots) {
    std::vector<UsbPort> ports;
    for (const auto& hub : children(devices_folder(roots))) {
        const fs::path folder = devices_folder(roots) / hub;
        const unsigned count = Attributes(folder).decimal("maxchild");
        const bool root = hub.starts_with("usb");
        const auto devpath = count > 0 ? devpath_of(roots, folder) : std::string();
        if (count == 0 || count > max_hub_ports || is_vhci(devpath))
            continue;
        for (unsigned port = 1; port <= count; ++port)
            if (auto place = Place::parse(
                    root ? fmt::format("{}-{}", hub.substr(3), port)
                         : fmt::format("{}.{}", hub, port)))
                ports.push_back({std::move(*place), controller_of(devpath)});
    }
    return ports;
}

std::vector<LocalDevice> read_local_devices(const Roots& roots) {
    std::vector<LocalDevice> devices;
    for (const auto& name : list_local_devices(roots))
        if (auto device = read_local_device(roots, name))
            devices.push_back(std::move(*device));
    return devices;
}

} // namespace longcord
