// SPDX-License-Identifier: MIT
// A device's folder in sysfs whose attributes hold anything at all. The input is a list of
// attributes, each a byte that says which, one that says how long, and its content. The reader
// meets real files, in a folder that lives in memory.
#include "base/text.hpp"
#include "must.hpp"
#include "usb/sysfs_reader.hpp"

#include <array>
#include <filesystem>

#include <fcntl.h>
#include <unistd.h>

using namespace longcord;
namespace fs = std::filesystem;

namespace {

constexpr std::array attributes{
    "idVendor",
    "idProduct",
    "bcdDevice",
    "bDeviceClass",
    "bDeviceSubClass",
    "bDeviceProtocol",
    "bNumConfigurations",
    "bConfigurationValue",
    "busnum",
    "devnum",
    "speed",
    "manufacturer",
    "product",
    "serial",
    "authorized",
    "descriptors",
    "3-4:1.0/bInterfaceNumber",
    "3-4:1.0/bInterfaceClass",
    "3-4:1.0/bInterfaceSubClass",
    "3-4:1.0/bInterfaceProtocol",
    "3-4:1.1/bInterfaceNumber",
    "3-4:1.1/bInterfaceClass"};

/// /sys with one device, gone with the process.
struct Sysfs {
    Sysfs() {
        std::string name =
            (fs::exists("/dev/shm") ? "/dev/shm" : "/tmp") + std::string("/fuzz-XXXXXX");
        must(::mkdtemp(name.data()) != nullptr, "a folder can be made");
        roots.prefix = name;
        device = roots.sys() / "devices/pci0000:00/0000:00:14.0/usb3/3-4";
        for (const char* interface : {"3-4:1.0", "3-4:1.1"})
            fs::create_directories(device / interface);
        fs::create_directories(roots.sys() / "bus/usb/devices");
        fs::create_symlink(device, roots.sys() / "bus/usb/devices/3-4");
    }
    ~Sysfs() {
        std::error_code ignored;
        fs::remove_all(roots.prefix, ignored);
    }
    void set(const char* name, std::string_view content) const {
        const int file = ::open((device / name).c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600);
        must(file >= 0, "a file can be made");
        must(
            ::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size()),
            "a file can be written");
        ::close(file);
    }

    Roots roots;
    fs::path device;
};

void check(const LocalDevice& local) {
    const Device& device = local.device;
    for (const auto* text : {&device.manufacturer, &device.product, &device.serial})
        must(
            text->size() <= max_device_string && is_utf8(*text) && printable(*text) == *text,
            "a device's strings can be shown");
    must(is_utf8(device.label()), "a device can be named");
    must(device.place.to_string() == "3-4", "it is where it was looked for");
    must(device.controller == "pci-0000:00:14.0", "its controller is known");
    must(device.interfaces.size() <= 256, "an interface has a number of one byte");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    static const Sysfs sysfs;
    std::array<bool, attributes.size()> written{};
    while (size >= 2) {
        const std::size_t which = data[0] % attributes.size();
        const std::size_t length = std::min<std::size_t>(data[1], size - 2);
        if (!written[which])
            sysfs.set(attributes[which], {reinterpret_cast<const char*>(data) + 2, length});
        written[which] = true;
        data += 2 + length;
        size -= 2 + length;
    }
    if (const auto local = read_local_device(sysfs.roots, "3-4"))
        check(*local);
    for (std::size_t i = 0; i < attributes.size(); ++i)
        if (written[i])
            ::unlink((sysfs.device / attributes[i]).c_str());
    return 0;
}
