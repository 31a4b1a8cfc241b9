// SPDX-License-Identifier: MIT
#include "base/base64.hpp"

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("base64: the test vectors of RFC 4648, 10") {
    const std::pair<const char*, const char*> vectors[] = {
        {"", ""},
        {"f", "Zg=="},
        {"fo", "Zm8="},
        {"foo", "Zm9v"},
        {"foob", "Zm9vYg=="},
        {"fooba", "Zm9vYmE="},
        {"foobar", "Zm9vYmFy"}};
    for (const auto& [bytes, text] : vectors) {
        CAPTURE(bytes);
        CHECK(encode_base64(bytes) == text);
        CHECK(decode_base64(text) == bytes);
        const std::string unpadded = std::string(text).substr(0, std::string(text).find('='));
        CHECK(encode_base64url(bytes) == unpadded);
        CHECK(decode_base64url(unpadded) == bytes);
    }
}

TEST_CASE("base64: every byte, and the two digits in which the alphabets differ") {
    std::string all;
    for (int i = 0; i < 256; ++i)
        all += static_cast<char>(i);
    CHECK(decode_base64(encode_base64(all)) == all);
    CHECK(decode_base64url(encode_base64url(all)) == all);
    CHECK(encode_base64("\xfb\xff") == "+/8=");
    CHECK(encode_base64url("\xfb\xff") == "-_8");
}

TEST_CASE("base64: what is none") {
    for (const char* bad :
         {"Z", "Zg", "Zg=", "Zg===", "====", "Z===", "Zh==", "Zm9=", "Zm 9", "Zm9-", "Zg==Zg=="})
        CHECK_MESSAGE(!decode_base64(bad), bad);
    for (const char* bad : {"Z", "Zh", "Zm9=", "Zm 9", "Zm9/", "Zm9vY"})
        CHECK_MESSAGE(!decode_base64url(bad), bad);
}
