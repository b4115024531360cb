#include "web/wording.hpp"

#include "http/form.hpp"
#include "mail/utf8.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postrider::web {
namespace {

// "q=0.8" -> 800; 0 for what is none.
int weight_in(std::string_view parameter) {
    auto text = http::trimmed(parameter);
    if (!text.starts_with("q=") && !text.starts_with("Q=")) return 1000;
    text.remove_prefix(2);
    if (text.starts_with('1')) return 1000;
    if (!text.starts_with("0.")) return 0;
    int weight = 0;
    for (std::size_t i = 2; i < 5; ++i) {
        int digit = i < text.size() && text[i] >= '0' && text[i] <= '9' ? text[i] - '0' : 0;
        weight = 10 * weight + digit;
    }
    return weight;
}

}

std::string masked(std::string_view address) {
    auto at = address.rfind('@');
    if (at == address.npos || at == 0) return {};
    auto local = address.substr(0, at);
    std::size_t first = 0, last = 0, count = 0;
    for (std::size_t i = 0; i < local.size(); ++count) {
        last = i;
        (void)mail::next_code_point(local, i);
        if (count == 0) first = i;
    }
    // Of a short name the last letter would be half of it.
    auto end = count > 3 ? local.substr(last) : std::string_view();
    return fmt::format("{}***{}{}", local.substr(0, first), end, address.substr(at));
}

std::string expiry_in_words(const templates::Words& words, Duration length) {
    struct Unit {
        Duration size;
        std::string_view key;
    };
    constexpr std::array units = {Unit{24h, "confirm_days"}, Unit{1h, "confirm_hours"}, Unit{1min, "confirm_minutes"}};
    for (auto& unit : units)
        if (length >= 2 * unit.size) return words.text(unit.key, {{"count", std::int64_t(length / unit.size)}});
    return words.text("confirm_minutes", {{"count", 1}});
}

std::vector<std::string> languages_in(std::string_view accept_language) {
    constexpr std::size_t most = 10, longest = 1000;
    struct Wish {
        std::string tag;
        int weight; // thousandths
    };
    std::vector<Wish> wishes;
    auto rest = accept_language.substr(0, longest);
    while (!rest.empty() && wishes.size() < most) {
        auto end = rest.find(',');
        auto item = rest.substr(0, end);
        rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
        auto semicolon = item.find(';');
        auto tag = http::trimmed(item.substr(0, semicolon));
        if (tag.empty() || tag == "*") continue;
        int weight = semicolon == item.npos ? 1000 : weight_in(item.substr(semicolon + 1));
        if (weight > 0) wishes.push_back({std::string(tag), weight});
    }
    std::ranges::stable_sort(wishes, std::ranges::greater(), &Wish::weight);
    std::vector<std::string> tags;
    for (auto& wish : wishes) tags.push_back(std::move(wish.tag));
    return tags;
}

}
