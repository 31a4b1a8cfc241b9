// SPDX-License-Identifier: MIT
// A sealed stream that somebody in the middle cuts into pieces and puts together anew: the input is
// a list of three bytes each, what to send next. Whatever that is, what comes out of it is the
// beginning of what was sent, whole records of it, and nothing after an error.
#include "must.hpp"
#include "seal/record.hpp"

#include <string>
#include <vector>

using namespace longcord;

namespace {

SealKey some_key() {
    SealKey key;
    for (std::size_t i = 0; i < key.key.size; ++i)
        key.key.data()[i] = static_cast<std::uint8_t>(i);
    return key;
}

struct Sent {
    std::vector<std::string> records;
    std::vector<std::string> contents;
};

Sent eight_records() {
    Sent sent;
    RecordSealer sealer(some_key());
    for (unsigned i = 0; i < 8; ++i) {
        sent.contents.push_back(std::string(i * 37 + 1, static_cast<char>('a' + i)));
        std::string wire;
        must(sealer.seal(sent.contents.back(), wire).has_value(), "libcrypto seals");
        sent.records.push_back(std::move(wire));
    }
    return sent;
}

/// What a man in the middle makes of record `which`: it, half of it, it with a bit changed, noise.
std::string meddled(const Sent& sent, unsigned which, unsigned how, unsigned where) {
    std::string record = sent.records[which % sent.records.size()];
    switch (how % 4) {
    case 1:
        record.resize(where % record.size());
        break;
    case 2:
        record[where % record.size()] ^= static_cast<char>(1U << (how / 4 % 8));
        break;
    case 3:
        record.assign(1, static_cast<char>(where));
        break;
    default:
        break;
    }
    return record;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    static const Sent sent = eight_records();
    RecordOpener opener(some_key());
    std::string content;
    std::string honest;
    std::size_t opened = 0;
    for (std::size_t at = 0; at + 3 <= size; at += 3) {
        const auto good = opener.open(meddled(sent, data[at], data[at + 1], data[at + 2]), content);
        while (honest.size() < content.size() && opened < sent.contents.size())
            honest += sent.contents[opened++];
        must(content == honest, "what comes out is what was sent, in order, record by record");
        if (!good)
            return 0; // this stream is over
        must(opener.pending() <= record_header_size + max_record_body, "little is kept");
    }
    return 0;
}
