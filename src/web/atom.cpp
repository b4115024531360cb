#include "web/atom.hpp"

#include "mail/utf8.hpp"
#include "templates/escape.hpp"

#include <fmt/format.h>

namespace postrider::web {
namespace {

std::string escaped(std::string_view value) {
    std::string fit;
    for (std::size_t at = 0; at < value.size();) {
        auto c = mail::next_code_point(value, at);
        // Char of XML 1.0: escaping does not help these.
        bool char_of_xml = c == '\t' || c == '\n' || c == '\r' || (c >= 0x20 && c != 0xfffe && c != 0xffff);
        if (char_of_xml) mail::append_utf8(fit, c);
    }
    std::string out;
    templates::append_escaped(out, fit);
    return out;
}

}

std::string atom(const AtomFeed& feed, std::span<const AtomEntry> entries) {
    std::string out =
        fmt::format(R"xml(<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{}">
<id>{}</id>
<title>{}</title>
<subtitle>{}</subtitle>
<updated>{}</updated>
<author><name>{}</name></author>
<link rel="self" type="application/atom+xml" href="{}"/>
<link rel="alternate" type="text/html" href="{}"/>
)xml",
                    escaped(feed.language), escaped(feed.page_url), escaped(feed.title), escaped(feed.subtitle),
                    rfc3339(feed.updated), escaped(feed.author), escaped(feed.url), escaped(feed.page_url));
    for (auto& entry : entries)
        out += fmt::format(R"xml(<entry>
<id>{0}</id>
<title>{1}</title>
<updated>{2}</updated>
<published>{2}</published>
<link rel="alternate" type="text/html" href="{0}"/>
</entry>
)xml",
                           escaped(entry.url), escaped(entry.title), rfc3339(entry.at));
    return out + "</feed>\n";
}

}
