// SPDX-License-Identifier: MIT
// How the next step for one place is found, case by case: what has to come out first (steps.cpp),
// then how it gets in (steps_in.cpp). Of this room only; others call next_step().
#pragma once

#include "plan/ownership.hpp"
#include "plan/steps.hpp"

namespace longcord {

class Stepper {
  public:
    Stepper(
        const World& world, const Place& place, const Situation& s, Shared& shared, TimePoint now)
        : world_(world), place_(place), s_(s), shared_(shared), now_(now) {}

    Step run();

  private:
    Step say(DeviceState state, std::string why) const;
    Step say_until(DeviceState state, std::string why, TimePoint wake) const;
    Step act(DeviceState state, Action action, std::string why) const;
    Step in_flight(const Action& action) const;
    /// A VM that cannot be told to let go now keeps no other from it: the one that has the device,
    /// or has what is left of another plug.
    Step with_plugs() const;

    // --- out ---
    /// Why this plug is not as it should be; nullopt: it is, or that cannot be told now.
    std::optional<std::string> why_take_out(const SeenPlug& plug) const;
    Step take_out(const SeenPlug& plug, const std::string& why) const;
    Step detach(std::string why, bool in_vain = false) const;

    // --- staying ---
    Step plugged(const SeenPlug& plug) const;
    static std::optional<unsigned> parse_port(const std::string& port);
    static TimePoint enumeration_end(const Import& import);
    bool not_enumerated_in_time() const;
    /// Until its own enumeration, or the one it waits for, is late: both are looked at again then.
    Step enumerating(DeviceState state, std::string why) const;
    Step not_owned() const;

    // --- in ---
    Step towards_plugged();
    /// A VM that may have it, although it was not seen there: an outcome that is not known is read
    /// back before anything else is done, and so is what was there before the service.
    std::optional<unsigned> may_be_in() const;
    Step local();
    /// What this host does with it that keeps it from being plugged; nullopt: nothing.
    std::optional<Step> guarded() const;
    /// A device that the host uses stays refused while that is looked at again.
    Step looking_at_use(Step step) const;
    std::optional<Step> backing_off() const;
    /// What the guest selected before, else what the rule says, else what the guest will select:
    /// Windows the first one, which has the number 1 in all devices that count as usual, and Linux
    /// what the kernel here chooses as well.
    std::optional<unsigned> wanted_configuration() const;
    Step remote();
    Step import_it();
    Result<GuestPort> guest_port();
    Step no_port(const Error& why);
    /// QEMU begins with a reset, which would wait in the kernel, and the whole VM with it.
    Step plug_import();
    Step plug(const LocalDevice& device);
    Step plug_at(const LocalDevice& device, const GuestPort& port) const;

    const World& world_;
    const Place& place_;
    const Situation& s_;
    Shared& shared_;
    TimePoint now_;
    Ownership owner_;
};

} // namespace longcord
