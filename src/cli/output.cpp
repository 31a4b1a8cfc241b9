// SPDX-License-Identifier: MIT
#include "cli/output.hpp"

#include "base/text.hpp"

#include <cstdio>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include <sys/ioctl.h>
#include <unistd.h>

namespace longcord {

using nlohmann::json;

static bool is_set(const char* name) {
    const char* value = std::getenv(name); // NOLINT(concurrency-mt-unsafe): one thread
    return value && *value;
}

Look look_of_terminal() {
    Look look;
    if (isatty(STDOUT_FILENO) == 0)
        return look;
    const char* term = std::getenv("TERM"); // NOLINT(concurrency-mt-unsafe): one thread
    look.colour = !is_set("NO_COLOR") && term && std::string_view(term) != "dumb";
    winsize size{};
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0)
        look.width = size.ws_col;
    return look;
}

void print(std::string_view text) {
    std::fwrite(text.data(), 1, text.size(), stdout);
    std::fflush(stdout);
}

void print_json(const json& value, int indent) {
    print(value.dump(indent, ' ', true, json::error_handler_t::replace) + "\n");
}

ExitCode complain(const Failure& failure, bool as_json) {
    if (as_json) {
        const json error = {
            {"kind", to_string(failure.error.kind)}, {"message", failure.error.message}};
        print_json({{"error", error}}, -1);
    }
    // A message of several lines (all that is wrong with a file) stays one.
    std::string_view rest = failure.error.message;
    while (!rest.empty()) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        const std::string shown = "longcord: " + printable(line, 4'000) + "\n";
        std::fwrite(shown.data(), 1, shown.size(), stderr);
    }
    return failure.code;
}

} // namespace longcord
