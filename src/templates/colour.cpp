#include "templates/colour.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace postrider::templates {
namespace {

// Hue in sixths of the circle, saturation and lightness from 0 to 1.
struct Hsl {
    double hue = 0, saturation = 0, lightness = 0;
};

Hsl hsl_of(Colour colour) {
    const double red = colour.red / 255.0, green = colour.green / 255.0, blue = colour.blue / 255.0;
    const double most = std::max({red, green, blue}), least = std::min({red, green, blue});
    const double range = most - least;
    Hsl hsl{0, 0, (most + least) / 2};
    if (range == 0) return hsl;
    hsl.saturation = range / (1 - std::abs(2 * hsl.lightness - 1));
    if (most == red)
        hsl.hue = std::fmod((green - blue) / range + 6, 6);
    else if (most == green)
        hsl.hue = (blue - red) / range + 2;
    else
        hsl.hue = (red - green) / range + 4;
    return hsl;
}

Colour colour_of(const Hsl& hsl) {
    const double chroma = (1 - std::abs(2 * hsl.lightness - 1)) * hsl.saturation;
    auto channel = [&](double turned) { // how far the hue is from this primary, round the circle
        const double away = std::abs(std::fmod(hsl.hue + turned, 6) - 3) - 1;
        const double share = std::clamp(away, 0.0, 1.0);
        return std::uint8_t(std::lround(255 * (hsl.lightness + chroma * (share - 0.5))));
    };
    return {channel(0), channel(4), channel(2)};
}

double luminance(Colour colour) {
    auto linear = [](std::uint8_t channel) {
        const double value = channel / 255.0;
        return value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(colour.red) + 0.7152 * linear(colour.green) + 0.0722 * linear(colour.blue);
}

}

std::optional<Colour> parse_colour(std::string_view text) {
    if (!text.starts_with('#') || (text.size() != 4 && text.size() != 7)) return std::nullopt;
    text.remove_prefix(1);
    const bool brief = text.size() == 3;
    std::uint8_t channels[3];
    for (int i = 0; i < 3; ++i) {
        const auto digits = brief ? text.substr(i, 1) : text.substr(2 * i, 2);
        auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), channels[i], 16);
        if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
        if (brief) channels[i] = std::uint8_t(channels[i] * 17);
    }
    return Colour{channels[0], channels[1], channels[2]};
}

std::string to_text(Colour colour) { return fmt::format("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue); }

double contrast(Colour one, Colour other) {
    const double a = luminance(one), b = luminance(other);
    return (std::max(a, b) + 0.05) / (std::min(a, b) + 0.05);
}

Colour nearest_that_shows(Colour colour, Colour ground, double at_least) {
    if (contrast(colour, ground) >= at_least) return colour;
    const Colour black;
    const bool darker = contrast(black, ground) >= contrast(white, ground);
    auto hsl = hsl_of(colour);
    constexpr double step = 1 / 512.0;
    while (hsl.lightness > 0 && hsl.lightness < 1) {
        hsl.lightness = std::clamp(hsl.lightness + (darker ? -step : step), 0.0, 1.0);
        if (auto found = colour_of(hsl); contrast(found, ground) >= at_least) return found;
    }
    return darker ? black : white;
}

Colour of_lightness(Colour colour, double lightness, double most_saturation) {
    auto hsl = hsl_of(colour);
    return colour_of({hsl.hue, std::min(hsl.saturation, most_saturation), lightness});
}

}
