// SPDX-License-Identifier: MIT
// A YAML mapping, read key by key with types and ranges. What is asked for is what is known: at the
// end, finish() reports every other key. Problems are collected with file and line, so that one run
// shows all of them. This header and yaml_map.cpp are the only ones that know yaml-cpp.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <yaml-cpp/yaml.h>

namespace longcord {

/// Bytes of a settings file that are read; more is an error.
constexpr std::size_t max_settings = 1024 * 1024;

/// One document's file name and what is wrong with it.
struct YamlProblems {
    std::string file;
    std::vector<std::string> lines;

    std::string at(const YAML::Node& node) const; ///< "host.yaml:7"
    void add(const YAML::Node& node, std::string_view message);
    Error error() const;
};

/// One element of a list or a value of a mapping, as text and where it begins, both from 1.
struct YamlText {
    std::string text;
    unsigned line = 0;
    unsigned column = 0; ///< behind an opening quote
    YAML::Node node;
};

class YamlMap {
  public:
    /// `name`: of the key that holds this mapping, for messages; empty at the top. An absent or
    /// empty node is an empty mapping.
    YamlMap(YamlProblems& problems, const YAML::Node& node, std::string name);

    // Each leaves `value` as it is where the key is absent or wrong (and then notes the problem).
    void read(const std::string& key, std::string& value);
    void read(const std::string& key, bool& value);
    void read(const std::string& key, std::uint16_t& value, std::uint16_t min, std::uint16_t max);
    /// "3s", "500ms", "1m"; a bare number is seconds.
    void read(const std::string& key, milliseconds& value, milliseconds min, milliseconds max);
    void read_choice(const std::string& key, std::string& value, std::vector<std::string> choices);
    void read_path(const std::string& key, std::string& value); ///< absolute

    /// The texts of a list; `given` tells an empty list from none.
    std::vector<YamlText> list(const std::string& key, bool* given = nullptr);
    /// The elements of a list as they are.
    std::vector<YAML::Node> nodes(const std::string& key);
    YamlMap map(const std::string& key);
    /// Each entry of a mapping with free keys.
    std::vector<std::pair<YamlText, YAML::Node>> entries(const std::string& key);

    bool has(const std::string& key) const;
    const YAML::Node& node() const { return node_; }
    /// Text of a scalar, or nullopt and a problem that calls it `what`.
    std::optional<YamlText> text_of(const YAML::Node& node, const std::string& what);

    /// Reports unknown keys, with the nearest known one, and keys given twice.
    void finish();

  private:
    YAML::Node find(const std::string& key);
    std::string full(const std::string& key) const;

    YamlProblems& problems_;
    YAML::Node node_;
    std::string name_;
    std::vector<std::string> known_;
};

/// Parses `text`; what is no mapping or no YAML is in `problems`.
YAML::Node load_yaml(std::string_view text, YamlProblems& problems);

/// "3s", "500ms", "2m", "7": see YamlMap::read.
std::optional<milliseconds> parse_duration(std::string_view text);
std::string format_duration(milliseconds duration);

} // namespace longcord
