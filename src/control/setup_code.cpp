// SPDX-License-Identifier: MIT
#include "control/setup_code.hpp"

#include <cerrno>

#include <nlohmann/json.hpp>

#include <sys/random.h>

namespace longcord {

/// 32 of them, and none that is taken for another: no I, O, 0, 1.
static constexpr std::string_view alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
static_assert(alphabet.size() == 32);

std::string SetupCode::make(const Random& random, TimePoint now) {
    code_.clear();
    for (const std::uint8_t byte : random)
        code_ += alphabet[byte % alphabet.size()];
    made_ = now;
    wrong_ = 0;
    return code_.substr(0, length / 2) + '-' + code_.substr(length / 2);
}

static std::string plain(std::string_view typed) {
    std::string out;
    for (const char c : typed)
        if (c >= 'a' && c <= 'z')
            out += static_cast<char>(c - 'a' + 'A');
        else if (c != ' ' && c != '-')
            out += c;
    return out;
}

/// In a time that does not tell how much of it was right.
static bool equal(std::string_view one, std::string_view other) {
    unsigned differs = one.size() != other.size();
    for (std::size_t i = 0; i < one.size() && i < other.size(); ++i)
        differs |= static_cast<unsigned char>(one[i]) ^ static_cast<unsigned char>(other[i]);
    return differs == 0;
}

Result<> SetupCode::use(std::string_view code, TimePoint now) {
    constexpr const char* get_one = "run \"longcord portal-code\" on this machine, as root";
    if (!code_.empty() && now - made_ >= lifetime)
        code_.clear();
    if (code_.empty())
        return fail(ErrorKind::not_found, "there is no setup code that is good now: {}", get_one);
    if (equal(code_, plain(code))) {
        code_.clear();
        return {};
    }
    if (++wrong_ < max_wrong)
        return fail(ErrorKind::refused, "this is not the setup code");
    code_.clear();
    return fail(
        ErrorKind::refused,
        "this is not the setup code; after {} wrong ones a new one is needed: {}", max_wrong,
        get_one);
}

static Result<SetupCode::Random> random_from_kernel() {
    SetupCode::Random random{};
    if (::getrandom(random.data(), random.size(), 0) != static_cast<ssize_t>(random.size()))
        return fail_errno(errno, "getrandom");
    return random;
}

Result<nlohmann::json> answer_setup_code(
    SetupCode& code, const std::string& verb, const nlohmann::json& args, std::string& said) {
    if (verb == "portal-code") {
        const auto random = random_from_kernel();
        if (!random)
            return random.error();
        said = "a setup code for the portal was made";
        return nlohmann::json{
            {"code", code.make(*random, Clock::now())},
            {"expires_s", SetupCode::lifetime.count() / 1000}};
    }
    const auto given = args.find("code");
    const bool text = given != args.end() && given->is_string();
    const auto good = code.use(text ? given->get<std::string>() : "", Clock::now());
    said = good ? "the portal was set up with the setup code"
                : "the portal was given a setup code: " + good.error().message;
    if (!good)
        return good.error();
    return nlohmann::json{{"good", true}};
}

} // namespace longcord
