// SPDX-License-Identifier: MIT
// A line of a node, as the other end of the link takes it. What was taken once is taken again when
// it is said in our words, and means the same.
#include "link/message.hpp"
#include "must.hpp"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    using namespace longcord;
    const std::string_view line(reinterpret_cast<const char*>(data), size);
    const auto message = parse_host_message(line);
    if (!message) {
        must(!message.error().message.empty(), "a refusal has a reason");
        return 0;
    }
    const auto said = format(*message);
    must(said.find('\n') == std::string::npos, "a message is one line");
    if (said.size() > max_link_line)
        return 0; // the sender leaves texts out of it, or refuses to send it
    const auto again = parse_host_message(said);
    must(again.has_value(), "what we say is understood");
    must(format(*again) == said, "it means the same");
    return 0;
}
