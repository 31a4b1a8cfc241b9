// SPDX-License-Identifier: MIT
// Everything that a TCP client of a serial port can send. The input is cut into reads by its own
// first byte; whatever comes of it, the bytes for the device are as many as were sent at most, and
// the same input read in one piece says the same.
#include "serial/client_talk.hpp"
#include "serial/esp_reset.hpp"

#include <cstdlib>

using namespace longcord;

namespace {

struct Outcome {
    std::string data;
    std::string replies;
};

} // namespace

static Outcome converse(std::string_view input, std::size_t cut) {
    ClientTalk talk("longcord fuzz", {}, {});
    EspReset reset({});
    LineSettings in_force;
    TimePoint now{};
    Outcome out;
    std::string spare;
    while (!input.empty()) {
        std::string read(input.substr(0, cut));
        input.remove_prefix(read.size());
        char* in = read.data();
        std::size_t size = read.size();
        while (auto spoken = talk.next(in, size)) {
            if (spoken->kind == Spoken::Kind::data)
                out.data += spoken->data;
            if (spoken->kind == Spoken::Kind::reply)
                out.replies += spoken->reply;
            if (spoken->kind != Spoken::Kind::command)
                continue;
            const SerialRequest& request = spoken->request;
            if (request.kind == SerialRequest::Kind::line)
                in_force = request.line;
            if (request.kind == SerialRequest::Kind::control) {
                reset.control(request.dtr, request.on, now);
                now = reset.wake_at().value_or(now);
                reset.tick(now);
            }
            out.replies += talk.finish(in_force);
        }
        if (size != 0)
            std::abort();
        talk.encode(out.data, spare);
    }
    out.data += talk.give_up();
    return out;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0)
        return 0;
    const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
    const Outcome pieces = converse(input, 1U + data[0]);
    if (pieces.data.size() > input.size())
        std::abort();
    if (pieces.data != converse(input, input.size() + 1).data)
        std::abort();
    return 0;
}
