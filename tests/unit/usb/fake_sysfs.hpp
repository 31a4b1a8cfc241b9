// SPDX-License-Identifier: MIT
// A small /sys below a temporary directory, built with verbs: controller, device, interface,
// remove. Links lead where the kernel's lead, so what is read through it is read as on a real
// machine.
#pragma once

#include "base/roots.hpp"
#include "usb/place.hpp"

#include <filesystem>
#include <fstream>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <unistd.h>

namespace longcord::testing {

namespace fs = std::filesystem;

class FakeSysfs {
  public:
    using Attributes = std::map<std::string, std::string>;

    FakeSysfs() {
        std::string name = (fs::temp_directory_path() / "longcord-sysfs-XXXXXX").string();
        if (!::mkdtemp(name.data()))
            throw std::runtime_error("mkdtemp");
        prefix_ = name;
        fs::create_directories(devices());
    }
    ~FakeSysfs() {
        std::error_code ignored;
        fs::remove_all(prefix_, ignored);
    }
    FakeSysfs(const FakeSysfs&) = delete;
    FakeSysfs& operator=(const FakeSysfs&) = delete;

    Roots roots() const { return Roots{prefix_}; }
    fs::path devices() const { return prefix_ / "sys/bus/usb/devices"; }

    /// controller(3, "/devices/pci0000:00/0000:00:14.0") makes the root hub "usb3".
    void controller(unsigned bus, const std::string& devpath) {
        const auto name = "usb" + std::to_string(bus);
        add(name, devpath + '/' + name);
    }

    /// A device in its hub's directory, with what every device has; `own` overrides and adds.
    fs::path device(const std::string& name, const Attributes& own = {}) {
        const auto place = Place::parse(name).value();
        auto above = place;
        above.path.ports.pop_back();
        const auto hub =
            above.path.ports.empty() ? "usb" + std::to_string(place.bus) : above.busid();
        const auto folder = add(name, devpath(hub) + '/' + name);
        Attributes all{
            {"busnum", std::to_string(place.bus)},
            {"devnum", std::to_string(++last_devnum_)},
            {"idVendor", "1a86"},
            {"idProduct", "55d4"},
            {"bcdDevice", "0443"},
            {"bDeviceClass", "00"},
            {"bDeviceSubClass", "00"},
            {"bDeviceProtocol", "00"},
            {"bNumConfigurations", "1"},
            {"bConfigurationValue", "1"},
            {"speed", "12"},
            {"authorized", "1"}};
        for (const auto& [key, value] : own)
            all[key] = value;
        for (const auto& [key, value] : all)
            write(folder / key, value + '\n');
        return folder;
    }

    /// interface("3-4", 0, {2, 2, 1}, "cdc_acm") makes "3-4:1.0"; no driver: none bound.
    fs::path interface(
        const std::string& device, unsigned number, std::vector<unsigned> code,
        const std::string& driver = {}) {
        const auto name = device + ":1." + std::to_string(number);
        const auto folder = add(name, devpath(device) + '/' + name);
        write(folder / "bInterfaceNumber", hex(number));
        write(folder / "bInterfaceClass", hex(code.at(0)));
        write(folder / "bInterfaceSubClass", hex(code.at(1)));
        write(folder / "bInterfaceProtocol", hex(code.at(2)));
        if (!driver.empty())
            bind(name, driver);
        return folder;
    }

    /// The `driver` link of a device or interface; an empty driver takes it away.
    void bind(const std::string& name, const std::string& driver) {
        const auto link = devices() / name / "driver";
        fs::remove(link);
        if (driver.empty())
            return;
        const auto target = prefix_ / "sys/bus/usb/drivers" / driver;
        fs::create_directories(target);
        fs::create_directory_symlink(target, link);
    }

    /// The device with its interfaces, and everything below it, as the kernel takes it away.
    void remove(const std::string& name) {
        std::vector<fs::path> links;
        for (const auto& entry : fs::directory_iterator(devices())) {
            const auto other = entry.path().filename().string();
            if (other == name || other.starts_with(name + ':') || other.starts_with(name + '.'))
                links.push_back(entry.path());
        }
        const auto folder = fs::canonical(devices() / name);
        for (const auto& link : links)
            fs::remove(link);
        fs::remove_all(folder);
    }

    std::string devpath(const std::string& name) const {
        return '/' + fs::relative(fs::canonical(devices() / name), prefix_ / "sys").string();
    }

    static void write(const fs::path& file, const std::string& text) {
        fs::create_directories(file.parent_path());
        std::ofstream(file, std::ios::binary) << text;
    }

  private:
    fs::path add(const std::string& name, const std::string& devpath) {
        const auto folder = prefix_ / "sys" / devpath.substr(1);
        fs::create_directories(folder);
        fs::create_directory_symlink(fs::relative(folder, devices()), devices() / name);
        return folder;
    }
    static std::string hex(unsigned value) {
        constexpr const char* digits = "0123456789abcdef";
        return {digits[value >> 4 & 0xf], digits[value & 0xf], '\n'};
    }

    fs::path prefix_;
    unsigned last_devnum_ = 1;
};

} // namespace longcord::testing
