// SPDX-License-Identifier: MIT
// What must hold for every input; where it does not, the fuzzer keeps the input.
#pragma once

#include <cstdlib>
#include <iostream>

inline void must(bool holds, const char* what) {
    if (holds)
        return;
    std::cerr << "does not hold: " << what << "\n";
    std::abort();
}
