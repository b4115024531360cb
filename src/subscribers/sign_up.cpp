#include "subscribers/sign_up.hpp"

#include "subscribers/consent.hpp"
#include "subscribers/lists.hpp"
#include "subscribers/subscriptions.hpp"
#include "subscribers/suppressions.hpp"
#include "system/random.hpp"

namespace postrider::subscribers {
namespace {

std::string topics_of(storage::Connection& connection, SubscriptionId subscription) {
    return connection.value<std::string>("SELECT topics FROM subscription WHERE id = $1", subscription).value_or("");
}

std::optional<Subscriber> holder_of(storage::Connection& connection, std::optional<SubscriptionId> subscription) {
    if (!subscription) return std::nullopt;
    auto holder = connection.value<std::optional<SubscriberId>>("SELECT subscriber_id FROM subscription WHERE id = $1",
                                                                *subscription);
    if (!holder || !*holder) return std::nullopt;
    return Subscribers(connection).find(**holder);
}

}

AskOutcome SignUps::ask(const Asking& asking, Time now) {
    storage::Transaction transaction(connection_);
    auto outcome = ask_at(Door::visitor, asking, now);
    transaction.commit();
    return outcome;
}

AskOutcome SignUps::invite(const Asking& asking, Time now) {
    storage::Transaction transaction(connection_);
    auto outcome = ask_at(Door::operator_, asking, now);
    transaction.commit();
    return outcome;
}

AskOutcome SignUps::ask_at(Door door, const Asking& asking, Time now) {
    Budgets budgets(connection_, tokens_, settings_);
    // Every request of a client counts, whatever comes of it: the answers are to be worth nothing to a collector of
    // addresses.
    if (door == Door::visitor) {
        bool spent = asking.solution.empty() || budgets.spend(asking.solution, now);
        auto proof = spent ? asking.proof : Proof::missing;
        if (auto wait = budgets.take_for_client(asking.client, proof, now)) return OverBudget{Budget::client, *wait};
    }

    auto list = Lists(connection_).find(asking.list);
    if (!list || list->state == ListState::archived) return NotOpen{};
    if (door == Door::visitor && list->state != ListState::open) return NotOpen{};

    auto suppression = Suppressions(connection_, tokens_).find(asking.address);
    bool barred = suppression && (door == Door::operator_ || suppression->kind == SuppressionKind::operator_);
    auto active = Subscriptions(connection_, tokens_).active(asking.list, asking.address);
    if (door == Door::visitor && (barred || active)) {
        pretend(asking, now);
        budgets.count_refused(asking.address, now);
    }
    if (barred) return Suppressed{};
    if (active) return AlreadyActive{*active};

    if (door == Door::operator_) {
        auto waiting = connection_.value<SignUpId>(
            R"sql(SELECT id FROM sign_up WHERE list_id = $1 AND address_key = $2 AND confirmed_at IS NULL AND expires_at > $3)sql",
            asking.list, asking.address.key(), now);
        if (waiting) return StillWaiting{*waiting};
    } else if (auto over = budgets.take_for_mail(asking.address, asking.list, now)) {
        pretend(asking, now);
        return OverBudget{*over, Duration::zero(), budgets.count_refused(asking.address, now)};
    }
    return keep(asking, now);
}

// The work of a sign-up, undone: the time to the answer does not tell who gets no mail.
void SignUps::pretend(const Asking& asking, Time now) {
    storage::Transaction undone(connection_);
    (void)Budgets(connection_, tokens_, settings_).take_for_mail(asking.address, asking.list, now);
    (void)keep(asking, now);
}

MailConfirmation SignUps::keep(const Asking& asking, Time now) {
    auto key = asking.address.key();
    // A link that was used or has expired never comes to life again: the new sign-up gets a new id.
    connection_.run(R"sql(DELETE FROM sign_up WHERE list_id = $1 AND address_key = $2
                                                AND (confirmed_at IS NOT NULL OR expires_at <= $3))sql",
                    asking.list, key, now);
    auto expires_at = now + settings_.confirm_within;
    // Whoever signs up by themselves confirms that, and never somebody else's change of address: it takes the place of
    // one that waits, and one that comes later does not take its place.
    auto id = connection_.value<SignUpId>(
        R"sql(INSERT INTO sign_up (list_id, address, address_key, name, language, created_at, expires_at, replaces,
                                   topics)
              VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
              ON CONFLICT (list_id, address_key) DO UPDATE SET
                address = excluded.address, name = excluded.name, language = excluded.language,
                created_at = excluded.created_at, expires_at = excluded.expires_at,
                replaces = CASE WHEN sign_up.confirmed_at IS NULL AND sign_up.expires_at > excluded.created_at
                                     AND sign_up.replaces IS NULL
                                THEN NULL ELSE excluded.replaces END,
                topics = coalesce(excluded.topics, sign_up.topics)
              RETURNING id)sql",
        asking.list, asking.address.text(), key, clean_name(asking.name), clean_language(asking.language), now,
        expires_at, asking.replaces, asking.topics);
    auto mail = system::hex(system::random_bytes(16));
    record_consent(connection_, {asking.list, key, ConsentEvent::asked, now, asking.words, asking.client, asking.form,
                                 asking.words_language, id, mail});
    return {id.value(), expires_at, std::move(mail)};
}

std::optional<AskOutcome> SignUps::ask_again(SignUpId id, std::string_view client, Time now) {
    storage::Transaction transaction(connection_);
    std::optional<AskOutcome> outcome;
    if (auto old = find(id)) {
        auto address = mail::parse_address(old->address);
        struct Said {
            std::string words, form, language;
        };
        auto said = connection_.first(
            R"sql(SELECT words, coalesce(form, ''), language FROM consent
                  WHERE address_key = $1 AND list_id = $2 AND event = 'asked' ORDER BY id DESC LIMIT 1)sql",
            [](const storage::Row& row) {
                return Said{row.get<std::string>(0), row.get<std::string>(1), row.get<std::string>(2)};
            },
            address ? address->key() : "", old->list);
        if (!said) said.emplace();
        if (address)
            outcome = ask_at(Door::visitor,
                             {old->list, *address, old->name, old->language, client, said->form, said->words,
                              old->replaces, said->language, old->topics},
                             now);
    }
    transaction.commit();
    return outcome;
}

ConfirmResult SignUps::confirm(SignUpId id, std::string_view client, Time now) {
    storage::Transaction transaction(connection_);
    ConfirmResult result{ConfirmResult::What::unknown, {}, std::nullopt};
    if (auto sign_up = find(id)) result = confirm_now(*sign_up, client, now);
    transaction.commit();
    return result;
}

ConfirmResult SignUps::confirm_now(const SignUp& sign_up, std::string_view client, Time now) {
    ConfirmResult unknown{ConfirmResult::What::unknown, {}, std::nullopt};
    auto address = mail::parse_address(sign_up.address);
    if (!address) return unknown;
    auto active = Subscriptions(connection_, tokens_).active(sign_up.list, *address);
    if (sign_up.confirmed_at) return {ConfirmResult::What::already, sign_up.list, active};
    if (sign_up.expires_at <= now) return {ConfirmResult::What::expired, sign_up.list, active};
    if (Lists(connection_).find(sign_up.list)->state == ListState::archived) return unknown;

    Suppressions suppressions(connection_, tokens_);
    auto suppression = suppressions.find(*address);
    if (suppression && suppression->kind == SuppressionKind::operator_) return unknown;
    suppressions.lift(*address);

    auto before = holder_of(connection_, sign_up.replaces);
    bool moved = before && before->address_key != address->key();
    // Who is a reader under the new address stays who they are there.
    bool is_known = moved && Subscribers(connection_).find(*address);
    auto profile = before && !is_known ? before->profile : Profile();
    if (!sign_up.name.empty() && !is_known) profile.name = sign_up.name;
    if (!sign_up.language.empty() && !is_known) profile.language = sign_up.language;
    // The old one ends first: where both are one address, the reader has come back and stays.
    if (sign_up.replaces) Subscriptions(connection_, tokens_).leave(*sign_up.replaces, LeftHow::page, client, now);
    auto topics = sign_up.topics;
    if (!topics && sign_up.replaces) topics = topics_of(connection_, *sign_up.replaces);
    if (moved && active) topics.reset();
    auto activated = activate(connection_, sign_up.list, *address, profile, topics, now);
    Subscribers(connection_).pause(activated.subscriber, std::nullopt); // whoever asks for mail wants mail
    connection_.run("UPDATE sign_up SET confirmed_at = $1 WHERE id = $2", now, sign_up.id);
    record_consent(connection_,
                   {sign_up.list, address->key(), ConsentEvent::confirmed, now, {}, client, {}, {}, sign_up.id});
    if (moved) goes_on_as(*sign_up.replaces, activated.subscription);
    if (moved) move_others(before->id, *address, profile, client, now);
    auto what = activated.fresh ? ConfirmResult::What::confirmed : ConfirmResult::What::already;
    return {what, sign_up.list, activated.subscription, moved ? sign_up.replaces : std::nullopt};
}

void SignUps::goes_on_as(SubscriptionId old, SubscriptionId successor) {
    connection_.run("UPDATE subscription SET moved_to = $2 WHERE id = $1", old, successor);
}

void SignUps::move_others(SubscriberId from, const mail::Address& to, const Profile& profile, std::string_view client,
                          Time now) {
    struct Other {
        SubscriptionId id;
        ListId list;
        std::string topics;
    };
    auto others = connection_.all(
        "SELECT id, list_id, topics FROM subscription WHERE subscriber_id = $1 AND left_at IS NULL ORDER BY list_id",
        [](const storage::Row& row) {
            return Other{row.get<SubscriptionId>(0), row.get<ListId>(1), row.get<std::string>(2)};
        },
        from);
    for (auto& [id, list, topics] : others) {
        (void)Subscriptions(connection_, tokens_).leave(id, LeftHow::page, client, now);
        bool is_there = Subscriptions(connection_, tokens_).active(list, to).has_value();
        auto there = activate(connection_, list, to, profile, is_there ? std::nullopt : std::optional(topics), now);
        goes_on_as(id, there.subscription);
        if (there.fresh)
            record_consent(
                connection_,
                {list, to.key(), ConsentEvent::confirmed, now, "the reader moved here with all lists", client, {}});
    }
}

std::optional<SignUp> SignUps::find(SignUpId id) {
    return connection_.first(
        R"sql(SELECT id, list_id, address, name, language, created_at, expires_at, confirmed_at, replaces, topics
              FROM sign_up WHERE id = $1)sql",
        [](const storage::Row& row) {
            return SignUp{row.get<SignUpId>(0),
                          row.get<ListId>(1),
                          row.get<std::string>(2),
                          row.get<std::string>(3),
                          row.get<std::string>(4),
                          row.get<Time>(5),
                          row.get<Time>(6),
                          row.get<std::optional<Time>>(7),
                          row.get<std::optional<SubscriptionId>>(8),
                          row.get<std::optional<std::string>>(9)};
        },
        id);
}

std::int64_t SignUps::purge(Time now, int limit) {
    struct Old {
        SignUpId id;
        ListId list;
        std::string key;
        bool confirmed;
    };
    storage::Transaction transaction(connection_);
    auto old = connection_.all(
        R"sql(SELECT id, list_id, address_key, confirmed_at IS NOT NULL FROM sign_up
              WHERE created_at < $1 AND expires_at < $2 ORDER BY created_at LIMIT $3)sql",
        [](const storage::Row& row) {
            return Old{row.get<SignUpId>(0), row.get<ListId>(1), row.get<std::string>(2), row.get<bool>(3)};
        },
        now - settings_.purge_after, now, limit);
    for (auto& one : old) {
        connection_.run("DELETE FROM sign_up WHERE id = $1", one.id);
        if (one.confirmed) continue;
        // Who was a reader at some time keeps the whole record; of anybody else only the fact remains that somebody
        // asked.
        if (!connection_.value<SubscriberId>("SELECT id FROM subscriber WHERE address_key = $1", one.key))
            forget_person(connection_, one.key, one.list);
    }
    transaction.commit();
    return std::int64_t(old.size());
}

}
