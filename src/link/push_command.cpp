// SPDX-License-Identifier: MIT
#include "link/push_command.hpp"

#include "base/text.hpp"
#include "usb/place.hpp"

namespace longcord {

Result<PushCommand> parse_push_command(std::string_view text) {
    constexpr std::size_t longest = 200;
    const auto refused = [&](std::string_view what) {
        return fail(
            ErrorKind::invalid,
            "\"{}\": {}; this login takes \"connect BUSID\" and "
            "\"disconnect BUSID\", such as: ssh longcord@node connect 1-1.2",
            printable(text, longest), what);
    };
    const std::string_view words = trim(text);
    const auto blank = words.find(' ');
    const std::string_view verb = words.substr(0, blank);
    if (verb != "connect" && verb != "disconnect")
        return refused("is no command here");
    if (blank == words.npos)
        return refused("names no device");
    const auto place = Place::parse(trim(words.substr(blank)));
    if (!place || !place->is_local() || place->busid() != trim(words.substr(blank)))
        return refused("names no busid as the kernel spells it");
    return PushCommand{verb == "connect", place->busid()};
}

std::string format(const PushCommand& command) {
    return (command.connect ? "connect " : "disconnect ") + command.busid;
}

} // namespace longcord
