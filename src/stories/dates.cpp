#include "stories/dates.hpp"

#include "stories/characters.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>
#include <utility>
#include <vector>

namespace postrider::stories {

namespace {

using std::chrono::minutes;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_word(char c) { return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; }

bool all_digits(std::string_view text) { return !text.empty() && std::ranges::all_of(text, is_digit); }

int number(std::string_view digits) {
    int value = -1;
    std::from_chars(digits.data(), digits.data() + digits.size(), value);
    return value;
}

struct Clock {
    int hour = 0, minute = 0, second = 0, millisecond = 0;
};

struct Fields {
    std::optional<int> year, month, day;
    bool month_is_certain = false; // "Mar" before the day may be Tuesday, in French and Spanish
    Clock clock;
    minutes offset{0}; // east of Greenwich
};

// A day past the end of its month moves on; a date one day off is of more use than none.
std::optional<Time> moment(const Fields& fields) {
    if (!fields.year || *fields.year < 1000 || *fields.year > 9999) return std::nullopt;
    const int month = fields.month.value_or(1), day = fields.day.value_or(1);
    if (month < 1 || month > 12 || day < 1 || day > 366) return std::nullopt;
    const auto& clock = fields.clock;
    if (clock.hour > 24 || clock.minute > 59 || clock.second > 60) return std::nullopt;
    using namespace std::chrono;
    const sys_days first = std::chrono::year(*fields.year) / month / 1;
    return Time(first + days(day - 1) + hours(clock.hour) + minutes(clock.minute) + seconds(clock.second) +
                milliseconds(clock.millisecond) - fields.offset);
}

// "+0100", "+01:00", "-5", "Z"; nothing when it is not one.
std::optional<minutes> numeric_zone(std::string_view text) {
    if (text == "z") return minutes(0);
    if (text.size() < 2 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
    std::string digits;
    for (const char c : text.substr(1)) {
        if (is_digit(c))
            digits += c;
        else if (c != ':')
            return std::nullopt;
    }
    if (digits.empty() || digits.size() > 4) return std::nullopt;
    const bool hours_only = digits.size() <= 2;
    const int hour = number(hours_only ? digits : digits.substr(0, digits.size() - 2));
    const int minute = hours_only ? 0 : number(std::string_view(digits).substr(digits.size() - 2));
    if (hour > 15 || minute > 59) return std::nullopt;
    const minutes offset(hour * 60 + minute);
    return text[0] == '-' ? -offset : offset;
}

// RFC 822 names the American ones; the others are those that feeds were seen to use, in their commonest meaning.
// Military letters mean nothing (RFC 2822 section 4.3).
std::optional<minutes> named_zone(std::string_view name) {
    constexpr std::array<std::pair<std::string_view, int>, 43> zones = {{
        {"ut", 0},      {"utc", 0},    {"gmt", 0},    {"wet", 0},    {"z", 0},      {"est", -300}, {"edt", -240},
        {"cst", -360},  {"cdt", -300}, {"mst", -420}, {"mdt", -360}, {"pst", -480}, {"pdt", -420}, {"akst", -540},
        {"akdt", -480}, {"hst", -600}, {"ast", -240}, {"adt", -180}, {"nst", -210}, {"ndt", -150}, {"brt", -180},
        {"art", -180},  {"bst", 60},   {"ist", 330},  {"west", 60},  {"cet", 60},   {"met", 60},   {"mez", 60},
        {"cest", 120},  {"mest", 120}, {"mesz", 120}, {"eet", 120},  {"sast", 120}, {"eest", 180}, {"msk", 180},
        {"trt", 180},   {"pkt", 300},  {"hkt", 480},  {"sgt", 480},  {"awst", 480}, {"jst", 540},  {"kst", 540},
        {"aest", 600},
    }};
    constexpr std::array<std::pair<std::string_view, int>, 5> southern = {
        {{"acst", 570}, {"acdt", 630}, {"aedt", 660}, {"nzst", 720}, {"nzdt", 780}}};
    for (const auto& [zone, offset] : zones)
        if (zone == name) return minutes(offset);
    for (const auto& [zone, offset] : southern)
        if (zone == name) return minutes(offset);
    return std::nullopt;
}

// English by its first three letters, and so German, French, Dutch, Spanish, Italian and Portuguese.
std::optional<int> month_name(std::string_view word) {
    if (word.size() < 3) return std::nullopt;
    constexpr std::array<std::pair<std::string_view, int>, 37> names = {{
        {"jan", 1},  {"ene", 1},  {"gen", 1},  {"feb", 2},  {"fév", 2},  {"fev", 2}, {"mar", 3},  {"mär", 3},
        {"maa", 3},  {"mrt", 3},  {"mrz", 3},  {"apr", 4},  {"avr", 4},  {"abr", 4}, {"may", 5},  {"mai", 5},
        {"mei", 5},  {"mag", 5},  {"jun", 6},  {"juin", 6}, {"giu", 6},  {"jul", 7}, {"juil", 7}, {"lug", 7},
        {"aug", 8},  {"aoû", 8},  {"aou", 8},  {"ago", 8},  {"sep", 9},  {"set", 9}, {"oct", 10}, {"okt", 10},
        {"ott", 10}, {"out", 10}, {"nov", 11}, {"dez", 12}, {"dic", 12},
    }};
    for (const auto& [name, month] : names)
        if (word.starts_with(name)) return month;
    if (word.starts_with("dec") || word.starts_with("déc")) return 12;
    return std::nullopt;
}

// "14:05", "14:05:06.789"; what stands behind it (a zone, "pm") is the caller's.
std::optional<Clock> take_clock(std::string_view& text) {
    std::array<int, 3> values = {0, 0, 0};
    std::string_view rest = text;
    std::size_t count = 0;
    while (count < 3) {
        std::size_t digits = 0;
        while (digits < rest.size() && digits < 3 && is_digit(rest[digits])) ++digits;
        if (digits == 0 || digits > 2) return std::nullopt;
        values[count++] = number(rest.substr(0, digits));
        rest.remove_prefix(digits);
        if (count == 3 || rest.size() < 2 || rest[0] != ':' || !is_digit(rest[1])) break;
        rest.remove_prefix(1);
    }
    if (count < 2) return std::nullopt;
    Clock clock{values[0], values[1], values[2], 0};
    if (count == 3 && rest.size() > 1 && (rest[0] == '.' || rest[0] == ',') && is_digit(rest[1])) {
        rest.remove_prefix(1);
        for (int scale = 100; !rest.empty() && is_digit(rest[0]); rest.remove_prefix(1), scale /= 10)
            clock.millisecond += (rest[0] - '0') * scale;
    }
    text = rest;
    return clock;
}

bool take_zone(std::string_view text, Fields& fields) {
    text = trim(text);
    if (text.empty()) return true;
    auto zone = numeric_zone(text);
    if (!zone) zone = named_zone(text);
    if (zone) fields.offset = *zone;
    return zone.has_value();
}

// 2026-11-24T07:54:00+01:00, 2026-11-24 07:54, 2026-11, 2026, 20261124T075400Z, 2026-328.
std::optional<Time> iso_8601(std::string_view text) {
    std::size_t digits = 0;
    while (digits < text.size() && is_digit(text[digits])) ++digits;
    Fields fields;
    if (digits == 8 || digits == 6) {
        fields.year = number(text.substr(0, 4));
        fields.month = number(text.substr(4, 2));
        if (digits == 8) fields.day = number(text.substr(6, 2));
        text.remove_prefix(digits);
    } else if (digits == 4) {
        fields.year = number(text.substr(0, 4));
        text.remove_prefix(4);
        for (auto* field : {&fields.month, &fields.day}) {
            if (text.size() < 2 || (text[0] != '-' && text[0] != '/' && text[0] != '.') || !is_digit(text[1])) break;
            std::size_t length = 1;
            while (length + 1 < text.size() && is_digit(text[length + 1])) ++length;
            const bool ordinal = length == 3 && field == &fields.month; // the day of the year
            if (length > 2 && !ordinal) return std::nullopt;
            *(ordinal ? &fields.day : field) = number(text.substr(1, length));
            text.remove_prefix(length + 1);
            if (ordinal) break;
        }
    } else {
        return std::nullopt;
    }
    if (text.empty()) return moment(fields);
    if (text[0] != 't' && text[0] != ' ' && text[0] != '_')
        return take_zone(text, fields) ? moment(fields) : std::nullopt;
    text = trim(text.substr(1));
    if (text.size() >= 6 && all_digits(text.substr(0, 6))) {
        fields.clock = {number(text.substr(0, 2)), number(text.substr(2, 2)), number(text.substr(4, 2)), 0};
        text.remove_prefix(6);
    } else if (auto clock = take_clock(text)) {
        fields.clock = *clock;
    } else {
        return std::nullopt;
    }
    if (!take_zone(text, fields)) return std::nullopt;
    return moment(fields);
}

int full_year(int year, std::size_t digits) {
    if (digits >= 4) return year;
    if (digits == 3) return year + 1900; // RFC 2822 section 4.3, for this line and the next
    return year < 50 ? year + 2000 : year + 1900;
}

std::vector<std::string_view> words(std::string_view text) {
    std::vector<std::string_view> found;
    while (!text.empty()) {
        const auto start = text.find_first_not_of(" \t\r\n,;()");
        if (start == text.npos) break;
        const auto end = std::min(text.find_first_of(" \t\r\n,;()", start), text.size());
        found.push_back(text.substr(start, end - start));
        text.remove_prefix(end);
    }
    return found;
}

// One word of an RFC 822 date or of its relatives, wherever it stands. False: it makes no sense there.
bool take_word(std::string_view word, Fields& fields, bool& timed) {
    if (auto rest = word; !timed && word.contains(':'))
        if (auto clock = take_clock(rest)) {
            fields.clock = *clock;
            timed = true;
            return rest.empty() || take_word(rest, fields, timed);
        }
    if (word == "am" || word == "pm" || word == "a.m." || word == "p.m.") {
        fields.clock.hour = fields.clock.hour % 12 + (word[0] == 'p' ? 12 : 0);
        return true;
    }
    if (auto zone = numeric_zone(word)) {
        fields.offset = *zone;
        return true;
    }
    std::size_t digits = 0;
    while (digits < word.size() && is_digit(word[digits])) ++digits;
    if (digits > 0) {
        const int value = number(word.substr(0, digits));
        auto rest = word.substr(digits);
        if (digits <= 2 && !fields.day && value > 0)
            fields.day = value;
        else if (digits <= 4 && !fields.year)
            fields.year = full_year(value, digits);
        else
            return fields.year.has_value() && fields.day.has_value();
        if (rest == "st" || rest == "nd" || rest == "rd" || rest == "th" || rest == "." || rest.empty()) return true;
        if (rest[0] == '-' || rest[0] == '.') rest.remove_prefix(1); // 24-Nov-2026
        return is_word(rest.empty() ? '0' : rest[0]) && take_word(rest, fields, timed);
    }
    std::size_t letters = 0;
    while (letters < word.size() && is_word(word[letters])) ++letters;
    if (letters == 0) return word.size() == 1; // a dash between date and time
    const auto name = word.substr(0, letters);
    const auto rest = word.substr(letters);
    const auto month = month_name(name);
    if (month && !fields.month_is_certain) {
        fields.month = month;
        fields.month_is_certain = fields.day.has_value();
    } else if (timed && named_zone(name)) {
        fields.offset = *named_zone(name);
    }
    if (rest.size() < 2) return true;
    if (rest[0] == '-' && fields.month && !fields.year) return take_word(rest.substr(1), fields, timed);
    return take_word(rest, fields, timed); // GMT+0200
}

std::optional<Time> rfc_822(std::string_view text) {
    Fields fields;
    bool timed = false;
    for (const auto word : words(text))
        if (!take_word(word, fields, timed)) return std::nullopt;
    if (!fields.month || !fields.day || !fields.year) return std::nullopt;
    return moment(fields);
}

std::optional<Time> since_1970(std::string_view text) {
    if (!all_digits(text) || (text.size() != 10 && text.size() != 13)) return std::nullopt;
    long long value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return Time(Duration(text.size() == 13 ? value : value * 1000));
}

}

std::optional<Time> parse_date(std::string_view text) {
    const auto date = lower(collapse(text.substr(0, 100)));
    if (date.empty()) return std::nullopt;
    if (auto time = since_1970(date)) return time;
    if (auto time = iso_8601(date)) return time;
    return rfc_822(date);
}

}
