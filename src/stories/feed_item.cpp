#include "stories/feed_item.hpp"

#include "stories/characters.hpp"
#include "stories/feed_text.hpp"
#include "stories/html.hpp"
#include "stories/url.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <stdexcept>

namespace postrider::stories {

namespace {

// A summary is a few hundred characters; a whole book need not be read for them.
std::string beginning_of(std::string_view html) {
    constexpr std::size_t enough_markup = 8192, enough_text = 2000;
    const auto start = shortened(html, enough_markup);
    auto text = plain_text(start);
    return text.size() >= enough_text || start.size() == html.size() ? text : plain_text(html);
}

constexpr std::size_t longest_html = 1024 * 1024;
constexpr std::size_t longest_summary = 20'000;
constexpr std::size_t longest_title = 2'000;
constexpr std::size_t longest_address = 4'000;
constexpr std::size_t longest_id = 1'000;
constexpr std::size_t longest_byline = 500;
constexpr std::size_t longest_category = 200;
constexpr std::size_t most_categories = 50;

std::string digest(std::string_view text) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> bytes{};
    unsigned int length = 0;
    if (EVP_Digest(text.data(), text.size(), bytes.data(), &length, EVP_sha256(), nullptr) != 1)
        throw std::runtime_error("SHA-256 is not available");
    std::string hex;
    for (std::size_t i = 0; i < 16; ++i) hex += fmt::format("{:02x}", bytes[i]);
    return hex;
}

// Two ids that begin alike must stay two.
std::string bounded_id(std::string_view text) {
    if (text.size() <= longest_id) return line(text, longest_id);
    return line(text, longest_id - 40) + "..." + digest(text);
}

std::string bounded_address(std::string_view url) {
    return url.size() > longest_address ? std::string() : clean_utf8(url); // half an address leads nowhere
}

// The end of a cut must not stand within a tag.
std::string bounded_html(std::string_view html) {
    auto text = clean_utf8(shortened(html, longest_html));
    if (html.size() <= longest_html) return text;
    const auto open = text.rfind('<');
    if (open != text.npos && text.find('>', open) == text.npos) text.resize(open);
    return text;
}

int pixels(std::string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return std::clamp(value, 0, 100'000);
}

void take_image_from_html(FeedItem& item) {
    FoundImage found;
    if (!first_image(item.html, found)) return;
    item.image = {found.url, pixels(found.width), pixels(found.height), found.alt};
}

}

std::string line(std::string_view text, std::size_t bytes) { return collapse(clean_utf8(shortened(text, bytes))); }

std::string language_tag(std::string_view text) {
    std::string tag(trim(text));
    std::ranges::replace(tag, '_', '-');
    const bool fits = tag.size() >= 2 && tag.size() <= 35 && std::ranges::all_of(tag, [](char c) {
                          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
                      });
    return fits ? tag : std::string();
}

std::string web_address(std::string_view base, std::string_view reference) {
    if (trim(reference).empty() || reference.size() > longest_address) return {};
    auto url = resolve(base, reference);
    if (is_web_address(url)) {
        // Who looks for "http" at the beginning need not think of "HTTP://".
        for (std::size_t i = 0; url[i] != ':'; ++i) url[i] = lower(url.substr(i, 1))[0];
        return url;
    }
    return scheme_of(url).empty() && !is_web_address(base) ? url : std::string();
}

void add_category(FeedItem& item, std::string_view text) {
    auto category = line(text, longest_category);
    if (category.empty() || item.categories.size() >= most_categories) return;
    if (std::ranges::find(item.categories, category) == item.categories.end())
        item.categories.push_back(std::move(category));
}

void add_name(std::string& byline, std::string_view text) {
    const auto name = line(text, longest_byline);
    if (name.empty() || byline.size() + name.size() > longest_byline) return;
    for (std::string_view rest = byline; !rest.empty();) {
        const auto end = std::min(rest.find(", "), rest.size());
        if (rest.substr(0, end) == name) return;
        rest.remove_prefix(std::min(end + 2, rest.size()));
    }
    byline.append(byline.empty() ? "" : ", ").append(name);
}

std::string name_of_person(std::string_view text) {
    const auto person = line(text, longest_byline);
    std::string_view rest = person;
    const auto is_address = [](std::string_view part) {
        return part.contains('@') && !part.contains(' ') && part.find('@') > 0;
    };
    if (const auto open = rest.find(" ("); open != rest.npos && rest.ends_with(')') && is_address(rest.substr(0, open)))
        return std::string(trim(rest.substr(open + 2, rest.size() - open - 3)));
    if (const auto open = rest.find('('); open != rest.npos && rest.ends_with(')') &&
                                          is_address(rest.substr(open + 1, rest.size() - open - 2)) && open > 0)
        return std::string(trim(rest.substr(0, open)));
    if (const auto open = rest.find('<'); open != rest.npos && open > 0 && rest.ends_with('>'))
        return std::string(trim(rest.substr(0, open)));
    if (rest.starts_with("mailto:")) rest.remove_prefix(7);
    return std::string(rest);
}

bool complete(FeedItem& item, std::string_view html_base) {
    item.title = line(item.title, longest_title);
    item.url = bounded_address(item.url);
    item.original_url = bounded_address(item.original_url);
    item.html =
        bounded_html(with_absolute_links(trim(shortened(item.html, longest_html + 1)), html_base, longest_html));
    if (trim(item.summary).empty()) item.summary = beginning_of(item.html);
    item.summary = clean_utf8(shortened(trim(item.summary), longest_summary));
    item.image.url = bounded_address(item.image.url);
    if (item.image.url.empty()) take_image_from_html(item);
    item.image.alt = line(item.image.alt, longest_title);
    item.image.width = std::clamp(item.image.width, 0, 100'000);
    item.image.height = std::clamp(item.image.height, 0, 100'000);

    item.id = bounded_id(trim(item.id));
    const bool says_something = !item.id.empty() || !item.title.empty() || !item.url.empty() || !item.summary.empty() ||
                                !item.html.empty() || !item.image.url.empty() || !item.byline.empty() ||
                                item.published || !item.categories.empty();
    if (item.id.empty()) item.id = bounded_id(item.url);
    if (item.id.empty()) {
        const auto when = item.published ? item.published->time_since_epoch().count() : 0;
        const auto& words = item.title.empty() ? item.summary : item.title;
        item.id = "digest:" + digest(fmt::format("{}\n{}", words, when));
    }
    return says_something;
}

}
