#include "stories/page_text.hpp"

#include "stories/article_words.hpp"
#include "stories/characters.hpp"
#include "stories/dates.hpp"

#include <algorithm>
#include <array>
#include <vector>

namespace postrider::stories {

namespace {

using std::string_view;

constexpr std::size_t longest_dateline = 100;
constexpr std::size_t most_head_lines = 40; // above the story

bool has_lower(string_view text) {
    return std::ranges::any_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool ends_sentence(string_view text) {
    for (const auto* quote : {"\"", "”", "’", "»", "'", ")", "“"})
        if (text.ends_with(quote)) text.remove_suffix(string_view(quote).size());
    for (const auto* end : {".", "!", "?", "…", "。", ":", "！", "？"})
        if (text.ends_with(end)) return true;
    return false;
}

int month_of(string_view word) {
    constexpr std::array<string_view, 12> months{"jan", "feb", "mar", "apr", "may", "jun",
                                                 "jul", "aug", "sep", "oct", "nov", "dec"};
    if (word.size() < 3) return 0;
    const auto found = std::ranges::find(months, lower(word.substr(0, 3)));
    return found == months.end() ? 0 : static_cast<int>(found - months.begin()) + 1;
}

struct Piece {
    std::size_t begin;
    std::size_t end;
};

// " - " and its kin, or the dash of "PARIS — ": where the dateline ends and the story begins.
std::optional<Piece> dash_in(string_view text) {
    for (std::size_t i = 1; i + 1 < text.size(); ++i)
        for (const auto* dash : {"--", "-", "–", "—"}) {
            const string_view sign = dash;
            if (!text.substr(i).starts_with(sign)) continue;
            const auto after = i + sign.size();
            const bool apart = is_space(text[i - 1]) || text[i - 1] == ')' || text[i - 1] == '/' || text[i - 1] == '.';
            if (apart && after < text.size() && is_space(text[after])) return Piece{i, after};
        }
    return std::nullopt;
}

// The wire of "(Reuters)" or "/TASS/", cut out of the line.
std::string take_agency(std::string& line) {
    const auto slash = line.find('/');
    const auto begin = std::min(line.find('('), slash);
    if (begin == std::string::npos) return {};
    const auto end = line.find(begin == slash ? '/' : ')', begin + 1);
    if (end == std::string::npos || end - begin > 50) return {};
    auto agency = collapse(string_view(line).substr(begin + 1, end - begin - 1));
    line.erase(begin);
    return agency;
}

void read_day(string_view piece, Dateline& dateline) {
    for (std::size_t i = 0; i < piece.size();) {
        const auto end = std::min(piece.find_first_of(" .", i), piece.size());
        const auto word = piece.substr(i, end - i);
        if (const int month = month_of(word); month > 0)
            dateline.month = month;
        else if (!word.empty() && word.size() <= 2 && std::ranges::all_of(word, is_digit))
            dateline.day = std::stoi(std::string(word));
        i = end + 1;
    }
}

// "WASHINGTON, D.C." and "OAKLAND, Calif." are places; what holds a month or a digit is a day.
bool read_place(string_view line, Dateline& dateline) {
    std::size_t pieces = 0;
    while (!line.empty() && pieces++ < 4) {
        const auto comma = std::min(line.find(','), line.size());
        const auto piece = collapse(line.substr(0, comma));
        line.remove_prefix(std::min(comma + 1, line.size()));
        if (piece.empty()) continue;
        const bool is_day = std::ranges::any_of(piece, is_digit) || (pieces > 1 && month_of(piece) > 0);
        if (!is_day)
            dateline.place += (dateline.place.empty() ? "" : ", ") + piece;
        else if (pieces > 1)
            read_day(piece, dateline);
        else
            return false;
    }
    return !dateline.place.empty();
}

struct Block {
    std::vector<std::string> lines;

    [[nodiscard]] std::string joined() const {
        std::string text;
        for (const auto& line : lines) text += (text.empty() ? "" : " ") + line;
        return text;
    }
};

std::vector<Block> blocks_of(string_view text) {
    std::vector<Block> blocks;
    bool open = false;
    bool any_empty = false;
    while (!text.empty()) {
        const auto end = std::min(text.find('\n'), text.size());
        auto line = collapse(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
        if (line.empty()) {
            any_empty |= open;
            open = false;
            continue;
        }
        if (!open) blocks.emplace_back();
        open = true;
        blocks.back().lines.push_back(std::move(line));
    }
    if (any_empty || blocks.size() != 1) return blocks;
    // No empty line anywhere: each line is a paragraph.
    std::vector<Block> lines;
    for (auto& line : blocks.front().lines) lines.push_back({{std::move(line)}});
    return lines;
}

bool is_paragraph(string_view text) { return count_words(text) >= 15 && ends_sentence(text) && !calls_to_act(text); }

// The story begins at its dateline; without one, where running text begins.
std::size_t begin_of_story(const std::vector<Block>& blocks) {
    const auto looked_at = std::min(blocks.size(), most_head_lines);
    for (std::size_t i = 0; i < looked_at; ++i)
        if (const auto text = blocks[i].joined(); count_words(text) >= 10 && ends_sentence(text) && read_dateline(text))
            return i;
    for (std::size_t i = 0; i < blocks.size(); ++i)
        if (is_paragraph(blocks[i].joined())) return i;
    return blocks.size();
}

// What follows the last sentence ("Join the mailing list") is the page speaking, not the story.
std::size_t end_of_story(const std::vector<Block>& blocks, std::size_t begin) {
    auto end = blocks.size();
    while (end > begin + 1) {
        const auto text = blocks[end - 1].joined();
        const bool remark = count_words(text) <= 12 && (!ends_sentence(text) || calls_to_act(text));
        if (!remark && !(calls_to_act(text) && count_words(text) <= 25)) break;
        --end;
    }
    return end;
}

// How much a line above the story looks like its headline; the nearer to the story, the better.
double headline_score(string_view line, double distance) {
    const auto words = count_words(line);
    double score = 10 - distance * 0.5;
    if (calls_to_act(line)) score -= 12;
    if (words < 3) score -= 6;
    if (words > 30) score -= 6;
    if (line.ends_with('.') || line.contains("://") || line.contains(" | ") || line.contains(" > ")) score -= 3;
    return score;
}

constexpr std::array<string_view, 9> by_words{
    "by: ", "by ", "written by ", "posted by ", "author: ", "von ", "par ", "por ", "di "};

bool is_byline(string_view line) {
    const auto start = lower(line);
    return count_words(line) <= 9 &&
           std::ranges::any_of(by_words, [&](string_view by) { return start.starts_with(by); });
}

void read_head(const std::vector<std::string>& lines, const Dateline& dateline, Page& page) {
    std::vector<std::string> candidates;
    for (const auto& line : lines) {
        if (const auto date = read_visible_date(line, dateline)) {
            const auto start = lower(line);
            auto& wanted = start.starts_with("updat") || start.starts_with("last") || start.starts_with("modif")
                               ? page.updated
                               : page.published;
            if (!wanted) wanted = date;
        } else if (is_agency(line) || (!dateline.agency.empty() && same_letters(line, dateline.agency))) {
            page.agency = line;
        } else if (is_byline(line)) {
            page.byline = person_in(line);
        } else {
            candidates.push_back(line);
        }
    }
    // A tie goes to the upper line: below a headline may stand its deck.
    double best = -100;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const bool deck = i > 0 && !page.title.empty() && page.title == candidates[i - 1];
        const double score =
            headline_score(candidates[i], static_cast<double>(candidates.size() - 1 - i)) - (deck ? 1 : 0);
        if (score <= best) continue;
        best = score;
        page.title = candidates[i];
    }
}

}

std::optional<Dateline> read_dateline(string_view paragraph) {
    const auto start = paragraph.substr(0, longest_dateline);
    Piece dash{0, 0};
    if (const auto found = dash_in(start))
        dash = *found;
    else if (const auto tass = start.find("/. "); tass != string_view::npos)
        dash = {tass + 1, tass + 2};
    else
        return std::nullopt;
    std::string line(start.substr(0, dash.begin));
    Dateline dateline;
    dateline.agency = take_agency(line);
    if (!read_place(line, dateline)) return std::nullopt;
    const auto first = dateline.place.substr(0, dateline.place.find(','));
    const bool loud = !has_lower(first) && count_characters(first) >= 3;
    const bool named = !dateline.agency.empty() && std::isupper(static_cast<unsigned char>(first.front()));
    if (!(loud || named) || count_words(dateline.place) > 6) return std::nullopt;
    return dateline;
}

std::string person_in(string_view byline) {
    auto name = collapse(byline);
    if (name.contains("://") || name.size() > 300) return {};
    for (const auto by : by_words)
        if (lower(name).starts_with(by)) name.erase(0, by.size());
    // Where a date begins, the names are over.
    if (const auto digit = std::ranges::find_if(name, is_digit); digit != name.end()) {
        name.erase(digit, name.end());
        name = trim(name);
        const auto word = name.rfind(' ');
        if (word != std::string::npos && month_of(string_view(name).substr(word + 1)) > 0) name.resize(word);
    }
    while (!name.empty() && (is_space(name.back()) || contains_any(",;|-/(:", {string_view(&name.back(), 1)})))
        name.pop_back();
    return name;
}

bool is_agency(string_view line) {
    constexpr std::array<string_view, 40> agencies{"aap",
                                                   "adnkronos",
                                                   "afp",
                                                   "agence france-presse",
                                                   "agi",
                                                   "ani",
                                                   "ansa",
                                                   "ap",
                                                   "apa",
                                                   "associated press",
                                                   "australian associated press",
                                                   "belga",
                                                   "bloomberg",
                                                   "bloomberg news",
                                                   "canadian press",
                                                   "cna",
                                                   "deutsche presse-agentur",
                                                   "dpa",
                                                   "dpa-afx",
                                                   "efe",
                                                   "europa press",
                                                   "ians",
                                                   "interfax",
                                                   "itar-tass",
                                                   "keystone-sda",
                                                   "kyodo",
                                                   "kyodo news",
                                                   "pa media",
                                                   "press association",
                                                   "press trust of india",
                                                   "pti",
                                                   "reuters",
                                                   "ria novosti",
                                                   "sputnik",
                                                   "tass",
                                                   "the associated press",
                                                   "united press international",
                                                   "upi",
                                                   "xinhua",
                                                   "yonhap"};
    static_assert(std::ranges::is_sorted(agencies));
    const auto plain = lower(collapse(line));
    return std::ranges::binary_search(agencies, string_view(plain));
}

std::optional<Time> read_visible_date(string_view line, const Dateline& dateline) {
    auto text = collapse(line);
    if (text.size() > 60 || !std::ranges::any_of(text, is_digit)) return std::nullopt;
    for (const auto* label :
         {"published",    "updated",  "last updated", "last modified", "modified",   "posted", "veröffentlicht",
          "aktualisiert", "erstellt", "publié",       "publicado",     "pubblicato", "stand",  "date",
          "datum",        "on ",      "am ",          "vom ",          "le ",        "el ",    "il ",
          "at ",          ":"})
        if (lower(text).starts_with(label)) text = trim(string_view(text).substr(string_view(label).size()));
    if (lower(text).ends_with(" uhr")) text.resize(text.size() - 4);
    if (text.empty()) return std::nullopt;

    // A clock in front goes behind, where every reader of dates expects it.
    const auto space = text.find(' ');
    if (space != std::string::npos && is_digit(text.front()) && text.substr(0, space).contains(':'))
        text = text.substr(space + 1) + ' ' + text.substr(0, space);

    int first = 0, second = 0, year = 0;
    char mark = 0, again = 0;
    int length = 0;
    if (std::sscanf(text.c_str(), "%2d%c%2d%c%4d%n", &first, &mark, &second, &again, &year, &length) == 5 &&
        mark == again && (mark == '/' || mark == '.' || mark == '-') && year > 1000) {
        const bool american = second > 12 || (first <= 12 && first == dateline.month && second == dateline.day);
        if (american) std::swap(first, second);
        char iso[16];
        std::snprintf(iso, sizeof iso, "%04d-%02d-%02d", year, second, first);
        auto clock = std::string(trim(string_view(text).substr(static_cast<std::size_t>(length))));
        return parse_date(clock.empty() ? std::string(iso) : std::string(iso) + ' ' + clock);
    }
    const bool wordy = count_words(text) > 8 || ends_sentence(text);
    return wordy ? std::nullopt : parse_date(text);
}

Page read_text_page(string_view text) {
    const auto blocks = blocks_of(text);
    const auto begin = begin_of_story(blocks);
    const auto end = end_of_story(blocks, begin);
    Page page;
    std::vector<std::string> head;
    for (std::size_t i = 0; i < std::min(begin, blocks.size()); ++i)
        head.insert(head.end(), blocks[i].lines.begin(), blocks[i].lines.end());
    if (head.size() > most_head_lines)
        head.erase(head.begin(), head.end() - static_cast<std::ptrdiff_t>(most_head_lines));

    Dateline dateline;
    if (begin < end)
        if (auto found = read_dateline(blocks[begin].joined())) dateline = *found;
    page.dateline = dateline.place;
    read_head(head, dateline, page);
    if (page.agency.empty()) page.agency = dateline.agency;

    for (std::size_t i = begin; i < end; ++i) {
        const auto paragraph = blocks[i].joined();
        if (same_letters(paragraph, "advertisement")) continue;
        page.text += (page.text.empty() ? "" : "\n\n") + paragraph;
        page.html += "<p>";
        append_escaped(page.html, paragraph);
        page.html += "</p>\n";
    }
    return page;
}

}
