#include "delivery/intake.hpp"

#include "delivery/outcomes.hpp"
#include "system/fault_point.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace postrider::delivery {
namespace {

constexpr int slice_size = 2048;
// Longer than any try can take (RFC 5321 section 4.5.3.2.6 gives the final dot alone ten minutes).
constexpr Duration try_lease = 20min;
constexpr Duration slice_lease = 60s;
constexpr Duration look_again_after = 10s; // at a mailing that could not be sent

constexpr std::string_view time_ran_out = "not reached in time";

}

std::string_view why_nothing(const OpenMailing& mailing, const subscribers::Reader& reader, Time now) {
    if (reader.left) return left_since;
    if (reader.paused_until && *reader.paused_until > now) return paused_by_reader;
    if (mailing.message.is_empty_for(reader)) return no_story;
    return {};
}

void Intake::exchange(storage::Connection& connection, Group& group, Time now) {
    auto before = open_; // a transaction that fails leaves this object as it was, too
    group.more = false;
    std::ranges::move(group.spare, std::back_inserter(spare_));
    group.spare.clear();
    if (group.wanted == 0 && open_.empty()) spare_.clear(); // nothing is being sent: give the memory back
    try {
        storage::Transaction transaction(connection);
        if (!group.records.empty()) system::fault_point("outcomes known, not recorded");
        take_records(connection, group, now);
        if (!group.records.empty()) system::fault_point("outcomes recorded, not committed");
        take_back(connection, group);
        for (auto& relay : group.relays) note_relay(connection, relay, now);
        if (!began_) forget_domain_holds(connection);
        for (auto& domain : group.domains) note_domain(connection, domain, now);
        for (auto& day : group.days) write(connection, day);
        group.answers.write(connection);
        follow_states(connection, group, now);
        if (group.wanted > 0) give_letters(connection, group, now);
        for (auto& [id, open] : open_)
            if (open.state == MailingState::sending) give_second_tries(connection, open, group, now);
        for (auto& [id, open] : open_)
            if (open.state == MailingState::sending) give_readers(connection, open, group, now);
        finish_slices(connection, group, now);
        finish_mailings(connection, now);
        group.more |= group.wanted > 0 && int(group.parcels.size()) >= group.wanted;
        group.next_due = next_due(connection, now);
        transaction.commit();
        began_ = true;
        follow_second_tries(group);
        if (!group.records.empty()) system::fault_point("outcomes committed, not known to be");
    } catch (...) {
        open_ = std::move(before);
        group.parcels.clear();
        group.halted.clear();
        group.broken.clear();
        throw;
    }
}

void Intake::follow_second_tries(const Group& group) {
    for (auto& record : group.records)
        if (record.slice == 0) second_tries_.erase({record.mailing, record.subscription});
    for (auto& reader : group.given_back)
        if (reader.slice == 0) second_tries_.erase({reader.mailing, reader.subscription});
    for (auto& parcel : group.parcels)
        if (parcel->mailing && parcel->slice == 0)
            second_tries_.insert({parcel->mailing->id, parcel->reader.subscription});
}

std::optional<Time> Intake::next_due(storage::Connection& connection, Time now) {
    auto soonest = Letters(connection).next_due();
    auto consider = [&](std::optional<Time> time) {
        if (time && (!soonest || *time < *soonest)) soonest = time;
    };
    for (auto& [id, open] : open_) {
        if (open.state != MailingState::sending) continue;
        consider(*connection.value<std::optional<Time>>(
            "SELECT min(next_try_at) FROM delivery WHERE mailing_id = $1 AND state = 'deferred'", id));
        auto end = open.last_due() + settings_.retry_for;
        if (end > now) consider(end);
        if (!open.waves) continue;
        auto later = std::ranges::find_if(open.waves->all, [&](auto& wave) { return wave.not_before > now; });
        if (later != open.waves->all.end()) consider(later->not_before);
    }
    for (auto& [id, broken] : broken_) consider(broken.look_again);
    return soonest;
}

void Intake::take_records(storage::Connection& connection, const Group& group, Time now) {
    std::vector<const Record*> plain;
    for (auto& record : group.records) {
        bool first = record.slice != 0;
        if (first && record.outcome == Outcome::accepted && record.tries == 1)
            plain.push_back(&record);
        else
            upsert(connection, record, now);
        auto open = open_.find(record.mailing);
        if (!first || open == open_.end()) continue;
        if (auto slice = open->second.slices.find(record.slice); slice != open->second.slices.end())
            --slice->second.on_their_way;
    }
    std::ranges::sort(plain, {}, [](const Record* record) { return std::pair(record->mailing, record->subscription); });
    insert_accepted(connection, plain, now);

    for (auto& letter : group.letters) {
        if (letter.next_try_at)
            Letters(connection).defer(letter.id, letter.tries, *letter.next_try_at, letter.reason);
        else
            Letters(connection).finish(letter.id, letter.outcome, letter.tries, letter.reason, now);
    }
}

void Intake::take_back(storage::Connection& connection, const Group& group) {
    for (auto& reader : group.given_back) {
        auto open = open_.find(reader.mailing);
        if (reader.slice == 0) {
            connection.run("UPDATE delivery SET next_try_at = $3 WHERE mailing_id = $1 AND subscription_id = $2 AND "
                           "state = 'deferred'",
                           reader.mailing, reader.subscription, reader.not_before);
            continue;
        }
        if (open == open_.end()) continue;
        if (auto slice = open->second.slices.find(reader.slice); slice != open->second.slices.end()) {
            --slice->second.on_their_way;
            slice->second.again = true;
        }
    }
}

void Intake::follow_states(storage::Connection& connection, Group& group, Time now) {
    for (auto& [id, open] : open_) open.state = MailingState::cancelled; // unless it is found below
    auto unfinished = Mailings(connection).open();
    for (auto& mailing : unfinished) {
        if (mailing.state == MailingState::scheduled && Mailings(connection).start(mailing.id, now))
            mailing = *Mailings(connection).find(mailing.id);
        if (mailing.state == MailingState::scheduled) continue;
        if (!open_.contains(mailing.id)) {
            if (mailing.state == MailingState::paused) continue;
            open(connection, mailing, now);
        }
        if (auto opened = open_.find(mailing.id); opened != open_.end()) opened->second.state = mailing.state;
    }
    std::erase_if(broken_, [&](auto& entry) {
        return std::ranges::find(unfinished, entry.first, &Mailing::id) == unfinished.end(); // cancelled meanwhile
    });
    for (auto& [id, broken] : broken_)
        group.broken.push_back(fmt::format("mailing {} cannot be sent: {}", id.number, broken.reason));
    for (auto& [id, open] : open_)
        if (open.state != MailingState::sending) group.halted.push_back(id);
    // One that is over is kept until the last of its readers is back, so that their outcomes find their slice.
    std::erase_if(open_, [](auto& entry) {
        auto& open = entry.second;
        auto idle = [](auto& slice) { return slice.second.on_their_way == 0; };
        return open.state == MailingState::cancelled && std::ranges::all_of(open.slices, idle);
    });
}

void Intake::open(storage::Connection& connection, const Mailing& mailing, Time now) {
    auto known = broken_.find(mailing.id);
    if (known != broken_.end() && now < known->second.look_again && now + look_again_after > known->second.look_again)
        return;
    try {
        load(connection, mailing);
        broken_.erase(mailing.id);
    } catch (const storage::Error&) {
        throw; // about the database, not about this mailing
    } catch (const std::exception& error) {
        broken_[mailing.id] = {error.what(), now + look_again_after};
    }
}

void Intake::load(storage::Connection& connection, const Mailing& mailing) {
    Open open;
    auto message = Message::from_text(Mailings(connection).message(mailing.id));
    auto signer = tokens_.signer(message.key());
    if (!signer)
        throw std::runtime_error(
            fmt::format("mailing {} was frozen with link key {}, which keys/links does not hold; put that file back",
                        mailing.id.number, message.key().number));
    auto started_at = mailing.started_at.value();
    open.mailing = std::make_shared<OpenMailing>(mailing.id, mailing.list, started_at, message, *signer, started_at);
    Waves waves{waves_of(connection, mailing.id), {}, {}};
    for (auto& wave : waves.all) {
        // One line feed between two names: two would be the name of those who have none.
        waves.zones += waves.zones.empty() || wave.zones.empty() ? wave.zones : wave.zones.substr(1);
        auto due_at = std::max(started_at, wave.not_before);
        waves.mailings.push_back(wave.number == 0
                                     ? open.mailing
                                     : std::make_shared<OpenMailing>(mailing.id, mailing.list, started_at,
                                                                     message.dated(due_at), *signer, due_at));
    }
    if (!waves.all.empty()) open.waves = std::make_shared<const Waves>(std::move(waves));
    open.ceiling = mailing.ceiling.value();
    Slices slices(connection, mailing.id);
    open.cut_to = slices.cut_to();
    // With one daemon to a site, whoever held these is gone: its readers without an outcome are still to do.
    for (auto& slice : slices.under_way())
        open.slices.emplace(slice.first, OpenSlice{slice}).first->second.resumed = true;
    open_[mailing.id] = std::move(open);
}

int Intake::Open::wave_of(const subscribers::Reader& reader) const {
    if (!waves) return 0;
    auto found = std::ranges::find_if(waves->all, [&](auto& wave) { return wave.has(reader.timezone); });
    return found == waves->all.end() ? 0 : found->number;
}

void Intake::give_letters(storage::Connection& connection, Group& group, Time now) {
    for (auto& letter : Letters(connection).claim(group.wanted - int(group.parcels.size()), now, try_lease)) {
        auto address = mail::parse_address(letter.address);
        if (!address) {
            Letters(connection).finish(letter.id, Outcome::refused, letter.tries, "the stored address is broken", now);
            continue;
        }
        auto parcel = std::make_unique<Parcel>();
        parcel->number = letter.tries + 1;
        parcel->address = std::move(*address);
        parcel->letter = std::make_unique<Letter>(std::move(letter));
        parcel->read_at = now;
        group.parcels.push_back(std::move(parcel));
    }
}

void Intake::give_second_tries(storage::Connection& connection, Open& open, Group& group, Time now) {
    auto id = open.mailing->id;
    if (now >= open.last_due() + settings_.retry_for)
        connection.run(R"sql(
            UPDATE delivery SET state = CASE was_unknown WHEN 1 THEN 'unknown' ELSE 'expired' END, next_try_at = NULL, at = $2
            WHERE mailing_id = $1 AND state = 'deferred' AND next_try_at <= $2)sql",
                       id, now);
    int room = group.wanted - int(group.parcels.size());
    if (room <= 0) return;
    struct Due {
        SubscriptionId reader;
        int tries;
        bool was_unknown;
    };
    auto due = connection.all(
        R"sql(
        SELECT subscription_id, tries, was_unknown FROM delivery
        WHERE mailing_id = $1 AND state = 'deferred' AND next_try_at <= $2 ORDER BY next_try_at LIMIT $3)sql",
        [](const storage::Row& row) { return Due{row.get<SubscriptionId>(0), row.get<int>(1), row.get<bool>(2)}; }, id,
        now, room);
    for (auto& [reader, tries, was_unknown] : due) {
        if (second_tries_.contains({id, reader})) continue;
        auto parcel = std::make_unique<Parcel>();
        parcel->reader = subscribers::read_one(connection, reader);
        parcel->mailing = open.of_wave(open.wave_of(parcel->reader));
        parcel->number = tries + 1;
        parcel->was_unknown = was_unknown;
        parcel->read_at = now;
        if (auto why = why_nothing(*parcel->mailing, parcel->reader, now); !why.empty()) {
            suppress(connection, id, reader, why, now);
            continue;
        }
        if (!has_address(connection, *parcel, now)) continue;
        connection.run("UPDATE delivery SET next_try_at = $3 WHERE mailing_id = $1 AND subscription_id = $2", id,
                       reader, now + try_lease);
        group.parcels.push_back(std::move(parcel));
    }
}

void Intake::give_readers(storage::Connection& connection, Open& open, Group& group, Time now) {
    if (now >= open.last_due() + settings_.retry_for) return expire_readers(connection, open, group, now);
    auto enough = [&] { return int(group.parcels.size()) >= group.wanted; };
    for (auto& [first, slice] : open.slices) {
        if (enough()) return;
        if (slice.read_to < slice.last) read_slice(connection, open, slice, group, now);
    }
    // Of a wave, or a topic, for few readers there is no end of slices to look into: others wait for the database
    // meanwhile.
    constexpr int most_at_once = 16;
    for (int looked_into = 0; !enough(); ++looked_into) {
        if (looked_into == most_at_once) {
            group.more = true;
            return;
        }
        auto* slice = next_slice(connection, open, now);
        if (!slice) return;
        read_slice(connection, open, *slice, group, now);
    }
}

Intake::OpenSlice* Intake::next_slice(storage::Connection& connection, Open& open, Time now) {
    auto* fresh = cut_slice(connection, open, now);
    return fresh || !open.waves ? fresh : wake_slice(connection, open, now);
}

// Nobody took it in time: the readers never reached are recorded as such, one slice in each transaction.
void Intake::expire_readers(storage::Connection& connection, Open& open, Group& group, Time now) {
    auto unread =
        std::ranges::find_if(open.slices, [](auto& entry) { return entry.second.read_to < entry.second.last; });
    auto* found = unread == open.slices.end() ? next_slice(connection, open, now) : &unread->second;
    if (!found) return;
    auto& slice = *found;
    if (slice.read_to < slice.first) slice.wave = open.last_wave(); // there are no hours to wait for any more
    std::vector<subscribers::Reader> readers;
    subscribers::read_audience(connection, open.mailing->list, open.mailing->started_at, slice.read_to, slice.last,
                               slice_size, [&]() -> subscribers::Reader& { return readers.emplace_back(); });
    std::vector<Suppressed> suppressed;
    for (auto& reader : readers) {
        if (slice.resumed && has_outcome(connection, open.mailing->id, reader.subscription)) continue;
        if (auto why = why_nothing(*open.mailing, reader, now); !why.empty())
            suppressed.push_back({reader.subscription, why});
        else
            upsert(connection,
                   {open.mailing->id,
                    reader.subscription,
                    slice.first,
                    Outcome::expired,
                    0,
                    {},
                    false,
                    std::string(time_ran_out)},
                   now);
    }
    insert_suppressed(connection, open.mailing->id, suppressed, now);
    slice.read_to = slice.last;
    group.more = true;
}

Intake::OpenSlice* Intake::cut_slice(storage::Connection& connection, Open& open, Time now) {
    auto last = subscribers::end_of_slice(connection, open.mailing->list, open.cut_to, open.ceiling, slice_size);
    if (last == 0) return nullptr;
    Slice slice{open.cut_to + 1, last};
    Slices(connection, open.mailing->id).add(slice, worker_, now + slice_lease);
    system::fault_point("slice claimed, not committed");
    open.cut_to = last;
    return &open.slices.emplace(slice.first, OpenSlice{slice}).first->second;
}

// The next one that rested until its wave was due.
Intake::OpenSlice* Intake::wake_slice(storage::Connection& connection, Open& open, Time now) {
    auto due = std::ranges::count_if(open.waves->all, [&](auto& wave) { return wave.not_before <= now; });
    auto slice = Slices(connection, open.mailing->id).wake(due, worker_, now + slice_lease);
    if (!slice) return nullptr;
    auto& woken = open.slices.emplace(slice->first, OpenSlice{*slice}).first->second;
    woken.resumed = true;
    return &woken;
}

// False, and the outcome recorded, when it is one that nobody can write to.
bool Intake::has_address(storage::Connection& connection, Parcel& parcel, Time now) {
    auto address = mail::parse_address(parcel.reader.address);
    if (!address) {
        upsert(connection,
               {parcel.mailing->id,
                parcel.reader.subscription,
                parcel.slice,
                Outcome::refused,
                parcel.number - 1,
                {},
                false,
                "553 5.1.3 the stored address is broken: " + address.error().reason},
               now);
        return false;
    }
    parcel.address = std::move(*address);
    return true;
}

std::unique_ptr<Parcel> Intake::fresh_parcel() {
    if (spare_.empty()) return std::make_unique<Parcel>();
    auto parcel = std::move(spare_.back());
    spare_.pop_back();
    parcel->number = 1;
    parcel->was_unknown = false;
    return parcel;
}

// Those whom the slice's wave is for. The last one is for all: who has moved to a zone whose wave was over has no outcome
// yet.
int Intake::read_readers(storage::Connection& connection, const Open& open, const OpenSlice& slice, int limit,
                         const std::function<subscribers::Reader&()>& place) {
    auto& mailing = *open.mailing;
    if (slice.wave == open.last_wave())
        return subscribers::read_audience(connection, mailing.list, mailing.started_at, slice.read_to, slice.last,
                                          limit, place);
    bool first = slice.wave == 0;
    subscribers::ZoneFilter filter{first ? open.waves->zones : open.waves->all[std::size_t(slice.wave)].zones, !first};
    return subscribers::read_audience_in(connection, mailing.list, mailing.started_at, slice.read_to, slice.last, limit,
                                         filter, place);
}

void Intake::read_slice(storage::Connection& connection, Open& open, OpenSlice& slice, Group& group, Time now) {
    auto mailing = open.of_wave(slice.wave);
    while (slice.read_to < slice.last && int(group.parcels.size()) < group.wanted) {
        std::vector<std::unique_ptr<Parcel>> read;
        int limit = group.wanted - int(group.parcels.size());
        auto place = [&]() -> subscribers::Reader& { return read.emplace_back(fresh_parcel())->reader; };
        int count = read_readers(connection, open, slice, limit, place);
        slice.read_to = count < limit ? slice.last : read.back()->reader.subscription.number;
        std::vector<Suppressed> suppressed;
        for (auto& parcel : read) {
            if (slice.resumed && has_outcome(connection, mailing->id, parcel->reader.subscription)) continue;
            parcel->mailing = mailing;
            parcel->slice = slice.first;
            parcel->read_at = now;
            if (auto why = why_nothing(*mailing, parcel->reader, now); !why.empty()) {
                suppressed.push_back({parcel->reader.subscription, why});
                continue;
            }
            if (!has_address(connection, *parcel, now)) continue;
            group.parcels.push_back(std::move(parcel));
            ++slice.on_their_way;
        }
        insert_suppressed(connection, mailing->id, suppressed, now);
    }
}

// The next one in which some reader of the slice lives; the last one where only those wait whose zone's wave is over;
// none when everybody has an outcome.
std::optional<int> Intake::wave_after(storage::Connection& connection, const Open& open, const Slice& slice) {
    auto& mailing = *open.mailing;
    auto zones =
        subscribers::zones_of_audience(connection, mailing.list, mailing.started_at, slice.first - 1, slice.last);
    for (int next = slice.wave + 1; next <= open.last_wave(); ++next)
        if (std::ranges::any_of(zones, [&](auto& zone) { return open.waves->all[std::size_t(next)].has(zone.name); }))
            return next;
    auto outcomes = connection.value<std::int64_t>(
        "SELECT count(*) FROM delivery WHERE mailing_id = $1 AND subscription_id BETWEEN $2 AND $3", mailing.id,
        slice.first, slice.last);
    std::int64_t readers = 0;
    for (auto& zone : zones) readers += zone.readers;
    return *outcomes < readers ? std::optional(open.last_wave()) : std::nullopt;
}

void Intake::finish_slices(storage::Connection& connection, Group& group, Time now) {
    for (auto& [id, open] : open_) {
        Slices rows(connection, id);
        for (auto at = open.slices.begin(); at != open.slices.end();) {
            auto& slice = at->second;
            bool everybody_back = slice.read_to >= slice.last && slice.on_their_way == 0;
            if (everybody_back && slice.again) {
                slice.read_to = slice.first - 1;
                slice.resumed = true;
                slice.again = false;
                group.more = true;
            } else if (everybody_back) {
                auto next = slice.wave < open.last_wave() ? wave_after(connection, open, slice) : std::nullopt;
                if (next) {
                    rows.rest(slice, *next, open.waves->all[std::size_t(*next)].not_before);
                    group.more = true;
                } else
                    rows.finish(slice, now);
                at = open.slices.erase(at);
                continue;
            }
            ++at;
        }
    }
}

void Intake::finish_mailings(storage::Connection& connection, Time now) {
    for (auto at = open_.begin(); at != open_.end();) {
        auto& [id, open] = *at;
        bool done = open.state == MailingState::sending && open.slices.empty() &&
                    !(open.waves && Slices(connection, id).any_at_rest()) &&
                    subscribers::end_of_slice(connection, open.mailing->list, open.cut_to, open.ceiling, 1) == 0 &&
                    !connection.value<std::int64_t>(
                        "SELECT 1 FROM delivery WHERE mailing_id = $1 AND state = 'deferred' LIMIT 1", id);
        if (done) {
            Mailings(connection).finish(id, now);
            system::fault_point("mailing finished, not committed");
            at = open_.erase(at);
        } else
            ++at;
    }
}

}
