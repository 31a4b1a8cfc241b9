// SPDX-License-Identifier: MIT
// Files of /etc/pve, which any node of the cluster may write, and which may be half of what they
// were: a VM's configuration, USB mappings, what is remembered of a VM, its `args:` line.
#include "base/text.hpp"
#include "must.hpp"
#include "proxmox/usb_mapping.hpp"
#include "proxmox/vm_args.hpp"
#include "proxmox/vm_config.hpp"
#include "proxmox/vm_intent.hpp"

using namespace longcord;

static void check_config(std::string_view text) {
    const auto config = parse_vm_config(text);
    must(config.saved_ram.size() <= SavedRam::most, "saved RAM has its limit");
    for (const auto& line : config.usb)
        must(
            (line.place ? 1 : 0) + (line.id ? 1 : 0) + (line.mapping.empty() ? 0 : 1) +
                    (line.spice ? 1 : 0) <=
                1,
            "a usbN: line names one thing");
    must(config == parse_vm_config(text), "the same text means the same");
}

static void check_intent(std::string_view text) {
    const auto intent = parse_intent(text);
    if (!intent)
        return must(!intent.error().message.empty(), "a refusal has a reason");
    must(intent->pins.size() <= VmIntent::most_pins, "pins have their limit");
    must(intent->attached.size() <= VmIntent::most_by_hand, "what is by hand has its limit");
    must(parse_intent(format_intent(*intent)) == *intent, "what we write means the same");
}

static void check_args(std::string_view text) {
    const auto with = with_controller(text);
    if (!with)
        return must(!with.error().message.empty(), "a refusal has a reason");
    must(*with_controller(*with) == *with, "twice is once");
    const auto without = without_controller(*with);
    must(without.has_value(), "what was put in can be taken out");
    must(*without_controller(*without) == *without, "and then it is gone");
    must(*with == text || trim(*without) == trim(text), "and the rest is as it was");
}

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    check_config(text);
    static_cast<void>(parse_usb_mappings(text));
    check_intent(text);
    check_args(text);
    return 0;
}
