// SPDX-License-Identifier: MIT
#include "portal/sessions.hpp"

#include "base/base64.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <openssl/sha.h>

namespace longcord {

static std::string text_of(const Sessions::Random& random) {
    return encode_base64url(std::string(random.begin(), random.end()));
}

static std::string hash_of(std::string_view token) {
    std::array<unsigned char, SHA256_DIGEST_LENGTH> hash{};
    // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): what OpenSSL takes
    ::SHA256(reinterpret_cast<const unsigned char*>(token.data()), token.size(), hash.data());
    return {hash.begin(), hash.end()};
}

static bool is_over(const Session& session, TimePoint now) {
    return now - session.used >= Sessions::idle || now - session.began >= Sessions::longest;
}

Sessions::New Sessions::begin(const Random& token, const Random& csrf, TimePoint now) {
    std::erase_if(sessions_, [&](const auto& each) { return is_over(each.second, now); });
    if (sessions_.size() >= limit)
        sessions_.erase(std::ranges::min_element(
            sessions_, {}, [](const auto& each) { return each.second.used; }));
    New made{text_of(token), text_of(csrf)};
    sessions_[hash_of(made.token)] = Session{made.csrf, now, now};
    return made;
}

const Session* Sessions::find(std::string_view token, TimePoint now) {
    const auto found = sessions_.find(hash_of(token));
    if (found == sessions_.end())
        return nullptr;
    if (is_over(found->second, now)) {
        sessions_.erase(found);
        return nullptr;
    }
    found->second.used = now;
    return &found->second;
}

bool Sessions::is_alive(std::string_view token, TimePoint now) const {
    const auto found = sessions_.find(hash_of(token));
    return found != sessions_.end() && !is_over(found->second, now);
}

void Sessions::end(std::string_view token) {
    sessions_.erase(hash_of(token));
}

std::string cookie_value(std::string_view header, std::string_view name) {
    while (!header.empty()) {
        const auto end = header.find(';');
        const auto pair = trim(header.substr(0, end));
        header = end == std::string_view::npos ? "" : header.substr(end + 1);
        if (pair.size() > name.size() && pair.starts_with(name) && pair[name.size()] == '=')
            return std::string(pair.substr(name.size() + 1));
    }
    return {};
}

bool equal_secrets(std::string_view one, std::string_view other) {
    unsigned differs = one.size() != other.size();
    for (std::size_t i = 0; i < one.size() && i < other.size(); ++i)
        differs |= static_cast<unsigned char>(one[i]) ^ static_cast<unsigned char>(other[i]);
    return differs == 0;
}

} // namespace longcord
