#include "digest/prose.hpp"

#include "mail/utf8.hpp"
#include "stories/html.hpp"

#include <unicode/brkiter.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utext.h>

#include <algorithm>
#include <memory>
#include <vector>

namespace postrider::digest {
namespace {

constexpr std::size_t shortest_sentence = 25; // code points
constexpr std::size_t looked_at = 4000;       // bytes of a text whose first sentence is asked for

std::size_t columns_of(std::string_view text) {
    std::size_t columns = 0;
    for (std::size_t at = 0; at < text.size();) {
        if (static_cast<unsigned char>(text[at]) < 0x80) {
            ++columns;
            ++at;
            continue;
        }
        const auto c = UChar32(mail::next_code_point(text, at));
        const auto type = u_charType(c);
        if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_FORMAT_CHAR) continue;
        const auto width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
        columns += width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
    }
    return columns;
}

// From U+0E00 on scripts put no space between words: Thai and Khmer, then, from U+2E80, those of East Asia.
bool has_words_without_spaces(std::string_view word) {
    for (std::size_t at = 0; at < word.size();) {
        if (static_cast<unsigned char>(word[at]) < 0xE0) {
            ++at;
            continue;
        }
        const auto c = mail::next_code_point(word, at);
        if ((c >= 0x0E00 && c < 0x0F00) || (c >= 0x1780 && c < 0x1800) || (c >= 0x2E80 && c < 0xFB00)) return true;
    }
    return false;
}

// Where the pieces of a text end, in bytes.
std::vector<std::size_t> ends_of(icu::BreakIterator& breaks, std::string_view text) {
    std::vector<std::size_t> ends;
    UErrorCode status = U_ZERO_ERROR;
    UText view = UTEXT_INITIALIZER;
    utext_openUTF8(&view, text.data(), std::int64_t(text.size()), &status);
    breaks.setText(&view, status);
    if (U_SUCCESS(status))
        for (auto end = breaks.next(); end != icu::BreakIterator::DONE; end = breaks.next())
            ends.push_back(std::size_t(end));
    utext_close(&view);
    if (ends.empty()) ends.push_back(text.size());
    return ends;
}

class Wrapping {
public:
    explicit Wrapping(std::size_t columns) : most_(columns) {}

    std::string run(std::string_view text) {
        while (true) {
            const auto end = text.find('\n');
            line(text.substr(0, end));
            if (end == text.npos) return std::move(out_);
            out_ += '\n';
            text.remove_prefix(end + 1);
        }
    }

private:
    void line(std::string_view text) {
        const auto indent = std::min(text.find_first_not_of(' '), text.size());
        text.remove_prefix(indent);
        hanging_ = std::min(indent, most_ / 2);
        column_ = hanging_;
        if (!text.empty()) out_.append(hanging_, ' ');
        hanging_ += bullet_of(text);
        fresh_ = true;
        while (!text.empty()) {
            const auto end = std::min(text.find(' '), text.size());
            if (end > 0) word(text.substr(0, end));
            text.remove_prefix(std::min(end + 1, text.size()));
        }
    }

    static std::size_t bullet_of(std::string_view text) {
        if (text.starts_with("- ")) return 2;
        const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
        return digits > 0 && digits < 4 && text.substr(digits).starts_with(". ") ? digits + 2 : 0;
    }

    void word(std::string_view word) {
        if (word.find("://") == word.npos && has_words_without_spaces(word)) {
            bool space = true;
            std::size_t begin = 0;
            for (auto end : ends_of(line_breaks(), word)) {
                piece(word.substr(begin, end - begin), space);
                space = false;
                begin = end;
            }
        } else
            piece(word, true);
    }

    void piece(std::string_view piece, bool space) {
        const auto width = columns_of(piece);
        const std::size_t gap = space && !fresh_ ? 1 : 0;
        if (!fresh_ && column_ + gap + width > most_) {
            out_ += '\n';
            out_.append(hanging_, ' ');
            column_ = hanging_;
        } else {
            out_.append(gap, ' ');
            column_ += gap;
        }
        out_ += piece;
        column_ += width;
        fresh_ = false;
    }

    icu::BreakIterator& line_breaks() {
        UErrorCode status = U_ZERO_ERROR;
        if (!breaks_) breaks_.reset(icu::BreakIterator::createLineInstance(icu::Locale::getRoot(), status));
        return *breaks_;
    }

    std::size_t most_, hanging_ = 0, column_ = 0;
    bool fresh_ = true; // nothing but the indentation is on the line
    std::string out_;
    std::unique_ptr<icu::BreakIterator> breaks_;
};

}

std::string wrapped(std::string_view text, std::size_t columns) { return Wrapping(columns).run(text); }

std::string first_sentence(std::string_view text, std::string_view language, std::size_t characters) {
    text = text.substr(0, looked_at);
    UErrorCode status = U_ZERO_ERROR;
    // "ss=standard" knows that "Dr." and "U.S." end no sentence.
    auto locale = icu::Locale::forLanguageTag({language.data(), std::int32_t(language.size())}, status);
    if (U_FAILURE(status)) locale = icu::Locale::getRoot();
    status = U_ZERO_ERROR;
    locale.setUnicodeKeywordValue("ss", "standard", status);
    status = U_ZERO_ERROR;
    std::unique_ptr<icu::BreakIterator> breaks(icu::BreakIterator::createSentenceInstance(locale, status));
    if (U_FAILURE(status)) return stories::excerpt(text, characters);
    for (auto end : ends_of(*breaks, text)) {
        const auto sentence = text.substr(0, end);
        if (end < text.size() && columns_of(sentence) < shortest_sentence) continue;
        return stories::excerpt(sentence, characters);
    }
    return stories::excerpt(text, characters);
}

}
