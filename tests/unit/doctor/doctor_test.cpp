// SPDX-License-Identifier: MIT
// Each fault is made below a folder, one by one, and named with what to do.
#include "base/files.hpp"
#include "base/unique_fd.hpp"
#include "doctor/clock_check.hpp"
#include "doctor/kernel_checks.hpp"
#include "doctor/port_checks.hpp"
#include "doctor/pve_checks.hpp"
#include "doctor/service_checks.hpp"
#include "doctor/sshd_check.hpp"

#include <algorithm>
#include <filesystem>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace longcord;
namespace fs = std::filesystem;

namespace {

struct Machine {
    Machine() {
        std::string name = fs::temp_directory_path() / "longcord-doctor-XXXXXX";
        roots.prefix = ::mkdtemp(name.data());
    }
    ~Machine() {
        std::error_code ignored;
        fs::remove_all(roots.prefix, ignored);
    }
    Machine& file(const std::string& path, const std::string& content = "") {
        REQUIRE(write_file(roots.prefix / path, content).has_value());
        return *this;
    }
    Machine& proxmox() {
        fs::create_directories(roots.pve() / "nodes/pve1/qemu-server");
        fs::create_directory_symlink("nodes/pve1", roots.pve() / "local");
        fs::create_directory_symlink("nodes/pve1/qemu-server", roots.pve() / "qemu-server");
        return *this;
    }
    Roots roots;
};

/// The finding about this subject, or one that fails the test.
Finding about(const Findings& findings, const std::string& subject) {
    const auto found = std::ranges::find_if(
        findings, [&](const Finding& finding) { return finding.subject == subject; });
    INFO(subject);
    REQUIRE(found != findings.end());
    return *found;
}

bool says_nothing_bad(const Findings& findings) {
    return std::ranges::all_of(
        findings, [](const Finding& finding) { return finding.level == Finding::Level::good; });
}

const char* const good_sshd = "authenticationmethods publickey\npubkeyauthentication yes\n"
                              "authorizedkeyscommand /usr/libexec/longcord/longcord-keys\n"
                              "authorizedkeyscommanduser root\ndisableforwarding yes\n"
                              "permittunnel no\npermittty no\npermituserrc no\nforcecommand none\n";

} // namespace

TEST_CASE("what is not good says what to do") {
    Machine machine;
    for (const auto& findings :
         {check_node_kernel(machine.roots, true), check_pi_kernel(machine.roots)})
        for (const auto& finding : findings)
            if (finding.level != Finding::Level::good)
                CHECK_FALSE(finding.todo.empty());
}

TEST_CASE("a missing vhci_hcd is bad, a missing tls a warning: streams are sealed all the same") {
    Machine machine;
    CHECK(
        about(check_node_kernel(machine.roots, true), "kernel module vhci_hcd").level ==
        Finding::Level::bad);
    CHECK(
        about(check_node_kernel(machine.roots, true), "kernel module tls").level ==
        Finding::Level::warning);
    machine.file("sys/module/tls/refcnt", "0\n");
    CHECK(
        about(check_node_kernel(machine.roots, true), "kernel module tls").level ==
        Finding::Level::good);
}

TEST_CASE("all vhci ports taken is bad, one free is not") {
    const std::string head = "hub port sta spd dev      sockfd local_busid\n";
    const std::string free = "hs  0000 004 000 00000000 000000 0-0\n";
    const std::string used = "hs  0001 006 002 00010003 000009 5-2\n";
    Machine machine;
    const std::string folder = "sys/devices/platform/vhci_hcd.0/";
    machine.file(folder + "attach")
        .file(folder + "nports", "2\n")
        .file(folder + "status", head + free + used);
    CHECK(about(check_node_kernel(machine.roots, true), "vhci ports").what == "1 of 2 are taken");
    machine.file(folder + "status", head + "hs  0000 006 002 00010002 000008 5-1\n" + used);
    CHECK(about(check_node_kernel(machine.roots, true), "vhci ports").level == Finding::Level::bad);
}

TEST_CASE("all vhci ports of one speed taken is bad: those of the other are no help") {
    const std::string high = "hs  0000 006 002 00010002 000008 5-1\n";
    const std::string super = "ss  0001 006 005 00010003 000009 6-1\n";
    const std::string folder = "sys/devices/platform/vhci_hcd.0/";
    for (const auto& [rows, what] :
         {std::pair(
              high + "ss  0001 004 000 00000000 000000 0-0\n",
              "1 of 2 are taken: no further device up to 480 Mbit/s can be imported"),
          std::pair(
              "hs  0000 004 000 00000000 000000 0-0\n" + super,
              "1 of 2 are taken: no further device above 480 Mbit/s can be imported"),
          std::pair(high + super, "2 of 2 are taken: no further device can be imported")}) {
        Machine machine;
        machine.file(folder + "attach").file(folder + "nports", "2\n");
        machine.file(folder + "status", "hub port sta spd dev      sockfd local_busid\n" + rows);
        const auto finding = about(check_node_kernel(machine.roots, true), "vhci ports");
        CHECK(finding.level == Finding::Level::bad);
        CHECK(finding.what == what);
    }
}

TEST_CASE(
    "a root hub that lets drivers bind is bad, one that lets claimed devices have interfaces not") {
    Machine machine;
    const std::string folder = "sys/devices/platform/vhci_hcd.";
    machine.file(folder + "0/attach")
        .file(folder + "0/nports", "0\n")
        .file(folder + "0/status", "hub port sta spd dev sockfd local_busid\n");
    const auto hub = folder + "1/usb7/";
    machine.file(hub + "authorized_default", "0\n")
        .file(hub + "interface_authorized_default", "1\n");
    CHECK(std::ranges::none_of(check_node_kernel(machine.roots, true), [](const Finding& finding) {
        return finding.subject == "root hub usb7";
    }));
    CHECK(
        about(check_node_kernel(machine.roots, false), "root hub usb7").level ==
        Finding::Level::bad);
    machine.file(hub + "authorized_default", "1\n");
    CHECK(
        about(check_node_kernel(machine.roots, true), "root hub usb7").level ==
        Finding::Level::bad);
}

TEST_CASE("little memory for usbfs is a warning, none of a limit is fine") {
    for (const auto& [value, level] :
         {std::pair("16\n", Finding::Level::warning), std::pair("64\n", Finding::Level::good),
          std::pair("0\n", Finding::Level::good)}) {
        Machine machine;
        machine.file("sys/module/usbcore/parameters/usbfs_memory_mb", value);
        CHECK(about(check_node_kernel(machine.roots, true), "usbfs memory").level == level);
    }
}

TEST_CASE("sshd: the drop-in in force is good, each setting that is not is named") {
    CHECK(says_nothing_bad(judge_sshd(good_sshd)));
    for (const std::string line :
         {"authenticationmethods publickey", "disableforwarding yes", "permittunnel no",
          "permittty no", "authorizedkeyscommand /usr/libexec/longcord/longcord-keys",
          "permituserrc no", "authorizedkeyscommanduser root", "forcecommand none",
          "pubkeyauthentication yes"}) {
        std::string changed = good_sshd;
        const auto at = changed.find(line);
        REQUIRE(at != std::string::npos);
        const auto key = line.substr(0, line.find(' '));
        changed.replace(at, line.size(), key + " otherwise");
        const auto findings = judge_sshd(changed);
        REQUIRE(findings.size() == 1);
        CHECK(findings.front().level == Finding::Level::bad);
        CHECK(findings.front().what.find(key) != std::string::npos);
    }
    // A key with arguments is ours too.
    std::string with_arguments = good_sshd;
    with_arguments.insert(with_arguments.find("longcord-keys") + 13, " %f");
    CHECK(says_nothing_bad(judge_sshd(with_arguments)));
}

TEST_CASE("sshd: what the drop-in cannot take back keeps Pis out") {
    for (const std::string line :
         {"denyusers longcord", "denyusers long*", "denygroups longcord", "denygroups *"}) {
        const auto findings = judge_sshd(good_sshd + ("denyusers guest\n" + line) + "\n");
        REQUIRE(findings.size() == 1);
        CHECK(findings.front().what == "keeps the user longcord out: \"" + line + "\"");
    }
    for (const std::string line :
         {"denyusers guest", "denyusers longcord@192.0.2.9", "denygroups longcords"})
        CHECK(says_nothing_bad(judge_sshd(good_sshd + line + "\n")));
}

TEST_CASE("an sshd that does not take its configuration is told in its own words") {
    const auto findings =
        judge_sshd("/etc/ssh/sshd_config line 3: Bad configuration option: Foo\n");
    REQUIRE(findings.size() == 1);
    CHECK(findings.front().what.find("Bad configuration option: Foo") != std::string::npos);
    CHECK(
        judge_sshd("x line 1: no argument\r\nx: terminating\r\n").front().what ==
        "does not accept its configuration: x line 1: no argument; x: terminating");
    CHECK(judge_sshd("").front().level == Finding::Level::bad);
}

TEST_CASE("without Proxmox there is nothing to say of it; /etc/pve that is not mounted is bad") {
    Machine machine;
    CHECK(says_nothing_bad(check_pve(machine.roots)));
    fs::create_directories(machine.roots.pve());
    CHECK(about(check_pve(machine.roots), "/etc/pve").level == Finding::Level::bad);
}

TEST_CASE("no quorum is bad") {
    Machine machine;
    machine.proxmox().file("etc/pve/.members", R"({"cluster":{"quorate":0}})");
    CHECK(about(check_pve(machine.roots), "cluster").level == Finding::Level::bad);
    for (const char* members :
         {R"({"cluster":{"quorate":1}})", R"({"nodename":"pve1"})", "{", ""}) {
        machine.file("etc/pve/.members", members);
        CHECK(about(check_pve(machine.roots), "cluster").level == Finding::Level::good);
    }
}

TEST_CASE("a hookscript that a VM names and this node has not keeps the VM from starting") {
    Machine machine;
    machine.proxmox().file(
        "etc/pve/qemu-server/100.conf", "hookscript: local:snippets/longcord-hookscript\n");
    CHECK(
        about(check_pve(machine.roots), "VM 100").todo.find("qm set 100 --delete hookscript") !=
        std::string::npos);
    machine.file("var/lib/vz/snippets/longcord-hookscript", "#!/bin/sh\n");
    CHECK(says_nothing_bad(check_pve(machine.roots)));
}

TEST_CASE("a VM with rules and no xHCI controller is named, one with either kind is not") {
    for (const auto& [config, fine] :
         {std::pair("name: a\n", false), std::pair("usb0: spice\n", true),
          std::pair("args: -device qemu-xhci,id=longcord\n", true)}) {
        Machine machine;
        machine.proxmox().file("etc/pve/qemu-server/100.conf", config);
        machine.file("etc/pve/qemu-server/100.usb.conf", "3-4\n");
        CHECK(says_nothing_bad(check_pve(machine.roots)) == fine);
    }
    Machine without_rules;
    without_rules.proxmox().file("etc/pve/qemu-server/100.conf", "name: a\n");
    CHECK(says_nothing_bad(check_pve(without_rules.roots)));
}

TEST_CASE("udev rules that plug by themselves are a warning, others are not") {
    Machine machine;
    machine.file(
        "etc/udev/rules.d/90-usb.rules",
        "SUBSYSTEM==\"usb\", RUN+=\"/usr/bin/python3 /root/hotplugger/hotplugger.py\"\n");
    machine.file("etc/udev/rules.d/10-names.rules", "SUBSYSTEM==\"usb\", SYMLINK+=\"board\"\n");
    const auto findings = check_old_udev_rules(machine.roots);
    REQUIRE(findings.size() == 1);
    CHECK(findings.front().subject.ends_with("90-usb.rules"));
}

TEST_CASE("a service that does not answer is bad, one of another version a warning") {
    CHECK(judge_host_status(nullptr).front().level == Finding::Level::bad);
    CHECK(judge_pi_status(nullptr).front().level == Finding::Level::bad);
    CHECK(
        about(judge_host_status({{"version", "0.0.1"}}), "longcord-host").level ==
        Finding::Level::warning);
    CHECK(says_nothing_bad(judge_host_status({{"version", LONGCORD_VERSION}})));
}

TEST_CASE("a Pi or a node that is not linked is named, and the services' own problems are told") {
    nlohmann::json host{{"version", LONGCORD_VERSION}, {"problems", {"no vhci"}}};
    host["pis"] = {{{"name", "workbench"}, {"linked", false}, {"problem", "not linked"}}};
    CHECK(about(judge_host_status(host), "Pi workbench").level == Finding::Level::warning);
    CHECK(judge_host_status(host).back().what == "no vhci");
    nlohmann::json pi{{"version", LONGCORD_VERSION}};
    pi["links"] = {{{"host", "pve1:22"}, {"linked", false}, {"problem", "refused"}}};
    CHECK(about(judge_pi_status(pi), "node pve1:22").level == Finding::Level::bad);
}

TEST_CASE("a hookscript on another storage is looked for where that storage is") {
    Machine machine;
    machine.proxmox()
        .file("etc/pve/storage.cfg", "nfs: share\n\tserver 10.0.0.9\n")
        .file("etc/pve/qemu-server/100.conf", "hookscript: share:snippets/hook\n");
    CHECK(about(check_pve(machine.roots), "VM 100").level == Finding::Level::bad);
    machine.file("mnt/pve/share/snippets/hook", "#!/bin/sh\n");
    CHECK(says_nothing_bad(check_pve(machine.roots)));
}

TEST_CASE("a VM of another node whose hookscript is missing here could not come here") {
    Machine machine;
    machine.proxmox().file(
        "etc/pve/nodes/pve2/qemu-server/200.conf",
        "hookscript: local:snippets/longcord-hookscript\n");
    const auto finding = about(check_pve(machine.roots), "VM 200");
    CHECK(finding.level == Finding::Level::warning);
    CHECK(finding.what.find("of pve2") != std::string::npos);
    machine.file("var/lib/vz/snippets/longcord-hookscript", "#!/bin/sh\n");
    CHECK(says_nothing_bad(check_pve(machine.roots)));
}

TEST_CASE("the blog's script as a hookscript plugs what longcord plugs") {
    Machine machine;
    machine.proxmox()
        .file("etc/pve/qemu-server/100.conf", "hookscript: local:snippets/qmp_device_add.py\n")
        .file("var/lib/vz/snippets/qmp_device_add.py", "qmp.execute('device_add', arguments={})\n");
    const auto finding = about(check_pve(machine.roots), "VM 100");
    CHECK(finding.level == Finding::Level::warning);
    CHECK(finding.todo.find("qm set 100 --delete hookscript") != std::string::npos);
}

TEST_CASE("the udev rules of each script that Longcord replaces are known") {
    for (const char* line :
         {"SUBSYSTEM==\"usb\",RUN+=\"/mnt/pve/fast/snippets/qmp_device_add.py\"\n",
          "SUBSYSTEM==\"usb\", ACTION==\"add\", RUN+=\"/bin/bash -c 'python3 "
          "/opt/hotplugger/hotplugger.py'\"\n",
          "SUBSYSTEM==\"usb\", ENV{PRODUCT}==\"10c4/ea60/100\", "
          "RUN+=\"/opt/udev-scripts/usb-libvirt-hotplug.sh hassio\"\n",
          "SUBSYSTEM==\"usb\", RUN+=\"/usr/local/bin/notify-vm.sh connect %k\"\n"}) {
        INFO(line);
        for (const char* file :
             {"etc/udev/rules.d/90.rules", "usr/local/lib/udev/rules.d/90.rules"}) {
            Machine machine;
            machine.file(file, line);
            REQUIRE(check_old_udev_rules(machine.roots).size() == 1);
        }
    }
}

TEST_CASE("a Pi and a node of another version are a warning that names both") {
    nlohmann::json host{{"version", LONGCORD_VERSION}};
    host["pis"] = {{{"name", "workbench"}, {"linked", true}, {"software", "longcord-pi 0.0.9"}}};
    const auto finding = about(judge_host_status(host), "Pi workbench");
    CHECK(finding.level == Finding::Level::warning);
    CHECK(finding.what == "runs longcord-pi 0.0.9, this machine " LONGCORD_VERSION);
    host["pis"][0]["software"] = "longcord-pi " LONGCORD_VERSION;
    CHECK(says_nothing_bad(judge_host_status(host)));
    host["pis"][0]["software"] = nullptr; // nobody there has spoken yet
    CHECK(says_nothing_bad(judge_host_status(host)));
    nlohmann::json pi{{"version", LONGCORD_VERSION}};
    pi["links"] = {{{"host", "pve1:22"}, {"linked", true}, {"software", "longcord-host 9.0.0"}}};
    CHECK(about(judge_pi_status(pi), "node pve1:22").level == Finding::Level::warning);
}

TEST_CASE("a port 3240 that another program has is bad") {
    nlohmann::json pi{{"version", LONGCORD_VERSION}};
    pi["usbip"] = {{"port", 3240}, {"listening", false}};
    CHECK(about(judge_pi_status(pi), "port 3240").level == Finding::Level::bad);
    CHECK(about(judge_pi_status(pi), "port 3240").todo.find("usbipd") != std::string::npos);
    pi["problems"] = {"port 3240 is taken by usbipd (pid 399): no device can be served; stop it"};
    CHECK(judge_pi_status(pi).size() == 2); // the service's version, and this, once
    CHECK(
        about(judge_pi_status(pi), "port 3240").what ==
        "is taken by usbipd (pid 399): no device can be served");
    pi["problems"] = nlohmann::json::array();
    pi["usbip"]["listening"] = true;
    CHECK(says_nothing_bad(judge_pi_status(pi)));
}

TEST_CASE("a module that is missing is told by the kernel's checks, not once more by the service") {
    nlohmann::json status{{"version", LONGCORD_VERSION}};
    status["problems"] = {"no usbip-host: run \"modprobe usbip-host\" to export devices"};
    CHECK(judge_pi_status(status).size() == 1);
    status["problems"] = {"no vhci_hcd: run \"modprobe vhci-hcd\" to import devices of Pis"};
    CHECK(judge_host_status(status).size() == 1);
}

TEST_CASE("RAM that was saved while a device was plugged: how to load it, how to avoid it") {
    nlohmann::json host{{"version", LONGCORD_VERSION}};
    host["problems"] = {
        "VM 100: the RAM of snapshot \"before\" was saved with 3-4 plugged and will "
        "not load; it does with -device x"};
    const auto finding = about(judge_host_status(host), "VM 100");
    CHECK(finding.level == Finding::Level::warning);
    CHECK(finding.what.find("it does with -device x") != std::string::npos);
    CHECK(finding.todo.find("longcord vm quiesce 100 -- qm snapshot 100") != std::string::npos);
}

TEST_CASE("a Pi's port that nobody listens at is bad, as is one that a firewall swallows") {
    const UniqueFd listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    REQUIRE(
        ::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof address) ==
        0); // NOLINT
    socklen_t size = sizeof address;
    REQUIRE(
        ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0); // NOLINT
    nlohmann::json host;
    host["pis"] = {
        {{"name", "workbench"},
         {"linked", true},
         {"address", "127.0.0.1"},
         {"usbip_port", ntohs(address.sin_port)}}};
    auto finding = about(check_pi_ports(host), "Pi workbench");
    CHECK(finding.level == Finding::Level::bad);
    CHECK(finding.what.find("nobody listens") != std::string::npos);
    REQUIRE(::listen(listener.get(), 0) == 0);
    CHECK(about(check_pi_ports(host), "Pi workbench").level == Finding::Level::good);
    // A full backlog answers nothing, as a firewall that drops.
    std::vector<UniqueFd> waiting;
    for (int each = 0; each < 8; ++each) {
        waiting.emplace_back(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
        (void)::connect(
            waiting.back().get(), reinterpret_cast<sockaddr*>(&address), sizeof address); // NOLINT
    }
    finding = about(check_pi_ports(host, milliseconds(50)), "Pi workbench");
    CHECK(finding.level == Finding::Level::bad);
    CHECK(finding.todo.find("firewall") != std::string::npos);
    host["pis"][0]["linked"] = false; // told as that
    CHECK(check_pi_ports(host).empty());
}

TEST_CASE("a clock before this release is wrong, one that nobody keeps may be") {
    using namespace std::chrono;
    const auto day = [](int number) { return sys_seconds(sys_days(year(number) / 1 / 1)); };
    CHECK(judge_clock(day(1970), true).level == Finding::Level::warning);
    CHECK(judge_clock(day(1970), false).what.find("it says 1970-01-01T") != std::string::npos);
    CHECK(judge_clock(day(2100), true).level == Finding::Level::good);
    CHECK(judge_clock(day(2100), false).level == Finding::Level::warning);
    CHECK(judge_clock(day(2100), false).todo.find("timedatectl") != std::string::npos);
}

TEST_CASE("replies that are no such thing are harmless") {
    for (const char* odd :
         {R"({"pis":7,"problems":{"a":1},"version":[]})", "[]", "3", R"({"pis":[1,null,"x"]})"}) {
        const auto reply = nlohmann::json::parse(odd);
        judge_host_status(reply);
        judge_pi_status(reply);
        check_pi_ports(reply);
    }
}
