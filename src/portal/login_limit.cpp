// SPDX-License-Identifier: MIT
#include "portal/login_limit.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include <arpa/inet.h>

namespace longcord {

void LoginLimit::fill(Bucket& bucket, double most, double each, TimePoint now) {
    const std::chrono::duration<double> passed = now - bucket.at;
    bucket.left = std::min(most, bucket.left + passed.count() / each);
    bucket.at = now;
}

static std::optional<seconds> wait_for(double left, double each) {
    constexpr double nothing = 1e-6; // of a second: what doubles lose
    if (left >= 1 - nothing)
        return std::nullopt;
    return seconds(std::max<long>(1, std::lround(std::ceil((1 - left) * each - nothing))));
}

std::optional<seconds> LoginLimit::take(const std::string& address, TimePoint now) {
    if (addresses_.size() >= max_addresses && !addresses_.contains(address)) {
        std::erase_if(addresses_, [&](const auto& each) {
            Bucket bucket = each.second;
            fill(bucket, at_once, seconds_each, now);
            return bucket.left >= at_once;
        });
        if (addresses_.size() >= max_addresses) // so many are at it that the oldest is let off
            addresses_.erase(std::ranges::min_element(
                addresses_, {}, [](const auto& each) { return each.second.at; }));
    }
    Bucket& one = addresses_.try_emplace(address, Bucket{at_once, now}).first->second;
    fill(one, at_once, seconds_each, now);
    fill(all_, all_at_once, all_seconds_each, now);
    if (const auto wait = wait_for(one.left, seconds_each))
        return wait;
    if (const auto wait = wait_for(all_.left, all_seconds_each))
        return wait;
    one.left -= 1;
    all_.left -= 1;
    return std::nullopt;
}

void LoginLimit::forget(const std::string& address) {
    addresses_.erase(address);
}

std::string limited_address(const std::string& address) {
    std::array<unsigned char, sizeof(in6_addr)> bytes{};
    const auto text = address.substr(0, address.find('%'));
    if (::inet_pton(AF_INET6, text.c_str(), bytes.data()) != 1)
        return address;
    constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
    std::array<char, INET6_ADDRSTRLEN> out{};
    if (std::equal(mapped.begin(), mapped.end(), bytes.begin()))
        return ::inet_ntop(AF_INET, bytes.data() + mapped.size(), out.data(), out.size());
    std::memset(bytes.data() + 8, 0, 8);
    return ::inet_ntop(AF_INET6, bytes.data(), out.data(), out.size());
}

} // namespace longcord
