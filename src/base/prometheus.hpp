// SPDX-License-Identifier: MIT
// Prometheus' text format, version 0.0.4: "# HELP", "# TYPE", and a line a value.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace longcord {

class PrometheusText {
  public:
    using Labels = std::initializer_list<std::pair<std::string_view, std::string_view>>;

    /// Before the values of a metric. `type`: "gauge", "counter", "histogram".
    void metric(std::string_view name, std::string_view type, std::string_view help);
    void value(std::string_view name, Labels labels, double value);

    const std::string& text() const noexcept { return text_; }

  private:
    std::string text_;
};

} // namespace longcord
