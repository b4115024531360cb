#include "templates/syntax.hpp"

#include "system/trimmed.hpp"

#include <fmt/format.h>

#include <optional>

namespace postrider::templates {
namespace {

using Kind = Token::Kind;

constexpr std::string_view blanks = " \t";
constexpr std::string_view white = " \t\r\n";
constexpr std::size_t most_faults = 50;

bool has_empty_part(std::string_view name) {
    return name != "." && (name.front() == '.' || name.back() == '.' || name.find("..") != name.npos);
}

class Cutter {
public:
    Cutter(const Source& source, std::vector<Fault>& faults) : source_(source), text_(source.text), faults_(faults) {}

    std::vector<Token> run() {
        while (faults_.size() < most_faults && next_tag()) {
        }
        for (const Open& open : open_)
            fault(open.line, open.column, fmt::format("section \"{}\" is never closed", open.name));
        for (const Open& open : abandoned_)
            fault(open.line, open.column, fmt::format("section \"{}\" is never closed", open.name));
        return std::move(tokens_);
    }

private:
    struct Open {
        std::string_view name;
        int line, column;
        std::string_view closed_outer; // of an abandoned one: the section whose end came first
        int outer_line = 0, outer_column = 0;
    };
    struct Tag {
        std::size_t begin, end; // in the text, delimiters included
        char sigil;             // 0: a plain variable
        std::string_view content;
        int line, column;
    };

    // Takes the text up to the next tag and the tag itself; false at the end of the text.
    bool next_tag() {
        std::size_t begin = text_.find(open_delimiter_, position_);
        if (begin == text_.npos) {
            literal(position_, text_.size());
            return false;
        }
        std::size_t text_begin = position_;
        move_to(begin);
        std::optional<Tag> tag = read_tag(begin);
        if (!tag) return position_ < text_.size();

        std::size_t text_end = begin;
        std::size_t after = tag->end;
        bool alone = can_stand_alone(tag->sigil) && stands_alone(*tag, text_begin, after);
        if (alone) text_end = line_begin_;
        std::string_view indent = text_.substr(text_end, begin - text_end);
        literal(text_begin, text_end);
        take(*tag, alone, indent);
        move_to(after);
        return true;
    }

    std::optional<Tag> read_tag(std::size_t begin) {
        Tag tag{begin, begin, 0, {}, line_, column_};
        std::size_t inside = text_.find_first_not_of(white, begin + open_delimiter_.size());
        char first = inside == text_.npos ? '\0' : text_[inside];
        if (first != '\0' && std::string_view("#^/>&!={$<").contains(first)) {
            tag.sigil = first;
            ++inside;
        } else {
            inside = begin + open_delimiter_.size();
        }
        std::string close = close_delimiter_;
        if (tag.sigil == '{') close.insert(0, "}");
        if (tag.sigil == '=') close.insert(0, "=");

        std::size_t end = text_.find(close, inside);
        std::string_view content = end == text_.npos ? text_.substr(inside) : text_.substr(inside, end - inside);
        // Another opening inside a tag means that this one was forgotten; the text goes on with the other one.
        std::size_t another = tag.sigil == '!' || tag.sigil == '=' ? content.npos : content.find(open_delimiter_);
        if (open_delimiter_ == close_delimiter_) another = content.npos;
        if (end == text_.npos || another != content.npos) {
            std::string_view shown =
                system::trimmed(text_.substr(begin, std::min<std::size_t>(30, text_.find('\n', begin) - begin)));
            if (another != content.npos)
                shown = system::trimmed(text_.substr(begin, std::min<std::size_t>(30, inside + another - begin)));
            fault(tag.line, tag.column,
                  fmt::format("tag \"{}\" is never closed with \"{}\"", whole_characters(shown), close));
            move_to(another == content.npos ? text_.size() : inside + another);
            return std::nullopt;
        }
        tag.content = content;
        tag.end = end + close.size();
        return tag;
    }

    static std::string_view whole_characters(std::string_view text) {
        std::size_t end = text.size();
        while (end > 0 && (static_cast<unsigned char>(text[end - 1]) & 0xC0) == 0x80) --end;
        bool cut_short = end > 0 && static_cast<unsigned char>(text[end - 1]) >= 0xC0;
        if (!cut_short) return text;
        unsigned char lead = static_cast<unsigned char>(text[end - 1]);
        std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
        return text.size() - (end - 1) >= length ? text : text.substr(0, end - 1);
    }

    static bool can_stand_alone(char sigil) { return sigil != 0 && std::string_view("#^/>!=").contains(sigil); }

    // True when nothing but blanks shares the tag's lines; `after` then moves past the line end.
    bool stands_alone(const Tag& tag, std::size_t text_begin, std::size_t& after) const {
        bool clear_before = line_begin_ >= text_begin &&
                            text_.substr(line_begin_, tag.begin - line_begin_).find_first_not_of(blanks) == text_.npos;
        if (!clear_before) return false;
        std::size_t end = text_.find_first_not_of(blanks, tag.end);
        if (end == text_.npos) {
            after = text_.size();
            return true;
        }
        if (text_[end] == '\r' && end + 1 < text_.size()) ++end;
        if (text_[end] != '\n') return false;
        after = end + 1;
        return true;
    }

    void take(const Tag& tag, bool alone, std::string_view indent) {
        if (tag.sigil == '!') return;
        if (tag.sigil == '=') return set_delimiters(tag);
        std::string_view name = system::trimmed(tag.content);
        if (name.empty()) return fault(tag.line, tag.column, "this tag is empty");
        if (tag.sigil == '<' || tag.sigil == '$' || (tag.sigil == '>' && name.front() == '*'))
            return fault(tag.line, tag.column,
                         fmt::format("\"{}\" is no name: blocks and dynamic partials are not supported",
                                     tag.sigil == '>' ? name : text_.substr(tag.begin, tag.end - tag.begin)));
        if (name.find('\n') != name.npos || name.size() > 1000)
            return fault(tag.line, tag.column, "a name must fit on one line: is this tag closed where it should be?");
        if (tag.sigil != '>' && has_empty_part(name))
            return fault(tag.line, tag.column, fmt::format("the name \"{}\" has a dot too many", name));

        Token token{kind_of(tag.sigil), alone, tag.line, tag.column, name, {}};
        if (token.kind == Kind::partial && alone) token.indent = indent;
        if (token.kind == Kind::section || token.kind == Kind::inverted)
            open_.push_back({name, tag.line, tag.column, {}});
        if (token.kind == Kind::end && !close(tag, name)) return;
        tokens_.push_back(token);
    }

    static Kind kind_of(char sigil) {
        switch (sigil) {
        case '#': return Kind::section;
        case '^': return Kind::inverted;
        case '/': return Kind::end;
        case '>': return Kind::partial;
        case '&':
        case '{': return Kind::raw;
        default: return Kind::escaped;
        }
    }

    bool close(const Tag& tag, std::string_view name) {
        if (!open_.empty() && open_.back().name == name) {
            open_.pop_back();
            return true;
        }
        for (std::size_t i = open_.size(); i-- > 0;) {
            if (open_[i].name != name) continue;
            // Whether the inner sections are crossed or merely forgotten shows later, when their ends come or do not.
            while (open_.size() > i + 1) {
                abandoned_.push_back(open_.back());
                abandoned_.back().closed_outer = name;
                abandoned_.back().outer_line = tag.line;
                abandoned_.back().outer_column = tag.column;
                open_.pop_back();
            }
            open_.pop_back();
            return false;
        }
        for (std::size_t i = abandoned_.size(); i-- > 0;) {
            if (abandoned_[i].name != name) continue;
            crossed(abandoned_[i], tag);
            abandoned_.erase(abandoned_.begin() + std::ptrdiff_t(i));
            return false;
        }
        fault(tag.line, tag.column, fmt::format("section \"{}\" is closed here but was never opened", name));
        return false;
    }

    void crossed(const Open& inner, const Tag& end) {
        fault(inner.line, inner.column,
              fmt::format("section \"{}\" crosses section \"{}\", which is closed at {}:{} while \"{}\" is still open "
                          "(closed at {}:{})",
                          inner.name, inner.closed_outer, inner.outer_line, inner.outer_column, inner.name, end.line,
                          end.column));
        fault(end.line, end.column,
              fmt::format("section \"{}\", opened at {}:{}, must be closed before \"{}\" is closed at {}:{}",
                          inner.name, inner.line, inner.column, inner.closed_outer, inner.outer_line,
                          inner.outer_column));
    }

    void set_delimiters(const Tag& tag) {
        std::string_view both = system::trimmed(tag.content);
        std::size_t gap = both.find_first_of(white);
        std::string_view first = both.substr(0, gap);
        std::string_view second = gap == both.npos ? std::string_view() : system::trimmed(both.substr(gap));
        bool good = !second.empty() && both.find('=') == both.npos && second.find_first_of(white) == second.npos;
        if (!good)
            return fault(tag.line, tag.column,
                         "a delimiter tag names two delimiters without blanks or \"=\", as in {{=<% %>=}}");
        open_delimiter_ = first;
        close_delimiter_ = second;
    }

    void literal(std::size_t begin, std::size_t end) {
        if (begin < end)
            tokens_.push_back({Kind::literal, false, line_, column_, text_.substr(begin, end - begin), {}});
    }

    // Counts lines and characters on the way, so that no place is counted twice.
    void move_to(std::size_t position) {
        for (; position_ < position; ++position_) {
            if (text_[position_] == '\n') {
                ++line_;
                column_ = 1;
                line_begin_ = position_ + 1;
            } else if ((static_cast<unsigned char>(text_[position_]) & 0xC0) != 0x80) {
                ++column_;
            }
        }
    }

    void fault(int line, int column, std::string message) {
        if (faults_.size() < most_faults) faults_.push_back({source_.file, line, column, std::move(message)});
    }

    const Source& source_;
    std::string_view text_;
    std::vector<Fault>& faults_;
    std::vector<Token> tokens_;
    std::vector<Open> open_;
    std::vector<Open> abandoned_; // still open when a section around them was closed
    std::string open_delimiter_ = "{{";
    std::string close_delimiter_ = "}}";
    std::size_t position_ = 0;
    std::size_t line_begin_ = 0; // of the line that position_ is on
    int line_ = 1;
    int column_ = 1;
};

}

std::vector<Token> cut(const Source& source, std::vector<Fault>& faults) { return Cutter(source, faults).run(); }

}
