#include "stories/feed_xml.hpp"

#include "stories/characters.hpp"
#include "stories/feed_item.hpp"
#include "stories/feed_repair.hpp"
#include "stories/feed_text.hpp"
#include "stories/html.hpp"
#include "stories/url.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace postrider::stories {

namespace {

enum class Content { text, html, markup, base64, none };

// Atom says what it holds; everything else is HTML by custom, RSS never said.
Content content_of(const Element& element) {
    const auto type = lower(trim(element.attribute("type")));
    const auto mode =
        element.vocabulary == Vocabulary::atom_03 ? lower(trim(element.attribute("mode"))) : std::string();
    if (mode == "base64") return Content::base64;
    if (element.has_elements()) return Content::markup;
    if (!is_atom(element)) return Content::html;
    if (type == "html" || type == "text/html" || type == "application/xhtml+xml")
        return type == "application/xhtml+xml" && mode != "escaped" ? Content::text : Content::html;
    if (type.empty() || type == "text" || type == "xhtml" || type.starts_with("text/") || type.ends_with("xml"))
        return Content::text;
    for (const auto* picture : {"image/", "audio/", "video/"})
        if (type.starts_with(picture)) return Content::none;
    return type.contains('/') ? Content::base64 : Content::text;
}

std::string from_base64(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string out;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char c : text) {
        const auto value = alphabet.find(c);
        if (value == alphabet.npos) continue;
        bits = bits << 6 | static_cast<std::uint32_t>(value);
        count += 6;
        if (count < 8) continue;
        count -= 8;
        out += static_cast<char>(bits >> count & 0xFF);
    }
    return out;
}

std::optional<double> number(std::string_view text) {
    text = trim(text);
    double value = 0;
    const auto [rest, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || rest == text.data()) return std::nullopt;
    return value;
}

class XmlFeed {
public:
    void container(const Element& element) {
        if (element.name != "channel" && element.name != "feed") return;
        seen_ = true;
        if (feed_.language.empty()) feed_.language = language_tag(element.language);
        if (feed_.url.empty()) feed_.url = web_address(element.base, element.attribute("href")); // CDF
    }

    void child(const Element& element) {
        if ((element.name == "item" || element.name == "entry") && is_core(element)) return item(element);
        if (is_core(element))
            core(element);
        else
            extension(element);
    }

    std::expected<Feed, FeedError> finish(const Root& root, bool cut_off) {
        if (root.lower == "rdf" && !seen_ && feed_.items.empty())
            return std::unexpected(FeedError{"XML, but no feed: RDF without a channel"});
        feed_.cut_off = cut_off;
        if (cut_off && feed_.items.empty())
            return std::unexpected(FeedError{
                fmt::format("a feed that ends in the middle: <{}> is never closed, and there is no item before",
                            line(root.name, 100))});
        if (feed_.description.empty()) feed_.description = std::move(other_description_);
        if (period_) {
            const auto length = std::chrono::duration<double>(*period_ / std::max(frequency_, 1.0 / 1000));
            set_ttl(length.count());
        }
        for (auto& item : feed_.items) {
            item.language = language_tag(item.language);
            if (item.language.empty()) item.language = feed_.language;
            if (item.byline.empty()) item.byline = byline_; // RFC 4287 section 4.2.1
        }
        return std::move(feed_);
    }

private:
    void item(const Element& element) {
        if (feed_.items.size() >= most_items) {
            ++feed_.items_left_out;
            return;
        }
        std::string html_base;
        auto item = read_xml_item(element, html_base);
        // What says something to other readers alone is an item all the same.
        if (complete(item, html_base) || !trim(element.all_text()).empty())
            feed_.items.push_back(std::move(item));
        else
            ++feed_.items_left_out;
    }

    void core(const Element& element) {
        const auto& name = element.name;
        if (name == "title" && feed_.title.empty()) feed_.title = plain_line(element);
        if (name == "link" && feed_.url.empty()) feed_.url = page_link(element);
        if ((name == "description" || name == "subtitle" || name == "tagline" || name == "abstract") &&
            feed_.description.empty())
            feed_.description = line(plain_text(shortened(html_of(element), 65536)), 20'000);
        if (name == "language") feed_.language = language_tag(element.all_text());
        if (name == "author" && is_atom(element)) add_name(byline_, person(element));
        if (name == "skiphours" || name == "skipdays") skip(element);
        if (const auto minutes = name == "ttl" ? number(element.all_text()) : std::nullopt) set_ttl(*minutes * 60);
    }

    // Some write 24 for midnight. A feed that is never to be asked does not know what it says.
    void skip(const Element& element) {
        constexpr std::array<std::string_view, 7> names = {"sunday",   "monday", "tuesday", "wednesday",
                                                           "thursday", "friday", "saturday"};
        for (const auto& child : element.children) {
            if (const auto hour = child->name == "hour" ? number(child->all_text()) : std::nullopt;
                hour && *hour >= 0 && *hour <= 24)
                feed_.skip_hours |= 1U << (static_cast<unsigned>(*hour) % 24);
            const auto day = std::ranges::find(names, lower(trim(child->all_text())));
            if (child->name == "day" && day != names.end())
                feed_.skip_days |= static_cast<std::uint8_t>(1U << (day - names.begin()));
        }
        if (feed_.skip_hours == 0xFFFFFF) feed_.skip_hours = 0;
        if (feed_.skip_days == 0x7F) feed_.skip_days = 0;
    }

    void extension(const Element& element) {
        if (element.is(Vocabulary::dublin_core, "title") && feed_.title.empty()) feed_.title = plain_line(element);
        if (element.is(Vocabulary::dublin_core, "language") && feed_.language.empty())
            feed_.language = language_tag(element.all_text());
        const bool describes = element.is(Vocabulary::itunes, "summary") ||
                               element.is(Vocabulary::itunes, "subtitle") ||
                               element.is(Vocabulary::dublin_core, "description");
        if (describes && other_description_.empty())
            other_description_ = line(plain_text(shortened(html_of(element), 65536)), 20'000);
        if (element.is(Vocabulary::syndication, "updateperiod")) period(lower(trim(element.all_text())));
        if (element.is(Vocabulary::syndication, "updatefrequency")) frequency_ = number(element.all_text()).value_or(1);
    }

    void period(std::string_view name) {
        constexpr std::array<std::pair<std::string_view, int>, 5> periods = {
            {{"hourly", 1}, {"daily", 24}, {"weekly", 7 * 24}, {"monthly", 30 * 24}, {"yearly", 365 * 24}}};
        for (const auto& [known, hours] : periods)
            if (known == name) period_ = hours * 3600.0;
    }

    // Both ttl and sy: the longer one, it is the one that asks for more care.
    void set_ttl(double seconds) {
        if (!(seconds > 0)) return;
        const auto bounded = std::clamp(seconds, 60.0, 365.0 * 24 * 3600);
        const auto length = std::chrono::seconds(static_cast<long long>(bounded));
        feed_.ttl = std::max<Duration>(feed_.ttl.value_or(Duration(0)), length);
    }

    Feed feed_;
    std::string other_description_, byline_;
    std::optional<double> period_; // seconds
    double frequency_ = 1;
    bool seen_ = false;
};

}

bool is_atom(const Element& element) {
    return element.vocabulary == Vocabulary::atom || element.vocabulary == Vocabulary::atom_03;
}

bool is_core(const Element& element) { return is_atom(element) || element.vocabulary == Vocabulary::rss; }

std::string plain_line(const Element& element) {
    switch (content_of(element)) {
    case Content::text: return line(element.all_text(), 65536);
    case Content::base64: return title_from_html(clean_utf8(from_base64(element.all_text())));
    case Content::none: return {};
    case Content::html:
    case Content::markup: break;
    }
    return title_from_html(element.markup());
}

std::string html_of(const Element& element) {
    switch (content_of(element)) {
    case Content::text: {
        std::string escaped;
        append_escaped(escaped, element.all_text());
        return escaped;
    }
    case Content::base64: return clean_utf8(from_base64(element.all_text()));
    case Content::none: return {};
    case Content::html:
    case Content::markup: break;
    }
    return element.markup();
}

std::string page_link(const Element& link) {
    const auto relation = lower(trim(link.attribute("rel")));
    if (!relation.empty() && relation != "alternate") return {};
    const auto address = link.attribute("href");
    if (!trim(address).empty()) return web_address(link.base, address);
    return is_atom(link) ? std::string() : web_address(link.base, link.all_text());
}

std::string person(const Element& element) {
    if (const auto* name = element.child("name")) return name_of_person(plain_line(*name));
    if (is_atom(element) && element.has_elements()) return {};
    return name_of_person(plain_line(element));
}

std::expected<Feed, FeedError> parse_xml_feed(std::string_view text, std::string_view base_url) {
    XmlFeed feed;
    const auto repaired = repaired_xml(text, Words::apart);
    const auto root = read_elements(
        repaired, base_url, [&](const Element& container) { feed.container(container); },
        [&](const Element& child, const Element&) { feed.child(child); });
    if (root.is_feed) return feed.finish(root, repaired.cut_off);
    if (root.name.empty()) return std::unexpected(FeedError{"text without a single XML element"});
    return std::unexpected(FeedError{fmt::format("XML, but no feed: its root is <{}>", line(root.name, 100))});
}

}
