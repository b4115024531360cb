#include "digest/notices.hpp"

#include "delivery/letters.hpp"
#include "digest/prose.hpp"
#include "digest/publishing.hpp"
#include "mail/message.hpp"
#include "system/random.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace postrider::digest {
namespace {

constexpr std::size_t slots_looked_at = 20, lines_in_a_mail = 40, longest_reason = 300;
constexpr Duration letter_lives_for = 72h; // through a relay that is held for a weekend
constexpr Duration kept_for = 90 * 24h;
constexpr std::size_t columns = 72;

Notice notice_in(const storage::Row& row) {
    auto kind = parse_trouble_kind(row.text(1));
    if (!kind) throw storage::Error(storage::Error::Kind::other, "notice.kind holds an unknown word");
    return {row.get<std::int64_t>(0),
            {*kind, row.get<std::string>(2), row.get<std::string>(3), row.get<std::string>(4), row.get<Time>(5)},
            row.get<std::optional<Time>>(6),
            row.get<std::optional<Time>>(7)};
}

void append_lines(std::string& text, std::string_view heading, const std::vector<const Trouble*>& troubles,
                  const templates::Words& words) {
    if (troubles.empty()) return;
    text += fmt::format("{}\n\n", heading);
    for (std::size_t i = 0; i < std::min(troubles.size(), lines_in_a_mail); ++i)
        text += fmt::format("{}\n\n", wrapped("- " + sentence_of(*troubles[i], words), columns));
    if (troubles.size() > lines_in_a_mail) text += fmt::format("… (+{})\n\n", troubles.size() - lines_in_a_mail);
}

std::string letter(const SiteWords& site, const mail::Address& to, const std::vector<const Trouble*>& wrong,
                   const std::vector<const Trouble*>& well, const templates::Words& words, Time now) {
    std::string text;
    append_lines(text, words.text("notice_wrong"), wrong, words);
    append_lines(text, words.text("notice_well"), well, words);
    text += wrapped(words.text("notice_foot"), columns) + "\n";
    auto subject = words.text(wrong.empty() ? "notice_well_subject" : "notice_subject", {{"site", site.name}});
    mail::Heading heading{site.from, {}, std::move(subject), {}, mail::Body::text};
    auto message_id = system::hex(system::random_bytes(16));
    return mail::whole_message(heading, {to, "", message_id, {}, {}}, now, text, "");
}

}

std::string sentence_of(const Trouble& trouble, const templates::Words& words) {
    auto reason = trouble.reason.substr(0, longest_reason);
    for (auto& c : reason)
        if (static_cast<unsigned char>(c) < 0x20) c = ' ';
    const auto since = moment_in_words(trouble.since, words, "UTC");
    constexpr std::string_view keys[] = {"notice_feed_failing",     "notice_feed_gone",    "notice_feed_silent",
                                         "notice_slot_missed",      "notice_slot_overdue", "notice_issues_skipped",
                                         "notice_issue_unanswered", "notice_relay_held",   "notice_addresses_flooded"};
    return words.text(keys[std::size_t(trouble.kind)], {{"name", trouble.name}, {"date", since}, {"reason", reason}});
}

Facts Notices::facts(Time now) {
    Facts facts;
    facts.feeds = stories::Feeds(connection_).unwell(now - 24h);
    Issues issues(connection_);
    for (auto& list : subscribers::Lists(connection_).all()) {
        if (list.state == subscribers::ListState::archived) continue;
        ListFacts about{list.slug, list.title, {}, issues.newest_slots(list.id, slots_looked_at)};
        if (list.schedule) about.overdue = Publishing::next_slot(list, Publishing::slots_since(issues, list, now));
        facts.lists.push_back(std::move(about));
    }
    facts.held = issues.held();
    facts.flood = subscribers::flood_in(connection_, now);
    facts.relays = delivery::read_holds(connection_, now).relays;
    std::erase_if(facts.relays, [&](auto& hold) { return std::ranges::find(relays_, hold.name) == relays_.end(); });
    return facts;
}

std::vector<Trouble> Notices::troubles(Time now) { return troubles_in(facts(now), now); }

std::vector<Notice> Notices::known() {
    return connection_.all(
        R"sql(SELECT id, kind, subject, name, reason, since, told_at, cured_at FROM notice
              WHERE cured_at IS NULL OR cure_told_at IS NULL ORDER BY id)sql",
        notice_in);
}

std::optional<int> Notices::mails(Time now) {
    if (!to_) return std::nullopt;
    return connection_.value<int>(
        R"sql(SELECT count(*) FROM (SELECT told_at FROM notice WHERE told_at > $1
                                    UNION SELECT cure_told_at FROM notice WHERE cure_told_at > $1) AS mails)sql",
        now - 24h);
}

bool Notices::anything_new(const std::vector<Trouble>& troubles, Time now) {
    return next_steps(known(), troubles, mails(now), now).any();
}

Told Notices::take_note(const templates::Words& words, Time now) {
    storage::Transaction transaction(connection_);
    const auto found = troubles(now);
    const auto noticed = known();
    const auto steps = next_steps(noticed, found, mails(now), now);
    Told told;
    std::vector<const Trouble*> wrong, well;
    for (auto i : steps.begun) {
        auto& trouble = found[i];
        const bool at_once = std::ranges::find(steps.told_at_once, i) != steps.told_at_once.end();
        connection_.run(
            "INSERT INTO notice (kind, subject, name, reason, since, told_at) VALUES ($1, $2, $3, $4, $5, $6)",
            to_text(trouble.kind), trouble.subject, trouble.name, trouble.reason, trouble.since,
            at_once ? std::optional(now) : std::nullopt);
        told.begun.push_back(trouble);
        if (at_once) wrong.push_back(&trouble);
    }
    for (auto i : steps.told) {
        connection_.run("UPDATE notice SET told_at = $2 WHERE id = $1", noticed[i].id, now);
        wrong.push_back(&noticed[i].trouble);
    }
    for (auto i : steps.forgotten) {
        connection_.run("DELETE FROM notice WHERE id = $1", noticed[i].id);
        told.cured.push_back(noticed[i].trouble);
    }
    for (auto i : steps.cured) {
        connection_.run("UPDATE notice SET cured_at = $2 WHERE id = $1", noticed[i].id, now);
        told.cured.push_back(noticed[i].trouble);
    }
    for (auto i : steps.told_cured) {
        connection_.run("UPDATE notice SET cure_told_at = $2 WHERE id = $1", noticed[i].id, now);
        well.push_back(&noticed[i].trouble);
    }
    if (steps.mail() && to_) {
        delivery::Letters(connection_)
            .add(delivery::Purpose::notice, letter_sender(site_), to_->text(), to_->key(),
                 letter(site_, *to_, wrong, well, words, now), now, letter_lives_for);
        told.mailed = true;
    }
    connection_.run("DELETE FROM notice WHERE cure_told_at < $1", now - kept_for);
    transaction.commit();
    return told;
}

}
