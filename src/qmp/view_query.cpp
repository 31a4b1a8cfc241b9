// SPDX-License-Identifier: MIT
#include "qmp/view_query.hpp"

#include "base/text.hpp"
#include "qmp/refusal.hpp"

#include <algorithm>

namespace longcord {

using nlohmann::json;

static const std::string peripheral = "/machine/peripheral";
static const std::string anonymous = "/machine/peripheral-anon";

static QmpCommand list_of(const std::string& path) {
    return {"qom-list", {{"path", path}}};
}

static QmpCommand property(const std::string& path, const char* name) {
    return {"qom-get", {{"path", path}, {"property", name}}};
}

/// Empty: no text, an error, or nothing.
static std::string word(const json& value) {
    const auto* string = value.get_ptr<const json::string_t*>();
    return string ? printable(*string) : std::string{};
}

static unsigned number(const QmpAnswer& answer) {
    const auto* value = answer.value.get_ptr<const json::number_unsigned_t*>();
    constexpr json::number_unsigned_t most = 255;
    return value && *value <= most ? static_cast<unsigned>(*value) : 0;
}

static bool is_xhci(std::string_view type) {
    return type == "qemu-xhci" || type == "nec-usb-xhci";
}

/// usb-ehci is the one controller that is named like a device.
static bool is_usb_device(std::string_view type) {
    return (type.starts_with("usb-") && type != "usb-ehci") || type.starts_with("u2f-") ||
           type == "canokey";
}

static bool is_usb_host(const GuestDevice& device) {
    return device.type == "usb-host";
}

static bool wants_hostport(const GuestDevice& device) {
    return is_usb_host(device) && device.hostdevice.empty();
}

std::vector<QmpCommand> ViewQuery::next() const {
    std::vector<QmpCommand> round;
    if (round_ == 0)
        return {{"query-status", {}}, list_of(peripheral), list_of(anonymous)};
    if (round_ == 1) {
        for (const auto& controller : controllers_)
            for (const char* name : {"p2", "p3"})
                round.push_back(property(peripheral + '/' + controller.id, name));
        for (const auto& [path, device] : objects_) {
            for (const char* name : {"port", "parent_bus"})
                round.push_back(property(path, name));
            if (is_usb_host(device))
                for (const char* name : {"attached", "hostdevice"})
                    round.push_back(property(path, name));
        }
    }
    if (round_ == 2)
        for (const auto& [path, device] : objects_)
            if (wants_hostport(device))
                round.push_back(property(path, "hostport"));
    return round;
}

Result<> ViewQuery::take(const std::vector<QmpAnswer>& answers) {
    if (answers.size() != next().size())
        return fail(ErrorKind::protocol, "QEMU's answers are not those to the questions");
    Result<> taken;
    if (round_ == 0)
        taken = take_lists(answers);
    else if (round_ == 1)
        take_properties(answers);
    else
        take_hostports(answers);
    ++round_;
    return taken;
}

VmView ViewQuery::view() const {
    VmView view{state_, controllers_, {}};
    for (const auto& object : objects_)
        view.devices.push_back(object.device);
    return view;
}

Result<> ViewQuery::take_lists(const std::vector<QmpAnswer>& answers) {
    const json& status = answers[0].value;
    const auto state = status.is_object() ? status.find("status") : status.end();
    if (!status.is_object() || state == status.end() || !state->is_string())
        return fail(ErrorKind::protocol, "QEMU does not say whether the VM runs");
    state_ = run_state_from(word(*state));
    // A VM without a single -device may have neither folder.
    if (!answers[1].value.is_array() && !is_device_not_found(answers[1]))
        return fail(ErrorKind::protocol, "QEMU does not list the VM's devices");
    list(answers[1], peripheral, true);
    list(answers[2], anonymous, false);
    return {};
}

void ViewQuery::list(const QmpAnswer& children, const std::string& parent, bool named) {
    for (const json& child : children.value) {
        if (!child.is_object() || !child.contains("name") || !child.contains("type"))
            continue;
        const std::string name = word(child["name"]);
        std::string_view type = "";
        const std::string whole = word(child["type"]); // "child<usb-host>"
        constexpr std::string_view before = "child<";
        if (whole.starts_with(before) && whole.ends_with('>'))
            type = std::string_view(whole).substr(before.size(), whole.size() - before.size() - 1);
        if (name.empty())
            continue;
        if (named && is_xhci(type) && controllers_.size() < max_objects)
            controllers_.push_back({name, std::string(type), name + ".0", 0});
        if (is_usb_device(type) && objects_.size() < max_objects)
            objects_.push_back(
                {fmt::format("{}/{}", parent, name),
                 {named ? name : "", std::string(type), "", "", false, "", ""}});
    }
}

void ViewQuery::take_properties(const std::vector<QmpAnswer>& answers) {
    auto answer = answers.begin();
    for (auto& controller : controllers_) {
        const unsigned p2 = number(*answer++);
        const unsigned p3 = number(*answer++);
        controller.ports = std::min(p2, p3);
    }
    for (auto& [path, device] : objects_) {
        device.port = word((answer++)->value);
        const std::string bus = word((answer++)->value);
        device.bus = bus.substr(bus.rfind('/') + 1);
        if (is_usb_host(device)) {
            device.attached = answer->value.is_boolean() && answer->value == true;
            ++answer;
            device.hostdevice = word((answer++)->value);
        }
    }
    // Taken out by somebody between the rounds, or no USB device after all.
    std::erase_if(objects_, [](const Object& object) { return object.device.port.empty(); });
    std::erase_if(controllers_, [](const GuestController& c) { return c.ports == 0; });
}

void ViewQuery::take_hostports(const std::vector<QmpAnswer>& answers) {
    auto answer = answers.begin();
    for (auto& [path, device] : objects_)
        if (wants_hostport(device))
            device.hostport = word((answer++)->value);
}

} // namespace longcord
