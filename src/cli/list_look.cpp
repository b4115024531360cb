#include "cli/list_look.hpp"

#include "cli/call.hpp"
#include "http/fetch_now.hpp"
#include "http/url.hpp"
#include "stories/picture_reading.hpp"
#include "system/mail_hosts.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace postrider::cli {
namespace {

namespace json = boost::json;
using digest::Look;

constexpr Option options[] = {
    {"--accent", "COLOUR", "of topics, links and buttons: \"#932\"; must be readable on white; none: the usual one"},
    {"--background", "COLOUR", "around the sheet: \"#efece5\"; none: the usual one"},
    {"--fonts", "NAMES", "\"Helvetica Neue, Arial, sans-serif\"; none: Georgia, serif"},
    {"--logo", "URL", "a picture above the stories instead of the list's title; https; none: the title"},
    {"--logo-width", "PIXELS", "how wide the logo is shown, at most 552"},
    {"--intro", "TEXT", "a paragraph above the stories of each issue; none: no longer"},
};

// An option with a value that must be fit for a mail; none: as in a list that says nothing.
template <class Value, class Parse>
void read_one(const Call& call, std::string_view option, Value& value, Parse parse) {
    auto text = call.text_if(option);
    if (!text) return;
    if (*text == "none") {
        value = {};
        return;
    }
    auto parsed = parse(*text);
    if (!parsed) throw Failure(fmt::format("{} \"{}\" {}", option, *text, parsed.error()));
    value = std::move(*parsed);
}

// A picture without a height makes a mail jump when it arrives. Not knowing it is no reason to do without the logo.
std::optional<stories::PictureSize> measured_logo(Call& call, const std::string& url) {
    auto parsed = http::Url::parse(url);
    if (!parsed || system::is_reserved_name(parsed->host())) return std::nullopt;
    auto fetched = http::fetch_now(stories::picture_request(url), call.client_settings());
    auto size = stories::size_in(fetched);
    if (!size)
        call.note(fmt::format("--logo {}: its size could not be read ({}); it is shown without a height", url,
                              fetched ? "no PNG, JPEG, GIF or WebP came" : fetched.error().text));
    return size;
}

void measure_logo(Call& call, Look& look) {
    constexpr int usual_width = 240;
    auto size = measured_logo(call, look.logo_url);
    if (!size) return;
    if (look.logo_width == 0) look.logo_width = std::min(size->width, usual_width);
    look.logo_height = std::max(1, int(std::int64_t(look.logo_width) * size->height / size->width));
}

}

std::span<const Option> look_options() { return options; }

Look read_look(Call& call, Look look) {
    const Look usual;
    std::optional<templates::Colour> accent = look.accent, background = look.background;
    read_one(call, "--accent", accent, digest::parse_accent);
    read_one(call, "--background", background, digest::parse_background);
    look.accent = accent.value_or(usual.accent);
    look.background = background.value_or(usual.background);
    read_one(call, "--fonts", look.fonts, digest::parse_fonts);
    if (look.fonts.empty()) look.fonts = usual.fonts;
    const auto logo_before = look.logo_url;
    read_one(call, "--logo", look.logo_url, digest::parse_logo);
    if (look.logo_url != logo_before) look.logo_width = look.logo_height = 0;
    if (auto width = call.number_if("--logo-width", 1, digest::sheet_width)) {
        if (look.logo_url.empty()) throw Failure("--logo-width: there is no logo; name one with --logo URL");
        look.logo_width = int(*width);
        look.logo_height = 0;
    }
    if (!look.logo_url.empty() && (call.has("--logo") || call.has("--logo-width"))) measure_logo(call, look);
    look.intro = call.line("--intro", look.intro);
    if (look.intro == "none") look.intro.clear();
    return look;
}

void show_look(Table& table, const Look& look) {
    table.row({"accent", to_text(look.accent)});
    table.row({"background", to_text(look.background)});
    table.row({"fonts", look.fonts});
    if (!look.logo_url.empty())
        table.row({"logo", look.logo_width > 0 ? fmt::format("{} ({} pixels wide)", look.logo_url, look.logo_width)
                                               : look.logo_url});
    if (!look.intro.empty()) table.row({"intro", look.intro});
}

json::object look_json(const Look& look) {
    json::object logo{{"url", look.logo_url}, {"width", look.logo_width}, {"height", look.logo_height}};
    return {{"accent", to_text(look.accent)},
            {"background", to_text(look.background)},
            {"fonts", look.fonts},
            {"logo", look.logo_url.empty() ? json::value() : json::value(std::move(logo))},
            {"intro", look.intro}};
}

}
