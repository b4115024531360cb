#include "subscribers/import_rows.hpp"

#include "mail/address.hpp"
#include "schedule/zone.hpp"
#include "subscribers/attributes.hpp"
#include "subscribers/subscribers.hpp"
#include "system/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <stdexcept>
#include <utility>

namespace postrider::subscribers {
namespace {

constexpr std::size_t block_bytes = 256 * 1024;
constexpr std::size_t most_rejections = 1000;
constexpr std::size_t longest_value = 4000;
constexpr std::size_t longest_attribute = 64;

std::string_view trimmed(std::string_view text) {
    auto first = text.find_first_not_of(" \t\r\n");
    if (first == text.npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

}

void Window::add(std::int64_t line, const std::array<std::string_view, Row::parts>& texts) {
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

Rows::Rows(const std::filesystem::path& file, ImportReport& report)
    : name_(file.string()), report_(report), stream_(file, std::ios::binary), csv_([this](std::span<char> to) {
          stream_.read(to.data(), std::streamsize(to.size()));
          if (stream_.bad()) throw std::runtime_error(name_ + ": reading it failed");
          bytes_ += std::uintmax_t(stream_.gcount());
          return std::size_t(stream_.gcount());
      }) {}

Rows::Column Rows::column_of(std::string_view field) {
    using enum Column::Kind;
    std::string title(trimmed(unguarded(field)));
    auto word = system::lower(title);
    for (auto [kind, known] :
         {std::pair{email, "email"}, {name, "name"}, {language, "language"}, {timezone, "timezone"}})
        if (word == known) return {kind, word};
    return {title.empty() ? ignored : attribute, title};
}

void Rows::reject(std::int64_t line, std::string reason) {
    ++report_.rejected;
    if (report_.rejections.size() < most_rejections) report_.rejections.push_back({line, std::move(reason)});
}

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
            if (record.error().last) {
                fault_ = fmt::format("{}:{}: {}; nothing behind it was read", name_, record.error().line,
                                     record.error().reason);
                ended_ = true;
                return;
            }
            reject(record.error().line, std::move(record.error().reason));
            continue;
        }
        if (auto fault = add(**record, window)) reject((*record)->line, std::move(*fault));
    }
}

std::optional<std::string> Rows::add(const CsvRecord& record, Window& window) {
    if (record.fields.size() > columns_.size())
        return fmt::format("{} fields, but the header has {}", record.fields.size(), columns_.size());
    std::string_view email, name, language, timezone;
    attributes_.clear();
    for (std::size_t i = 0; i < record.fields.size(); ++i) {
        auto field = unguarded(record.fields[i]);
        if (field.size() > longest_value)
            return fmt::format("{} is longer than {} octets", columns_[i].title, longest_value);
        switch (columns_[i].kind) {
        case Column::Kind::email: email = trimmed(field); break;
        case Column::Kind::name: name = field; break;
        case Column::Kind::language: language = trimmed(field); break;
        case Column::Kind::timezone: timezone = trimmed(field); break;
        case Column::Kind::attribute: attributes_.emplace_back(columns_[i].title, field); break;
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

}
