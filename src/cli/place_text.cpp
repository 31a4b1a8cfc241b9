// SPDX-License-Identifier: MIT
#include "cli/place_text.hpp"

#include "cli/json_fields.hpp"
#include "rules/device_class.hpp"

#include <cmath>

#include <fmt/core.h>

namespace longcord {

using nlohmann::json;

static void append(std::string& text, const std::string& word, const char* between) {
    if (!word.empty())
        text += (text.empty() ? "" : between) + word;
}

std::string label_of(const json& device) {
    std::string label = text_field(device, "id");
    append(label, text_field(device, "product"), " ");
    append(label, text_field(device, "serial"), " ");
    return label;
}

Cell state_cell(const json& device) {
    const std::string state = text_field(device, "state");
    std::string shown = state;
    for (char& c : shown)
        if (c == '_')
            c = ' ';
    if (state == "plugged")
        return {shown, Tone::good};
    if (state == "conflict" || state == "refused")
        return {shown, Tone::bad};
    if (state == "waiting" || state == "held_off")
        return {shown, Tone::warning};
    if (state == "hub" || state == "unclaimed")
        return {shown, Tone::faint};
    return {shown};
}

std::string why_of(const json& device) {
    std::string why = text_field(device, "why");
    if (text_field(device, "state") != "plugged")
        return why;
    std::string use;
    if (const std::string port = text_field(device, "guest_port"); !port.empty())
        use = "guest port " + port;
    if (field(device, "in_use_by_guest").is_boolean())
        append(
            use,
            flag_field(device, "in_use_by_guest") ? "in use by the guest"
                                                  : "not in use by the guest",
            ", ");
    append(use, why, "; ");
    return use;
}

std::string vm_number_of(const json& object) {
    const std::string machine = text_field(object, "machine");
    return machine.empty() ? text_field(object, "vmid") : machine;
}

std::string vm_of(const json& object) {
    const std::string vm = vm_number_of(object);
    return vm.empty() ? "" : "VM " + vm;
}

std::string class_of(const json& device) {
    const json& code = field(device, "class");
    if (!code.is_number_integer() || code < 0 || code > 0xff)
        return text_of(code);
    return code == 0 ? "" : device_class_name(code.get<std::uint8_t>());
}

bool is_hub(const json& device) {
    return flag_field(device, "hub") || text_field(device, "state") == "hub";
}

std::string duration_text(double seconds) {
    constexpr double longest = 1e12;
    if (!(seconds >= 0) || seconds > longest)
        return {};
    const auto whole = static_cast<std::int64_t>(std::floor(seconds));
    const std::int64_t minutes = whole / 60;
    const std::int64_t hours = minutes / 60;
    if (minutes == 0)
        return fmt::format("{} s", whole);
    if (hours == 0)
        return fmt::format("{} min", minutes);
    if (hours < 24)
        return fmt::format("{} h {} min", hours, minutes % 60);
    return fmt::format("{} d {} h", hours / 24, hours % 24);
}

std::string join_words(std::initializer_list<std::string> words) {
    std::string text;
    for (const std::string& word : words)
        append(text, word, ", ");
    return text;
}

std::string problem_text(const json& problem) {
    if (!problem.is_object())
        return text_of(problem);
    std::string text = text_field(problem, "file");
    append(text, text_field(problem, "line"), ":");
    append(text, text_field(problem, "message"), ": ");
    return text;
}

} // namespace longcord
