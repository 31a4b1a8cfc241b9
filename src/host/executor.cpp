// SPDX-License-Identifier: MIT
#include "host/executor.hpp"

#include "base/spawn.hpp"

namespace longcord {

Executor::Executor(
    asio::io_context& loop, Importer& importer, VmSessions& sessions, HostUseSource& uses,
    Reconciler& reconciler, Journal& journal)
    : loop_(loop), importer_(importer), sessions_(sessions), uses_(uses), reconciler_(reconciler),
      journal_(journal) {}

void Executor::start(const Action& action) {
    if (const auto* look = std::get_if<LookAtVm>(&action))
        sessions_.enqueue(look->vmid, action);
    else if (const auto* add = std::get_if<AddController>(&action))
        sessions_.enqueue(add->vmid, action);
    else if (const auto* plug = std::get_if<PlugDevice>(&action))
        sessions_.enqueue(plug->vmid, action);
    else if (const auto* unplug = std::get_if<UnplugDevice>(&action))
        sessions_.enqueue(unplug->vmid, action);
    else
        spawn_guarded(loop_, to_string(action), run(action));
}

Task<Result<>> Executor::perform(Action action) {
    if (const auto* import = std::get_if<ImportDevice>(&action)) {
        auto result = co_await importer_.import_device(*import);
        co_return result;
    }
    if (const auto* look = std::get_if<LookAtUse>(&action)) {
        auto result = co_await uses_.look(*look);
        co_return result;
    }
    if (const auto* authorize = std::get_if<AuthorizeImport>(&action)) {
        auto result = co_await importer_.authorize(*authorize);
        co_return result;
    }
    auto result = co_await importer_.detach(std::get<DetachImport>(action));
    co_return result;
}

Task<> Executor::run(Action action) {
    const auto begun = Clock::now();
    const auto result = co_await perform(action);
    const auto took = std::chrono::duration_cast<milliseconds>(Clock::now() - begun);
    journal_.action_ended(action, result, took);
    reconciler_.ended(action, result);
}

} // namespace longcord
