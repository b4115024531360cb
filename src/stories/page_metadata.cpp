#include "stories/page_metadata.hpp"

#include "stories/article_words.hpp"
#include "stories/characters.hpp"
#include "stories/dates.hpp"
#include "stories/html.hpp"
#include "stories/linked_data.hpp"
#include "stories/page_text.hpp"
#include "stories/url.hpp"

#include <algorithm>
#include <map>

namespace postrider::stories {

namespace {

using std::string_view;

// Before that there were no news pages, but there are house numbers and product codes.
constexpr Time earliest_date = std::chrono::sys_days(std::chrono::year(1994) / 1 / 1);
constexpr int near_headline = 40; // nodes

// Everything worth asking about, gathered in one walk.
struct Found {
    std::map<std::string, std::string, std::less<>> meta; // name, property or itemprop, lower case; the first wins
    std::map<std::string, std::string, std::less<>> properties; // of microdata in the body
    std::string title;
    std::vector<const Node*> headings; // h1, at most 20
    std::vector<std::string> subheadings;
    std::string canonical;
    std::string base;
    std::string language;
    std::string author_link;
    std::vector<std::string> times; // of <time>, those marked as publication first
    struct Shown {
        Time time;
        int number; // of the node
        bool marked;
    };
    std::vector<Shown> dates; // that readers see
};

void read_meta(const Node& node, Found& found) {
    auto content = collapse(node.attribute("content"));
    if (content.empty()) return;
    for (const auto* key : {"property", "name", "itemprop", "http-equiv"}) {
        // One attribute may name several: <meta property="dc:title og:title">.
        auto names = lower(node.attribute(key)) + ' ';
        for (std::size_t begin = 0, end; (end = names.find(' ', begin)) != std::string::npos; begin = end + 1)
            if (end > begin) {
                auto name = names.substr(begin, end - begin);
                std::ranges::replace(name, '.', ':');
                found.meta.try_emplace(std::move(name), content);
            }
    }
}

void read_link(const Node& node, Found& found) {
    const auto relation = ' ' + lower(node.attribute("rel")) + ' ';
    if (relation.contains(" canonical ") && found.canonical.empty()) found.canonical = node.attribute("href");
}

void read_time(const Node& node, Found& found) {
    auto written = std::string(node.attribute("datetime"));
    if (written.empty()) written = text_of(node);
    if (written.empty() || found.times.size() > 50) return;
    const auto label = lower(node.attribute("class")) + ' ' + lower(node.attribute("itemprop"));
    const bool marked = node.has("pubdate") || contains_any(label, {"publish", "entry-date", "post-date", "posted"});
    found.times.insert(marked ? found.times.begin() : found.times.end(), std::move(written));
}

// A date that stands alone in its element: <span class="date">26.10.2023</span>.
void read_shown_date(const Node& node, Found& found) {
    if (node.text.size() > 200 || node.text.size() < 8 || found.dates.size() > 50 || !node.parent) return;
    const auto time = read_visible_date(node.text, {});
    if (!time || *time < earliest_date) return;
    const auto label = lower(node.parent->attribute("class")) + ' ' + lower(node.parent->attribute("id"));
    found.dates.push_back({*time, node.number, contains_any(label, {"date", "datum", "time", "publi", "posted"})});
}

void walk(const Node& node, Found& found) {
    if (node.is_text()) return read_shown_date(node, found);
    if (node.is("meta"))
        read_meta(node, found);
    else if (node.is("link"))
        read_link(node, found);
    else if (node.is("title") && found.title.empty())
        found.title = text_of(node);
    else if (node.is("base") && found.base.empty())
        found.base = node.attribute("href");
    else if (node.is("html"))
        found.language = node.attribute("lang").empty() ? node.attribute("xml:lang") : node.attribute("lang");
    else if (node.is("time"))
        read_time(node, found);
    else if (node.is("h1") && found.headings.size() < 20)
        found.headings.push_back(&node);
    else if (node.is("h2") && found.subheadings.size() < 50)
        found.subheadings.push_back(text_of(node));
    else if (node.is("a") && found.author_link.empty() && node.attribute("rel") == "author")
        found.author_link = text_of(node);
    if (const auto property = node.attribute("itemprop");
        !property.empty() && !node.is("meta") && found.properties.size() < 200) {
        auto value = std::string(node.attribute("datetime"));
        if (value.empty()) value = node.attribute("content");
        if (!value.empty()) found.properties.try_emplace(lower(property), value);
    }
    for (const auto& child : node.children) walk(child, found);
}

// Publishers escape twice: og:title="Tom &amp;amp; Jerry".
std::string decoded(const std::string& text) {
    if (!text.contains('&')) return text;
    std::string escaped;
    for (const char c : text)
        if (c == '<')
            escaped += "&lt;";
        else
            escaped += c;
    return collapse(plain_text(escaped));
}

std::string first_of(const Found& found, std::initializer_list<string_view> names) {
    for (const auto name : names)
        if (const auto known = found.meta.find(name); known != found.meta.end()) return decoded(known->second);
    return {};
}

std::string property(const Found& found, string_view name) {
    const auto known = found.properties.find(name);
    return known == found.properties.end() ? std::string{} : known->second;
}

// "Headline | Site": where the parts of a title are joined.
struct Joint {
    std::size_t begin;
    std::size_t end;
    bool path; // › » / \: a way through the site rather than a name behind the headline
};

std::vector<Joint> joints_of(string_view title) {
    std::vector<Joint> joints;
    for (std::size_t i = 0; i + 2 < title.size(); ++i) {
        if (title[i] != ' ') continue;
        for (const auto* mark : {"|", "-", "–", "—", "\\", "/", ">", "»", "·", "::"}) {
            const string_view sign = mark;
            if (title.substr(i + 1).starts_with(sign) && title.substr(i + 1 + sign.size()).starts_with(' '))
                joints.push_back({i, i + 2 + sign.size(), contains_any(sign, {"\\", "/", ">", "»"})});
        }
    }
    return joints;
}

// A document's title without the site's name, if what remains can be a headline.
std::string headline_of(const Found& found) {
    const auto& title = found.title;
    const auto joints = joints_of(title);
    std::string shorter = title;
    bool path = false;
    if (!joints.empty()) {
        path = std::ranges::any_of(joints, &Joint::path);
        shorter = title.substr(0, joints.back().begin);
        if (count_words(shorter) < 3) shorter = title.substr(joints.front().end);
    } else if (title.contains(": ")) {
        const auto is_title = [&](const std::string& heading) { return heading == title; };
        const bool whole = std::ranges::any_of(found.headings, [&](auto* h1) { return is_title(text_of(*h1)); }) ||
                           std::ranges::any_of(found.subheadings, is_title);
        if (!whole) {
            shorter = title.substr(title.rfind(':') + 1);
            if (count_words(shorter) < 3)
                shorter = title.substr(title.find(':') + 1);
            else if (count_words(string_view(title).substr(0, title.find(':'))) > 5)
                shorter = title;
        }
    } else if ((count_characters(title) > 150 || count_characters(title) < 15) && found.headings.size() == 1) {
        shorter = text_of(*found.headings.front());
    }
    shorter = collapse(shorter);
    if (count_words(shorter) <= 4 && !(path && count_words(shorter) + 1 + 1 == count_words(title))) return title;
    return shorter;
}

// "Headline - BBC News" is cut where the page's own headline, or the name of the site, says so.
std::string without_site(std::string title, const Found& found, const LinkedData& data, string_view site) {
    for (const auto& joint : joints_of(title)) {
        const auto head = collapse(string_view(title).substr(0, joint.begin));
        const auto tail = collapse(string_view(title).substr(joint.end));
        const bool is_heading = same_letters(head, data.headline) || std::ranges::any_of(found.headings, [&](auto* h1) {
                                    return same_letters(text_of(*h1), head);
                                });
        const bool is_site = !site.empty() && same_letters(tail, site) && count_words(head) > 3;
        if (is_heading || is_site) return head;
    }
    return title;
}

std::string title_of(const Found& found, const LinkedData& data, string_view site) {
    auto title =
        first_of(found, {"dc:title", "dcterm:title", "og:title", "weibo:article:title", "weibo:webpage:title"});
    if (title.empty()) title = decoded(data.headline);
    if (title.empty()) title = first_of(found, {"title", "twitter:title", "parsely-title"});
    if (!title.empty()) return without_site(title, found, data, site);
    if (!found.title.empty()) return without_site(headline_of(found), found, data, site);
    return found.headings.empty() ? std::string{} : text_of(*found.headings.front());
}

std::string byline_of(const Found& found, const LinkedData& data) {
    if (auto name = person_in(decoded(data.byline)); !name.empty()) return name;
    for (const auto* key :
         {"dc:creator", "dcterm:creator", "author", "parsely-author", "article:author", "byl", "sailthru:author"})
        if (auto name = person_in(first_of(found, {key})); !name.empty()) return name;
    return person_in(found.author_link);
}

std::optional<Time> first_date(std::initializer_list<std::string> written) {
    for (const auto& text : written)
        if (const auto time = parse_date(text); !text.empty() && time) return time;
    return std::nullopt;
}

// Marked as a date, or standing near the headline.
std::optional<Time> shown_date(const Found& found) {
    for (const auto& shown : found.dates) {
        const bool near =
            !found.headings.empty() && std::abs(shown.number - found.headings.front()->number) <= near_headline;
        if (shown.marked || near) return shown.time;
    }
    return std::nullopt;
}

// /2019/12/24/ or /2019-12-24-
std::optional<Time> date_in(string_view url) {
    for (std::size_t i = url.find('/'); i != string_view::npos; i = url.find('/', i + 1)) {
        auto piece = std::string(url.substr(i + 1, 10));
        const bool parted = piece.size() == 10 && (piece[4] == '/' || piece[4] == '-') && piece[7] == piece[4];
        if (!parted) continue;
        piece[4] = piece[7] = '-';
        if (const auto time = parse_date(piece); time && *time >= earliest_date) return time;
    }
    return std::nullopt;
}

std::optional<Time> published_of(const Found& found, const LinkedData& data, string_view url) {
    auto time = first_date({data.published, first_of(found, {"article:published_time"}),
                            first_of(found, {"og:published_time", "og:article:published_time"}),
                            first_of(found, {"datepublished"}), property(found, "datepublished"),
                            first_of(found, {"parsely-pub-date"}),
                            first_of(found, {"dc:date:issued", "dcterms:issued", "dcterms:created", "dc:date:created"}),
                            first_of(found, {"dc:date", "dcterms:date"}), first_of(found, {"sailthru:date"}),
                            first_of(found, {"cxenseparse:recs:publishtime"}),
                            first_of(found, {"pubdate", "publishdate", "publish-date", "publish_date", "date",
                                             "publication_date", "ptime", "pdate", "displaydate"}),
                            property(found, "datecreated")});
    for (const auto& written : found.times) {
        if (time) break;
        time = parse_date(written);
    }
    if (!time) time = shown_date(found);
    if (!time) time = date_in(url);
    return time;
}

std::string language_of(const Found& found, const LinkedData& data) {
    std::string language = found.language;
    if (language.empty()) language = first_of(found, {"content-language", "language", "dc:language"});
    if (language.empty()) language = data.language;
    if (language.empty()) language = first_of(found, {"og:locale"});
    std::ranges::replace(language, '_', '-');
    language = language.substr(0, language.find_first_of(",; "));
    const bool plain =
        std::ranges::all_of(language, [](char c) { return std::isalnum(static_cast<unsigned char>(c)) || c == '-'; });
    return plain && language.size() <= 35 ? language : std::string{};
}

}

PageMetadata read_metadata(const HtmlTree& tree, string_view url) {
    Found found;
    walk(*tree.root, found);
    auto data = read_linked_data(tree.json_ld);
    // Some keep a description under "headline" and the headline under "name"; the document's title tells.
    const auto in_title = [&](const std::string& text) { return lower(found.title).contains(lower(text)); };
    if (data.headline.empty() || (!data.name.empty() && in_title(data.name) && !in_title(data.headline)))
        data.headline = data.name;

    PageMetadata page;
    page.base_url = found.base.empty() ? std::string(url) : resolve(url, found.base);
    page.site = first_of(found, {"og:site_name", "dc:publisher", "application-name"});
    if (page.site.empty()) page.site = decoded(data.site);
    page.title = title_of(found, data, page.site);
    page.byline = byline_of(found, data);
    page.section = first_of(found, {"article:section"});
    if (page.section.empty()) page.section = decoded(data.section);
    page.summary = first_of(
        found, {"og:description", "dc:description", "dcterm:description", "description", "twitter:description"});
    if (page.summary.empty()) page.summary = decoded(data.summary);
    page.language = language_of(found, data);
    for (const auto& image : {first_of(found, {"og:image:secure_url"}), first_of(found, {"og:image", "og:image:url"}),
                              first_of(found, {"twitter:image", "twitter:image:src"}), data.image})
        if (page.image.empty()) page.image = safe_url(image, page.base_url, false);
    for (const auto& address : {found.canonical, first_of(found, {"og:url"}), std::string(url)})
        if (page.canonical_url.empty()) page.canonical_url = safe_url(address, page.base_url, false);
    page.canonical_url = canonical_url(page.canonical_url);
    page.published = published_of(found, data, url);
    page.updated = first_date({data.updated, first_of(found, {"article:modified_time", "og:updated_time"}),
                               first_of(found, {"datemodified", "dcterms:modified", "last-modified", "lastmod"}),
                               property(found, "datemodified")});
    return page;
}

}
