// SPDX-License-Identifier: MIT
#include "pi/tickets.hpp"

#include <algorithm>
#include <cstring>

namespace longcord {

static std::uint64_t mark_of(const Ticket& ticket) {
    std::uint64_t mark = 0;
    std::memcpy(&mark, ticket.data(), sizeof mark);
    return mark;
}

void Tickets::remember(const Ticket& ticket, bool used) {
    spent_.push_back({mark_of(ticket), used});
    if (spent_.size() > remembered)
        spent_.pop_front();
}

template <class Which> void Tickets::spend_where(Which which) {
    for (const Entry& entry : entries_)
        if (which(entry))
            remember(entry.grant.secret.ticket, false);
    std::erase_if(entries_, which);
}

Result<> Tickets::add(Grant grant, TimePoint now) {
    spend_where([&](const Entry& entry) { return now > entry.until; });
    const auto beside = [&](const Entry& entry) {
        return entry.grant.serial && entry.grant.link == grant.link;
    };
    if (!grant.serial)
        revoke(grant.busid, grant.link);
    else if (static_cast<std::size_t>(std::ranges::count_if(entries_, beside)) >= max_serial)
        return fail(
            ErrorKind::full, "{} serial streams were announced and have not come", max_serial);
    entries_.push_back({std::move(grant), now + lifetime});
    return {};
}

Result<Grant> Tickets::redeem(const Ticket& ticket, TimePoint now) {
    const auto found = std::ranges::find_if(
        entries_, [&](const Entry& entry) { return entry.grant.secret.ticket == ticket; });
    if (found == entries_.end()) {
        const auto mark = mark_of(ticket);
        const auto spent = std::ranges::find(spent_, mark, &Spent::mark);
        auto& counter = spent == spent_.end() ? refused_.wrong
                        : spent->used         ? refused_.replayed
                                              : refused_.late;
        ++counter;
        return fail(
            ErrorKind::refused, "its ticket {}",
            spent == spent_.end() ? "is none of ours"
            : spent->used         ? "was used before"
                                  : "is good no more");
    }
    const bool late = now > found->until;
    Grant grant = std::move(found->grant);
    entries_.erase(found);
    remember(ticket, !late);
    if (!late)
        return grant;
    ++refused_.late;
    return fail(
        ErrorKind::refused, "its ticket for {} comes too late",
        grant.serial ? "serial port " + grant.serial->port : grant.busid);
}

void Tickets::revoke(const std::string& busid, const std::string& link) {
    spend_where([&](const Entry& entry) {
        return !entry.grant.serial && entry.grant.busid == busid && entry.grant.link == link;
    });
}

void Tickets::revoke_link(const std::string& link) {
    spend_where([&](const Entry& entry) { return entry.grant.link == link; });
}

void Tickets::revoke_device(const std::string& busid) {
    spend_where([&](const Entry& entry) { return entry.grant.busid == busid; });
}

std::size_t Tickets::outstanding(TimePoint now) const {
    const auto good = [&](const Entry& entry) { return now <= entry.until; };
    return static_cast<std::size_t>(std::ranges::count_if(entries_, good));
}

} // namespace longcord
