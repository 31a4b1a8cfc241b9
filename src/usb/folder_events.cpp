// SPDX-License-Identifier: MIT
#include "base/inotify.hpp"
#include "usb/usb_events.hpp"

#include <filesystem>
#include <system_error>

namespace longcord {

namespace fs = std::filesystem;

namespace {

class FolderEvents final : public UsbEvents {
  public:
    FolderEvents(asio::io_context& loop, const Roots& roots) : sys_(roots.sys()), inotify_(loop) {
        fs::create_directories(folder());
        inotify_.watch(folder(), IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO).value();
    }

    Task<std::vector<UsbEvent>> next() override {
        const auto seen = co_await inotify_.next();
        std::vector<UsbEvent> events;
        events.reserve(seen.size());
        for (const auto& event : seen)
            events.push_back(event_from(event));
        co_return events;
    }

  private:
    fs::path folder() const { return sys_ / "bus/usb/devices"; }

    UsbEvent event_from(const InotifyEvent& entry) const {
        if (entry.overflow())
            return UsbEvent::lost();
        UsbEvent event;
        const bool came = (entry.mask & (IN_CREATE | IN_MOVED_TO)) != 0;
        event.action = came ? UsbEvent::Action::add : UsbEvent::Action::remove;
        event.sysname = entry.name;
        event.interface = entry.name.find(':') != std::string::npos;
        std::error_code error;
        const auto target = fs::canonical(folder() / entry.name, error).string();
        const auto sys = fs::canonical(sys_, error).string();
        if (target.starts_with(sys + '/'))
            event.devpath = target.substr(sys.size());
        return event;
    }

    fs::path sys_;
    Inotify inotify_;
};

} // namespace

std::unique_ptr<UsbEvents> watch_usb_folder(asio::io_context& loop, const Roots& roots) {
    return std::make_unique<FolderEvents>(loop, roots);
}

} // namespace longcord
