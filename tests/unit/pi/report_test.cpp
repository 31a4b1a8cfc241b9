// SPDX-License-Identifier: MIT
#include "devices.hpp"
#include "pi/metrics.hpp"
#include "pi/report.hpp"

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

using namespace longcord;
using namespace longcord::testing;
using nlohmann::json;

namespace {

struct Pi {
    ExportState state;
    std::map<std::string, Judgement> judgements;
    std::map<std::string, State> said;
    std::vector<LinkStatus> links;
    std::map<std::string, StreamStatus> streams;
    UsbipServerStatus server{3240, true, "", 0, 0};
    Tickets::Refused refused;
    std::vector<SerialPortReport> ports;

    void add(const LocalDevice& local) {
        observe(state, local.device.place.busid(), local, Sight::at_start, TimePoint{});
        const auto plan = plan_exports(state, {}, {}, TimePoint{});
        judgements = plan.judgements;
        for (const auto& device : plan.announce)
            state.announced[device.place.busid()] = device;
    }
    PiReportInput input() const {
        return {
            "workbench",
            state,
            judgements,
            links,
            [this](const std::string& busid) -> const State* {
                const auto found = said.find(busid);
                return found == said.end() ? nullptr : &found->second;
            },
            [this](const std::string& busid) {
                const auto found = streams.find(busid);
                return found == streams.end() ? std::nullopt : std::optional(found->second);
            },
            server,
            refused,
            true,
            "",
            ports};
    }
    std::string metric(const std::string& line) const {
        const auto text = pi_metrics(input());
        const auto at = text.find("\n" + line + " ");
        if (at == std::string::npos)
            return "none";
        const auto value = at + line.size() + 2;
        return text.substr(value, text.find('\n', value) - value);
    }
};

} // namespace

TEST_CASE("an exported device says which VM has it") {
    Pi pi;
    pi.add(bound(acm_board("1-1.2")));
    pi.said["1-1.2"] = State{"1-1.2", "pve1", 100, "plugged", ""};
    const json device = report_pi_devices(pi.input())["devices"][0];
    CHECK(device["place"] == "1-1.2");
    CHECK(device["id"] == "1a86:55d4");
    CHECK(device["mode"] == "usbip");
    CHECK(device["exported"] == true);
    CHECK(device["state"] == "plugged");
    CHECK(device["node"] == "pve1");
    CHECK(device["vmid"] == 100);
    CHECK(device["vm"].is_null());
    CHECK(device["stream"].is_null());
}

TEST_CASE("a stream says whose it is and what carries it, before a node has said anything") {
    Pi pi;
    pi.add(bound(acm_board("1-1.2")));
    const Holder holder{"pve1:22", "pve1", 100};
    pi.streams["1-1.2"] = {holder, "kernel TLS", Lease::State::streaming};
    const json expected{
        {"state", "streaming"}, {"engine", "kernel TLS"}, {"node", "pve1"}, {"vmid", 100}};
    CHECK(report_pi_devices(pi.input())["devices"][0]["stream"] == expected);
    pi.streams["1-1.2"] = {holder, "", Lease::State::held_back};
    const json device = report_pi_devices(pi.input())["devices"][0];
    CHECK(device["stream"]["state"] == "held back");
    CHECK(device["stream"]["engine"].is_null());
    CHECK(device["why"].get<std::string>().find("pve1") != std::string::npos);
}

TEST_CASE("a VM is named as its node names it") {
    Pi pi;
    pi.add(bound(acm_board("1-1.2")));
    pi.said["1-1.2"] = State{"1-1.2", "pve1", 100, "plugged", "", "workshop"};
    CHECK(report_pi_devices(pi.input())["devices"][0]["vm"] == "workshop");
}

TEST_CASE("refused tickets, a port that is taken, and the limit of exports are reported") {
    Pi pi;
    pi.links = {{"pve1", "10.77.0.1:22", true, ""}};
    pi.refused = {1, 2, 3};
    pi.server = {3240, false, "port 3240 is taken by usbipd (pid 7)", 0, 0};
    for (int port = 1; port <= 15; ++port)
        pi.add(bound(acm_board(fmt::format("1-{}", port))));
    json status = report_pi_status(pi.input());
    CHECK(status["usbip"]["refused_tickets"] == json{{"wrong", 1}, {"replayed", 2}, {"late", 3}});
    CHECK(status["usbip"]["listening"] == false);
    CHECK(status["problems"] == json{"port 3240 is taken by usbipd (pid 7)"});
    CHECK(status["exports"] == json{{"used", 15}, {"limit", 16}});
    pi.add(bound(acm_board("1-16")));
    status = report_pi_status(pi.input());
    CHECK(status["exports"]["used"] == 16);
    CHECK(status["problems"].size() == 2);
}

TEST_CASE("a device that stays says why") {
    Pi pi;
    pi.add(keyboard("1-1.3"));
    const json device = report_pi_devices(pi.input())["devices"][0];
    CHECK(device["mode"] == "off");
    CHECK(device["exported"] == false);
    CHECK(device["state"].is_null());
    CHECK(device["node"].is_null());
    CHECK(device["vmid"].is_null());
    CHECK(device["why"] == "its driver usbhid is not exported");
}

TEST_CASE("a failure says more than the wish") {
    Pi pi;
    pi.add(acm_board("1-1.2"));
    note_failure(pi.state, "1-1.2", "usbip-host has 16 exports", TimePoint{});
    const json device = report_pi_devices(pi.input())["devices"][0];
    CHECK(device["mode"] == "usbip");
    CHECK(device["exported"] == false);
    CHECK(device["why"] == "usbip-host has 16 exports");
}

TEST_CASE("devices come in the order of their places") {
    Pi pi;
    pi.add(keyboard("1-10"));
    pi.add(keyboard("1-9"));
    const json devices = report_pi_devices(pi.input())["devices"];
    CHECK(devices[0]["place"] == "1-9");
    CHECK(devices[1]["place"] == "1-10");
}

TEST_CASE("status has the links, and says what is missing") {
    Pi pi;
    CHECK(report_pi_status(pi.input())["problems"].size() == 1);
    pi.links = {{"pve1", "10.77.0.1:22", true, ""}, {"", "10.77.0.9:22", false, "no route"}};
    auto input = pi.input();
    json status = report_pi_status(input);
    CHECK(status["role"] == "pi");
    CHECK(status["name"] == "workbench");
    CHECK(status["problems"].empty());
    CHECK(status["links"][0]["node"] == "pve1");
    CHECK(status["links"][0]["linked"] == true);
    CHECK(status["links"][1]["node"].is_null());
    CHECK(status["links"][1]["problem"] == "no route");
    input.usbip_host = false;
    CHECK(report_pi_status(input)["problems"].size() == 1);
}

TEST_CASE("metrics count refused tickets by reason, and who was turned away") {
    Pi pi;
    CHECK(pi.metric("longcord_refused_tickets_total{reason=\"wrong\"}") == "0");
    pi.refused = {3, 2, 1};
    pi.server.turned_away = 9;
    CHECK(pi.metric("longcord_refused_tickets_total{reason=\"wrong\"}") == "3");
    CHECK(pi.metric("longcord_refused_tickets_total{reason=\"replayed\"}") == "2");
    CHECK(pi.metric("longcord_refused_tickets_total{reason=\"late\"}") == "1");
    CHECK(pi.metric("longcord_turned_away_total") == "9");
}

TEST_CASE("metrics tell of streams, and of promised ones not") {
    Pi pi;
    pi.add(bound(acm_board("1-1.2")));
    pi.streams["1-1.2"] = {Holder{"pve1:22", "pve1", 100}, "", Lease::State::promised};
    CHECK(pi.metric("longcord_streams") == "0");
    pi.streams["1-1.2"].state = Lease::State::streaming;
    CHECK(pi.metric("longcord_streams") == "1");
    CHECK(pi.metric("longcord_exported_devices") == "1");
}

TEST_CASE("metrics have each serial port by its place, its device plugged in or not") {
    Pi pi;
    SerialPortReport port;
    port.place = port.name = "1-1.4";
    port.stable_place = "platform-fe9c0000.xhci/1.4";
    port.port = 7001;
    pi.ports.push_back(port);
    const std::string labels = "{place=\"1-1.4\",controller_place=\"platform-fe9c0000.xhci/1.4\","
                               "port=\"7001\"}";
    CHECK(pi.metric("longcord_serial_port_listening" + labels) == "1");
    CHECK(pi.metric("longcord_serial_port_present" + labels) == "0");
    CHECK(pi.metric("longcord_serial_port_owned" + labels) == "0");
    pi.ports[0].status.server.present = true;
    pi.ports[0].status.server.owner = "10.77.0.9:40000";
    pi.ports[0].status.server.observers = 2;
    pi.ports[0].status.problem = "port 7001 is taken";
    CHECK(pi.metric("longcord_serial_port_listening" + labels) == "0");
    CHECK(pi.metric("longcord_serial_port_present" + labels) == "1");
    CHECK(pi.metric("longcord_serial_port_owned" + labels) == "1");
    CHECK(pi.metric("longcord_serial_port_observers" + labels) == "2");
}
