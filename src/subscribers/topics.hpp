#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

// Which of a list's topics a reader wants.
//
// Always: stored as their names, one a line; empty means all of them. Names outlive the topics themselves, so a topic
//         that comes back finds its readers again.

namespace postrider::subscribers {

// What was asked for among what the list offers, in the list's order; letter case does not count, and what is not
// offered is left out.
[[nodiscard]] std::string chosen_topics(std::span<const std::string> wanted, std::span<const std::string> offered);

// "World; Sport", as an import has it. The names that the list does not offer go into `unknown`.
[[nodiscard]] std::string topics_from_text(std::string_view text, std::span<const std::string> offered,
                                           std::vector<std::string>& unknown);
[[nodiscard]] std::string topics_as_text(std::string_view stored);

[[nodiscard]] std::vector<std::string> topics_in(std::string_view stored);

template <class Visit>
void each_topic(std::string_view stored, const Visit& visit) {
    while (!stored.empty()) {
        auto name = stored.substr(0, stored.find('\n'));
        visit(name);
        stored.remove_prefix(name.size() + (name.size() < stored.size() ? 1 : 0));
    }
}

}
