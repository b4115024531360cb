#include "templates/colour.hpp"

#include "system/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
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

constexpr std::pair<std::string_view, Colour> names[] = {
    {"white", {255, 255, 255}},     {"black", {0, 0, 0}},          {"gray", {128, 128, 128}},
    {"grey", {128, 128, 128}},      {"silver", {192, 192, 192}},   {"red", {255, 0, 0}},
    {"maroon", {128, 0, 0}},        {"yellow", {255, 255, 0}},     {"olive", {128, 128, 0}},
    {"lime", {0, 255, 0}},          {"green", {0, 128, 0}},        {"aqua", {0, 255, 255}},
    {"teal", {0, 128, 128}},        {"blue", {0, 0, 255}},         {"navy", {0, 0, 128}},
    {"fuchsia", {255, 0, 255}},     {"purple", {128, 0, 128}},     {"orange", {255, 165, 0}},
    {"darkgray", {169, 169, 169}},  {"darkgrey", {169, 169, 169}}, {"lightgray", {211, 211, 211}},
    {"lightgrey", {211, 211, 211}}, {"dimgray", {105, 105, 105}},  {"dimgrey", {105, 105, 105}},
    {"whitesmoke", {245, 245, 245}}};

std::optional<Colour> from_numbers(std::string_view text) {
    std::array<int, 3> parts{};
    for (std::size_t i = 0; i < parts.size(); ++i) {
        while (text.starts_with(' ') || text.starts_with(',')) text.remove_prefix(1);
        auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), parts[i]);
        if (error != std::errc() || parts[i] < 0 || parts[i] > 255) return std::nullopt;
        text.remove_prefix(std::size_t(end - text.data()));
    }
    if (text.find_first_not_of(" )") != text.npos) return std::nullopt;
    return Colour{std::uint8_t(parts[0]), std::uint8_t(parts[1]), std::uint8_t(parts[2])};
}

std::optional<Colour> colour_named(std::string_view text) {
    auto word = system::lower(text);
    if (word.starts_with("rgb(")) return from_numbers(std::string_view(word).substr(4));
    auto known = std::ranges::find(names, word, [](auto& one) { return one.first; });
    return known == std::end(names) ? parse_colour(word) : std::optional(known->second);
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

std::optional<Colour> colour_in(std::string_view value) {
    while (!value.empty()) {
        auto open = value.find('('), blank = value.find(' ');
        auto end = open < blank ? value.find(')', open) : blank;
        auto word = value.substr(0, end == value.npos || open >= blank ? end : end + 1);
        if (auto colour = colour_named(word)) return colour;
        value.remove_prefix(std::min(word.size() + 1, value.size()));
    }
    return std::nullopt;
}

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
