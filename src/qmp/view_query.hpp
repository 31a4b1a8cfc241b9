// SPDX-License-Identifier: MIT
// How a VmView is asked for, by QOM alone, in at most three rounds of questions that go out
// together:
//   1. the run state, and the children of /machine/peripheral (devices with an id) and
//      /machine/peripheral-anon (without);
//   2. of each xHCI its ports (p2, p3); of each USB device `port` (text) and the link `parent_bus`,
//      which reads as the bus' whole path: "/machine/peripheral/xhci/xhci.0"; of usb-host also
//      `attached` and `hostdevice`;
//   3. of a usb-host without hostdevice, `hostport`.
// query-pci is no use: it does not see behind bridges before the firmware has run.
#pragma once

#include "base/error.hpp"
#include "qmp/codec.hpp"
#include "qmp/vm_view.hpp"

#include <vector>

namespace longcord {

class ViewQuery {
  public:
    /// Children of one kind that are looked at; more than any VM has, so that an answer cannot make
    /// us ask without end.
    static constexpr std::size_t max_objects = 256;

    /// The next round; empty: view() is whole.
    std::vector<QmpCommand> next() const;
    /// The answers to next(), in its order.
    Result<> take(const std::vector<QmpAnswer>& answers);
    VmView view() const;

  private:
    struct Object {
        std::string path; ///< "/machine/peripheral/usbhost3-4.1"
        GuestDevice device;
    };
    Result<> take_lists(const std::vector<QmpAnswer>& answers);
    void list(const QmpAnswer& children, const std::string& parent, bool named);
    void take_properties(const std::vector<QmpAnswer>& answers);
    void take_hostports(const std::vector<QmpAnswer>& answers);

    unsigned round_ = 0;
    RunState state_ = RunState::other;
    std::vector<GuestController> controllers_;
    std::vector<Object> objects_;
};

} // namespace longcord
