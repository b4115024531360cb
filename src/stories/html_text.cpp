#include "stories/characters.hpp"
#include "stories/html.hpp"
#include "stories/html_tree.hpp"

#include <algorithm>
#include <array>

namespace postrider::stories {

namespace {

using std::string_view;

bool is_unread(string_view name) {
    constexpr std::array<string_view, 15> unread{"button",   "head",   "iframe", "input",    "math",
                                                 "noscript", "object", "option", "rp",       "script",
                                                 "select",   "style",  "svg",    "textarea", "title"};
    static_assert(std::ranges::is_sorted(unread));
    return std::ranges::binary_search(unread, name);
}

// Of this table, not of one inside it.
bool has_headings(const Node& node) {
    return std::ranges::any_of(
        node.children, [](const Node& child) { return child.is("th") || (!child.is("table") && has_headings(child)); });
}

// How many line ends part the element from its neighbours: 2 make an empty line.
int margin_of(string_view name) {
    for (auto close : {"li", "tr", "dt", "dd", "thead", "tbody", "tfoot", "caption"})
        if (name == close) return 1;
    return 2;
}

class Reader {
public:
    Reader(Links links, const std::vector<bool>& skip) : links_(links), skip_(skip) {}

    void read(const Node& node) {
        if (node.is_text()) return preformatted_ > 0 ? verbatim(node.text) : flow(node.text);
        if (is_unread(node.name) || is_hidden(node)) return;
        if (!skip_.empty() && skip_[static_cast<std::size_t>(node.number)]) return;
        if (node.is("br")) return line_end();
        if (node.is("td") || node.is("th")) return cell(node);
        if (node.is("ul") || node.is("ol")) return list(node);
        if (node.is("table")) return table(node);
        if (node.is("a")) return link(node);
        if (node.is("img")) return image(node);
        if (!is_block(node)) return content(node);
        const int margin = margin_of(node.name);
        part(margin);
        if (node.is("li")) bullet();
        preformatted_ += node.is("pre");
        content(node);
        preformatted_ -= node.is("pre");
        part(margin);
    }

    std::string take() {
        while (!out_.empty() && is_space(out_.back())) out_.pop_back();
        return std::move(out_);
    }

private:
    enum class Columns { spaced, barred };
    struct List {
        bool numbered;
        int number;
    };

    void content(const Node& node) {
        for (const auto& child : node.children) read(child);
    }

    void part(int margin) {
        if (after_bullet_) return; // "<li><p>" begins on the bullet's line
        breaks_ = std::max(breaks_, margin);
        gap_ = false;
    }

    void line_end() {
        breaks_ = breaks_ == 0 ? 1 : 2;
        gap_ = false;
    }

    void settle() {
        if (!out_.empty()) out_.append(static_cast<std::size_t>(breaks_), '\n');
        if (breaks_ > 0 && !out_.empty()) out_.append(indent_, ' ');
        if (gap_ && breaks_ == 0 && !out_.empty() && out_.back() != ' ') out_ += ' ';
        breaks_ = 0;
        gap_ = false;
        after_bullet_ = false;
    }

    void flow(string_view text) {
        const auto words = collapse(text);
        if (words.empty()) {
            gap_ |= !text.empty();
            return;
        }
        gap_ |= begins_with_space(text);
        settle();
        out_ += words;
        gap_ = ends_with_space(text);
    }

    static bool begins_with_space(string_view text) { return is_space(text.front()) || text.starts_with("\u00A0"); }
    static bool ends_with_space(string_view text) { return is_space(text.back()) || text.ends_with("\u00A0"); }

    void verbatim(string_view text) {
        while (!text.empty()) {
            const auto line = text.substr(0, text.find('\n'));
            if (!trim(line).empty()) {
                settle();
                out_ += line;
            }
            if (line.size() == text.size()) return;
            line_end();
            text.remove_prefix(line.size() + 1);
        }
    }

    // Whose columns have headings holds data, which bars keep apart; any other only arranges what it holds.
    void table(const Node& node) {
        const auto outer = columns_;
        columns_ = has_headings(node) ? Columns::barred : Columns::spaced;
        part(2);
        content(node);
        part(2);
        columns_ = outer;
    }

    void cell(const Node& node) {
        if (!node.parent || &node == first_cell(*node.parent)) {
            row_begin_ = out_.size();
            gap_ = true;
        } else if (columns_ == Columns::barred) {
            if (out_.size() > row_begin_) breaks_ = 0; // a paragraph in the cell before ends with the cell
            flow(" | ");
        } else
            gap_ = true;
        content(node);
        gap_ = true;
    }

    static const Node* first_cell(const Node& row) {
        for (const auto& child : row.children)
            if (child.is("td") || child.is("th")) return &child;
        return nullptr;
    }

    void list(const Node& node) {
        part(lists_.empty() ? 2 : 1);
        const auto start = node.attribute("start");
        const bool plain =
            !start.empty() && start.size() < 6 && start.find_first_not_of("0123456789") == string_view::npos;
        lists_.push_back({node.is("ol"), plain ? std::stoi(std::string(start)) : 1});
        const auto outer = indent_;
        if (lists_.size() > 1) indent_ = std::min<std::size_t>(indent_ + 2, 20);
        content(node);
        indent_ = outer;
        lists_.pop_back();
        part(lists_.empty() ? 2 : 1);
    }

    void bullet() {
        settle();
        if (lists_.empty() || !lists_.back().numbered)
            out_ += "- ";
        else
            out_ += std::to_string(lists_.back().number++) + ". ";
        after_bullet_ = true;
    }

    // A link is often no more than a picture; whoever reads links reads its name.
    void image(const Node& node) {
        if (links_ == Links::text_only) return;
        auto name = collapse(node.attribute("alt"));
        if (name.empty()) name = collapse(node.attribute("title"));
        if (!name.empty()) flow("[" + name + "]");
    }

    void link(const Node& node) {
        const auto begin = out_.size();
        content(node);
        if (links_ == Links::text_only) return;
        const auto url = link_of(node, {});
        if (url.empty()) return;
        const auto shown = begin < out_.size() ? trim(string_view(out_).substr(begin)) : string_view{};
        if (shown == url) return;
        const string_view address = url.starts_with("mailto:") ? string_view(url).substr(7) : string_view(url);
        if (shown == address || (url.contains("://") && shown == address.substr(address.find("://") + 3))) return;
        bool bare = shown.empty();
        bool space_follows = bare || gap_; // or what follows would be read as part of the address
        gap_ = true;
        if (const auto title = collapse(node.attribute("title")); bare && !title.empty()) {
            flow(title);
            gap_ = true;
            bare = space_follows = false;
        }
        settle();
        out_ += bare ? std::string(address) : "(" + std::string(address) + ")";
        gap_ = space_follows;
    }

    Links links_;
    const std::vector<bool>& skip_;
    std::string out_;
    std::vector<List> lists_;
    Columns columns_ = Columns::spaced;
    std::size_t row_begin_ = 0;
    std::size_t indent_ = 0;
    int breaks_ = 0;   // line ends owed before the next piece
    bool gap_ = false; // a space owed before the next piece
    bool after_bullet_ = false;
    int preformatted_ = 0;
};

constexpr std::size_t largest_text = 1 << 20;

bool ends_sentence(string_view text, std::size_t at) {
    if (at + 1 < text.size() && text[at + 1] != ' ') return false;
    return text[at] == '.' || text[at] == '!' || text[at] == '?';
}

}

std::string plain_text(string_view html, Links links) {
    if (html.find_first_of("<&") == html.npos) return collapse(clean_utf8(html.substr(0, largest_text)));
    const auto tree = parse_html(html);
    const std::vector<bool> all;
    Reader reader(links, all);
    reader.read(*tree.root);
    return reader.take();
}

std::string plain_text(const Node& node, const std::vector<bool>& skip) {
    Reader reader(Links::text_only, skip);
    reader.read(node);
    return reader.take();
}

std::string excerpt(string_view text, std::size_t characters) {
    // A reader of ten lines need not pay for a book.
    const auto beginning = text.substr(0, characters * 16 + 64);
    const auto flowed = collapse(clean_utf8(beginning));
    if (beginning.size() == text.size() && count_characters(flowed) <= characters) return flowed;
    if (characters == 0) return {};
    std::size_t end = 0;
    std::size_t sentence = 0;
    std::size_t word = 0;
    std::size_t count = 0;
    const std::size_t room = characters - 1; // for the ellipsis
    for (; end < flowed.size(); ++end) {
        if ((static_cast<unsigned char>(flowed[end]) & 0xC0) == 0x80) continue;
        if (count == room) break;
        ++count;
        if (flowed[end] == ' ') word = end;
        if (count < room && count * 3 >= room * 2 && ends_sentence(flowed, end)) sentence = end + 1;
    }
    if (sentence > 0) return flowed.substr(0, sentence) + " …";
    if (end < flowed.size() && flowed[end] == ' ') word = end;
    auto cut = flowed.substr(0, word > 0 ? word : end);
    while (!cut.empty() && (cut.back() == ' ' || cut.back() == ',' || cut.back() == ';' || cut.back() == ':'))
        cut.pop_back();
    return cut + "…";
}

}
