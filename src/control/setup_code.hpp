// SPDX-License-Identifier: MIT
// The code that sets the portal's password: root asks for one at the machine itself, and types it
// into the portal. So whoever can only reach the portal's page cannot take it over, and a password
// that was forgotten is set anew in the same way. Pure: the caller brings time and random bytes.
#pragma once

#include "base/clock.hpp"
#include "base/error.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

namespace longcord {

class SetupCode {
  public:
    static constexpr milliseconds lifetime{10 * 60'000}; ///< as a pairing's token
    static constexpr unsigned max_wrong = 5;             ///< then the code is no good any more
    static constexpr std::size_t length = 8;             ///< 40 bits
    using Random = std::array<std::uint8_t, length>;

    /// A new code, such as "K7QM-2XJD", in place of the one before.
    std::string make(const Random& random, TimePoint now);

    /// Good once. Case, blanks and hyphens are of no account. ErrorKind::refused: a wrong one;
    /// ::not_found: none was made, or it was used, is too old, or was guessed at too often.
    Result<> use(std::string_view code, TimePoint now);

  private:
    std::string code_; ///< without the hyphen; empty: none
    TimePoint made_{};
    unsigned wrong_ = 0;
};

/// The verbs `portal-code` (root is given one) and `portal-code-use` (the portal asks whether it
/// was given this one). `said`: what there is to log.
Result<nlohmann::json> answer_setup_code(
    SetupCode& code, const std::string& verb, const nlohmann::json& args, std::string& said);
inline bool is_setup_code_verb(std::string_view verb) {
    return verb == "portal-code" || verb == "portal-code-use";
}

} // namespace longcord
