// SPDX-License-Identifier: MIT
#include "pi/node_test.hpp"

#include "link/ssh_probe.hpp"

#include <array>

#include <boost/asio/post.hpp>
#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

static constexpr std::array<const char*, 5> all_steps{
    "name", "tcp", "host key", "login", "service"};

void NodeTest::done(
    const std::string& node, const std::string& step, const Result<std::string>& outcome,
    milliseconds took, json& steps) {
    const std::string detail = outcome ? *outcome : outcome.error().message;
    steps.push_back(
        {{"step", step},
         {"ok", outcome.has_value()},
         {"detail", detail},
         {"took_ms", took.count()}});
    Event event;
    event.kind = "testing";
    event.message =
        fmt::format("test of {}: {}: {}{}", node, step, outcome ? "good: " : "failed: ", detail);
    event.took = took;
    journal_.write(std::move(event));
}

/// The steps cross to the loop one by one, before the job's end does.
Task<> NodeTest::probe(std::string name, LinkTarget target, std::shared_ptr<json> steps) {
    const std::function<void(const ProbeStep&)> tell = [this, name, steps](const ProbeStep& step) {
        asio::post(loop_, [this, name, steps, step] {
            done(name, step.name, step.outcome, step.took, *steps);
        });
    };
    const std::function<Result<>()> job = [target, tell] {
        probe_node(target, tell);
        return Result<>();
    };
    const auto ended = co_await pool_.run("test of " + name, deadline, job);
    if (!ended) {
        const Result<std::string> outcome = ended.error();
        const char* step = steps->size() < all_steps.size() ? all_steps[steps->size()] : "service";
        done(name, step, outcome, deadline, *steps);
    }
}

Task<Result<json>> NodeTest::answer(json args) {
    const auto given = args.find("node");
    if (given == args.end() || !given->is_string())
        co_return fail(ErrorKind::invalid, "test needs a node: its name or address");
    const auto way = links_.way_to(given->get<std::string>());
    if (!way)
        co_return way.error();
    const std::string name = way->node.empty() ? way->address : way->node;
    if (pool_.in_flight("test of " + name))
        co_return fail(ErrorKind::busy, "{}: a test is under way already", name);
    const auto steps = std::make_shared<json>(json::array());
    co_await probe(name, way->target, steps);
    const auto failed = [&] {
        return std::ranges::any_of(*steps, [](const json& step) { return step["ok"] == false; });
    };
    if (!failed()) {
        const TimePoint began = Clock::now();
        const auto service = co_await links_.service_of(way->address, service_deadline);
        const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - began);
        done(name, "service", service, took, *steps);
    }
    const bool good = !failed();
    for (std::size_t i = steps->size(); i < all_steps.size(); ++i)
        steps->push_back(
            {{"step", all_steps[i]},
             {"ok", nullptr},
             {"detail", "not tried"},
             {"took_ms", nullptr}});
    co_return json{
        {"node", way->node.empty() ? json() : json(way->node)},
        {"host", way->address},
        {"ok", good},
        {"steps", *steps}};
}

} // namespace longcord
