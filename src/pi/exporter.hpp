// SPDX-License-Identifier: MIT
// Keeps what usbip-host has in step with the plan: looks at the devices that events name, asks the
// plan, does what it says. One operation a device at a time, all devices in parallel; whatever may
// wait for a device's lock runs on the WorkerPool.
#pragma once

#include "base/worker_pool.hpp"
#include "pi/export_plan.hpp"
#include "pi/port_claimer.hpp"
#include "usb/usb_events.hpp"

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <set>

#include <boost/asio/steady_timer.hpp>

namespace longcord {

class Exporter {
  public:
    /// The kernel gives up a USB request after 5 s; a bind or unbind makes a few.
    static constexpr milliseconds deadline{15'000};
    /// Nodes wait so long for the first list at most: settling_time, and some binds.
    static constexpr milliseconds first_look{5'000};

    /// All on the loop.
    struct Handler {
        std::function<void(const Device&)> announce;
        std::function<void(const std::string& busid)> withdraw;
        /// It stays on this machine; again where the reason is another one.
        std::function<void(const Device&, const std::string& why)> kept;
        /// The first look is over: what was plugged at the start is bound, or stays. Once.
        std::function<void()> ready;
        /// What is plugged, or what it is for, may have changed: before any bind of the new plan.
        std::function<void()> judged;
        /// An operation ended: "bind", "unbind" or "give back".
        std::function<void(
            const Device&, std::string_view what, const Result<>&, milliseconds took)>
            done;
    };

    Exporter(
        asio::io_context& loop, WorkerPool& pool, Roots roots, ExportConfig config, Modes modes,
        Handler handler);

    /// Looks at everything, then follows the events; ends only with the loop. At the end of the
    /// service bound devices stay bound.
    Task<> run();
    void configure(ExportConfig config);
    void configure(Modes modes);
    /// Unbinds and binds a device that usbip-host has: heals error state, and ends any stream.
    void renew(const std::string& busid);
    /// What failed is tried at once.
    void try_again();
    /// Once an announced device is bound, or will not be for now; at once where no bind is under
    /// way.
    Task<> until_bound(std::string busid, milliseconds at_most);
    /// Nothing is under way at this place, and what is there is as the last plan wants it.
    bool at_rest(const std::string& busid) const;
    /// Before, the list of what is announced is not all that is there.
    bool ready() const noexcept { return ready_; }

    const ExportState& state() const noexcept { return state_; }
    /// Why each device is exported or not, as of the last plan.
    const std::map<std::string, Judgement>& judgements() const noexcept { return judgements_; }
    std::vector<Device> announced() const;

  private:
    bool is_known(const UsbEvent& event) const;
    void look_at_everything();
    void look(const std::string& busid, Sight sight = Sight::event);
    Task<> look_now(std::string busid, Sight sight);
    enum class Operation { bind, unbind, give_back };
    static std::string_view word_for(Operation operation);
    void operate(const std::string& busid, Operation operation);
    Task<> operate_now(PluggedDevice plugged, Operation operation);
    void settle(const std::string& busid);
    void replan();
    void carry_out(const ExportPlan& plan);
    void end_first_look();
    void tell_what_is_kept();

    asio::io_context& loop_;
    WorkerPool& pool_;
    Roots roots_;
    ExportConfig config_;
    Modes modes_;
    Handler handler_;
    std::shared_ptr<PortClaims> claims_; ///< jobs on worker threads have it too
    PortClaimer claimer_;
    std::unique_ptr<UsbEvents> events_;
    ExportState state_;
    std::map<std::string, Judgement> judgements_;
    /// What was told to be kept, by busid: which plugging-in, and why.
    std::map<std::string, std::pair<unsigned, std::string>> kept_;
    std::list<asio::steady_timer*> waiting_; ///< for a bind to end
    std::set<std::string> look_after_;       ///< something happened while the device was busy
    bool replanning_ = false;
    bool ready_ = false;
    asio::steady_timer first_look_; ///< ends it, whatever is still missing
    asio::steady_timer again_;
};

} // namespace longcord
