// SPDX-License-Identifier: MIT
// What each request gets: judged by `routes`, answered from here, from the page's files, or by the
// service through its control socket.
#pragma once

#include "base/roots.hpp"
#include "base/worker_pool.hpp"
#include "portal/live.hpp"
#include "portal/login_limit.hpp"
#include "portal/own_names.hpp"
#include "portal/password.hpp"
#include "portal/routes.hpp"
#include "portal/sessions.hpp"
#include "portal/web_files.hpp"

namespace longcord {

class PortalApi {
  public:
    /// A hash takes some hundred milliseconds on a small Pi.
    static constexpr milliseconds hash_deadline{20'000};
    static constexpr milliseconds turn{20}; ///< between two looks whether it has ended

    PortalApi(
        WorkerPool& pool, std::filesystem::path password_file, WebFiles web, Live& live,
        OwnNames names, bool on_node)
        : pool_(pool), password_(std::move(password_file)), web_(std::move(web)), live_(live),
          names_(std::move(names)), on_node_(on_node) {}

    Task<PortalResponse> answer(PortalRequest request);

  private:
    PortalResponse session(const PortalRequest& request);
    Task<PortalResponse> set_up(PortalRequest request, nlohmann::json args);
    Task<PortalResponse> log_in(PortalRequest request, nlohmann::json args);
    Task<PortalResponse> change_password(PortalRequest request, nlohmann::json args);
    Task<PortalResponse> ask(const Route* route, nlohmann::json args);
    Task<PortalResponse> open_stream(PortalRequest request, bool console);
    Task<Result<>> hash(std::function<Result<>()> job);
    PortalResponse welcome(const PortalRequest& request);
    std::optional<PortalResponse> too_often(const PortalRequest& request);
    std::string token_of(const PortalRequest& request) const;

    WorkerPool& pool_;
    PasswordFile password_;
    WebFiles web_;
    Live& live_;
    OwnNames names_;
    bool on_node_;
    Sessions sessions_;
    LoginLimit limit_;
};

} // namespace longcord
