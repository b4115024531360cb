#include "templates/dates.hpp"

#include "schedule/zone.hpp"
#include "templates/locale.hpp"

#include <unicode/datefmt.h>
#include <unicode/timezone.h>

namespace postrider::templates {

// The zone's rules are the system's, as for schedules, and not ICU's own: so ICU only sees days of UTC.
struct Dates::State {
    schedule::Zone zone;
    std::unique_ptr<icu::DateFormat> format;
};

Dates::Dates(std::string_view language, std::string_view timezone, Style style) {
    auto zone = schedule::Zone::find(timezone).value_or(schedule::Zone::utc());
    auto icu_style = style == Style::full ? icu::DateFormat::kFull : icu::DateFormat::kLong;
    std::unique_ptr<icu::DateFormat> format(icu::DateFormat::createDateInstance(icu_style, locale_of(language)));
    if (!format) require(U_MISSING_RESOURCE_ERROR);
    format->adoptTimeZone(icu::TimeZone::getGMT()->clone());
    state_ = std::make_shared<const State>(std::move(zone), std::move(format));
}

std::chrono::local_days Dates::day(Time time) const {
    return std::chrono::floor<std::chrono::days>(state_->zone.local(time));
}

std::string Dates::in_words(std::chrono::local_days day) const {
    constexpr double milliseconds_of_a_day = 86'400'000;
    icu::UnicodeString text;
    state_->format->format(double(day.time_since_epoch().count()) * milliseconds_of_a_day, text);
    return utf8(text);
}

}
