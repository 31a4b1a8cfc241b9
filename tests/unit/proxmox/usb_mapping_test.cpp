// SPDX-License-Identifier: MIT
#include "proxmox/usb_mapping.hpp"

#include <doctest/doctest.h>

using namespace longcord;

TEST_CASE("mapping/usb.cfg as Proxmox writes it") {
    const auto mappings = parse_usb_mappings("board\n"
                                             "\tdescription the one on the desk\n"
                                             "\tmap id=1a86:55d4,node=pve1,path=1-2.3\n"
                                             "\tmap id=0403:6001,node=pve2\n"
                                             "\n"
                                             "stick\n"
                                             "\tmap node=pve1,id=0951:1666\n");
    REQUIRE(mappings.size() == 2);
    CHECK(
        mappings.at("board") == std::vector<UsbMapping>{
                                    {"pve1", Place::parse("1-2.3").value(), UsbId{0x1a86, 0x55d4}},
                                    {"pve2", std::nullopt, UsbId{0x0403, 0x6001}}});
    CHECK(mappings.at("stick").size() == 1);
}

TEST_CASE("what is no mapping says nothing, and nothing is fatal") {
    for (const char* text :
         {"", "\n\n", "\tmap id=1a86:55d4\n", "a\n\tmap\n", "a\n\tmap \n", "a\n map ,,=,=\n",
          "a\n\tmap path=workbench/1-1,id=zz:1,node=\n", "\xff\xfe\n\tmap \x00"}) {
        for (const auto& [name, entries] : parse_usb_mappings(text))
            for (const auto& entry : entries)
                CHECK_FALSE((entry.place || entry.id));
    }
}
