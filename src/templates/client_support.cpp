#include "templates/client_support.hpp"

#include "system/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace postrider::templates {
namespace {

using Kind = Unsupported::Kind;

constexpr std::string_view gmail_outlook_yahoo = "Gmail, Outlook, Yahoo", gmail_outlook = "Gmail, Outlook",
                           outlook_yahoo = "Outlook, Yahoo", outlook = "Outlook", gmail_yahoo = "Gmail, Yahoo";
constexpr std::string_view table = "lay it out with a table", sides = "write left or right, and swap them by dir",
                           number = "write a number", pixels = "write px or %", colour = "write a plain colour",
                           fallback = "write a plain colour before it", leave_out = "leave it out",
                           picture = "link a picture to it", img = "write img";

constexpr Unsupported things[] = {
    {Kind::value, "display:flex", outlook, table, "css-display-flex"},
    {Kind::value, "display:inline-flex", outlook, table, "css-display-flex"},
    {Kind::value, "display:grid", outlook, table, "css-display-grid"},
    {Kind::value, "display:inline-grid", outlook, table, "css-display-grid"},
    {Kind::property, "flex-direction", gmail_outlook_yahoo, table, "css-flex-direction"},
    {Kind::property, "align-items", gmail_outlook_yahoo, table, "css-align-items"},
    {Kind::property, "justify-content", gmail_outlook_yahoo, table, "css-justify-content"},
    {Kind::property, "gap", outlook_yahoo, "write padding", "css-gap"},
    {Kind::property, "grid-template", gmail_outlook_yahoo, table, "css-grid-template"},
    {Kind::property, "grid-template-columns", gmail_outlook_yahoo, table, "css-grid-template"},
    {Kind::property, "column-count", outlook_yahoo, table, "css-column-count"},
    {Kind::property, "columns", outlook_yahoo, table, "css-column-count"},
    {Kind::property, "float", outlook, "write align on a table", "css-float"},
    {Kind::property, "position", gmail_outlook, table, "css-position"},
    {Kind::property, "inset", gmail_outlook_yahoo, table, "css-inset"},
    {Kind::property, "z-index", gmail_outlook, table, "css-z-index"},
    {Kind::property, "transform", gmail_outlook_yahoo, leave_out, "css-transform"},
    {Kind::property, "animation", gmail_outlook_yahoo, leave_out, "css-animation"},
    {Kind::property, "clip-path", gmail_outlook_yahoo, leave_out, "css-clip-path"},
    {Kind::property, "filter", gmail_outlook_yahoo, leave_out, "css-filter"},
    {Kind::property, "mix-blend-mode", outlook_yahoo, leave_out, "css-mix-blend-mode"},
    {Kind::property, "mask-image", gmail_outlook_yahoo, leave_out, "css-mask-image"},
    {Kind::property, "shape-outside", gmail_outlook_yahoo, leave_out, "css-shape-outside"},
    {Kind::property, "aspect-ratio", gmail_outlook_yahoo, "write width and height", "css-aspect-ratio"},
    {Kind::property, "visibility", gmail_outlook, "write display:none", "css-visibility"},
    {Kind::property, "background-image", outlook, "write background-color too", "css-background-image"},
    {Kind::property, "writing-mode", outlook_yahoo, leave_out, "css-writing-mode"},
    {Kind::property, "inline-size", "Gmail, Outlook, Apple Mail, Yahoo", "write width", "css-inline-size"},
    {Kind::property, "margin-inline", gmail_outlook_yahoo, sides, "css-margin-inline-block"},
    {Kind::property, "margin-block", gmail_outlook_yahoo, "write margin-top or margin-bottom",
     "css-margin-inline-block"},
    {Kind::property, "margin-inline-start", gmail_outlook_yahoo, sides, "css-margin-inline-start-end"},
    {Kind::property, "margin-inline-end", gmail_outlook_yahoo, sides, "css-margin-inline-start-end"},
    {Kind::property, "padding-inline", gmail_outlook_yahoo, sides, "css-padding-inline-block"},
    {Kind::property, "padding-block", gmail_outlook_yahoo, "write padding-top or padding-bottom",
     "css-padding-inline-block"},
    {Kind::property, "padding-inline-start", gmail_outlook_yahoo, sides, "css-padding-inline-start-end"},
    {Kind::property, "padding-inline-end", gmail_outlook_yahoo, sides, "css-padding-inline-start-end"},
    {Kind::function, "var", gmail_outlook_yahoo, "write the value itself", "css-variables"},
    {Kind::function, "calc", outlook_yahoo, number, "css-unit-calc"},
    {Kind::function, "min", outlook_yahoo, number, "css-function-min"},
    {Kind::function, "max", outlook_yahoo, number, "css-function-max"},
    {Kind::function, "clamp", outlook_yahoo, number, "css-function-clamp"},
    {Kind::function, "light-dark", gmail_outlook_yahoo, "write @media (prefers-color-scheme:dark)",
     "css-function-light-dark"},
    {Kind::function, "linear-gradient", outlook_yahoo, fallback, "css-linear-gradient"},
    {Kind::function, "radial-gradient", outlook_yahoo, fallback, "css-radial-gradient"},
    {Kind::function, "conic-gradient", gmail_outlook_yahoo, fallback, "css-conic-gradient"},
    {Kind::function, "rgba", outlook, colour, "css-rgba"},
    {Kind::function, "oklch", gmail_outlook_yahoo, colour, "css-modern-color"},
    {Kind::function, "lab", gmail_outlook_yahoo, colour, "css-modern-color"},
    {Kind::unit, "rem", outlook_yahoo, pixels, "css-unit-rem"},
    {Kind::unit, "vw", outlook, pixels, "css-unit-vw"},
    {Kind::unit, "vh", outlook, pixels, "css-unit-vh"},
    {Kind::at_rule, "import", gmail_yahoo, "write the rules here", "css-at-import"},
    {Kind::at_rule, "font-face", gmail_yahoo, "name a font that everybody has", "css-at-font-face"},
    {Kind::pseudo, ":has", gmail_outlook_yahoo, "give it a class", "css-pseudo-class-has"},
    {Kind::pseudo, ":not", gmail_outlook_yahoo, "give it a class", "css-pseudo-class-not"},
    {Kind::pseudo, ":before", gmail_outlook_yahoo, "write it into the text", "css-pseudo-element-before"},
    {Kind::pseudo, ":after", gmail_outlook_yahoo, "write it into the text", "css-pseudo-element-after"},
    {Kind::element, "svg", gmail_outlook_yahoo, "use a PNG", "html-svg"},
    {Kind::element, "video", gmail_outlook_yahoo, picture, "html-video"},
    {Kind::element, "audio", gmail_outlook_yahoo, picture, "html-audio"},
    {Kind::element, "picture", gmail_outlook_yahoo, img, "html-picture"},
    {Kind::element, "dialog", gmail_outlook_yahoo, leave_out, "html-dialog"},
    {Kind::element, "progress", gmail_outlook_yahoo, leave_out, "html-progress"},
    {Kind::element, "meter", gmail_outlook_yahoo, leave_out, "html-meter"},
    {Kind::element, "link", gmail_yahoo, "write its rules into a style block", "html-link"},
    {Kind::attribute, "srcset", gmail_outlook_yahoo, "write src", "html-srcset"},
    {Kind::attribute, "popover", gmail_outlook_yahoo, leave_out, "html-popover"},
};

bool is_word(char c) {
    return (system::lower(c) >= 'a' && system::lower(c) <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

bool calls(std::string_view value, std::string_view function) {
    for (auto at = value.find(function); at != value.npos; at = value.find(function, at + 1)) {
        bool begins = at == 0 || !is_word(value[at - 1]);
        if (begins && value.substr(at + function.size()).starts_with('(')) return true;
    }
    return false;
}

bool measures_in(std::string_view value, std::string_view unit) {
    for (auto at = value.find(unit); at != value.npos; at = value.find(unit, at + 1)) {
        auto end = at + unit.size();
        bool digit = at > 0 && value[at - 1] >= '0' && value[at - 1] <= '9';
        if (digit && (end == value.size() || !is_word(value[end]))) return true;
    }
    return false;
}

bool touches(const css::Declaration& declaration, std::string_view value, const Unsupported& thing) {
    switch (thing.kind) {
    case Kind::property: return declaration.property == thing.name && value != "none" && value != "static";
    case Kind::value:
        return thing.name.starts_with(declaration.property) &&
               thing.name.substr(declaration.property.size()).starts_with(':') &&
               thing.name.substr(declaration.property.size() + 1) == value;
    case Kind::function: return calls(value, thing.name);
    case Kind::unit: return measures_in(value, thing.name);
    default: return false;
    }
}

}

std::span<const Unsupported> unsupported_things() { return things; }

std::vector<Touched> unsupported_in(std::span<const css::Declaration> declarations) {
    std::vector<Touched> found;
    for (std::size_t i = 0; i < declarations.size(); ++i) {
        auto& one = declarations[i];
        std::string_view base = one.property;
        if (base.ends_with("-image")) base.remove_suffix(6);
        auto same = [&](auto& other) {
            return other.property == one.property || other.property == base ||
                   other.property == std::string(base) + "-color";
        };
        if (std::ranges::any_of(declarations.first(i), same)) continue;
        auto value = system::lower(one.value);
        for (auto& thing : things)
            if (touches(one, value, thing)) found.push_back({&thing, one.begin});
    }
    return found;
}

const Unsupported* unsupported(Kind kind, std::string_view name) {
    auto found = std::ranges::find_if(things, [&](auto& one) { return one.kind == kind && one.name == name; });
    return found == std::end(things) ? nullptr : found;
}

const Unsupported* unsupported_in_selector(std::string_view selector) {
    for (auto& thing : things) {
        if (thing.kind != Kind::pseudo) continue;
        auto at = selector.find(thing.name);
        if (at == selector.npos) continue;
        auto behind = selector.substr(at + thing.name.size());
        if (behind.empty() || !is_word(behind.front())) return &thing;
    }
    return nullptr;
}

std::string in_words(const Unsupported& thing) {
    std::string name(thing.name);
    switch (thing.kind) {
    case Kind::function: name += "()"; break;
    case Kind::unit: name = "the unit " + name; break;
    case Kind::at_rule: name = "@" + name; break;
    case Kind::element: name = "<" + name + ">"; break;
    case Kind::attribute: name = "the attribute " + name; break;
    default: break;
    }
    return fmt::format("{} is not known to {}: {}", name, thing.lacking, thing.instead);
}

}
