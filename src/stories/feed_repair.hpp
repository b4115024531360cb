#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

// Feeds as they are made well-formed, so that an XML parser in recovery loses nothing of them.
//
// In:   UTF-8 text that should be XML.
// Out:  one balanced element tree with plain ASCII names, attributes quoted and each once, no reference but the five
//       of XML; namespaces as declared. Empty when there is no tag at all.
// Always: no prolog, DOCTYPE, CDATA, comment or instruction is left, so that neither entities nor external files exist
//         any more. Declared entities are put in when their value is plain text, up to 1 MB in all. An end tag closes
//         what was left open inside; one that closes nothing is dropped. Elements deeper than 200 vanish, their text
//         stays. Linear time.

namespace postrider::stories {

// Most of a feed are words that a parser would only copy. Apart, each piece of text and each value of an attribute is
// decoded at once, and in its place stands no more than its number and a semicolon.
enum class Words { in_place, apart };

struct RepairedWords {
    struct Piece {
        std::size_t begin;
        std::size_t length;
    };
    std::string text; // decoded
    std::vector<Piece> pieces;
};

struct Repaired {
    std::string xml;
    RepairedWords words;  // empty unless apart
    bool cut_off;         // the text ended before the root did
    std::size_t too_deep; // elements that vanished
};
[[nodiscard]] Repaired repaired_xml(std::string_view text, Words = Words::in_place);

// The name of the first element as written ("rdf:RDF"); empty: none. Junk in front is skipped.
[[nodiscard]] std::string_view root_name(std::string_view text);

// Where the feed begins, for warnings of PHP may stand before it. 0 when nothing is in front.
[[nodiscard]] std::size_t start_of_feed(std::string_view text);

}
