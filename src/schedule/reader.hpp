#pragma once

#include "schedule/schedule.hpp"
#include "schedule/tokens.hpp"

#include <expected>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace postrider::schedule {

// A place in an English schedule, in bytes.
struct Span {
    std::size_t column = 0;
    std::size_t length = 0;
};

// `"7 minutes" does not divide a day evenly`: a message whose subject is the words it marks.
[[nodiscard]] std::unexpected<ScheduleError> wrong_words(std::string_view text, Span, std::string_view predicate);

// Walks over the words of a text, one behind the other. Positions are counted in words; a position behind the last one
// is the end of the text. `text` must outlive the reader.
class Reader {
public:
    explicit Reader(std::string_view text) : text_(text), tokens_(tokens_of(text)) {}

    [[nodiscard]] bool over(std::size_t ahead = 0) const { return at_ + ahead >= tokens_.size(); }
    [[nodiscard]] std::size_t position() const { return at_; }
    [[nodiscard]] bool only_one_word() const { return tokens_.size() == 1; }
    // Empty behind the end.
    [[nodiscard]] std::string_view word(std::size_t ahead = 0) const;
    [[nodiscard]] bool is(std::initializer_list<std::string_view> words, std::size_t ahead = 0) const;

    void skip(std::size_t count = 1) { at_ += count; }
    bool take(std::initializer_list<std::string_view> words);
    // How many tokens of ", and" stand here, if a word that `starts` the next item is behind them; 0 when the list is
    // over.
    template <class Starts>
    [[nodiscard]] std::size_t separator(Starts starts) const {
        std::size_t ahead = 0;
        if (is({","}, ahead)) ++ahead;
        if (is({"and"}, ahead)) ++ahead;
        return ahead && !over(ahead) && starts(word(ahead)) ? ahead : 0;
    }

    // From the first to the last of these words, as far as they were read or there are any.
    [[nodiscard]] Span span(std::size_t first, std::size_t last) const;
    [[nodiscard]] Span since(std::size_t first) const { return span(first, at_ > first ? at_ - 1 : first); }
    [[nodiscard]] Span here() const { return span(at_, at_); }

    [[nodiscard]] std::unexpected<ScheduleError> wrong(std::string message, Span) const;
    [[nodiscard]] std::unexpected<ScheduleError> wrong_words(std::string_view predicate, Span) const;
    [[nodiscard]] std::unexpected<ScheduleError> not_understood() const;

private:
    std::string_view text_;
    std::vector<Token> tokens_;
    std::size_t at_ = 0;
};

}
