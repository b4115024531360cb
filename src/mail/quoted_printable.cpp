#include "mail/quoted_printable.hpp"

#include <algorithm>
#include <array>
#include <cstring>

namespace postrider::mail::quoted_printable {
namespace {

constexpr std::size_t width = 75; // 76 less the "=" of a soft line break

enum class Kind : unsigned char { plain, blank, line_feed, carriage_return, dot, letter_f, encoded };

constexpr auto kinds = [] {
    std::array<Kind, 256> table{};
    for (int c = 0; c < 256; ++c) table[std::size_t(c)] = c > ' ' && c < 127 && c != '=' ? Kind::plain : Kind::encoded;
    table[' '] = table['\t'] = Kind::blank;
    table['\n'] = Kind::line_feed;
    table['\r'] = Kind::carriage_return;
    table['.'] = Kind::dot;
    table['F'] = Kind::letter_f;
    return table;
}();

// One output line under way. Lines are put together here and appended whole, which is what makes this fast.
class Line {
public:
    explicit Line(std::string& out) : out_(out) {}

    [[nodiscard]] bool empty() const { return used_ == 0; }
    void plain(char c) {
        if (used_ == width) soft_break();
        text_[used_++] = c;
    }
    void plain(std::string_view run) {
        while (!run.empty()) {
            if (used_ == width) soft_break();
            auto part = std::min(run.size(), width - used_);
            std::memcpy(text_ + used_, run.data(), part);
            used_ += part;
            run.remove_prefix(part);
        }
    }
    void encoded(unsigned char c) {
        constexpr char digits[] = "0123456789ABCDEF";
        if (used_ + 3 > width) soft_break();
        text_[used_++] = '=';
        text_[used_++] = digits[c >> 4];
        text_[used_++] = digits[c & 15];
    }
    void hard_break() { close("\r\n", 2); }
    void soft_break() { close("=\r\n", 3); }
    void leave() { out_.append(text_, used_), used_ = 0; }
    [[nodiscard]] bool full() const { return used_ == width; }

private:
    void close(const char* end, std::size_t size) {
        std::memcpy(text_ + used_, end, size);
        out_.append(text_, used_ + size);
        used_ = 0;
    }

    std::string& out_;
    std::size_t used_ = 0;
    char text_[width + 4];
};

std::size_t end_of_plain(std::string_view text, std::size_t at) {
    while (at < text.size() && kinds[(unsigned char)text[at]] == Kind::plain) ++at;
    return at;
}

bool line_ends_at(std::string_view text, std::size_t at) {
    return at == text.size() || text[at] == '\n' || (text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n');
}

// Leaves the last line open.
void encode(Line& line, std::string_view text) {
    for (std::size_t at = 0; at < text.size(); ++at) {
        if (auto end = end_of_plain(text, at); end > at) {
            line.plain(text.substr(at, end - at));
            at = end;
            if (at == text.size()) return;
        }
        const char c = text[at];
        switch (kinds[(unsigned char)c]) {
        case Kind::plain: break; // none is left
        case Kind::blank:
            // Blanks at the end of a line are lost in transport (RFC 2045 section 6.7, rule 3); the end of a piece may
            // become one.
            if (line_ends_at(text, at + 1))
                line.encoded((unsigned char)c);
            else
                line.plain(c);
            break;
        case Kind::line_feed: line.hard_break(); break;
        case Kind::carriage_return:
            if (at + 1 == text.size() || text[at + 1] != '\n') line.encoded('\r');
            break;
        case Kind::dot:
            if (line.full()) line.soft_break();
            if (line.empty())
                line.encoded('.');
            else
                line.plain('.');
            break;
        case Kind::letter_f:
            if (line.full()) line.soft_break();
            if (line.empty() && text.substr(at).starts_with("From "))
                line.encoded('F');
            else
                line.plain('F');
            break;
        case Kind::encoded: line.encoded((unsigned char)c); break;
        }
    }
}

void append_piece(std::string& out, std::string_view text) {
    Line line(out);
    encode(line, text);
    if (!line.empty()) line.soft_break();
}

}

void append_literal(std::string& out, std::string_view text) { append_piece(out, text); }

void append_slot(std::string& out, std::string_view value) { append_piece(out, value); }

void append_text(std::string& out, std::string_view text) {
    Line line(out);
    encode(line, text);
    line.leave();
}

}
