// SPDX-License-Identifier: MIT
#include "base/log.hpp"

#include "base/journal_socket.hpp"
#include "base/roots.hpp"

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <mutex>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace longcord {

namespace {

/// Of the line that this thread is logging.
thread_local const LogFields* current_fields = nullptr;

/// syslog(3): 3 is an error, 4 a warning, 6 information, 7 for debugging.
char priority_of(spdlog::level::level_enum level) {
    static constexpr std::string_view priorities = "7764326";
    return priorities[static_cast<std::size_t>(level)];
}

class JournalSink final : public spdlog::sinks::base_sink<std::mutex> {
  public:
    explicit JournalSink(std::filesystem::path socket) : journal_(std::move(socket)) {}

  protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        const std::string_view text(message.payload.data(), message.payload.size());
        const char priority = priority_of(message.level);
        std::string entry;
        add_journal_field(entry, "MESSAGE", text);
        add_journal_field(entry, "PRIORITY", std::string_view(&priority, 1));
        add_journal_field(entry, "SYSLOG_IDENTIFIER", program_invocation_short_name);
        if (current_fields)
            for (const auto& [name, value] : *current_fields)
                add_journal_field(entry, name, value);
        if (journal_.send(entry))
            return;
        // sd-daemon(3): a line that begins with "<3>" is an error, "<6>" information, ...
        const std::string line = fmt::format("<{}>{}\n", priority, text);
        std::fwrite(line.data(), 1, line.size(), stderr);
    }
    void flush_() override {}

  private:
    JournalSocket journal_;
};

spdlog::sink_ptr sink_of_stderr() {
    // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread exists
    const char* journal = std::getenv("JOURNAL_STREAM");
    if (journal && stderr_is_journal(journal))
        return std::make_shared<JournalSink>(
            Roots::from_environment().prefix / "run/systemd/journal/socket");
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
    sink->set_pattern("%H:%M:%S.%e %l %v");
    return sink;
}

} // namespace

void start_logging(std::string_view level) {
    auto logger = std::make_shared<spdlog::logger>("longcord", sink_of_stderr());
    logger->set_level(spdlog::level::from_str(std::string(level)));
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
}

void log_about(const LogFields& fields, bool warn, std::string_view line) {
    current_fields = &fields;
    spdlog::log(warn ? spdlog::level::warn : spdlog::level::info, "{}", line);
    current_fields = nullptr;
}

void set_log_level(std::string_view level) {
    spdlog::set_level(spdlog::level::from_str(std::string(level)));
}

std::string log_level() {
    const auto name = spdlog::level::to_string_view(spdlog::get_level());
    const std::string_view text(name.data(), name.size());
    return std::string(text == "warning" ? "warn" : text); // as the configuration has it
}

} // namespace longcord
