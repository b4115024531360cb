#pragma once

#include "http/message.hpp"

#include <cstddef>
#include <string>
#include <unordered_map>

// Answers that are the same for every visitor who asks in the same way, kept for a moment: under an article that many
// read at once, the form is made once and not for each of them.
//
// Always: forget() is called several times a second, so that what an operator changes shows at once. Bounded: what has
//         no room is made anew. Belongs to the loop.

namespace postrider::daemon {

class KeptAnswers {
public:
    // What tells two questions apart; empty: the answer is for this visitor alone.
    [[nodiscard]] static std::string key_of(const http::Request&);

    [[nodiscard]] const http::Response* find(const std::string& key) const;
    void keep(const std::string& key, const http::Response&); // what is no 200 is not kept
    void forget() {
        answers_.clear();
        bytes_ = 0;
    }

private:
    std::unordered_map<std::string, http::Response> answers_;
    std::size_t bytes_ = 0;
};

}
