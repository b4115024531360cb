#pragma once

#include <cstddef>
#include <string>
#include <string_view>

// What all kinds of feeds need to know about text: entities, titles with markup, links within HTML, limits.

namespace postrider::stories {

// 0: there is none of that name. "amp" -> '&'. Names are told apart by case.
[[nodiscard]] char32_t entity(std::string_view name);

// The reference that text begins with, "&eacute;" or "&#233;" or "&#xE9;": its length and its character (a C1 control
// read as windows-1252 means it, as browsers do). length 0: it is a bare ampersand.
struct Reference {
    std::size_t length = 0;
    char32_t code = 0;
};
[[nodiscard]] Reference reference_at(std::string_view text);
void append_utf8(std::string& out, char32_t code);

// A title to one line of plain text. Tags are dropped only when there is HTML for certain (a closing tag, a <br>, an
// <img>), and only those of HTML: "std::vector<int>" and "a < b" stay. Entities are decoded once.
[[nodiscard]] std::string title_from_html(std::string_view);

// Links and pictures that are relative become absolute. Nothing else changes, but what is behind so many bytes may be
// left out. A base longer than 500 bytes is not used.
[[nodiscard]] std::string with_absolute_links(std::string_view html, std::string_view base, std::size_t bytes);

// The first <img> that is to be seen: its attributes, entities decoded. False: there is none.
struct FoundImage {
    std::string url, alt, width, height;
};
[[nodiscard]] bool first_image(std::string_view html, FoundImage& found);

// At most that many bytes, never half a character.
[[nodiscard]] std::string_view shortened(std::string_view text, std::size_t bytes);

}
