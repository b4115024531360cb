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

std::size_t count_words(string_view text) {
    const auto plain = collapse(text);
    return plain.empty() ? 0 : static_cast<std::size_t>(std::ranges::count(plain, ' ')) + 1;
}

bool calls_to_act(string_view line) {
    const auto plain = ' ' + lower(line) + ' ';
    return contains_any(plain, {"join now",
                                "join the",
                                "join our",
                                "mailing list",
                                "newsletter",
                                "click here",
                                "subscribe",
                                "sign up",
                                "sign in",
                                "log in",
                                "advertis",
                                "sponsored",
                                "download",
                                "buy now",
                                "order now",
                                "free trial",
                                "learn more",
                                "read more",
                                "follow us",
                                "share this",
                                "copyright",
                                "all rights reserved",
                                "©",
                                " cookies ",
                                "print this",
                                "email this",
                                "e-mail this",
                                "skip to",
                                "apply now",
                                "register now",
                                "donate",
                                "get the latest",
                                "abonnieren",
                                "jetzt anmelden",
                                "hier anmelden",
                                "einloggen",
                                "folgen sie",
                                "folge uns",
                                "artikel teilen",
                                "mehr erfahren",
                                "lesen sie mehr",
                                "alle rechte vorbehalten",
                                " impressum ",
                                "abonnez-vous",
                                "s'abonner",
                                "suivez-nous",
                                "inscrivez-vous",
                                "tous droits réservés",
                                "en savoir plus",
                                "suscríbete",
                                "síguenos",
                                "todos los derechos",
                                "iscriviti",
                                "seguici",
                                "tutti i diritti"});
}

bool names_rest(string_view heading) {
    constexpr std::array<string_view, 46> names{"ähnliche artikel",
                                                "ähnliche beiträge",
                                                "advertisement",
                                                "articles liés",
                                                "artikel teilen",
                                                "auch interessant",
                                                "anzeige",
                                                "comments",
                                                "comparte",
                                                "compartir",
                                                "condividi",
                                                "das könnte sie auch interessieren",
                                                "das könnte dich auch interessieren",
                                                "diesen artikel teilen",
                                                "en relación",
                                                "follow us",
                                                "further reading on",
                                                "kommentare",
                                                "leave a comment",
                                                "leave a reply",
                                                "leggi anche",
                                                "lesen sie auch",
                                                "lesen sie mehr",
                                                "lesetipp",
                                                "lire aussi",
                                                "mehr zum thema",
                                                "mehr zu diesem thema",
                                                "meistgelesen",
                                                "more from",
                                                "more on this",
                                                "most popular",
                                                "noticias relacionadas",
                                                "à lire aussi",
                                                "partager",
                                                "publicité",
                                                "read also",
                                                "read more",
                                                "related",
                                                "recommended",
                                                "share this",
                                                "teilen",
                                                "trending",
                                                "weitere artikel",
                                                "weitere beiträge",
                                                "you may also like",
                                                "you might also like"};
    auto plain = lower(collapse(heading));
    // Capitals beyond ASCII stay as they are in lower().
    if (plain.starts_with("Ä")) plain.replace(0, 2, "ä");
    if (plain.starts_with("À")) plain.replace(0, 2, "à");
    return count_words(plain) <= 8 && std::ranges::any_of(names, [&](string_view name) {
               return plain.starts_with(name) &&
                      (plain.size() == name.size() || !std::isalpha(static_cast<unsigned char>(plain[name.size()])) ||
                       name == "lesetipp");
           });
}

bool is_picture_credit(string_view line) {
    const auto words = count_words(line);
    if (words == 0 || words > 40) return false;
    const auto plain = lower(line);
    constexpr std::array<string_view, 20> labels{
        "bild:",        "bilder:", "bildquelle", "credit:",      "crédit photo", "crédits photo", "crédit :",
        "foto:",        "fotos:",  "foto ©",     "fotografía:",  "grafik:",      "illustration:", "image:",
        "image credit", "photo:",  "photo by",   "photo credit", "photos:",      "photograph:"};
    const bool labelled = std::ranges::any_of(labels, [&](string_view label) { return plain.starts_with(label); });
    if (labelled && words <= 25) return true;
    return plain.contains("| ©") || plain.contains("(©") || (plain.starts_with("©") && words <= 12) ||
           (contains_any(plain, {"getty images", "shutterstock", "imago images"}) && words <= 20 &&
            !line.ends_with('.'));
}

bool asks_for_consent(string_view text) {
    const auto plain = lower(text);
    return contains_any(plain, {"consent", "einwilligung", "einverständnis", "zustimm", "privacy", "privatsphäre",
                                "datenschutz", "vie privée", "privacidad", "toestemming"}) &&
           contains_any(plain, {"cookie", "external", "extern", "third part", "drittanbieter", "settings",
                                "einstellungen", "verbindung", "load ", "laden", "charger", "contenu", "contenido"});
}

bool is_for_screen_readers(string_view label) {
    return contains_any(label, {"sr-only", "visually-hidden", "visuallyhidden", "screen-reader", "skip-link",
                                "skiplink", "skip-to-"}) &&
           !label.contains("not-sr-only");
}

bool sounds_like_caption(string_view label) {
    return contains_any(label, {"caption", "credit", "copyright", "bildunterschrift", "photo-by", "image-source"});
}

bool sounds_like_lead(string_view label) {
    for (const auto* word :
         {"lead", "intro", "standfirst", "chapo", "subtitle", "sub-title", "subhead", "sub-headline", "dek", "abstract",
          "vorspann", "teaser-text", "summary", "entradilla", "bajada", "deck", "description"})
        for (auto found = label.find(word); found != string_view::npos; found = label.find(word, found + 1)) {
            const auto after = found + string_view(word).size();
            const bool begins = found == 0 || !std::isalpha(static_cast<unsigned char>(label[found - 1]));
            const bool ends = after >= label.size() || !std::isalpha(static_cast<unsigned char>(label[after]));
            if (begins && ends) return true;
        }
    return false;
}

}
