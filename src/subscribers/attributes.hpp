#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

// A subscriber's own values ("city": "Graz"), kept as a JSON object of strings. Templates see them as subscriber.city.

namespace postrider::subscribers {

using Attributes = std::map<std::string, std::string, std::less<>>;

// The values must be valid UTF-8; control characters in them become spaces, and every line end a LF. Pairs without a value are left out; names must not repeat.
[[nodiscard]] std::string attributes_json(std::span<const std::pair<std::string_view, std::string_view>>);
[[nodiscard]] std::string attributes_json(const Attributes&);
// What is not a string is given as its JSON text; text that is not an object gives no attributes.
[[nodiscard]] Attributes parse_attributes(std::string_view json);

}
