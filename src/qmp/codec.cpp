// SPDX-License-Identifier: MIT
#include "qmp/codec.hpp"

#include "base/text.hpp"

namespace longcord {

using nlohmann::json;

static const json& member(const json& object, const char* key) {
    static const json none;
    if (!object.is_object())
        return none;
    const auto found = object.find(key);
    return found == object.end() ? none : *found;
}

static std::string text(const json& value) {
    constexpr std::size_t longest = 1000; // QEMU's error texts carry paths and lists of names
    const auto* string = value.get_ptr<const json::string_t*>();
    return string ? printable(*string, longest) : std::string{};
}

static std::string version(const json& greeting) {
    const json& qemu = member(member(greeting, "version"), "qemu");
    std::string version;
    for (const char* part : {"major", "minor", "micro"}) {
        if (!version.empty())
            version += '.';
        version += member(qemu, part).dump(-1, ' ', true, json::error_handler_t::replace);
    }
    return printable(version);
}

std::string format_command(const QmpCommand& command, const std::string& id) {
    json message{{"execute", command.execute}, {"id", id}};
    if (!command.arguments.is_null())
        message["arguments"] = command.arguments;
    return message.dump(-1, ' ', true, json::error_handler_t::replace);
}

Result<QmpMessage> parse_qmp_message(std::string_view bytes) {
    constexpr std::size_t shown = 80;
    const json message = json::parse(bytes, nullptr, false);
    if (!message.is_object())
        return fail(ErrorKind::protocol, "no JSON object: \"{}\"", printable(bytes, shown));
    if (message.contains("QMP"))
        return QmpMessage{QmpGreeting{version(member(message, "QMP"))}};
    if (message.contains("return"))
        return QmpMessage{
            QmpReply{text(member(message, "id")), {member(message, "return"), std::nullopt}}};
    if (message.contains("error")) {
        const json& error = member(message, "error");
        QmpError said{text(member(error, "class")), text(member(error, "desc"))};
        return QmpMessage{QmpReply{text(member(message, "id")), {json{}, std::move(said)}}};
    }
    if (message.contains("event"))
        return QmpMessage{QmpEvent{
            text(member(message, "event")), text(member(member(message, "data"), "device"))}};
    return fail(ErrorKind::protocol, "nothing QMP knows: \"{}\"", printable(bytes, shown));
}

} // namespace longcord
