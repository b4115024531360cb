#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Colours of mails and pages, and whether one can be read on the other.
//
// In:     colours as CSS writes them in hexadecimal.
// Out:    contrast, and the nearest colour that has enough of it.
// Always: pure; contrast as WCAG 2.1 defines it, by relative luminance (w3.org/TR/WCAG21, "contrast ratio").

namespace postrider::templates {

struct Colour {
    std::uint8_t red = 0, green = 0, blue = 0;
    friend bool operator==(Colour, Colour) = default;
};

constexpr Colour white{255, 255, 255};
constexpr double readable = 4.5; // the contrast that text needs (WCAG 2.1, 1.4.3)

// "#932" or "#993322", in any letter case.
[[nodiscard]] std::optional<Colour> parse_colour(std::string_view);
[[nodiscard]] std::string to_text(Colour); // "#993322"
// The first colour among the words of a CSS value, "#fff url(a.png)": also rgb(1,2,3) and the names that HTML gave to
// sixteen, and a few more.
[[nodiscard]] std::optional<Colour> colour_in(std::string_view value);

[[nodiscard]] double contrast(Colour, Colour); // 1 to 21

// The colour itself where it shows on the ground; else the same hue, as much darker or lighter as it takes. `at_least`
// up to 4.5 can be reached on every ground.
[[nodiscard]] Colour nearest_that_shows(Colour, Colour ground, double at_least = readable);

// The same hue on a night ground: lightness (0 to 1) as given, and no more than so much of its saturation.
[[nodiscard]] Colour of_lightness(Colour, double lightness, double most_saturation = 1);

}
