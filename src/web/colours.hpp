#pragma once

#include <string>
#include <string_view>

// A mail's HTML as it looks in the light or in the dark, whatever the screen it is shown on is set to. Pure.
//
// In:     any HTML. Out: the same, with its questions about prefers-color-scheme answered and its color-scheme fixed.
// Always: linear time; nothing but media queries in style blocks changes, and one style block is added.

namespace postrider::web {

enum class Colours { light, dark };

[[nodiscard]] std::string in_colours(std::string_view html, Colours);

}
