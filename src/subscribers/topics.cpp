#include "subscribers/topics.hpp"

#include "mail/utf8.hpp"
#include "system/trimmed.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace postrider::subscribers {
namespace {

std::string folded(std::string_view text) { return mail::case_folded(mail::valid_utf8(system::trimmed(text))); }

}

std::string chosen_topics(std::span<const std::string> wanted, std::span<const std::string> offered) {
    std::vector<std::string> keys, names;
    for (auto& name : wanted) keys.push_back(folded(name));
    for (auto& name : offered)
        if (std::ranges::find(keys, folded(name)) != keys.end()) names.push_back(name);
    return fmt::format("{}", fmt::join(names, "\n"));
}

std::string topics_from_text(std::string_view text, std::span<const std::string> offered,
                             std::vector<std::string>& unknown) {
    std::vector<std::string> wanted;
    while (!text.empty()) {
        auto name = text.substr(0, text.find(';'));
        text.remove_prefix(name.size() + (name.size() < text.size() ? 1 : 0));
        auto key = folded(name);
        if (key.empty()) continue;
        wanted.emplace_back(name);
        auto same = [&](const std::string& one) { return folded(one) == key; };
        if (std::ranges::none_of(offered, same)) unknown.emplace_back(mail::valid_utf8(name));
    }
    return chosen_topics(wanted, offered);
}

std::string topics_as_text(std::string_view stored) { return fmt::format("{}", fmt::join(topics_in(stored), "; ")); }

std::vector<std::string> topics_in(std::string_view stored) {
    std::vector<std::string> names;
    each_topic(stored, [&](std::string_view name) { names.emplace_back(name); });
    return names;
}

}
