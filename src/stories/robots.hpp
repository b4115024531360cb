#pragma once

#include "system/time.hpp"

#include <string>
#include <string_view>
#include <vector>

// What a site's robots.txt says of reading its article pages (RFC 9309). Feeds are not asked about: those an operator
// names himself.
//
// In:   the text of the file, our product's name, the path of a page with its query.
// Out:  whether it may be read, and how long to wait between two pages. Pure, the file is read once; the longest rule decides, of two equal ones the one that allows; * and $ count.
// Always: at most the first 500 KB are looked at, as the RFC has it (section 2.5), and 2,000 rules.

namespace postrider::stories {

class RobotsRules {
public:
    RobotsRules(std::string_view text, std::string_view product);
    [[nodiscard]] bool allow(std::string_view path) const;
    // Crawl-delay: no part of the RFC, but what many sites write. Nothing asked: 0; more than the longest: the longest.
    [[nodiscard]] Duration pause() const { return pause_; }
    static constexpr Duration longest_pause = 30s;

private:
    struct Rule {
        bool allow;
        std::string pattern;
    };
    class File;

    std::vector<Rule> rules_; // of our group, else of everybody's
    Duration pause_{};
};

}
