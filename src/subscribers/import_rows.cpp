#include "subscribers/import_rows.hpp"

#include "mail/address.hpp"
#include "schedule/zone.hpp"
#include "subscribers/attributes.hpp"
#include "subscribers/subscribers.hpp"
#include "subscribers/topics.hpp"
#include "system/trimmed.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace postrider::subscribers {
namespace {

using system::trimmed;

constexpr std::size_t block_bytes = 256 * 1024;
constexpr std::size_t most_rejections = 1000;
constexpr std::size_t longest_value = 4000;

// An attribute called as a column of ours would make an export that no import takes.
Attributes free_names(Attributes attributes) {
    for (std::string_view taken : {"email", "name", "language", "timezone", "topics", "status", "since"})
        if (auto found = attributes.extract(std::string(taken)); !found.empty()) {
            found.key() = fmt::format("attribute_{}", taken);
            attributes.insert(std::move(found));
        }
    return attributes;
}

}

void Window::add(std::int64_t line, Before before, const std::array<std::string_view, Row::parts>& texts) {
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
    rows.emplace_back(line, before, start, ends);
}

Rows::Rows(const std::filesystem::path& file, const ImportOptions& options, const ImportHooks& hooks,
           ImportReport& report)
    : name_(file.string()), options_(options), hooks_(hooks), report_(report), stream_(file, std::ios::binary),
      csv_([this](std::span<char> to) {
          stream_.read(to.data(), std::streamsize(to.size()));
          if (stream_.bad()) throw std::runtime_error(name_ + ": reading it failed");
          bytes_ += std::uintmax_t(stream_.gcount());
          return std::size_t(stream_.gcount());
      }) {}

void Rows::reject(std::int64_t line, std::string reason, Fields fields) {
    ++report_.rejected;
    if (hooks_.write_rejected) {
        auto number = fmt::to_string(line);
        std::vector<std::string_view> row = {number, reason};
        row.insert(row.end(), fields.begin(), fields.end());
        std::string text;
        append_csv(text, row);
        hooks_.write_rejected(text);
    }
    if (report_.rejections.size() < most_rejections) report_.rejections.push_back({line, std::move(reason)});
}

std::optional<std::string> Rows::read_header() {
    std::error_code error;
    if (std::filesystem::is_directory(name_, error)) return fmt::format("{}: is a folder", name_);
    if (!stream_) return fmt::format("{}: cannot be opened: {}", name_, std::strerror(errno));
    auto header = csv_.next();
    if (!header) return fmt::format("{}:{}: {}", name_, header.error().line, header.error().reason);
    if (!*header) return fmt::format("{}: is empty; it needs a header line with a column \"email\"", name_);

    auto columns = columns_of((*header)->fields, options_.columns);
    if (!columns) return fmt::format("{}:{}: {}", name_, (*header)->line, columns.error());
    report_.written_by = columns->written_by;
    columns_ = std::move(columns->columns);
    if (hooks_.write_rejected) {
        std::vector<std::string_view> titles = {"rejected_line", "rejected_reason"};
        titles.insert(titles.end(), (*header)->fields.begin(), (*header)->fields.end());
        std::string text;
        append_csv(text, titles);
        hooks_.write_rejected(text);
    }
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
            if (record.error().last) {
                fault_ = fmt::format("{}:{}: {}; nothing behind it was read", name_, record.error().line,
                                     record.error().reason);
                ended_ = true;
                return;
            }
            reject(record.error().line, std::move(record.error().reason), {});
            continue;
        }
        if (auto fault = add(**record, window)) reject((*record)->line, std::move(*fault), (*record)->fields);
    }
}

std::optional<std::string> Rows::take(const Column& column, std::string_view field) {
    using enum Column::Meaning;
    switch (column.meaning) {
    case email: reader_.email = trimmed(field); break;
    case name: reader_.name = field; break;
    case first_name: reader_.first_name = trimmed(field); break;
    case last_name: reader_.last_name = trimmed(field); break;
    case language: reader_.language = trimmed(field); break;
    case timezone: reader_.timezone = trimmed(field); break;
    case topics: return take_topics(column, field);
    case attributes: reader_.more = free_names(parse_attributes(field)); break;
    case attribute:
        if (column.doubtful)
            if (auto before = standing_before(trimmed(field)); before && *before > Before::unconfirmed)
                return fmt::format(
                    "the column \"{0}\" says \"{1}\": say what it means, with --map \"{0}=status\" if the "
                    "reader had left, --map \"{0}=-\" if that is of no consequence",
                    column.title, trimmed(field));
        reader_.attributes.emplace_back(column.title, field);
        break;
    case ignored: break;
    case left_at:
        if (!field.empty()) reader_.before = std::max(reader_.before, Before::unsubscribed);
        break;
    case bounced_at:
        if (!field.empty()) reader_.before = std::max(reader_.before, Before::bounced);
        break;
    case status:
        if (trimmed(field).empty()) break;
        auto before = standing_before(trimmed(field));
        if (!before) return before.error();
        reader_.before = std::max(reader_.before, *before); // the strictest of several counts
        break;
    }
    return std::nullopt;
}

std::optional<std::string> Rows::take_topics(const Column& column, std::string_view field) {
    if (options_.topics.empty()) {
        reader_.attributes.emplace_back(column.title, field);
        return std::nullopt;
    }
    std::vector<std::string> unknown;
    reader_.topics = topics_from_text(field, options_.topics, unknown);
    if (unknown.empty()) return std::nullopt;
    return fmt::format("the list has no topic \"{}\"; it has: {}", unknown.front(), fmt::join(options_.topics, "; "));
}

std::optional<std::string> Rows::add(const CsvRecord& record, Window& window) {
    if (record.fields.size() > columns_.size())
        return fmt::format("{} fields, but the header has {}", record.fields.size(), columns_.size());
    auto kept = std::move(reader_.attributes); // their memory
    kept.clear();
    reader_ = {};
    reader_.attributes = std::move(kept);
    for (std::size_t i = 0; i < record.fields.size(); ++i) {
        auto field = unguarded(record.fields[i]);
        if (field.size() > longest_value)
            return fmt::format("{} is longer than {} octets", columns_[i].title, longest_value);
        if (auto fault = take(columns_[i], field)) return fault;
    }
    auto address = mail::parse_address(reader_.email);
    if (!address) return std::move(address.error().reason);
    if (reader_.before == Before::unconfirmed && options_.standing == Standing::confirmed)
        return "had not confirmed where the file comes from; import the row without --confirmed, and they are asked";
    auto tag = clean_language(reader_.language);
    if (!reader_.language.empty() && tag.empty()) return fmt::format("\"{}\" is not a language tag", reader_.language);
    auto timezone = reader_.timezone;
    if (!timezone.empty())
        if (auto& fault = fault_of_zone(timezone); !fault.empty()) {
            if (report_.written_by.empty()) return fault;
            timezone = {}; // guessed by the other program, in names of its own
        }
    for (auto& [name, value] : reader_.more) reader_.attributes.emplace_back(name, value);
    auto both = fmt::format("{}{}{}", reader_.first_name, reader_.last_name.empty() ? "" : " ", reader_.last_name);
    auto key = address->key(), name = clean_name(reader_.name.empty() ? both : reader_.name),
         attributes = attributes_json(reader_.attributes);
    window.add(record.line, reader_.before, {key, address->text(), name, tag, timezone, attributes, reader_.topics});
    return std::nullopt;
}

const std::string& Rows::fault_of_zone(std::string_view name) {
    if (auto known = zones_.find(name); known != zones_.end()) return known->second;
    if (zones_.size() >= most_rejections) zones_.clear();
    auto fault = schedule::Zone::find(name) ? std::string() : schedule::unknown_zone(name);
    return zones_.emplace(name, std::move(fault)).first->second;
}

}
