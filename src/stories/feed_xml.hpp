#pragma once

#include "stories/feed.hpp"
#include "stories/feed_tree.hpp"

#include <string>
#include <string_view>

// RSS, RDF, Atom and CDF, read by one reader: publishers put the elements of one into the other, so what an element is
// called and which vocabulary it belongs to decides, not which kind of feed it stands in.

namespace postrider::stories {

[[nodiscard]] std::expected<Feed, FeedError> parse_xml_feed(std::string_view text, std::string_view base_url);

// One <item> or <entry>, still to be completed (feed_item.hpp); html_base receives what its links are relative to.
[[nodiscard]] FeedItem read_xml_item(const Element& item, std::string& html_base);

// The best picture that Media RSS, enclosures, iTunes and <image> offer for an item or entry.
[[nodiscard]] Image declared_image(const Element& item);

[[nodiscard]] bool is_atom(const Element&);
[[nodiscard]] bool is_core(const Element&); // of RSS or Atom proper, not of an extension

// A title, name or label, whatever its type says it is, to one line of plain text.
[[nodiscard]] std::string plain_line(const Element&);
// What the element says, as HTML: text is escaped, base64 decoded, markup written out.
[[nodiscard]] std::string html_of(const Element&);
// The address of a <link> or <atom:link>, resolved; empty when it leads elsewhere than to the page itself.
[[nodiscard]] std::string page_link(const Element& link);
// atom:author, dc:creator, author ...: the name.
[[nodiscard]] std::string person(const Element&);

}
