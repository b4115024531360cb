#include "digest/look.hpp"

#include "stories/url.hpp"
#include "system/ascii.hpp"
#include "system/trimmed.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace postrider::digest {
namespace {

namespace json = boost::json;
using templates::Colour;

constexpr Colour night_sheet{0x1c, 0x1d, 0x20};
constexpr double night_contrast = 6.5; // more than must be: thin letters on a dark ground glow
constexpr std::size_t most_fonts = 8, longest_font = 40, longest_logo = 1000;

std::expected<Colour, std::string> parse(std::string_view text) {
    if (auto colour = templates::parse_colour(text)) return *colour;
    return std::unexpected(std::string("is no colour; write it as #932 or #993322"));
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string_view trimmed(std::string_view text) { return system::trimmed(text, " "); }

// Words that CSS takes without quotes (css-syntax-3, "identifier"): each begins with a letter.
bool is_font(std::string_view name) {
    if (name.empty() || name.size() > longest_font) return false;
    // Words that CSS keeps for itself: a list of fonts with one of them is thrown away whole (css-cascade-5).
    constexpr std::array<std::string_view, 6> kept = {"inherit", "initial",      "unset",
                                                      "revert",  "revert-layer", "default"};
    if (std::ranges::find(kept, system::lower(name)) != kept.end()) return false;
    bool begins = true;
    for (char c : name) {
        if (begins && !is_letter(c)) return false;
        if (c != ' ' && c != '-' && !is_letter(c) && !(c >= '0' && c <= '9')) return false;
        begins = c == ' ';
    }
    return true;
}

bool is_generic(std::string_view name) {
    constexpr std::array<std::string_view, 3> generic = {"serif", "sans-serif", "monospace"};
    return std::ranges::find(generic, name) != generic.end();
}

std::string_view without_quotes(std::string_view name) {
    if (name.size() < 2 || (name.front() != '\'' && name.front() != '"') || name.front() != name.back()) return name;
    return trimmed(name.substr(1, name.size() - 2));
}

}

std::expected<Colour, std::string> parse_accent(std::string_view text) {
    auto colour = parse(text);
    if (!colour) return colour;
    const auto has = templates::contrast(*colour, templates::white);
    if (has >= templates::readable) return colour;
    return std::unexpected(fmt::format(
        "is too pale to be read on white: its contrast is {:.1f}, {} is needed; the nearest that will do is {}", has,
        templates::readable, to_text(templates::nearest_that_shows(*colour, templates::white))));
}

std::expected<Colour, std::string> parse_background(std::string_view text) { return parse(text); }

std::expected<std::string, std::string> parse_fonts(std::string_view text) {
    std::vector<std::string_view> names;
    while (true) {
        const auto comma = text.find(',');
        const auto name = without_quotes(trimmed(text.substr(0, comma)));
        if (!is_font(name))
            return std::unexpected(
                fmt::format("names no font at \"{}\": write names of letters and digits, each word beginning with a "
                            "letter, as in \"Helvetica Neue, Arial, sans-serif\"",
                            name.substr(0, longest_font)));
        names.push_back(name);
        if (comma == text.npos) break;
        text.remove_prefix(comma + 1);
    }
    if (names.size() > most_fonts) return std::unexpected(fmt::format("names more than {} fonts", most_fonts));
    if (!is_generic(names.back()))
        return std::unexpected(std::string("must end with serif, sans-serif or monospace, for readers who have none "
                                           "of these fonts"));
    return fmt::format("{}", fmt::join(names, ", "));
}

std::expected<std::string, std::string> parse_logo(std::string_view text) {
    if (text.size() > longest_logo || text.find_first_of(" \"'<>\\") != text.npos || !stories::is_web_address(text) ||
        stories::scheme_of(text) != "https")
        return std::unexpected(
            fmt::format("is no address of a picture that mails can show; it must begin with https:// and have at most "
                        "{} characters",
                        longest_logo));
    return std::string(text);
}

json::object look_content(const Look& look) {
    const auto accent = templates::of_lightness(look.accent, 0.6, 0.75);
    json::object content{{"accent", to_text(look.accent)},
                         {"accent_dark", to_text(templates::nearest_that_shows(accent, night_sheet, night_contrast))},
                         {"background", to_text(look.background)},
                         {"background_dark", to_text(templates::of_lightness(look.background, 0.075, 0.08))},
                         {"fonts", look.fonts}};
    if (look.logo_url.empty()) return content;
    json::object logo{{"url", look.logo_url}};
    if (look.logo_width > 0) logo["width"] = look.logo_width;
    if (look.logo_height > 0) logo["height"] = look.logo_height;
    content["logo"] = std::move(logo);
    return content;
}

Look ListLooks::of(ListId list) {
    Look look;
    connection_.each(
        "SELECT accent, background, fonts, logo_url, logo_width, logo_height, intro FROM list_look WHERE list_id = $1",
        [&](const storage::Row& row) {
            look.accent = templates::parse_colour(row.text(0)).value_or(look.accent);
            look.background = templates::parse_colour(row.text(1)).value_or(look.background);
            look.fonts = row.text(2);
            look.logo_url = row.text(3);
            look.logo_width = row.get<int>(4);
            look.logo_height = row.get<int>(5);
            look.intro = row.text(6);
        },
        list);
    return look;
}

void ListLooks::keep(ListId list, const Look& look) {
    connection_.run(
        R"sql(
        INSERT INTO list_look (list_id, accent, background, fonts, logo_url, logo_width, logo_height, intro)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (list_id) DO UPDATE SET accent = $2, background = $3, fonts = $4, logo_url = $5, logo_width = $6,
                                            logo_height = $7, intro = $8)sql",
        list, to_text(look.accent), to_text(look.background), look.fonts, look.logo_url, look.logo_width,
        look.logo_height, look.intro);
}

}
