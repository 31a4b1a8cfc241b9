// SPDX-License-Identifier: MIT
// Each fault is made below a folder, one by one, and named with what to do.
#include "base/files.hpp"
#include "doctor/kernel_checks.hpp"
#include "doctor/pve_checks.hpp"
#include "doctor/service_checks.hpp"
#include "doctor/sshd_check.hpp"

#include <algorithm>
#include <filesystem>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

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
    for (const auto& findings : {check_node_kernel(machine.roots), check_pi_kernel(machine.roots)})
        for (const auto& finding : findings)
            if (finding.level != Finding::Level::good)
                CHECK_FALSE(finding.todo.empty());
}

TEST_CASE("a missing vhci_hcd is bad, a missing tls a warning: streams are sealed all the same") {
    Machine machine;
    CHECK(
        about(check_node_kernel(machine.roots), "kernel module vhci_hcd").level ==
        Finding::Level::bad);
    CHECK(
        about(check_node_kernel(machine.roots), "kernel module tls").level ==
        Finding::Level::warning);
    machine.file("sys/module/tls/refcnt", "0\n");
    CHECK(
        about(check_node_kernel(machine.roots), "kernel module tls").level == Finding::Level::good);
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
    CHECK(about(check_node_kernel(machine.roots), "vhci ports").what == "1 of 2 are taken");
    machine.file(folder + "status", head + "hs  0000 006 002 00010002 000008 5-1\n" + used);
    CHECK(about(check_node_kernel(machine.roots), "vhci ports").level == Finding::Level::bad);
}

TEST_CASE("a root hub that lets drivers bind is bad") {
    Machine machine;
    const std::string folder = "sys/devices/platform/vhci_hcd.0/";
    machine.file(folder + "attach")
        .file(folder + "nports", "0\n")
        .file(folder + "status", "hub port sta spd dev sockfd local_busid\n");
    machine.file(folder + "usb5/interface_authorized_default", "1\n");
    CHECK(about(check_node_kernel(machine.roots), "root hub usb5").level == Finding::Level::bad);
}

TEST_CASE("little memory for usbfs is a warning, none of a limit is fine") {
    for (const auto& [value, level] :
         {std::pair("16\n", Finding::Level::warning), std::pair("64\n", Finding::Level::good),
          std::pair("0\n", Finding::Level::good)}) {
        Machine machine;
        machine.file("sys/module/usbcore/parameters/usbfs_memory_mb", value);
        CHECK(about(check_node_kernel(machine.roots), "usbfs memory").level == level);
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

TEST_CASE("an sshd that does not take its configuration is told in its own words") {
    const auto findings =
        judge_sshd("/etc/ssh/sshd_config line 3: Bad configuration option: Foo\n");
    REQUIRE(findings.size() == 1);
    CHECK(findings.front().what.find("Bad configuration option: Foo") != std::string::npos);
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

TEST_CASE("replies that are no such thing are harmless") {
    for (const char* odd :
         {R"({"pis":7,"problems":{"a":1},"version":[]})", "[]", "3", R"({"pis":[1,null,"x"]})"}) {
        const auto reply = nlohmann::json::parse(odd);
        judge_host_status(reply);
        judge_pi_status(reply);
    }
}
