// SPDX-License-Identifier: MIT
#include "pi/serial_access.hpp"

#include "base/text.hpp"
#include "pi/serial_store.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace longcord {

using nlohmann::json;

SerialAccess::SerialAccess(Roots roots) : roots_(std::move(roots)) {
    auto kept = load_allow_list(roots_);
    if (kept)
        by_hand_ = std::move(*kept);
    else
        problem_ = kept.error().message;
}

AllowList SerialAccess::list() const {
    AllowList all = by_config_;
    all.everybody = all.everybody || by_hand_.everybody;
    all.local_net = all.local_net || by_hand_.local_net;
    all.networks.insert(all.networks.end(), by_hand_.networks.begin(), by_hand_.networks.end());
    for (const std::string& node : nodes_)
        if (const auto address = Network::parse(node))
            all.networks.push_back(*address);
    return all;
}

json SerialAccess::report() const {
    json allow = json::array();
    const auto add = [&](const std::vector<std::string>& entries, const char* by) {
        for (const std::string& entry : entries)
            allow.push_back({{"address", entry}, {"by", by}});
    };
    add(nodes_, "node");
    add(by_config_.entries(), "pi.yaml");
    add(by_hand_.entries(), "hand");
    json refused = json::array();
    for (const auto& each : refusals_.all())
        refused.push_back({{"address", each.address}, {"place", each.name}, {"times", each.times}});
    return {{"allow", std::move(allow)}, {"refused", std::move(refused)}};
}

Result<json> SerialAccess::change(const std::string& address, bool remove, bool& changed) {
    if (!problem_.empty()) // what stands in the file would be lost
        return fail(ErrorKind::unavailable, "{}", problem_);
    AllowList list = by_hand_;
    if (remove) {
        const auto removed = list.remove(address);
        if (!removed)
            return removed.error();
        if (!*removed)
            return fail(
                ErrorKind::not_found, "{} was not let in by hand: see `longcord serial allow`",
                printable(address));
    } else if (const auto added = list.add(address); !added) {
        return added.error();
    }
    if (list.entries().size() > max_serial_allow)
        return fail(
            ErrorKind::full, "{} addresses are let in by hand, which is all that can be",
            max_serial_allow);
    changed = list != by_hand_;
    if (changed)
        if (const auto saved = save_allow_list(roots_, list); !saved)
            return saved.error();
    by_hand_ = std::move(list);
    return json{{"address", address}, {"allowed", !remove}, {"changed", changed}};
}

Result<json> SerialAccess::answer(const json& args, bool& changed) {
    changed = false;
    const auto text = args.is_object() ? args.find("address") : args.end();
    if (!args.is_object() || text == args.end() || !text->is_string())
        return report();
    const auto remove = args.find("remove");
    return change(
        text->get<std::string>(),
        remove != args.end() && remove->is_boolean() && remove->get<bool>(), changed);
}

} // namespace longcord
