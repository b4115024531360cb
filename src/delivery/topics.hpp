#pragma once

#include "templates/program.hpp"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Which stories of a message a reader gets, where the list has topics to choose among.
//
// In:     the list's topics, the topic of each story, and what one reader chose.
// Out:    the values of the slots that stand for it: whether a story is shown, and what it is among those that are.
// Always: pure. Who chose nothing, or only topics that the list no longer has, or all of them, gets every story. A
//         story without a topic is for those alone. Without topics there is no slot and no work for a reader.

namespace postrider::delivery {

struct Topics {
    std::vector<std::string> names; // in the list's order, each once; empty: there is nothing to choose
    std::vector<int> stories;       // of each story, in order: its place in names, or -1
};

// A slot of this kind, "shown.3".
struct TopicSlot {
    enum class What : std::uint8_t {
        shown,  // not empty where the reader gets the stories of topic `number`; -1: those without a topic
        first,  // not empty where story `number` is the first that the reader gets
        last,   // not empty where it is the last
        rest,   // not empty where the reader gets it, and not as the first
        place,  // which one it is of those that the reader gets, from 1
        count,  // how many those are, of `number`
        others, // how many those are beside the first, of `number`; none is empty
        more    // `number`, the stories left for the next issue, of whatever topics: empty for who chose some
    };
    What what;
    int number;

    [[nodiscard]] std::string name() const;
    [[nodiscard]] static std::optional<TopicSlot> named(std::string_view name);
};

// True when no story of the message is for a reader who chose this.
[[nodiscard]] bool leaves_nothing(const Topics&, std::string_view chosen);

// One reader's share of the stories; meant to be used for one reader after another.
class Share {
public:
    // `chosen` as subscribers::Reader::topics has it.
    void become(const Topics&, std::string_view chosen);
    // Before become(): as of who gets everything.
    void write(TopicSlot, std::string& value) const;

private:
    [[nodiscard]] bool gets(int topic) const { return all_ || (topic >= 0 && wanted_[std::size_t(topic)]); }

    bool all_ = true;
    std::vector<char> wanted_; // by topic
    const Topics* topics_ = nullptr;
    int first_ = 0, last_ = 0, count_ = 0; // where not all_: of the stories that the reader gets
};

// As somebody sees it who is no reader in particular: every story, and nothing personal.
[[nodiscard]] std::string for_nobody(const templates::Program&);

}
