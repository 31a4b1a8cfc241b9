// SPDX-License-Identifier: MIT
// One visit to a VM's QMP socket, as a machine without a socket. It is told what happened and says
// what to do next; client.hpp does it. QEMU has one client at a time and Proxmox is an impatient
// one (facts: statistics lost after 3 s, `qm` fails after 5 s), so the visit is short:
//
//     greeting -> capabilities, run state -> commands, if the VM runs -> view -> done
//                       ^---------- what came while the view was taken ---'
//
// Questions go out together. Commands go out one by one, each with the question that proves it
// (`attached` after device_add; is it still there after device_del), so that a QEMU that hangs in
// one has never been asked for the next: at a time-out one outcome is unknown, the others were not
// begun.
#pragma once

#include "base/error.hpp"
#include "qmp/codec.hpp"
#include "qmp/commands.hpp"
#include "qmp/json_framer.hpp"
#include "qmp/view_query.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace longcord {

struct SessionAction {
    enum class Kind { read, write, done } kind = Kind::read;
    std::string bytes; ///< to write

    bool operator==(const SessionAction&) const = default;
};

struct Connected {};
struct Written {};
struct BytesRead {
    std::string_view bytes;
};
/// Of the greeting, before greeted(); of the session, after.
struct LimitReached {};
/// The connection ended or could not be made.
struct Closed {
    Error why;
};
using SessionInput = std::variant<Connected, Written, BytesRead, LimitReached, Closed>;

class Session {
  public:
    /// `tag` makes the ids of this session unlike those of any other client and session.
    Session(std::vector<VmCommand> commands, std::string tag);

    /// One command more, until done: it runs before the view is taken, which begins anew where it
    /// was under way, and so does the question whether the VM runs.
    void add(VmCommand command);

    /// What should we do next? Total: no input makes it throw, and after `done` it stays done.
    SessionAction resume(const SessionInput& input);

    /// QEMU has turned to us: from here on we keep others waiting.
    bool greeted() const noexcept { return greeted_; }

    /// Once done. The view is the state at the end; an error says why there is none.
    const Result<VmView>& view() const noexcept { return view_; }
    /// One a command. ErrorKind::unknown: QEMU was asked and did not answer. ErrorKind::timeout or
    /// unavailable: it was never asked.
    std::vector<Result<>> outcomes() const;

  private:
    enum class Stage {
        greeting,
        preparing,
        plugging,
        unplugging,
        awaiting_event,
        viewing,
        finished
    };
    struct Asked {
        QmpCommand command;
        std::optional<QmpAnswer> answer;
    };

    SessionAction what_next();
    void handle_bytes(std::string_view bytes);
    void handle(const QmpMessage& message);
    void handle(const QmpGreeting&);
    void handle(const QmpReply& reply);
    void handle(const QmpEvent& event);
    void ask(std::vector<QmpCommand> commands);
    void advance();
    void prepare();
    void judge_prepared();
    void next_command();
    void judge_plug();
    void ask_unplug(std::optional<QmpCommand> del);
    void judge_unplug();
    void decide(Result<> outcome);
    void begin_view();
    void judge_view();
    void reach_limit();
    void end(const Error& why, const Error& command_in_flight, const Error& not_begun);

    std::vector<VmCommand> commands_;
    std::string tag_;
    Stage stage_ = Stage::greeting;
    JsonFramer framer_;
    std::string out_;

    std::vector<Asked> asked_;   ///< in flight, together
    std::uint64_t first_id_ = 0; ///< of asked_[0]
    std::size_t unanswered_ = 0;
    bool greeted_ = false;
    bool negotiated_ = false;
    bool deleted_event_ = false;      ///< DEVICE_DELETED of the current command's device came
    std::optional<Error> plug_error_; ///< why a device is being taken out again

    std::size_t current_ = 0; ///< command
    std::vector<std::optional<Result<>>> outcomes_;
    ViewQuery query_;
    Result<VmView> view_;
};

} // namespace longcord
