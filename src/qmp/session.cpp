// SPDX-License-Identifier: MIT
#include "qmp/session.hpp"

#include "base/text.hpp"
#include "qmp/refusal.hpp"
#include "qmp/usb_host.hpp"

#include <algorithm>

namespace longcord {

using nlohmann::json;

static const QmpCommand capabilities{
    "qmp_capabilities", {}}; // no oob: Proxmox' QEMU has it disabled

/// A property of a device of ours.
static QmpCommand look(const std::string& id, const char* property) {
    return {"qom-get", {{"path", "/machine/peripheral/" + id}, {"property", property}}};
}

Session::Session(std::vector<VmCommand> commands, std::string tag)
    : commands_(std::move(commands)), tag_(std::move(tag)), outcomes_(commands_.size()),
      view_(fail(ErrorKind::unavailable, "the session has not ended")) {}

void Session::add(VmCommand command) {
    commands_.push_back(std::move(command));
    outcomes_.emplace_back();
}

SessionAction Session::resume(const SessionInput& input) {
    if (stage_ == Stage::finished)
        return what_next();
    if (const auto* read = std::get_if<BytesRead>(&input))
        handle_bytes(read->bytes);
    else if (std::holds_alternative<LimitReached>(input))
        reach_limit();
    else if (const auto* closed = std::get_if<Closed>(&input))
        end(closed->why,
            fail(
                ErrorKind::unknown, "the connection ended before the answer: {}",
                closed->why.message),
            fail(ErrorKind::unavailable, "not begun: {}", closed->why.message));
    return what_next();
}

SessionAction Session::what_next() {
    if (stage_ == Stage::finished)
        return {SessionAction::Kind::done, {}};
    if (!out_.empty())
        return {SessionAction::Kind::write, std::exchange(out_, {})};
    return {SessionAction::Kind::read, {}};
}

std::vector<Result<>> Session::outcomes() const {
    std::vector<Result<>> all;
    for (const auto& outcome : outcomes_)
        all.push_back(outcome ? *outcome : fail(ErrorKind::timeout, "not begun"));
    return all;
}

// What comes in

void Session::handle_bytes(std::string_view bytes) {
    const auto hopeless = [this](const Error& why) {
        end(why, fail(ErrorKind::unknown, "no answer that can be read: {}", why.message),
            fail(ErrorKind::unavailable, "not begun: {}", why.message));
    };
    framer_.feed(bytes);
    while (stage_ != Stage::finished) {
        const auto value = framer_.next();
        if (!value)
            return hopeless(value.error());
        if (!*value)
            return;
        const auto message = parse_qmp_message(**value);
        if (!message)
            return hopeless(message.error());
        handle(*message);
    }
}

void Session::handle(const QmpMessage& message) {
    std::visit([this](const auto& m) { handle(m); }, message);
}

void Session::handle(const QmpGreeting&) {
    if (greeted_)
        return;
    greeted_ = true;
    if (commands_.empty())
        return begin_view();
    prepare();
}

void Session::handle(const QmpReply& reply) {
    const std::string_view id = reply.id;
    if (!id.starts_with(tag_ + '.'))
        return; // somebody else's
    const auto number = parse_decimal(id.substr(tag_.size() + 1));
    if (!number || *number < first_id_ || *number - first_id_ >= asked_.size())
        return;
    auto& asked = asked_[*number - first_id_];
    if (asked.answer)
        return;
    asked.answer = reply.answer;
    if (--unanswered_ == 0)
        advance();
}

void Session::handle(const QmpEvent& event) {
    if (event.name != "DEVICE_DELETED" || current_ >= commands_.size() ||
        event.device != id_of(commands_[current_]))
        return;
    deleted_event_ = true;
    if (stage_ == Stage::awaiting_event)
        ask_unplug(std::nullopt);
}

// What goes out

void Session::ask(std::vector<QmpCommand> commands) {
    first_id_ += asked_.size();
    asked_.clear();
    if (!negotiated_) {
        // Its answer is not awaited before the rest goes out: QEMU takes commands in order, and
        // refuses the rest if it refuses this.
        negotiated_ = true;
        out_ += format_command(capabilities, tag_ + ".caps");
    }
    for (auto& command : commands) {
        out_ += format_command(command, fmt::format("{}.{}", tag_, first_id_ + asked_.size()));
        asked_.push_back({std::move(command), std::nullopt});
    }
    unanswered_ = asked_.size();
}

void Session::advance() {
    switch (stage_) {
    case Stage::preparing:
        return judge_prepared();
    case Stage::plugging:
        return judge_plug();
    case Stage::unplugging:
        return judge_unplug();
    case Stage::viewing:
        return judge_view();
    case Stage::greeting:
    case Stage::awaiting_event:
    case Stage::finished:
        return;
    }
}

void Session::prepare() {
    stage_ = Stage::preparing;
    ask({{"query-status", {}}});
}

void Session::judge_prepared() {
    const auto& status = *asked_[0].answer;
    if (status.error) {
        const auto why = refusal("query-status", *status.error);
        return end(why, why, why);
    }
    const json named = status.value.is_object() ? status.value.value("status", json{}) : json{};
    const auto state = run_state_from(named.is_string() ? named.get<std::string>() : "");
    if (state == RunState::running)
        return next_command();
    for (; current_ < commands_.size(); ++current_)
        outcomes_[current_] = fail(ErrorKind::unavailable, "VM is {}", to_string(state));
    begin_view();
}

void Session::next_command() {
    for (; current_ < commands_.size(); ++current_) {
        deleted_event_ = false;
        plug_error_.reset();
        const auto& command = commands_[current_];
        if (const auto* controller = std::get_if<AddControllerCommand>(&command)) {
            stage_ = Stage::plugging;
            return ask({device_add(*controller), look(controller->id, "type")});
        }
        const auto* plug = std::get_if<PlugCommand>(&command);
        auto said = plug ? device_add(*plug) : device_del(std::get<UnplugCommand>(command));
        if (said && plug) {
            stage_ = Stage::plugging;
            return ask({std::move(*said), look(plug->id, "attached")});
        }
        if (said)
            return ask_unplug(std::move(*said));
        outcomes_[current_] = said.error();
    }
    begin_view();
}

void Session::decide(Result<> outcome) {
    outcomes_[current_++] = std::move(outcome);
    next_command();
}

void Session::judge_plug() {
    const auto& added = *asked_[0].answer;
    if (std::holds_alternative<AddControllerCommand>(commands_[current_]))
        return decide(
            added.error ? Result<>(refusal("add a USB controller", *added.error)) : Result<>());
    const auto& plug = std::get<PlugCommand>(commands_[current_]);
    const auto& attached = *asked_[1].answer;
    if (added.error)
        return decide(refusal("plug " + plug.id, *added.error));
    if (attached.value.is_boolean() && attached.value == true)
        return decide({});
    plug_error_ = fail(
        ErrorKind::unavailable,
        "plug {}: QEMU took {} but did not attach it to port {} of {}, and it was taken out again; "
        "QEMU's own log says why (journalctl -t QEMU), often a speed that the port does not have",
        plug.id, plug.hostdevice, plug.port, plug.bus);
    ask_unplug(QmpCommand{"device_del", {{"id", plug.id}}});
}

void Session::ask_unplug(std::optional<QmpCommand> del) {
    stage_ = Stage::unplugging;
    deleted_event_ = false;
    std::vector<QmpCommand> batch;
    if (del)
        batch.push_back(std::move(*del));
    batch.push_back(look(id_of(commands_[current_]), "type"));
    ask(std::move(batch));
}

/// QOM is the judge: the event alone could be that of an earlier device of the same id.
void Session::judge_unplug() {
    const auto& id = id_of(commands_[current_]);
    if (is_device_not_found(*asked_.back().answer)) {
        if (plug_error_)
            return decide(*plug_error_);
        return decide({});
    }
    const auto& del = asked_.front();
    if (del.command.execute == "device_del" && del.answer->error &&
        del.answer->error->description.find("in the process of unplug") == std::string::npos)
        return decide(refusal("unplug " + id, *del.answer->error));
    stage_ = Stage::awaiting_event;
    if (deleted_event_)
        ask_unplug(std::nullopt);
}

void Session::begin_view() {
    stage_ = Stage::viewing;
    query_ = ViewQuery();
    ask(query_.next());
}

void Session::judge_view() {
    if (current_ < commands_.size())
        return prepare();
    std::vector<QmpAnswer> answers;
    for (auto& asked : asked_)
        answers.push_back(std::move(*asked.answer));
    const auto taken = query_.take(answers);
    auto next = query_.next();
    if (taken && !next.empty())
        return ask(std::move(next));
    if (taken)
        view_ = query_.view();
    else
        view_ = taken.error();
    stage_ = Stage::finished;
}

// How it ends early

void Session::reach_limit() {
    if (!greeted()) {
        const auto why = fail(
            ErrorKind::timeout,
            "QEMU did not greet: another client holds its QMP socket, or it hangs");
        return end(why, why, why);
    }
    end(fail(ErrorKind::unknown, "QEMU did not answer in time"),
        fail(ErrorKind::unknown, "QEMU did not answer in time; what became of it is read back"),
        fail(ErrorKind::timeout, "not begun: QEMU did not answer in time"));
}

void Session::end(const Error& why, const Error& command_in_flight, const Error& not_begun) {
    const bool in_flight =
        stage_ == Stage::plugging || stage_ == Stage::unplugging || stage_ == Stage::awaiting_event;
    for (std::size_t i = 0; i < outcomes_.size(); ++i)
        if (!outcomes_[i])
            outcomes_[i] = in_flight && i == current_ ? command_in_flight : not_begun;
    view_ = why;
    stage_ = Stage::finished;
}

} // namespace longcord
