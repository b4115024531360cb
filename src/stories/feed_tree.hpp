#pragma once

#include "stories/feed_repair.hpp"

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

// The elements of a feed, one item at a time, so that a feed of any length takes the memory of its longest item.
//
// In:   repaired XML, its words apart (feed_repair.hpp).
// Out:  the children of <channel>, <feed>, <rss> and <rdf:RDF>, each as a small tree, in document order. Names are in
//       lower case, namespaces reduced to the vocabularies that we read.
// Always: libxml2 runs in recovery without network, without entities, on text that has no DOCTYPE.

namespace postrider::stories {

enum class Vocabulary {
    rss, // and everything without a namespace, or with one that belongs to nobody
    atom,
    atom_03,
    dublin_core,
    dublin_core_terms,
    content,
    media,
    itunes,
    syndication,
    feedburner,
    xhtml,
    other,
};

struct Element {
    struct Attribute {
        std::string name; // without prefix, as written
        std::string value;
    };

    std::string name; // without prefix, lower case; empty: a piece of text
    Vocabulary vocabulary = Vocabulary::rss;
    std::vector<Attribute> attributes; // but for xml:base and xml:lang
    std::string text;
    std::string base;      // xml:base in force, resolved; the address of the feed where there is none
    std::string language;  // xml:lang in force
    bool own_base = false; // base comes from an xml:base
    std::vector<std::unique_ptr<Element>> children;

    [[nodiscard]] bool is(Vocabulary, std::string_view name) const;
    [[nodiscard]] std::string_view attribute(std::string_view name) const; // empty: not there
    [[nodiscard]] const Element* child(std::string_view name) const;       // the first, of any vocabulary
    [[nodiscard]] bool has_elements() const;
    [[nodiscard]] std::string all_text() const; // of all descendants
    [[nodiscard]] std::string markup() const;   // what is inside, as HTML
};

struct Root {
    std::string name;  // as written
    std::string lower; // without prefix, in lower case
    bool is_feed = false;
};

// `container` is the element the child stands in: attributes, base and language, no children.
using OnChild = std::function<void(const Element& child, const Element& container)>;
using OnContainer = std::function<void(const Element& container)>;

// Calls back for each container when it begins, and for each child of one when it is complete. Stops at a root that
// is no container.
[[nodiscard]] Root read_elements(const Repaired&, std::string_view base_url, const OnContainer&, const OnChild&);

}
