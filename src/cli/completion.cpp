// SPDX-License-Identifier: MIT
#include "cli/completion.hpp"

#include <algorithm>
#include <map>
#include <string_view>

#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

namespace longcord {

namespace {

using Kind = Completion::Kind;

/// What an argument or an option's value is, by the name it has in --help.
Kind kind_of(std::string_view name, std::string_view verb) {
    static const std::map<std::string_view, Kind> kinds{
        {"PLACE", Kind::place}, {"RULE", Kind::rule}, {"VMID", Kind::vmid},   {"VM", Kind::vm},
        {"NODE", Kind::node},   {"FILE", Kind::file}, {"DEVICE", Kind::file}, {"CMD", Kind::file}};
    if (name == "NAME" && verb == "unpair")
        return Kind::pi;
    const auto found = kinds.find(name);
    return found == kinds.end() ? Kind::none : found->second;
}

/// "usbip,serial,off", or with '|'.
std::vector<Candidate> split(std::string_view text, char separator) {
    std::vector<Candidate> words;
    while (!text.empty()) {
        const auto end = text.find(separator);
        words.push_back({std::string(text.substr(0, end)), {}});
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return words;
}

/// "{usbip,serial,off}": how a check that allows certain words describes itself.
std::vector<Candidate> members(CLI::Option& option) {
    try {
        const std::string text = option.get_validator()->get_description();
        if (text.size() > 2 && text.front() == '{' && text.back() == '}')
            return split(std::string_view(text).substr(1, text.size() - 2), ',');
    } catch (const CLI::OptionNotFound&) { // NOLINT(bugprone-empty-catch): it has no check at all
    }
    return {};
}

Completion value_of(CLI::Option& option, std::string_view verb) {
    const std::string name =
        option.get_positional() ? option.get_name(true) : option.get_option_text();
    auto words =
        name.find('|') == std::string::npos ? members(option) : split(name, '|'); // "host|pi"
    if (!words.empty())
        return {Kind::fixed, std::move(words)};
    return {kind_of(name, verb), {}};
}

std::vector<CLI::Option*> arguments_of(CLI::App& app) {
    return app.get_options([](const CLI::Option* each) { return each->get_positional(); });
}

Completion options_of(CLI::App& app) {
    Completion all{Kind::fixed, {}};
    for (const CLI::Option* option : app.get_options({}))
        for (const auto& name : option->get_lnames())
            if (!option->get_group().empty())
                all.words.push_back({"--" + name, option->get_description()});
    return all;
}

CLI::App* verb_named(CLI::App& app, const std::string& word) {
    for (CLI::App* verb : app.get_subcommands(nullptr))
        if (verb->get_name() == word)
            return verb;
    return nullptr;
}

Completion verbs_of(CLI::App& app) {
    Completion all{Kind::fixed, {}};
    for (const CLI::App* verb : app.get_subcommands(nullptr))
        if (!verb->get_group().empty())
            all.words.push_back({verb->get_name(), verb->get_description()});
    return all;
}

/// How far the words before the cursor have come.
struct Reader {
    CLI::App* app;
    CLI::Option* value_for = nullptr; ///< the next word is its value
    std::size_t arguments = 0;
    bool command = false; ///< behind "--"

    void read(const std::string& word) {
        if (value_for) {
            value_for = nullptr;
        } else if (word == "--") {
            command = true;
        } else if (word.starts_with('-') && word != "-" && !command) {
            CLI::Option* option = app->get_option_no_throw(word);
            if (option && option->get_items_expected_max() > 0)
                value_for = option;
        } else if (CLI::App* verb = arguments == 0 ? verb_named(*app, word) : nullptr) {
            app = verb;
        } else {
            ++arguments;
        }
    }
};

} // namespace

Completion complete(CLI::App& app, const std::vector<std::string>& words) {
    if (words.empty())
        return verbs_of(app);
    Reader at{&app};
    std::for_each(words.begin(), words.end() - 1, [&](const auto& word) { at.read(word); });
    const std::string& now = words.back();
    if (at.value_for)
        return value_of(*at.value_for, at.app->get_name());
    if (at.command)
        return {Kind::file, {}};
    if (now.starts_with('-')) {
        const auto equals = now.find('=');
        if (equals == std::string::npos)
            return options_of(*at.app);
        CLI::Option* option = at.app->get_option_no_throw(now.substr(0, equals));
        return option ? value_of(*option, at.app->get_name()) : Completion{};
    }
    if (at.arguments == 0 && !at.app->get_subcommands(nullptr).empty())
        return verbs_of(*at.app);
    const auto arguments = arguments_of(*at.app);
    if (arguments.empty())
        return {};
    const bool last_repeats = arguments.back()->get_items_expected_max() > 1;
    if (at.arguments >= arguments.size() && !last_repeats)
        return {};
    return value_of(*arguments[std::min(at.arguments, arguments.size() - 1)], at.app->get_name());
}

} // namespace longcord
