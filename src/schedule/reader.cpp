#include "schedule/reader.hpp"

#include "schedule/quote.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace postrider::schedule {

namespace {

constexpr std::string_view another_way =
    "write for example \"every weekday at 07:00\" or \"first monday of the month at 9am\"";

}

std::unexpected<ScheduleError> wrong_words(std::string_view text, Span place, std::string_view predicate) {
    const auto words = quoted(text.substr(place.column, place.length));
    return std::unexpected(ScheduleError{fmt::format("{} {}", words, predicate), place.column, place.length});
}

std::string_view Reader::word(std::size_t ahead) const {
    return over(ahead) ? std::string_view{} : std::string_view{tokens_[at_ + ahead].text};
}

bool Reader::is(std::initializer_list<std::string_view> words, std::size_t ahead) const {
    return !over(ahead) && std::ranges::find(words, word(ahead)) != words.end();
}

bool Reader::take(std::initializer_list<std::string_view> words) {
    if (!is(words)) return false;
    ++at_;
    return true;
}

Span Reader::span(std::size_t first, std::size_t last) const {
    if (first >= tokens_.size()) return {text_.size(), 0};
    last = std::clamp(last, first, tokens_.size() - 1);
    const auto column = tokens_[first].column;
    return {column, tokens_[last].column + tokens_[last].length - column};
}

std::unexpected<ScheduleError> Reader::wrong(std::string message, Span place) const {
    return std::unexpected(ScheduleError{std::move(message), place.column, place.length});
}

std::unexpected<ScheduleError> Reader::wrong_words(std::string_view predicate, Span place) const {
    return schedule::wrong_words(text_, place, predicate);
}

std::unexpected<ScheduleError> Reader::not_understood() const {
    if (over()) return wrong(fmt::format("something is missing here; {}", another_way), here());
    if (const auto meant = nearest_english(word()); meant && *meant != word())
        return wrong_words(fmt::format("is not understood; did you mean \"{}\"?", *meant), here());
    return wrong_words(fmt::format("is not understood here; {}", another_way), here());
}

}
