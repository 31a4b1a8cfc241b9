// SPDX-License-Identifier: MIT
// Against Debian's usbipd: it needs no kernel module to list and hand out a device of a /sys that
// is ours. It runs in namespaces of its own, because it listens on every address.
#include "fake_sys.hpp"
#include "result_text.hpp"
#include "usbip/import.hpp"

#include <cstdlib>
#include <optional>
#include <sched.h>
#include <thread>

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address_v4.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <doctest/doctest.h>

#include <fcntl.h>
#include <net/if.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace longcord;
using namespace longcord::test;
using namespace std::chrono_literals;
using asio::ip::tcp;

namespace {

const tcp::endpoint usbipd_endpoint(asio::ip::address_v4::loopback(), usbip_port);

/// For the calling thread and its children: a network with nothing but loopback.
bool enter_own_network() {
    if (::unshare(CLONE_NEWNET) != 0)
        return false;
    const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    ifreq request{};
    request.ifr_name[0] = 'l';
    request.ifr_name[1] = 'o';
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    return ::ioctl(socket.get(), SIOCSIFFLAGS, &request) == 0;
}

class Usbipd {
  public:
    explicit Usbipd(const std::filesystem::path& sys) : pid_(::fork()) {
        if (pid_ != 0)
            return;
        const bool ready = ::unshare(CLONE_NEWNS) == 0 &&
                           ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
                           ::mount(sys.c_str(), "/sys", nullptr, MS_BIND, nullptr) == 0 &&
                           // libudev: this /sys need not be a sysfs (systemd, docs/ENVIRONMENT.md)
                           ::setenv("SYSTEMD_DEVICE_VERIFY_SYSFS", "0", 1) == 0;
        const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
        ::dup2(null, STDOUT_FILENO);
        ::dup2(null, STDERR_FILENO);
        if (ready)
            ::execl("/usr/sbin/usbipd", "usbipd", "-4", nullptr);
        ::_exit(127);
    }
    ~Usbipd() {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
    }
    Usbipd(const Usbipd&) = delete;
    Usbipd& operator=(const Usbipd&) = delete;

    /// A connection, once it listens; nullopt when it has ended instead.
    std::optional<tcp::socket> connect(asio::io_context& loop) const {
        for (;;) {
            tcp::socket socket(loop);
            boost::system::error_code error;
            socket.connect(usbipd_endpoint, error);
            if (!error)
                return socket;
            if (::waitpid(pid_, nullptr, WNOHANG) != 0)
                return std::nullopt;
            std::this_thread::sleep_for(1ms);
        }
    }

  private:
    pid_t pid_;
};

/// 1-2, bound to usbip-host, as usbipd's library looks at it (libsrc/usbip_common.c).
void add_exported_device(FakeSys& sys, const std::string& status) {
    const std::string device = "devices/pci0000:00/0000:00:14.0/usb1/1-2/";
    const std::pair<const char*, const char*> attributes[] = {
        {"uevent", "DEVTYPE=usb_device\nDRIVER=usbip-host\nBUSNUM=001\nDEVNUM=005\n"},
        {"busnum", "1\n"},
        {"devnum", "5\n"},
        {"speed", "12\n"},
        {"idVendor", "1a86\n"},
        {"idProduct", "55d4\n"},
        {"bcdDevice", "0443\n"},
        {"bDeviceClass", "02\n"},
        {"bDeviceSubClass", "00\n"},
        {"bDeviceProtocol", "00\n"},
        {"bConfigurationValue", "1\n"},
        {"bNumConfigurations", "1\n"},
        {"bNumInterfaces", " 1\n"},
        {"1-2:1.0/uevent", "DEVTYPE=usb_interface\n"},
        {"1-2:1.0/bInterfaceClass", "02\n"},
        {"1-2:1.0/bInterfaceSubClass", "02\n"},
        {"1-2:1.0/bInterfaceProtocol", "01\n"},
        {"usbip_sockfd", ""}};
    for (const auto& [name, value] : attributes)
        sys.file(device + name, value);
    sys.file(device + "usbip_status", status);
    sys.folder("bus/usb/drivers/usbip-host");
    for (const std::string name : {"1-2", "1-2:1.0"}) {
        const std::string target = name == "1-2" ? "1-2" : "1-2/1-2:1.0";
        sys.relative_link(
            "bus/usb/devices/" + name, "../../../devices/pci0000:00/0000:00:14.0/usb1/" + target);
    }
    sys.relative_link(device + "subsystem", "../../../../../bus/usb");
    sys.relative_link(device + "1-2:1.0/subsystem", "../../../../../../bus/usb");
    sys.relative_link(device + "driver", "../../../../../bus/usb/drivers/usbip-host");
}

Result<ImportedStream> import_now(asio::io_context& loop, std::string busid) {
    std::optional<Result<ImportedStream>> result;
    const auto done = [&](std::exception_ptr, Result<ImportedStream> outcome) {
        result.emplace(std::move(outcome));
    };
    const ImportLimits limits{20s, 20s};
    asio::co_spawn(loop, request_import(usbipd_endpoint, std::move(busid), limits), done);
    loop.restart();
    loop.run();
    return std::move(*result);
}

Result<std::vector<WireDevice>> list_now(tcp::socket socket) {
    asio::write(socket, asio::buffer(format_devlist_request()));
    std::string answer;
    boost::system::error_code end;
    asio::read(socket, asio::dynamic_buffer(answer), end);
    return parse_devlist_reply(answer);
}

/// `test` on a thread whose network is its own, with a usbipd that sees one device.
void with_usbipd(const std::string& status, void (*test)(asio::io_context&, tcp::socket)) {
    std::thread([&] {
        if (!enter_own_network()) {
            MESSAGE("skipped: a network of its own is not allowed here");
            return;
        }
        FakeSys sys;
        add_exported_device(sys, status);
        const Usbipd usbipd(sys.roots.sys());
        asio::io_context loop;
        auto connection = usbipd.connect(loop);
        if (!connection) {
            MESSAGE("skipped: usbipd does not run here");
            return;
        }
        try {
            test(loop, std::move(*connection));
        } catch (...) { // a REQUIRE, which is counted already, may not leave the thread
            MESSAGE("the test ended early");
        }
    }).join();
}

} // namespace

TEST_CASE("usbipd lists its device, and we read it") {
    with_usbipd("1\n", [](asio::io_context&, tcp::socket connection) {
        const auto devices = list_now(std::move(connection));
        REQUIRE(devices);
        REQUIRE(devices->size() == 1);
        const WireDevice& device = devices->front();
        CHECK(device.busid == "1-2");
        CHECK(device.devid() == 0x10005);
        CHECK(device.speed == Speed::full);
        CHECK(device.id == UsbId{0x1a86, 0x55d4});
        CHECK(device.bcd_device == 0x0443);
        CHECK(device.device_class == InterfaceClass{2, 0, 0});
        CHECK(device.configurations == 1);
        CHECK(device.interfaces == std::vector{InterfaceClass{2, 2, 1}});
    });
}

TEST_CASE("usbipd hands its device out") {
    with_usbipd("1\n", [](asio::io_context& loop, tcp::socket) {
        const auto stream = import_now(loop, "1-2");
        REQUIRE(stream);
        CHECK(stream->devid == 0x10005);
        CHECK(stream->speed == Speed::full);
    });
}

TEST_CASE("usbipd refuses what is busy, in error or not there") {
    with_usbipd("2\n", [](asio::io_context& loop, tcp::socket) {
        CHECK(import_now(loop, "1-2").error().kind == ErrorKind::busy);
        CHECK(import_now(loop, "1-20").error().kind == ErrorKind::not_found);
    });
    with_usbipd("3\n", [](asio::io_context& loop, tcp::socket) {
        const auto broken = import_now(loop, "1-2");
        CHECK(broken.error().message.find("status 3") != std::string::npos);
    });
}
