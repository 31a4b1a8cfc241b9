// SPDX-License-Identifier: MIT
#include "host/host_use_source.hpp"

#include "plan/guards.hpp"
#include "usb/sysfs_reader.hpp"

namespace longcord {

/// A disk that has to spin up answers open(2) only then.
static constexpr milliseconds look_limit{15'000};

HostUseSource::HostUseSource(
    asio::io_context& loop, const Roots& roots, WorkerPool& pool, Reconciler& reconciler,
    NodeWatch& nodes)
    : roots_(roots), pool_(pool), reconciler_(reconciler), nodes_(nodes), events_(loop, roots) {}

Task<Result<>> HostUseSource::look(LookAtUse action) {
    (void)nodes_.watch(action.node); // before the look: whoever closes it from here on is noticed
    std::function<Result<HostUse>()> job = [roots = roots_, action]() -> Result<HostUse> {
        const auto device = read_local_device(roots, action.sysname);
        if (!device)
            return device.error();
        HostUse use = read_host_use(roots, *device);
        use.openers = openers_of(roots, action.node);
        return use;
    };
    const std::string key = "use of " + action.sysname;
    const auto use = co_await pool_.run<HostUse>(key, look_limit, std::move(job));
    if (!use)
        co_return use.error();
    use_seen(reconciler_.world(), action.place, *use, Clock::now());
    co_return Result<>();
}

Task<> HostUseSource::run() {
    for (;;) {
        co_await events_.next();
        uses_touched(reconciler_.world());
        reconciler_.wake();
    }
}

} // namespace longcord
