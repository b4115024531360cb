#include "subscribers/import.hpp"

#include "subscribers/consent.hpp"
#include "subscribers/import_rows.hpp"
#include "subscribers/lists.hpp"
#include "subscribers/subscriptions.hpp"
#include "subscribers/suppressions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace postrider::subscribers {
namespace {

using std::chrono::steady_clock;

// What one transaction aims to take, its commit included: half of the 50 ms that are promised, because disks vary.
constexpr auto usual_transaction = 25ms;

// How much a transaction may do so that its commit still ends in time: learnt from the ones before.
class Allowance {
public:
    void begin() { began_ = steady_clock::now(); }
    bool used_up() const { return steady_clock::now() - began_ >= length_; }
    void committed() {
        auto took = steady_clock::now() - began_;
        using Seconds = std::chrono::duration<double>;
        auto fitting = length_ * (Seconds(usual_transaction) / Seconds(took));
        length_ = std::clamp(std::chrono::duration_cast<steady_clock::duration>((length_ + fitting) / 2.0),
                             steady_clock::duration(2ms), steady_clock::duration(usual_transaction));
    }

private:
    steady_clock::time_point began_;
    steady_clock::duration length_ = 20ms;
};

// Keys that were seen, by a 64-bit hash, 16 to 32 octets each: for a dry run, where the database cannot remember them.
class Seen {
public:
    bool add(std::string_view key) { // false: was there
        if ((count_ + 1) * 2 > slots_.size()) grow();
        auto hash = std::max<std::uint64_t>(std::hash<std::string_view>()(key), 1);
        if (!put(hash)) return false;
        ++count_;
        return true;
    }

private:
    bool put(std::uint64_t hash) {
        auto at = hash & (slots_.size() - 1);
        for (; slots_[at]; at = (at + 1) & (slots_.size() - 1))
            if (slots_[at] == hash) return false;
        slots_[at] = hash;
        return true;
    }
    void grow() {
        auto old = std::move(slots_);
        slots_.assign(std::max<std::size_t>(1024, old.size() * 2), 0);
        for (auto hash : old)
            if (hash) put(hash);
    }
    std::vector<std::uint64_t> slots_;
    std::size_t count_ = 0;
};

// "($1, $2), ($3, $4)"
std::string places(int rows, int columns) {
    std::string text;
    for (int row = 0, place = 1; row < rows; ++row) {
        text += row ? ", (" : "(";
        for (int column = 0; column < columns; ++column) text += fmt::format("{}${}", column ? ", " : "", place++);
        text += ')';
    }
    return text;
}

std::optional<std::string> topics_of(const Row& row) {
    auto topics = row[Row::topics];
    return topics.empty() ? std::nullopt : std::optional(std::string(topics));
}

// The writing half of an import of confirmed readers.
class Writer {
public:
    Writer(storage::Connection& connection, const LinkTokens& tokens, const ImportOptions& options, std::string form,
           Time now, ImportReport& report)
        : connection_(connection), suppressions_(connection, tokens), tokens_(tokens), options_(options),
          form_(std::move(form)), now_(now), report_(report) {
        for (std::size_t i = 0; i < std::size(sizes); ++i) {
            int n = int(sizes[i]);
            person_sql_[i] = "INSERT INTO subscriber (address, address_key, name, language, timezone, attributes, "
                             "created_at) VALUES " +
                             places(n, 7) + " ON CONFLICT (address_key) DO NOTHING RETURNING id, address_key";
            stretch_sql_[i] = "INSERT INTO subscription (list_id, subscriber_id, activated_at) VALUES " + places(n, 3);
            consent_sql_[i] =
                "INSERT INTO consent (list_id, address_key, event, at, words, form, person_salt, hash) VALUES " +
                places(n, 8);
        }
    }

    // Writes rows from `at` on until it has taken long enough; one transaction. Gives where it stopped.
    std::size_t write(std::span<Row> rows, std::size_t at) {
        storage::Transaction transaction(connection_);
        allowance_.begin();
        chain_.emplace(connection_);
        connection_.run("UPDATE list_counter SET active = active WHERE list_id = $1", options_.list); // takes the row
        bool anybody_suppressed = !suppressions_.empty();
        std::int64_t active = 0;
        while (at < rows.size() && !allowance_.used_up()) {
            std::vector<Repeated> group;
            for (; at < rows.size() && group.size() < sizes[0]; ++at) {
                if (rows[at].before > Before::unconfirmed)
                    keep_out(rows[at]);
                else if (anybody_suppressed && suppressed(rows[at][Row::key]))
                    ++report_.suppressed;
                else if (!group.empty() && (*group.back().row)[Row::key] == rows[at][Row::key])
                    ++group.back().again;
                else
                    group.push_back({&rows[at], 0});
            }
            active += write_group(group);
        }
        connection_.run("UPDATE list_counter SET active = active + $1 WHERE list_id = $2", active, options_.list);
        transaction.commit();
        allowance_.committed();
        report_.added += active;
        return at;
    }

    // Who had left or bounced elsewhere has done so here, too. Inside a transaction.
    void keep_out(const Row& row) {
        if (stays_out(row)) keep_standing(row);
    }
    // Counts the row; false where the reader's own word, given here, weighs more than the file.
    bool stays_out(const Row& row) {
        SubscriberId id;
        if (known(row[Row::key], id) == Known::active && has_confirmed(row[Row::key])) {
            ++report_.unchanged;
            return false;
        }
        ++report_.suppressed;
        ++(row.before == Before::unsubscribed ? report_.unsubscribed : report_.undeliverable);
        return true;
    }

    // What is known of an address on this list.
    enum class Known { nobody, other_lists, active, left };
    Known known(std::string_view key, SubscriberId& id) {
        auto known = Known::nobody;
        connection_.each(
            R"sql(SELECT p.id, (SELECT max(CASE WHEN s.left_at IS NULL THEN 2 ELSE 1 END) FROM subscription s
                                WHERE s.subscriber_id = p.id AND s.list_id = $2)
                  FROM subscriber p WHERE p.address_key = $1)sql",
            [&](const storage::Row& row) {
                id = row.get<SubscriberId>(0);
                auto state = row.get<std::optional<int>>(1).value_or(0);
                known = state == 2 ? Known::active : state == 1 ? Known::left : Known::other_lists;
            },
            key, options_.list);
        return known;
    }
    bool suppressed(std::string_view key) { return suppressions_.contains_hash(tokens_.address_hash(key)); }

private:
    static constexpr std::size_t sizes[] = {64, 8, 1}; // rows a statement takes
    struct Repeated {
        const Row* row;
        std::int64_t again; // further lines with the same address
    };
    struct Person {
        SubscriberId id;
        std::string key;
        ConsentChain::Link link = {};
    };

    // Runs `sql` over all items, in as few statements as the sizes allow.
    template <class Item, class Bind, class Read>
    void in_chunks(const std::string (&sql)[3], std::span<Item> items, const Bind& bind, const Read& read) {
        while (!items.empty()) {
            std::size_t size = 0;
            while (sizes[size] > items.size()) ++size;
            values_.clear();
            for (auto& item : items.first(sizes[size])) bind(item);
            connection_.execute(sql[size], values_, read);
            items = items.subspan(sizes[size]);
        }
    }

    bool has_confirmed(std::string_view key) {
        return connection_
            .value<std::int64_t>(
                "SELECT 1 FROM consent WHERE address_key = $1 AND list_id = $2 AND event = 'confirmed'", key,
                options_.list)
            .has_value();
    }
    void keep_standing(const Row& row) {
        auto address = mail::parse_address(row[Row::address]).value(); // it was parsed before
        if (row.before != Before::unsubscribed) {
            auto kind = row.before == Before::bounced      ? SuppressionKind::bounce
                        : row.before == Before::complained ? SuppressionKind::complaint
                                                           : SuppressionKind::operator_;
            if (!suppressions_.contains(address))
                suppressions_.add(address, kind, fmt::format("{}: {}", form_, to_text(row.before)), now_);
            return;
        }
        SubscriberId id;
        auto standing = known(row[Row::key], id);
        if (standing == Known::left) return;
        // A stretch that ends as it begins: from now on this reader is one who has left.
        if (standing != Known::active)
            id = activate(connection_, options_.list, address,
                          {std::string(row[Row::name]), std::string(row[Row::language]),
                           std::string(row[Row::timezone]), std::string(row[Row::attributes])},
                          topics_of(row), now_)
                     .subscriber;
        close_stretch(connection_, options_.list, id, LeftHow::operator_, now_);
        record_consent(connection_,
                       {options_.list, row[Row::key], ConsentEvent::left, now_, options_.basis, {}, form_});
    }

    // The group is in the order of keys.
    static const Repeated& row_of(const std::vector<Repeated>& group, std::string_view key) {
        return *std::ranges::lower_bound(group, key, {}, [](auto& one) { return (*one.row)[Row::key]; });
    }

    // Of those who have a row already, whom this list does not know. `people`: who got theirs now.
    void add_known(std::span<const Repeated> group, std::vector<Person>& people) {
        auto made = people; // their keys are in the order of the group, but nobody promises that
        std::ranges::sort(made, {}, &Person::key);
        for (auto& [row, again] : group) {
            if (std::ranges::binary_search(made, (*row)[Row::key], {}, &Person::key)) continue;
            SubscriberId id;
            switch (known((*row)[Row::key], id)) {
            case Known::active: ++report_.unchanged; break;
            case Known::left:
                report_.suppressed += 1 + again;
                report_.unchanged -= again;
                break;
            default: people.push_back({id, std::string((*row)[Row::key])});
            }
        }
    }

    // Gives the number of readers that became active.
    std::int64_t write_group(std::vector<Repeated>& group) {
        std::vector<Person> people;
        in_chunks(
            person_sql_, std::span(group),
            [&](const Repeated& one) {
                auto& row = *one.row;
                report_.unchanged += one.again;
                values_.insert(values_.end(),
                               {row[Row::address], row[Row::key], row[Row::name], row[Row::language],
                                row[Row::timezone], row[Row::attributes], now_.time_since_epoch().count()});
            },
            [&](const storage::Row& row) {
                people.push_back({row.get<SubscriberId>(0), row.get<std::string>(1)});
                return true;
            });
        if (people.size() < group.size()) add_known(group, people);
        auto nothing = [](const storage::Row&) { return true; };
        in_chunks(
            stretch_sql_, std::span(people),
            [&](const Person& person) {
                values_.insert(values_.end(),
                               {options_.list.number, person.id.number, now_.time_since_epoch().count()});
            },
            nothing);
        for (auto& person : people)
            person.link =
                chain_->link({options_.list, person.key, ConsentEvent::imported, now_, options_.basis, {}, form_});
        if (!options_.topics.empty())
            for (auto& person : people)
                if (auto topics = topics_of(*row_of(group, person.key).row))
                    connection_.run("UPDATE subscription SET topics = $3 WHERE subscriber_id = $1 AND list_id = $2 AND "
                                    "left_at IS NULL",
                                    person.id, options_.list, *topics);
        in_chunks(
            consent_sql_, std::span(people),
            [&](const Person& person) {
                values_.insert(values_.end(),
                               {options_.list.number, std::string_view(person.key), to_text(ConsentEvent::imported),
                                now_.time_since_epoch().count(), std::string_view(options_.basis),
                                std::string_view(form_), storage::Blob{person.link.person_salt},
                                storage::Blob{person.link.hash}});
            },
            nothing);
        return std::int64_t(people.size());
    }

    storage::Connection& connection_;
    Suppressions suppressions_;
    const LinkTokens& tokens_;
    const ImportOptions& options_;
    std::string form_;
    Time now_;
    ImportReport& report_;
    std::string person_sql_[3], stretch_sql_[3], consent_sql_[3];
    std::vector<storage::Value> values_;
    std::optional<ConsentChain> chain_; // of the running transaction
    Allowance allowance_;
};

// One import from its first line to its last.
class Import {
public:
    Import(storage::Connection& connection, const LinkTokens& tokens, const Settings& settings,
           const std::filesystem::path& file, const ImportOptions& options, const ImportHooks& hooks, Time now)
        : connection_(connection), file_(file), options_(options), hooks_(hooks), now_(now),
          form_("import " + file.filename().string()), sign_ups_(connection, tokens, settings),
          rows_(file, options, hooks, report_), writer_(connection, tokens, options, form_, now, report_) {}

    std::expected<ImportReport, std::string> run() {
        if (auto fault = rows_.read_header()) return std::unexpected(*fault);
        std::error_code error;
        bytes_total_ = std::filesystem::file_size(file_, error);
        Window current, next;
        // What is not written need not be sorted: a dry run leaves the memory to the keys it has seen.
        auto size = options_.dry_run ? window_rows / 16 : window_rows;
        rows_.read(current, size);
        while (!current.rows.empty() || !rows_.ended()) { // a window may hold nothing but rejections
            std::sort(current.rows.begin(), current.rows.end());
            for (std::size_t at = 0; at < current.rows.size();) {
                auto before = at;
                at = take(current.rows, at);
                done_ += std::int64_t(at - before);
                rows_.read(next, std::min(2 * (at - before), size - next.rows.size()));
                if (hooks_.progress) hooks_.progress({done_ + report_.rejected, rows_.bytes_read(), bytes_total_});
            }
            rows_.read(next, size - next.rows.size());
            std::swap(current, next);
            next.clear();
        }
        if (auto& fault = rows_.fault()) return std::unexpected(*fault);
        return std::move(report_);
    }

private:
    std::size_t take(std::span<Row> rows, std::size_t at) {
        if (options_.dry_run) return only_count(rows, at);
        return options_.standing == Standing::confirmed ? writer_.write(rows, at) : invite(rows, at);
    }

    std::size_t invite(std::span<Row> rows, std::size_t at) {
        storage::Transaction transaction(connection_);
        allowance_.begin();
        for (; at < rows.size() && !allowance_.used_up(); ++at) {
            if (rows[at].before > Before::unconfirmed) {
                writer_.keep_out(rows[at]);
                continue;
            }
            SubscriberId id;
            if (writer_.known(rows[at][Row::key], id) == Writer::Known::left) {
                ++report_.suppressed;
                continue;
            }
            auto& row = rows[at];
            auto address = mail::parse_address(row[Row::address]).value(); // it was parsed before
            auto outcome = sign_ups_.invite({options_.list,
                                             address,
                                             row[Row::name],
                                             row[Row::language],
                                             {},
                                             form_,
                                             options_.basis,
                                             std::nullopt,
                                             {},
                                             topics_of(row)},
                                            now_);
            if (auto* mail = std::get_if<MailConfirmation>(&outcome)) {
                ++report_.added;
                if (hooks_.write_letter) hooks_.write_letter(*mail, sign_ups_.find(mail->id).value());
            } else if (std::holds_alternative<Suppressed>(outcome))
                ++report_.suppressed;
            else
                ++report_.unchanged;
        }
        transaction.commit();
        allowance_.committed();
        return at;
    }

    std::size_t only_count(std::span<Row> rows, std::size_t at) {
        for (auto until = std::min(rows.size(), at + 1024); at < until; ++at) {
            auto key = rows[at][Row::key];
            if (rows[at].before > Before::unconfirmed) {
                writer_.stays_out(rows[at]);
                continue;
            }
            SubscriberId id;
            auto known = writer_.known(key, id);
            if (writer_.suppressed(key) || known == Writer::Known::left)
                ++report_.suppressed;
            else if (!seen_.add(key) || known == Writer::Known::active || waits(key))
                ++report_.unchanged;
            else
                ++report_.added;
        }
        return at;
    }
    bool waits(std::string_view key) {
        if (options_.standing == Standing::confirmed) return false;
        return connection_
            .value<std::int64_t>(R"sql(SELECT 1 FROM sign_up WHERE list_id = $1 AND address_key = $2
                                                               AND confirmed_at IS NULL AND expires_at > $3)sql",
                                 options_.list, key, now_)
            .has_value();
    }

    storage::Connection& connection_;
    const std::filesystem::path& file_;
    const ImportOptions& options_;
    const ImportHooks& hooks_;
    Time now_;
    std::string form_;
    ImportReport report_;
    SignUps sign_ups_;
    Rows rows_;
    Writer writer_;
    Seen seen_;
    std::uintmax_t bytes_total_ = 0;
    std::int64_t done_ = 0;
    Allowance allowance_;
};

}

std::expected<ImportReport, std::string> import_readers(storage::Connection& connection, const LinkTokens& tokens,
                                                        const Settings& settings, const std::filesystem::path& file,
                                                        const ImportOptions& options, const ImportHooks& hooks,
                                                        Time now) {
    auto list = Lists(connection).find(options.list);
    if (!list || list->state == ListState::archived)
        return std::unexpected(fmt::format("{}: the list takes no readers: it is archived", file.string()));
    return Import(connection, tokens, settings, file, options, hooks, now).run();
}

}
