#pragma once

#include "stories/page.hpp"

#include <optional>
#include <string>
#include <string_view>

// The customs of news agencies' text, with or without HTML around it.

namespace postrider::stories {

// "MOSCOW, March 27 (RIA Novosti) - A live microphone ...": where, and by which wire. The agency may be missing.
struct Dateline {
    std::string place;
    std::string agency;
    int month = 0; // 1..12; 0: not said
    int day = 0;
};
[[nodiscard]] std::optional<Dateline> read_dateline(std::string_view paragraph);

// A line that is no more than the name of a news agency.
[[nodiscard]] bool is_agency(std::string_view line);

// The names of a byline: "By Ada Smith, May 20, 2019" -> "Ada Smith"; empty for addresses and what holds no name.
[[nodiscard]] std::string person_in(std::string_view byline);

// A line that is no more than a date as readers see it: "12:46 27/03/2012", "Updated: March 27, 2012". Where day and
// month could be exchanged, the dateline decides, and without one the day comes first.
[[nodiscard]] std::optional<Time> read_visible_date(std::string_view line, const Dateline&);

// A whole story as plain text, between what its page put above and below it.
[[nodiscard]] Page read_text_page(std::string_view text);

}
