// SPDX-License-Identifier: MIT
// What doctest prints of a Result that is not what a test wants: the error's message.
#pragma once

#include "base/error.hpp"

#include <doctest/doctest.h>

template <class T> struct doctest::StringMaker<boost::system::result<T, longcord::Error>> {
    static doctest::String convert(const boost::system::result<T, longcord::Error>& result) {
        return result ? doctest::String("a value")
                      : doctest::String(result.error().message.c_str());
    }
};
