// SPDX-License-Identifier: MIT
// Hub ports that are ours alone (USBDEVFS_CLAIM_PORT): while one is claimed, no driver of this
// machine binds to what is plugged there (usb_probe_interface() asks usb_device_is_owned(),
// drivers/usb/core/driver.c and hub.c), whoever asks for it, and the kernel selects no
// configuration (usb_choose_configuration(), generic.c). On a node these are ports of vhci: QEMU
// asks whenever it lets go of a device, announced or not, while usbfs may still claim the
// interfaces (docs/adr/0001). On a Pi they are empty ports whose next device is to be exported
// (docs/adr/0002). A claim ends with its descriptor, so the descriptors are given to systemd too,
// which keeps them while a killed service is started again, and drops those of a hub that is gone.
//
// On vhci a claim also makes it safe that new interfaces are authorised from the start
// (interface_authorized_default), which a guest needs that selects another configuration: QEMU
// claims its interfaces in the same breath. It is a property of the whole hub, and a device is
// claimed only after the kernel has chosen its configuration: so never while one is authorised.
#pragma once

#include "base/error.hpp"
#include "base/roots.hpp"
#include "base/unique_fd.hpp"

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace longcord {

class PortClaims {
  public:
    /// An open hub does not go to sleep (usbdev_open, devio.c) unless it is told that it may: then
    /// a plug is noticed as without us.
    enum class Hubs { stay_awake, may_sleep };

    /// Takes what systemd kept from the last run. `roots`: /dev and /sys.
    explicit PortClaims(Roots roots, Hubs hubs = Hubs::stay_awake);

    /// The port that this device hangs on: "5-1" is port 1 of usb5, "1-1.2" port 2 of 1-1. Waits
    /// while the hub's lock is held, which it is while something else enumerates there: for the
    /// WorkerPool. not_found: no such hub or node; busy: another program has claimed it.
    Result<> claim(std::string_view sysname);
    /// Before a device of that bus is authorised: its new interfaces are not, until as many calls
    /// of `allow_interfaces` follow, of which the last is for a claimed port. refused: its root hub
    /// authorises them, and not at our request.
    Result<> withhold_interfaces(unsigned bus);
    void allow_interfaces(unsigned bus, bool claimed);

    /// So that whoever comes to that port is the kernel's again. Waits as `claim` does, where there
    /// is a claim. What is not claimed is no error; true: it was. `this_one`: unless it was claimed
    /// anew since that claim, for who gives up on a worker thread what was seen to be over on the
    /// loop.
    bool release(std::string_view sysname, std::optional<unsigned> this_one = {});
    /// The claim that is there now. Does not wait.
    unsigned claim_number(std::string_view sysname) const;
    /// All but these.
    void release_others(const std::set<std::string>& sysnames);
    /// After a restart: of everything but these, claims of imports that are over; these are claimed
    /// where systemd kept nothing, since the service was stopped.
    void release_all_but(const std::set<std::string>& sysnames);

    /// New interfaces are as unusable as before, since nobody can say how long the claims live.
    ~PortClaims();
    PortClaims(const PortClaims&) = delete;
    PortClaims& operator=(const PortClaims&) = delete;

  private:
    struct Port {
        std::string hub; ///< "usb5", or "1-1"
        unsigned bus = 0;
        unsigned number = 0;
    };
    /// One claim or release at a time for each hub: the kernel has a lock for each as well, which
    /// is held while something enumerates there, and other hubs must not wait for that.
    struct Hub {
        std::mutex mutex;
        UniqueFd fd;
    };
    static Result<Port> port_of(std::string_view sysname);
    bool may_be_claimed(const Port& port, std::string_view sysname) const;
    void remember_kept(const std::string& hub, const std::string& sysname);
    void forget(std::string_view sysname);
    std::shared_ptr<Hub> find_hub(const Port& port) const;
    Result<std::shared_ptr<Hub>> open_hub(const Port& port);
    std::vector<std::pair<std::string, std::shared_ptr<Hub>>> all_hubs() const;
    unsigned ports_of(const std::string& hub) const;
    std::filesystem::path interface_default(unsigned bus) const;

    Roots roots_;
    Hubs power_;
    mutable std::mutex mutex_; ///< of what follows, and never held while the kernel may wait
    std::map<std::string, std::shared_ptr<Hub>, std::less<>> hubs_;
    std::map<std::string, unsigned, std::less<>> numbers_; ///< how often a port was claimed
    std::set<std::string, std::less<>> claimed_; ///< ports, by the name of who hangs there
    /// From the last run: what is claimed of these the kernel knows, and we do not.
    std::set<std::string, std::less<>> kept_;
    std::map<unsigned, unsigned> withheld_; ///< authorisations under way, by bus
    std::set<unsigned> allowed_;            ///< buses that authorise interfaces at our request
};

} // namespace longcord
