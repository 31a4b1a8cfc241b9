// SPDX-License-Identifier: MIT
#include "base/prometheus.hpp"

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("Prometheus' text format") {
    PrometheusText out;
    out.metric("longcord_devices", "gauge", "USB devices");
    out.value("longcord_devices", {{"state", "plugged"}, {"pi", "a\"b\\c\nd"}}, 3);
    out.value("longcord_imports", {}, 0.25);
    CHECK(
        out.text() == "# HELP longcord_devices USB devices\n"
                      "# TYPE longcord_devices gauge\n"
                      "longcord_devices{state=\"plugged\",pi=\"a\\\"b\\\\c?d\"} 3\n"
                      "longcord_imports 0.25\n");
}
