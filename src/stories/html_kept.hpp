#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

// Words that an HTML5 tree builder need not read. It goes through every character several times, and most of a page is
// running text and values of attributes, which say nothing about the shape of the tree: a place holder goes through the
// builder instead of them, and the finished tree has them back.
//
// In:     pieces of one source, which is valid UTF-8 (clean_utf8).
// Always: what holds a reference (&amp;) or a carriage return is written out, since the builder decodes these. No source
//         can name a place: the character that begins one is never written out, and references to it are dropped.

namespace postrider::stories {

// Of a value as written, its references untouched.
void append_attribute(std::string_view name, std::string_view value, std::string& markup);

class KeptWords {
public:
    using Attribute = std::pair<std::string_view, std::string_view>; // the name must outlive this

    explicit KeptWords(std::string source) : source_(std::move(source)) {}
    [[nodiscard]] std::string_view source() const { return source_; }
    [[nodiscard]] std::size_t saved() const { return saved_; } // bytes that the markup is shorter for it

    // Both arguments' views are of source().
    void write_text(std::string_view, std::string& markup);
    void write_attributes(const std::vector<Attribute>&, std::string& markup);

    // A piece of text has each of its places filled once: they cannot be multiplied.
    [[nodiscard]] std::string filled(std::string_view text);
    // The attributes behind the one that write_attributes has written, if it is that one.
    [[nodiscard]] static bool is_place(std::string_view attribute_name);
    [[nodiscard]] std::vector<Attribute> attributes_at(std::string_view place) const;

private:
    struct Piece {
        std::size_t begin;
        std::size_t length;
    };
    struct NamedPiece {
        std::string_view name;
        Piece value;
    };
    struct Range {
        std::size_t begin;
        std::size_t end;
    };

    [[nodiscard]] Piece piece_of(std::string_view) const;
    void write_run(std::string_view, std::string& markup);
    void write_space(std::string_view, std::string& markup);
    void fill_words(std::string_view& text, std::string& out);
    static void fill_space(std::string_view& text, std::string& out);

    std::string source_;
    std::vector<Piece> texts_;
    std::vector<NamedPiece> values_;
    std::vector<Range> elements_; // in values_
    std::size_t saved_ = 0;
};

}
