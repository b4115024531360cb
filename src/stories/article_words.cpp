#include "stories/article_words.hpp"

#include "stories/characters.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <string>
#include <utility>

namespace postrider::stories {

namespace {

using std::string_view;

std::set<std::string> words_of(string_view text) {
    std::set<std::string> words;
    std::string word;
    for (const char c : lower(text) + ' ') {
        const bool letter = static_cast<unsigned char>(c) >= 0x80 || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (letter)
            word += c;
        else if (!word.empty())
            words.insert(std::exchange(word, {}));
    }
    return words;
}

}

bool sounds_unlikely(string_view label) {
    return contains_any(label,
                        {"-ad-",       "ai2html", "banner",     "breadcrumb",   "combx",    "comment",   "community",
                         "cover-wrap", "disqus",  "extra",      "footer",       "gdpr",     "header",    "legends",
                         "menu",       "related", "remark",     "replies",      "rss",      "shoutbox",  "sidebar",
                         "skyscraper", "social",  "sponsor",    "supplemental", "ad-break", "agegate",   "pagination",
                         "pager",      "popup",   "yom-remote", "cookie",       "consent",  "newsletter"});
}

bool may_be_article(string_view label) {
    return contains_any(label, {"and", "article", "body", "column", "content", "main", "mathjax", "shadow"});
}

bool sounds_good(string_view label) {
    return contains_any(label,
                        {"article", "body", "content", "entry", "main", "page", "post", "text", "blog", "story"});
}

bool sounds_bad(string_view label) {
    return contains_any(label, {"-ad-",     "hidden", "banner",   "combx",      "comment", "com-",       "contact",
                                "footer",   "gdpr",   "masthead", "media",      "meta",    "outbrain",   "promo",
                                "related",  "scroll", "share",    "shoutbox",   "sidebar", "skyscraper", "sponsor",
                                "shopping", "tags",   "widget",   "newsletter", "subscri", "cookie"}) ||
           (' ' + std::string(label) + ' ').contains(" hid ");
}

bool sounds_like_byline(string_view label) {
    return contains_any(label, {"byline", "author", "dateline", "writtenby", "p-author"});
}

bool is_scored(string_view name) {
    constexpr std::array<string_view, 9> scored{"h2", "h3", "h4", "h5", "h6", "p", "pre", "section", "td"};
    static_assert(std::ranges::is_sorted(scored));
    return std::ranges::binary_search(scored, name);
}

bool is_never_text(string_view name) {
    constexpr std::array<string_view, 17> never{"aside",  "button", "dialog", "head", "iframe",   "input",
                                                "link",   "math",   "meta",   "nav",  "noscript", "object",
                                                "script", "select", "style",  "svg",  "title"};
    static_assert(std::ranges::is_sorted(never));
    return std::ranges::binary_search(never, name);
}

bool is_surrounding_role(string_view role) {
    constexpr std::array<string_view, 7> roles{"alert", "alertdialog", "complementary", "dialog",
                                               "menu",  "menubar",     "navigation"};
    return std::ranges::binary_search(roles, role);
}

double base_score(string_view name) {
    if (name == "div") return 5;
    if (name == "pre" || name == "td" || name == "blockquote") return 3;
    if (name == "ol" || name == "ul" || name == "dl" || name == "dd" || name == "dt" || name == "li" ||
        name == "form" || name == "address")
        return -3;
    if (name == "th" || (name.size() == 2 && name[0] == 'h' && name[1] >= '1' && name[1] <= '6')) return -5;
    return 0;
}

std::size_t count_commas(string_view text) {
    std::size_t count = 0;
    for (const auto* comma : {",", "，", "、", "،", "﹐", "︐"})
        for (auto at = text.find(comma); at != string_view::npos; at = text.find(comma, at + 1)) ++count;
    return count;
}

bool says_the_same(string_view title, string_view heading) {
    const auto wanted = words_of(title);
    const auto given = words_of(heading);
    if (wanted.empty() || given.empty()) return false;
    std::size_t shared = 0;
    for (const auto& word : given) shared += wanted.contains(word);
    return shared * 4 > given.size() * 3;
}

bool is_share_bar(string_view label) {
    for (auto found = label.find("share"); found != string_view::npos; found = label.find("share", found + 1)) {
        const bool begins = found == 0 || !std::isalpha(static_cast<unsigned char>(label[found - 1]));
        const auto rest = label.substr(found + 5);
        const bool ends = rest.empty() || !std::isalpha(static_cast<unsigned char>(rest.front()));
        if (begins && (ends || rest.starts_with("daddy"))) return true;
    }
    return false;
}

}
