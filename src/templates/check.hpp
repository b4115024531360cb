#pragma once

#include "templates/mustache.hpp"

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// What can be known of a template before there is data: whether its names exist and whether the law's footer is there.
//
// In:     a template and the names that it may use.
// Out:    faults with their places, partials included, sorted and each once. None: the template is fit.
// Always: aware of sections: inside {{#stories}} the names of a story are known, and those around it.

namespace postrider::templates {

class Vocabulary {
public:
    struct Node {
        bool list = false;
        bool open = false; // any name below it is known
        std::map<std::string, Node, std::less<>> names;
    };

    // "issue.number", "stories[].image.url", "topics[].stories[].title"; "subscriber.*" makes subscriber open.
    explicit Vocabulary(std::span<const std::string_view> names);
    [[nodiscard]] Vocabulary with(std::span<const std::string_view> more) const;
    [[nodiscard]] const Node& root() const { return root_; }

private:
    Node root_;
};

[[nodiscard]] const Vocabulary& mail_vocabulary(); // of digest.html, digest.txt, subject

// Names that nothing will ever have, each with the nearest one that is known there.
[[nodiscard]] std::vector<Fault> unknown_names(const Template&, const Vocabulary&);

// {{words.KEY}} and {{sentence.KEY}} of pages and letters, whose other names are not known here.
[[nodiscard]] std::vector<Fault> unknown_words(const Template&);

// Whether it shows a member of this name, of whatever: {{html}}, {{{lead.html}}}. Its partials count.
[[nodiscard]] bool names(const Template&, std::string_view member);

// {{>partial}} where there is none: plain Mustache renders nothing, which an operator does not want.
[[nodiscard]] std::vector<Fault> missing_partials(const Template&);

// Every part of a mail must show unsubscribe_url and site.postal_address (CAN-SPAM, 15 USC 7704(a)(5)), and not only on
// a condition.
[[nodiscard]] std::vector<Fault> missing_footer(const Template&);

}
