#include "templates/inline_styles.hpp"

#include "templates/cascade.hpp"
#include "templates/markup.hpp"

#include <algorithm>
#include <ranges>
#include <vector>

namespace postrider::templates {
namespace {

struct Edit {
    std::size_t begin, end; // what goes; the same: nothing
    std::string text;       // what comes
    bool holds_on_before;   // an insertion belongs to the character before it, not to the one behind it
};

// CSS knows both quotes, and one of them ends the attribute.
std::string for_attribute(std::string_view css, char quote) {
    char other = quote == '"' ? '\'' : '"';
    bool swap = css.find(other) == css.npos;
    std::string out;
    for (char c : css) {
        if (c == '&')
            out += "&amp;";
        else if (c == quote && swap)
            out += other;
        else if (c == quote)
            out += quote == '"' ? "&quot;" : "&#39;";
        else
            out += c;
    }
    return out;
}

std::string between(const std::string& a, const std::string& b) { return a.empty() || b.empty() ? a + b : a + ";" + b; }

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n\f;") == text.npos; }

void add_style(std::vector<Edit>& edits, std::string_view html, const Tag& tag, const Cascade::Styles& styles) {
    auto* own = tag.attribute("style");
    if (!own) {
        auto at = tag.end - 1;
        while (tag.closed && html[at - 1] != '/' && at > tag.begin) --at; // <br / >
        if (tag.closed) --at;
        bool spaced = html[at - 1] == ' ';
        auto text = "style=\"" + for_attribute(between(styles.under, styles.over), '"') + "\"";
        return edits.push_back({at, at, (spaced ? "" : " ") + text + (spaced ? " " : ""), false});
    }
    if (own->quote == '\0') { // rewritten: an unquoted value cannot take blanks
        if (own->value.find('"') != own->value.npos) return;
        auto text = between(between(for_attribute(styles.under, '"'), std::string(own->value)),
                            for_attribute(styles.over, '"'));
        return edits.push_back({own->begin, own->end, "style=\"" + text + "\"", false});
    }
    auto begin = std::size_t(own->value.data() - html.data()), end = begin + own->value.size();
    bool blank = is_blank(own->value);
    if (!styles.under.empty())
        edits.push_back(
            {begin, begin, for_attribute(styles.under, own->quote) + (blank && styles.over.empty() ? "" : ";"), true});
    if (styles.over.empty()) return;
    auto last = own->value.find_last_not_of(" \t\r\n\f");
    bool ended = blank || own->value[last] == ';';
    edits.push_back({end, end, (ended ? "" : ";") + for_attribute(styles.over, own->quote), false});
}

void reduce_block(std::vector<Edit>& edits, std::string_view html, Cascade::Block& block) {
    if (!is_blank(block.left)) return edits.push_back({block.text_begin, block.text_end, std::move(block.left), false});
    bool line = block.begin > 0 && html[block.begin - 1] == '\n' && block.end < html.size() && html[block.end] == '\n';
    edits.push_back({block.begin, block.end + (line ? 1 : 0), "", false});
}

std::vector<Edit> edits_of(std::string_view html) {
    auto tags = tags_in(html);
    auto elements = elements_of(tags, html.size());
    auto found = cascade(html, tags, elements);
    std::vector<Edit> edits;
    for (std::size_t i = 0; i < elements.size(); ++i)
        if (auto& styles = found.elements[i]; !styles.under.empty() || !styles.over.empty())
            add_style(edits, html, tags[elements[i].tag], styles);
    for (auto& block : found.blocks) reduce_block(edits, html, block);
    std::ranges::stable_sort(edits, {}, &Edit::begin);
    return edits;
}

std::string applied(std::string_view text, const std::vector<Edit>& edits) {
    std::string out;
    std::size_t copied = 0;
    for (auto& edit : edits) {
        out.append(text.substr(copied, edit.begin - copied)).append(edit.text);
        copied = edit.end;
    }
    return out.append(text.substr(copied));
}

}

std::string with_inlined_styles(std::string_view html) { return applied(html, edits_of(html)); }

Program with_inlined_styles(const Program& program) {
    std::string html;
    struct Literal {
        std::size_t begin, end;
        std::vector<Edit> edits;
    };
    std::vector<Literal> literals;
    for (auto& piece : program.pieces()) {
        if (piece.kind == Piece::Kind::literal) {
            literals.push_back({html.size(), html.size() + piece.text.size(), {}});
            html += piece.text;
        } else if (piece.kind == Piece::Kind::escaped || piece.kind == Piece::Kind::raw)
            html += open_slot;
    }
    std::size_t at = 0;
    for (auto& edit : edits_of(html)) {
        auto character = edit.holds_on_before ? edit.begin - 1 : edit.begin;
        while (at < literals.size() && literals[at].end <= character) ++at;
        if (at == literals.size()) break;
        auto& literal = literals[at];
        // A block with a reader's condition inside stays: its rules, said twice, do no harm.
        if (character < literal.begin || edit.end > literal.end) continue;
        edit.begin -= literal.begin;
        edit.end -= literal.begin;
        literal.edits.push_back(std::move(edit));
    }
    std::vector<std::string> texts;
    for (auto& literal : literals)
        texts.push_back(
            applied(std::string_view(html).substr(literal.begin, literal.end - literal.begin), literal.edits));
    return program.with_literals(std::move(texts));
}

}
