// SPDX-License-Identifier: MIT
#include "config/yaml_map.hpp"

#include "base/text.hpp"
#include "config/nearest.hpp"

#include <algorithm>
#include <optional>
#include <sstream>
#include <vector>

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/parser.h>

namespace longcord {

static unsigned line_of(const YAML::Node& node) {
    const YAML::Mark mark = node.Mark();
    return mark.is_null() ? 1 : static_cast<unsigned>(mark.line) + 1;
}

/// yaml-cpp's mark is at the quote, and its tag of a quoted scalar without one of its own is "!".
static unsigned column_of(const YAML::Node& node) {
    const YAML::Mark mark = node.Mark();
    return mark.is_null() ? 1 : static_cast<unsigned>(mark.column) + (node.Tag() == "!" ? 2 : 1);
}

std::string YamlProblems::at(const YAML::Node& node) const {
    return fmt::format("{}:{}", file, line_of(node));
}

void YamlProblems::add(const YAML::Node& node, std::string_view message) {
    lines.push_back(fmt::format("{}: {}", at(node), message));
}

Error YamlProblems::error() const {
    return Error{ErrorKind::invalid, fmt::format("{}", fmt::join(lines, "\n"))};
}

namespace {

/// Where documents begin.
class Beginnings final : public YAML::EventHandler {
  public:
    std::vector<YAML::Mark> marks;

    void OnDocumentStart(const YAML::Mark& mark) override { marks.push_back(mark); }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark&, YAML::anchor_t) override {}
    void OnAlias(const YAML::Mark&, YAML::anchor_t) override {}
    void OnScalar(
        const YAML::Mark&, const std::string&, YAML::anchor_t, const std::string&) override {}
    void OnSequenceStart(
        const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    }
    void OnSequenceEnd() override {}
    void OnMapStart(
        const YAML::Mark&, const std::string&, YAML::anchor_t, YAML::EmitterStyle::value) override {
    }
    void OnMapEnd() override {}
};

/// YAML::LoadAll finds documents without end behind a stray comma: yaml-cpp 0.7 never takes it.
std::optional<YAML::Mark> second_document(const std::string& text) {
    std::istringstream stream(text);
    YAML::Parser parser(stream);
    Beginnings found;
    while (found.marks.size() < 2 && parser.HandleNextDocument(found)) {
    }
    return found.marks.size() < 2 ? std::nullopt : std::optional(found.marks[1]);
}

} // namespace

YAML::Node load_yaml(std::string_view text, YamlProblems& problems) {
    if (!is_utf8(text)) {
        problems.lines.push_back(fmt::format("{}: the file is not valid UTF-8", problems.file));
        return {};
    }
    try {
        const std::string copy(text);
        if (const auto second = second_document(copy)) {
            problems.lines.push_back(fmt::format(
                "{}:{}: a second document ('---'), or a comma too many: only one is read",
                problems.file, second->line + 1));
            return {};
        }
        return YAML::Load(copy);
    } catch (const YAML::Exception& e) {
        // What yaml-cpp says is for programmers; the place is what helps.
        problems.lines.push_back(fmt::format(
            "{}:{}:{}: not valid YAML: {}", problems.file, e.mark.line + 1, e.mark.column + 1,
            printable(e.msg))); // with a byte of the file in it, whatever that is
        return {};
    }
}

YamlMap::YamlMap(YamlProblems& problems, const YAML::Node& node, std::string name)
    : problems_(problems), node_(node), name_(std::move(name)) {
    if (node_.IsDefined() && !node_.IsNull() && !node_.IsMap()) {
        problems_.add(
            node_, fmt::format(
                       "{} must be keys with values ('key: value')",
                       name_.empty() ? "the file" : fmt::format("'{}'", name_)));
        node_ = YAML::Node();
    }
}

std::string YamlMap::full(const std::string& key) const {
    return name_.empty() ? key : name_ + "." + key;
}

YAML::Node YamlMap::find(const std::string& key) {
    known_.push_back(key);
    if (node_.IsMap())
        for (const auto& entry : node_)
            if (entry.first.IsScalar() && entry.first.Scalar() == key)
                return entry.second;
    return YAML::Node(YAML::NodeType::Undefined);
}

bool YamlMap::has(const std::string& key) const {
    if (node_.IsMap())
        for (const auto& entry : node_)
            if (entry.first.IsScalar() && entry.first.Scalar() == key)
                return true;
    return false;
}

std::optional<YamlText> YamlMap::text_of(const YAML::Node& node, const std::string& what) {
    if (!node.IsScalar()) {
        problems_.add(node, fmt::format("{} must be a single text", what));
        return std::nullopt;
    }
    const std::string& text = node.Scalar();
    if (printable(text, text.size()) != text) {
        problems_.add(node, fmt::format("{} contains control characters", what));
        return std::nullopt;
    }
    return YamlText{text, line_of(node), column_of(node), node};
}

/// Null ("key:" with nothing behind it) is the default, like an absent key.
static bool absent(const YAML::Node& node) {
    return !node.IsDefined() || node.IsNull();
}

void YamlMap::read(const std::string& key, std::string& value) {
    const YAML::Node node = find(key);
    if (absent(node))
        return;
    if (const auto text = text_of(node, fmt::format("'{}'", full(key))))
        value = text->text;
}

void YamlMap::read(const std::string& key, bool& value) {
    const YAML::Node node = find(key);
    if (absent(node))
        return;
    const std::string text = node.IsScalar() ? node.Scalar() : "";
    if (text == "true" || text == "yes" || text == "on")
        value = true;
    else if (text == "false" || text == "no" || text == "off")
        value = false;
    else
        problems_.add(node, fmt::format("'{}' must be true or false", full(key)));
}

void YamlMap::read(
    const std::string& key, std::uint16_t& value, std::uint16_t min, std::uint16_t max) {
    const YAML::Node node = find(key);
    if (absent(node))
        return;
    const auto number = node.IsScalar() ? parse_decimal(node.Scalar()) : std::nullopt;
    if (number && *number >= min && *number <= max)
        value = static_cast<std::uint16_t>(*number);
    else
        problems_.add(
            node, fmt::format("'{}' must be a number from {} to {}", full(key), min, max));
}

std::optional<milliseconds> parse_duration(std::string_view text) {
    std::int64_t unit = 1'000;
    if (text.ends_with("ms")) {
        unit = 1;
        text.remove_suffix(2);
    } else if (text.ends_with('s')) {
        text.remove_suffix(1);
    } else if (text.ends_with('m')) {
        unit = 60'000;
        text.remove_suffix(1);
    }
    const auto number = parse_decimal(trim(text));
    if (!number)
        return std::nullopt;
    return milliseconds(*number * unit);
}

std::string format_duration(milliseconds duration) {
    if (duration.count() % 1'000 == 0)
        return fmt::format("{}s", duration.count() / 1'000);
    return fmt::format("{}ms", duration.count());
}

void YamlMap::read(
    const std::string& key, milliseconds& value, milliseconds min, milliseconds max) {
    const YAML::Node node = find(key);
    if (absent(node))
        return;
    const auto duration = node.IsScalar() ? parse_duration(node.Scalar()) : std::nullopt;
    if (duration && *duration >= min && *duration <= max)
        value = *duration;
    else
        problems_.add(
            node, fmt::format(
                      "'{}' must be a time from {} to {}, such as 3s or 1500ms", full(key),
                      format_duration(min), format_duration(max)));
}

void YamlMap::read_choice(
    const std::string& key, std::string& value, std::vector<std::string> choices) {
    const YAML::Node node = find(key);
    if (absent(node))
        return;
    if (node.IsScalar() && std::ranges::find(choices, node.Scalar()) != choices.end())
        value = node.Scalar();
    else
        problems_.add(
            node, fmt::format("'{}' must be one of: {}", full(key), fmt::join(choices, ", ")));
}

void YamlMap::read_path(const std::string& key, std::string& value) {
    const YAML::Node node = find(key);
    if (absent(node))
        return;
    const auto text = text_of(node, fmt::format("'{}'", full(key)));
    if (!text)
        return;
    if (text->text.starts_with('/'))
        value = text->text;
    else
        problems_.add(
            node, fmt::format("'{}' must be an absolute path: it begins with '/'", full(key)));
}

std::vector<YAML::Node> YamlMap::nodes(const std::string& key) {
    const YAML::Node node = find(key);
    std::vector<YAML::Node> out;
    if (absent(node))
        return out;
    if (!node.IsSequence()) {
        problems_.add(node, fmt::format("'{}' must be a list: [ one, two ]", full(key)));
        return out;
    }
    for (const auto& element : node)
        out.push_back(element);
    return out;
}

std::vector<YamlText> YamlMap::list(const std::string& key, bool* given) {
    if (given)
        *given = has(key) && !absent(find(key));
    std::vector<YamlText> out;
    for (const YAML::Node& element : nodes(key))
        if (auto text = text_of(element, fmt::format("each entry of '{}'", full(key))))
            out.push_back(std::move(*text));
    return out;
}

YamlMap YamlMap::map(const std::string& key) {
    return {problems_, find(key), full(key)};
}

std::vector<std::pair<YamlText, YAML::Node>> YamlMap::entries(const std::string& key) {
    const YAML::Node node = find(key);
    std::vector<std::pair<YamlText, YAML::Node>> out;
    if (absent(node))
        return out;
    if (!node.IsMap()) {
        problems_.add(node, fmt::format("'{}' must be names with values ('name: ...')", full(key)));
        return out;
    }
    std::vector<std::string> seen;
    for (const auto& entry : node) {
        auto name = text_of(entry.first, fmt::format("each name in '{}'", full(key)));
        if (!name)
            continue;
        if (std::ranges::find(seen, name->text) != seen.end()) {
            problems_.add(entry.first, fmt::format("'{}' stands here twice", name->text));
            continue;
        }
        seen.push_back(name->text);
        out.emplace_back(std::move(*name), entry.second);
    }
    return out;
}

void YamlMap::finish() {
    if (!node_.IsMap())
        return;
    std::ranges::sort(known_);
    known_.erase(std::unique(known_.begin(), known_.end()), known_.end());
    std::vector<std::string> seen;
    for (const auto& entry : node_) {
        const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
        const std::string shown = printable(full(key));
        if (std::ranges::find(known_, key) == known_.end()) {
            const auto near = nearest(key, known_);
            problems_.add(
                entry.first,
                near ? fmt::format("unknown key '{}': did you mean '{}'?", shown, *near)
                     : fmt::format(
                           "unknown key '{}'; known are: {}", shown, fmt::join(known_, ", ")));
        } else if (std::ranges::find(seen, key) != seen.end()) {
            problems_.add(entry.first, fmt::format("'{}' stands here twice", shown));
        }
        seen.push_back(key);
    }
}

} // namespace longcord
