#include "delivery/topics.hpp"

#include "subscribers/topics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace postrider::delivery {
namespace {

constexpr std::array<std::string_view, 8> kinds = {"shown", "first", "last",   "rest",
                                                   "place", "count", "others", "more"};

// Sets `wanted` for each topic; true when that makes no difference to the reader.
bool wants_everything(const Topics& topics, std::string_view chosen, std::vector<char>& wanted) {
    if (chosen.empty() || topics.names.empty()) return true;
    wanted.assign(topics.names.size(), 0);
    std::size_t found = 0;
    subscribers::each_topic(chosen, [&](std::string_view name) {
        auto known = std::ranges::find(topics.names, name);
        if (known == topics.names.end()) return;
        auto& mark = wanted[std::size_t(known - topics.names.begin())];
        if (!std::exchange(mark, 1)) ++found;
    });
    return found == 0 || found == topics.names.size();
}

}

std::string TopicSlot::name() const { return fmt::format("{}.{}", kinds[std::size_t(what)], number); }

std::optional<TopicSlot> TopicSlot::named(std::string_view name) {
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        if (!name.starts_with(kinds[i]) || name.substr(kinds[i].size()).substr(0, 1) != ".") continue;
        auto digits = name.substr(kinds[i].size() + 1);
        int number = 0;
        auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
        if (error == std::errc() && end == digits.data() + digits.size()) return TopicSlot{What(i), number};
    }
    return std::nullopt;
}

bool leaves_nothing(const Topics& topics, std::string_view chosen) {
    if (chosen.empty()) return false;
    std::vector<char> wanted;
    if (wants_everything(topics, chosen, wanted)) return false;
    return std::ranges::none_of(topics.stories, [&](int topic) { return topic >= 0 && wanted[std::size_t(topic)]; });
}

void Share::become(const Topics& topics, std::string_view chosen) {
    topics_ = &topics;
    all_ = wants_everything(topics, chosen, wanted_);
    if (all_) return;
    first_ = last_ = -1;
    count_ = 0;
    for (std::size_t i = 0; i < topics.stories.size(); ++i) {
        if (!gets(topics.stories[i])) continue;
        if (first_ < 0) first_ = int(i);
        last_ = int(i);
        ++count_;
    }
}

void Share::write(TopicSlot slot, std::string& value) const {
    using What = TopicSlot::What;
    auto yes_if = [&](bool yes) { value = yes ? "1" : ""; };
    auto write_unless_none = [&](int count) { value = count > 0 ? std::to_string(count) : ""; };
    switch (slot.what) {
    case What::shown: return yes_if(gets(slot.number));
    case What::first: return yes_if(all_ ? slot.number == 0 : slot.number == first_);
    case What::last: return yes_if(!all_ && slot.number == last_); // the last of all stories has no such slot
    case What::rest:
        return yes_if(all_ ? slot.number > 0
                           : slot.number != first_ && gets(topics_->stories[std::size_t(slot.number)]));
    case What::place: {
        auto before = all_ ? slot.number
                           : std::ranges::count_if(topics_->stories.begin(), topics_->stories.begin() + slot.number,
                                                   [&](int topic) { return gets(topic); });
        value = std::to_string(before + 1);
        return;
    }
    case What::count: value = std::to_string(all_ ? slot.number : count_); return;
    case What::others: return write_unless_none(all_ ? slot.number : count_ - 1);
    case What::more: return write_unless_none(all_ ? slot.number : 0);
    }
}

std::string for_nobody(const templates::Program& program) {
    std::vector<std::string> values;
    for (auto& name : program.slots())
        if (auto slot = TopicSlot::named(name))
            Share().write(*slot, values.emplace_back());
        else
            values.emplace_back();
    std::vector<std::string_view> views(values.begin(), values.end());
    std::string out;
    program.fill(out, views);
    return out;
}

}
