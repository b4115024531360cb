#include "schedule/quote.hpp"

#include <fmt/format.h>

namespace postrider::schedule {

std::string quoted(std::string_view text) {
    constexpr std::size_t longest = 80;
    std::string result = "\"";
    for (unsigned char c : text.substr(0, longest)) {
        if (c >= 0x20 && c < 0x7f)
            result += static_cast<char>(c);
        else
            result += fmt::format("\\x{:02x}", c);
    }
    result += text.size() > longest ? "...\"" : "\"";
    return result;
}

}
