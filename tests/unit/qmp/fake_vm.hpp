// SPDX-License-Identifier: MIT
// A VM's QMP monitor as far as a session sees it: QOM paths, texts and error classes as QEMU 7.2
// gives them. Knobs make it misbehave.
#pragma once

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace longcord::test {

using nlohmann::json;

struct FakeDevice {
    std::string type = "usb-host";
    std::string port;
    bool attached = true;
    std::string hostdevice;
    std::string hostport;
};

struct FakeVm {
    std::string status = "running";
    std::map<std::string, FakeDevice> devices;
    unsigned p2 = 15;
    unsigned p3 = 15;

    bool attaches = true;           ///< a device_add ends attached
    std::string refuses_add;        ///< QEMU's text for every device_add
    std::string refuses_del;        ///< ... device_del
    bool keeps_until_event = false; ///< device_del leaves it until finish_unplug()
    std::vector<std::string> executed;

    static constexpr const char* greeting =
        R"({"QMP": {"version": {"qemu": {"micro": 0, "minor": 0, "major": 11}, "package": ""}, )"
        R"("capabilities": []}})"
        "\r\n";

    static json failure(const std::string& text, const char* error_class = "GenericError") {
        return {{"error", {{"class", error_class}, {"desc", text}}}};
    }
    static json success(json value = json::object()) { return {{"return", std::move(value)}}; }

    static std::string text(const json& value) { return value.get<std::string>(); }

    static std::string deleted(const std::string& id) {
        return json{
                   {"event", "DEVICE_DELETED"},
                   {"data", {{"device", id}, {"path", "/machine/peripheral/" + id}}},
                   {"timestamp", {{"seconds", 1}, {"microseconds", 2}}}}
                   .dump() +
               "\r\n";
    }

    /// The whole reply line to one command.
    std::string reply(const json& command) {
        json answer = execute(text(command["execute"]), command.value("arguments", json::object()));
        answer["id"] = command["id"];
        return answer.dump() + "\r\n";
    }

    json execute(const std::string& name, const json& arguments) {
        executed.push_back(name);
        if (name == "query-status")
            return success({{"status", status}, {"running", status == "running"}});
        if (name == "qom-list")
            return list(text(arguments["path"]));
        if (name == "qom-get")
            return get(text(arguments["path"]), text(arguments["property"]));
        if (name == "device_add")
            return add(arguments);
        if (name == "device_del")
            return del(text(arguments["id"]));
        return name == "qmp_capabilities" ? success() : failure("?", "CommandNotFound");
    }

    json list(const std::string& path) const {
        if (path != "/machine/peripheral")
            return failure("Device '" + path + "' not found", "DeviceNotFound");
        json children = {
            {{"name", "type"}, {"type", "string"}},
            {{"name", "xhci"}, {"type", "child<qemu-xhci>"}}};
        for (const auto& [id, device] : devices)
            children.push_back({{"name", id}, {"type", "child<" + device.type + ">"}});
        return success(children);
    }

    json get(const std::string& path, const std::string& property) const {
        const std::string id = path.substr(path.rfind('/') + 1);
        if (id == "xhci")
            return success(property == "p2" ? p2 : p3);
        const auto found = devices.find(id);
        if (found == devices.end())
            return failure("Device '" + path + "' not found", "DeviceNotFound");
        const auto& device = found->second;
        const std::map<std::string, json> properties = {
            {"port", device.port},         {"parent_bus", "/machine/peripheral/xhci/xhci.0"},
            {"attached", device.attached}, {"hostdevice", device.hostdevice},
            {"hostport", device.hostport}, {"type", device.type}};
        return success(properties.at(property));
    }

    json add(const json& arguments) {
        if (!refuses_add.empty())
            return failure(refuses_add);
        const std::string id = text(arguments["id"]);
        if (devices.contains(id))
            return failure("Duplicate device ID '" + id + "'");
        devices[id] = {
            "usb-host", text(arguments["port"]), attaches, text(arguments["hostdevice"]), ""};
        return success();
    }

    json del(const std::string& id) {
        if (!devices.contains(id))
            return failure("Device '" + id + "' not found", "DeviceNotFound");
        if (!refuses_del.empty())
            return failure(refuses_del);
        if (!keeps_until_event)
            devices.erase(id);
        return success();
    }

    std::string finish_unplug(const std::string& id) {
        devices.erase(id);
        return deleted(id);
    }

    std::size_t count(const std::string& name) const {
        return static_cast<std::size_t>(std::count(executed.begin(), executed.end(), name));
    }
};

} // namespace longcord::test
