// SPDX-License-Identifier: MIT
// What somebody with a Pi's key, or a throw-away one, can say at login: the words behind
// `ssh longcord@node`, a public key to be stored, the request of a pairing, and the first line on
// link.sock. What is stored becomes a line that sshd reads, so nothing may get into it that was not
// checked.
#include "base/text.hpp"
#include "link/authorized_key.hpp"
#include "link/line_framer.hpp"
#include "link/preface.hpp"
#include "link/push_command.hpp"
#include "must.hpp"
#include "pairing/pair_request.hpp"

#include <algorithm>

using namespace longcord;

static void check_key(const PublicKey& key) {
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               std::string_view("+/=-@.").find(c) != std::string_view::npos;
    };
    must(
        std::ranges::all_of(key.type, plain) && std::ranges::all_of(key.blob, plain),
        "a key is letters and digits: no option, quote, blank or line break");
    const auto line =
        authorized_keys_line("/usr/libexec/longcord/longcord-link", "a", "SHA256:b", key);
    must(std::ranges::count(line, '\n') == 0, "it is one line");
    must(line.starts_with("restrict,command=\""), "and it can do nothing else");
    must(parse_public_key(key.type + ' ' + key.blob) == key, "a key has one meaning");
}

static void check_lines(std::string_view text) {
    constexpr std::size_t limit = 64;
    LineFramer framer(limit);
    for (std::size_t at = 0; at < text.size(); at += limit / 2) {
        framer.push(text.substr(at, limit / 2));
        while (const auto line = framer.next())
            must(
                line->text.size() <= limit && line->text.find('\n') == std::string::npos,
                "a line has its limit");
        must(framer.size() <= limit + limit / 2, "little is kept");
    }
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    if (const auto command = parse_push_command(text)) {
        must(parse_push_command(format(*command)) == *command, "a command has one meaning");
        must(command->busid.find_first_not_of("0123456789-.") == std::string::npos, "a busid");
    } else {
        must(is_utf8(command.error().message), "a refusal can be shown");
    }
    if (const auto key = parse_public_key(text))
        check_key(*key);
    if (const auto request = parse_pair_request(text, "workbench")) {
        check_key(request->key);
        must(parse_pair_request(format(*request), "workbench") == *request, "it means the same");
    }
    if (const auto preface = parse_preface(text)) {
        must(is_pi_name(preface->pi), "a link has a Pi's name");
        must(parse_preface(format(*preface)) == *preface, "it means the same");
    }
    if (const auto address = address_from_ssh_connection(text))
        must(!address->empty() && address->find(' ') == std::string::npos, "an address is a word");
    check_lines(text);
    return 0;
}
