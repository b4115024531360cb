#include "subscribers/import.hpp"

#include "schedule/zone.hpp"
#include "subscribers/attributes.hpp"
#include "subscribers/csv.hpp"
#include "subscribers/lists.hpp"
#include "subscribers/subscribers.hpp"
#include "subscribers/suppressions.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <map>
#include <memory>

namespace postrider::subscribers {
namespace {

using std::chrono::steady_clock;

// How long one transaction may take, its commit included; the promise is 50 ms.
constexpr auto longest_transaction = 40ms;
// Rows are written in the order of their keys, a window at a time: each page of the indexes by address is then changed
// once a window and not once a row. The next window is read between two transactions, which is when other writers get
// their turn.
constexpr std::size_t window_rows = 128 * 1024;
constexpr std::size_t window_bytes = 16 << 20;
constexpr std::size_t block_bytes = 256 * 1024;
constexpr std::size_t most_rejections = 1000;
constexpr std::size_t longest_value = 4000;
constexpr std::size_t longest_attribute = 64;

// A reader as the file gives it, packed: its texts stand one behind the other in a block of the window.
class Row {
public:
    enum Part { key, address, name, language, timezone, attributes, parts };

    std::int64_t line;

    Row(std::int64_t l, const char* text, const std::array<std::uint32_t, parts>& ends)
        : line(l), text_(text), ends_(ends) {}
    std::string_view operator[](Part part) const {
        // Nearly every address is its own key.
        if (part == address && ends_[address] == ends_[key]) part = key;
        auto start = part == 0 ? 0 : ends_[part - 1];
        return {text_ + start, ends_[part] - start};
    }
    // In the order of keys; of two lines with one address the first counts.
    bool operator<(const Row& other) const {
        auto order = (*this)[key] <=> other[key];
        return order != 0 ? order < 0 : line < other.line;
    }

private:
    const char* text_;
    std::array<std::uint32_t, parts> ends_;
};

class Window {
public:
    std::vector<Row> rows;

    bool full() const { return rows.size() >= window_rows || bytes_ >= window_bytes; }
    void add(std::int64_t line, const std::array<std::string_view, Row::parts>& texts) {
        std::size_t size = 0;
        for (auto text : texts) size += text.size();
        if (blocks_.empty() || used_ + size > room_) {
            room_ = std::max(block_bytes, size);
            blocks_.push_back(std::make_unique_for_overwrite<char[]>(room_));
            used_ = 0;
        }
        char* start = blocks_.back().get() + used_;
        std::array<std::uint32_t, Row::parts> ends;
        std::size_t at = 0;
        for (std::size_t part = 0; part < texts.size(); ++part) {
            if (part != Row::address || texts[Row::address] != texts[Row::key])
                at = std::size_t(std::ranges::copy(texts[part], start + at).out - start);
            ends[part] = std::uint32_t(at);
        }
        used_ += at;
        bytes_ += at;
        rows.emplace_back(line, start, ends);
    }
    void clear() {
        rows.clear();
        blocks_.clear();
        bytes_ = 0;
    }

private:
    std::vector<std::unique_ptr<char[]>> blocks_;
    std::size_t used_ = 0, room_ = 0, bytes_ = 0;
};

// How much a transaction may do so that its commit still ends in time: learnt from the ones before.
class Allowance {
public:
    void begin() { began_ = steady_clock::now(); }
    bool used_up() const { return steady_clock::now() - began_ >= length_; }
    void committed() {
        auto took = steady_clock::now() - began_;
        using Seconds = std::chrono::duration<double>;
        auto fitting = length_ * (Seconds(longest_transaction) / Seconds(took));
        length_ = std::clamp(std::chrono::duration_cast<steady_clock::duration>((length_ + fitting) / 2.0),
                             steady_clock::duration(2ms), steady_clock::duration(longest_transaction));
    }

private:
    steady_clock::time_point began_;
    steady_clock::duration length_ = 20ms;
};

std::string_view trimmed(std::string_view text) {
    auto first = text.find_first_not_of(" \t\r\n");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string lower(std::string_view text) {
    std::string out(text);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = char(c + 32);
    return out;
}

// Keys that were seen, by a 64-bit hash, 16 octets each: for a dry run, where the database cannot remember them.
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

// What a column of the file means.
struct Column {
    enum class Kind { email, name, language, timezone, attribute, ignored } kind;
    std::string title;
};

Column column_of(std::string_view field) {
    using enum Column::Kind;
    std::string title(trimmed(field));
    auto word = lower(title);
    for (auto [kind, known] :
         {std::pair{email, "email"}, {name, "name"}, {language, "language"}, {timezone, "timezone"}})
        if (word == known) return {kind, word};
    return {title.empty() ? ignored : attribute, title};
}

// The reading half: the file, line by line, into rows and rejections.
class Rows {
public:
    Rows(const std::filesystem::path& file, ImportReport& report)
        : name_(file.string()), report_(report), stream_(file, std::ios::binary), csv_([this](std::span<char> to) {
              stream_.read(to.data(), std::streamsize(to.size()));
              if (stream_.bad()) throw std::runtime_error(name_ + ": reading it failed");
              bytes_ += std::uintmax_t(stream_.gcount());
              return std::size_t(stream_.gcount());
          }) {}

    // Nothing, or what is wrong with the file as a whole.
    std::optional<std::string> read_header();
    // Appends up to `count` rows; fewer when the window is full or the file has ended.
    void read(Window&, std::size_t count);
    bool ended() const { return ended_; }
    std::uintmax_t bytes_read() const { return bytes_; }

private:
    void reject(std::int64_t line, std::string reason) {
        ++report_.rejected;
        if (report_.rejections.size() < most_rejections) report_.rejections.push_back({line, std::move(reason)});
    }
    std::optional<std::string> add(const CsvRecord&, Window&); // what is wrong with the row, or nothing
    const std::string& fault_of_zone(std::string_view name);

    std::string name_;
    ImportReport& report_;
    std::ifstream stream_;
    std::uintmax_t bytes_ = 0;
    bool ended_ = false;
    CsvReader csv_;
    std::vector<Column> columns_;
    std::vector<std::pair<std::string_view, std::string_view>> attributes_;
    std::map<std::string, std::string, std::less<>> zones_; // what is wrong with each name seen; "" where nothing is
};

std::optional<std::string> Rows::read_header() {
    std::error_code error;
    if (std::filesystem::is_directory(name_, error)) return fmt::format("{}: is a folder", name_);
    if (!stream_) return fmt::format("{}: cannot be opened: {}", name_, std::strerror(errno));
    auto header = csv_.next();
    if (!header) return fmt::format("{}:{}: {}", name_, header.error().line, header.error().reason);
    if (!*header) return fmt::format("{}: is empty; it needs a header line with a column \"email\"", name_);

    auto where = fmt::format("{}:{}", name_, (*header)->line);
    std::vector<std::string> titles;
    for (auto field : (*header)->fields) {
        auto column = column_of(field);
        if (column.title.size() > longest_attribute)
            return fmt::format("{}: the name of a column is longer than {} octets", where, longest_attribute);
        if (!column.title.empty() && std::ranges::find(titles, column.title) != titles.end())
            return fmt::format("{}: the column \"{}\" is there twice", where, column.title);
        titles.push_back(column.title);
        columns_.push_back(std::move(column));
    }
    if (std::ranges::find(titles, "email") == titles.end())
        return fmt::format("{}: there is no column \"email\", only: {}", where, fmt::join(titles, ", "));
    return std::nullopt;
}

void Rows::read(Window& window, std::size_t count) {
    for (std::size_t i = 0; i < count && !window.full() && !ended_; ++i) {
        auto record = csv_.next();
        if (record && !*record) {
            ended_ = true;
            return;
        }
        ++report_.rows;
        if (!record) {
            reject(record.error().line, std::move(record.error().reason));
            continue;
        }
        if (auto fault = add(**record, window)) reject((*record)->line, std::move(*fault));
    }
}

std::optional<std::string> Rows::add(const CsvRecord& record, Window& window) {
    auto fields = record.fields;
    if (fields.size() > columns_.size())
        return fmt::format("{} fields, but the header has {}", fields.size(), columns_.size());
    std::string_view email, name, language, timezone;
    attributes_.clear();
    for (std::size_t i = 0; i < fields.size(); ++i) {
        if (fields[i].size() > longest_value)
            return fmt::format("{} is longer than {} octets", columns_[i].title, longest_value);
        switch (columns_[i].kind) {
        case Column::Kind::email: email = trimmed(fields[i]); break;
        case Column::Kind::name: name = fields[i]; break;
        case Column::Kind::language: language = trimmed(fields[i]); break;
        case Column::Kind::timezone: timezone = trimmed(fields[i]); break;
        case Column::Kind::attribute: attributes_.emplace_back(columns_[i].title, fields[i]); break;
        case Column::Kind::ignored: break;
        }
    }
    auto address = mail::parse_address(email);
    if (!address) return std::move(address.error().reason);
    auto tag = clean_language(language);
    if (!language.empty() && tag.empty()) return fmt::format("\"{}\" is not a language tag", language);
    if (!timezone.empty())
        if (auto& fault = fault_of_zone(timezone); !fault.empty()) return fault;
    auto key = address->key(), plain_name = clean_name(name), attributes = attributes_json(attributes_);
    window.add(record.line, {key, address->text(), plain_name, tag, timezone, attributes});
    return std::nullopt;
}

const std::string& Rows::fault_of_zone(std::string_view name) {
    if (auto known = zones_.find(name); known != zones_.end()) return known->second;
    if (zones_.size() >= most_rejections) zones_.clear();
    auto fault = schedule::Zone::find(name) ? std::string() : schedule::unknown_zone(name);
    return zones_.emplace(name, std::move(fault)).first->second;
}

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
                "INSERT INTO consent (list_id, address_key, event, at, words, form) VALUES " + places(n, 6);
        }
    }

    // Writes rows from `at` on until it has taken long enough; one transaction. Gives where it stopped.
    std::size_t write(std::span<Row> rows, std::size_t at) {
        storage::Transaction transaction(connection_);
        allowance_.begin();
        connection_.run("UPDATE list_counter SET active = active WHERE list_id = $1", options_.list); // takes the row
        bool anybody_suppressed = !suppressions_.empty();
        std::int64_t active = 0;
        while (at < rows.size() && !allowance_.used_up()) {
            std::vector<Repeated> group;
            for (; at < rows.size() && group.size() < sizes[0]; ++at) {
                if (anybody_suppressed && suppressed(rows[at][Row::key]))
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

    // Gives the number of readers that became active.
    std::int64_t write_group(std::vector<Repeated>& group) {
        struct Person {
            SubscriberId id;
            std::string key;
        };
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
        if (people.size() < group.size()) {
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
        auto nothing = [](const storage::Row&) { return true; };
        in_chunks(
            stretch_sql_, std::span(people),
            [&](const Person& person) {
                values_.insert(values_.end(),
                               {options_.list.number, person.id.number, now_.time_since_epoch().count()});
            },
            nothing);
        in_chunks(
            consent_sql_, std::span(people),
            [&](const Person& person) {
                values_.insert(values_.end(), {options_.list.number, std::string_view(person.key),
                                               std::string_view("imported"), now_.time_since_epoch().count(),
                                               std::string_view(options_.basis), std::string_view(form_)});
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
    Allowance allowance_;
};

// One import from its first line to its last.
class Import {
public:
    Import(storage::Connection& connection, const LinkTokens& tokens, const Settings& settings,
           const std::filesystem::path& file, const ImportOptions& options, const ImportHooks& hooks, Time now)
        : connection_(connection), file_(file), options_(options), hooks_(hooks), now_(now),
          form_("import " + file.filename().string()), sign_ups_(connection, tokens, settings), rows_(file, report_),
          writer_(connection, tokens, options, form_, now, report_) {}

    std::expected<ImportReport, std::string> run() {
        if (auto fault = rows_.read_header()) return std::unexpected(*fault);
        std::error_code error;
        bytes_total_ = std::filesystem::file_size(file_, error);
        Window current, next;
        rows_.read(current, window_rows);
        while (!current.rows.empty()) {
            std::sort(current.rows.begin(), current.rows.end());
            for (std::size_t at = 0; at < current.rows.size();) {
                auto before = at;
                at = take(current.rows, at);
                done_ += std::int64_t(at - before);
                rows_.read(next, 2 * (at - before));
                if (hooks_.progress) hooks_.progress({done_ + report_.rejected, rows_.bytes_read(), bytes_total_});
            }
            rows_.read(next, window_rows);
            std::swap(current, next);
            next.clear();
        }
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
            SubscriberId id;
            if (writer_.known(rows[at][Row::key], id) == Writer::Known::left) {
                ++report_.suppressed;
                continue;
            }
            auto& row = rows[at];
            auto address = mail::parse_address(row[Row::address]).value(); // it was parsed before
            auto outcome = sign_ups_.invite(
                {options_.list, address, row[Row::name], row[Row::language], {}, form_, options_.basis}, now_);
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
