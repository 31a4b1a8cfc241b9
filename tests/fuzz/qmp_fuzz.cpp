// SPDX-License-Identifier: MIT
// What QEMU's monitor sends, or whoever sits at its socket in its place. The input is taken twice:
// as the bytes of a connection, cut into reads by its first byte; and as answers, one a line, each
// with the id of the question that it is put to, which no fuzzer guesses.
#include "base/text.hpp"
#include "must.hpp"
#include "qmp/session.hpp"

#include <deque>

using namespace longcord;

namespace {

constexpr std::string_view greeting =
    R"({"QMP": {"version": {"qemu": {"micro": 0, "minor": 2, "major": 9}}, "capabilities": []}})";

std::vector<VmCommand> some_commands() {
    return {
        PlugCommand{
            "usbhost3-4.1", "/dev/bus/usb/003/007", "xhci.0", 5, {{"isobufs", std::int64_t{16}}}},
        UnplugCommand{"usbhost-workbench-1-1.2"}, AddControllerCommand{}};
}

std::vector<std::string> framed(std::string_view bytes, std::size_t cut) {
    JsonFramer framer;
    std::vector<std::string> values;
    while (!bytes.empty()) {
        framer.feed(bytes.substr(0, cut));
        bytes.remove_prefix(std::min(cut, bytes.size()));
        for (;;) {
            auto value = framer.next();
            if (!value) {
                must(!value.error().message.empty(), "a refusal has a reason");
                return values;
            }
            if (!*value)
                break;
            must((*value)->size() <= JsonFramer::max_value, "a value has its limit");
            values.push_back(std::move(**value));
        }
    }
    return values;
}

void parse(const std::string& value) {
    constexpr std::size_t longest_text = 1000;
    const auto message = parse_qmp_message(value);
    if (!message)
        return must(!message.error().message.empty(), "a refusal has a reason");
    if (const auto* reply = std::get_if<QmpReply>(&*message); reply && reply->answer.error)
        must(
            reply->answer.error->description.size() <= longest_text &&
                is_utf8(reply->answer.error->description),
            "what QEMU says can be shown");
    if (const auto* event = std::get_if<QmpEvent>(&*message))
        must(event->name.size() <= longest_text, "an event has a short name");
}

/// What the session asked; every question is one JSON object with an id.
void take_questions(const std::string& written, std::deque<std::string>& ids) {
    for (const auto& value : framed(written, written.size())) {
        const auto command = nlohmann::json::parse(value, nullptr, false);
        must(
            command.is_object() && command.contains("execute") && command.contains("id"),
            "we speak QMP");
        ids.push_back(command["id"].get<std::string>());
    }
}

/// `hear` says what comes next from QEMU, given the ids of what is not answered; empty: it hung up.
template <class Hear> void visit(Hear hear) {
    constexpr unsigned most_turns = 20'000; // of 4 KiB that come byte by byte
    Session session(some_commands(), "f");
    std::deque<std::string> ids;
    auto action = session.resume(Connected{});
    for (unsigned turn = 0; action.kind != SessionAction::Kind::done; ++turn) {
        must(turn < most_turns, "a session ends");
        if (action.kind == SessionAction::Kind::write) {
            take_questions(action.bytes, ids);
            action = session.resume(Written{});
            continue;
        }
        const std::string heard = hear(ids);
        if (heard.empty())
            action = session.resume(Closed{Error{ErrorKind::unavailable, "QEMU hung up"}});
        else
            action = session.resume(BytesRead{heard});
    }
    must(session.outcomes().size() == some_commands().size(), "each command has an outcome");
    must(session.view() || !session.view().error().message.empty(), "no view has a reason");
    must(
        session.resume(BytesRead{greeting}).kind == SessionAction::Kind::done,
        "after the end nothing begins");
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    const std::size_t cut = 1U + data[0];

    const auto values = framed(bytes, cut);
    must(values == framed(bytes, bytes.size() + 1), "where reads end is of no account");
    for (const auto& value : values)
        parse(value);

    visit([rest = bytes, cut](const auto&) mutable {
        const std::string heard(rest.substr(0, cut));
        rest.remove_prefix(heard.size());
        return heard;
    });
    visit([rest = bytes, greeted = false](std::deque<std::string>& ids) mutable {
        if (!greeted) {
            greeted = true;
            return std::string(greeting);
        }
        if (rest.empty())
            return std::string();
        const std::string line(rest.substr(0, rest.find('\n')));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (ids.empty() || line.starts_with("{\"event\""))
            return line + '\n';
        const std::string id = ids.front();
        ids.pop_front();
        return "{\"id\":\"" + id + "\"," + line + "}\n";
    });
    return 0;
}
