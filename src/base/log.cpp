// SPDX-License-Identifier: MIT
#include "base/log.hpp"

#include <cstdlib>
#include <memory>
#include <string>

#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace longcord {

namespace {

/// sd-daemon(3): a line that begins with "<3>" is an error, "<6>" information, ...
class JournalPriority final : public spdlog::custom_flag_formatter {
  public:
    void format(const spdlog::details::log_msg& message, const std::tm&, spdlog::memory_buf_t& out)
        override {
        static constexpr std::string_view priorities[] = {"<7>", "<7>", "<6>", "<4>",
                                                          "<3>", "<2>", "<6>"};
        const std::string_view priority = priorities[static_cast<std::size_t>(message.level)];
        out.append(priority.data(), priority.data() + priority.size());
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<JournalPriority>();
    }
};

} // namespace

void start_logging(std::string_view level) {
    auto sink = std::make_shared<spdlog::sinks::stderr_sink_st>();
    auto logger = std::make_shared<spdlog::logger>("longcord", std::move(sink));
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<JournalPriority>('P');
    // NOLINTNEXTLINE(concurrency-mt-unsafe): before any thread exists
    const bool journal = std::getenv("JOURNAL_STREAM") != nullptr;
    formatter->set_pattern(journal ? "%P%v" : "%H:%M:%S.%e %l %v");
    logger->set_formatter(std::move(formatter));
    logger->set_level(spdlog::level::from_str(std::string(level)));
    logger->flush_on(spdlog::level::trace);
    spdlog::set_default_logger(std::move(logger));
}

} // namespace longcord
