#pragma once

#include <string>
#include <string_view>

// HTML escaping, in one place, so that a reader's slot and a full render cannot differ.

namespace postrider::templates {

enum class Escaping { none, html };

// Names that end in ".txt" or "subject" are plain text; everything else is HTML.
[[nodiscard]] Escaping escaping_of(std::string_view template_name);

// & < > " ' become &amp; &lt; &gt; &quot; &#39;. (&apos; is unknown to HTML 4, and so to some mail programs.)
void append_escaped(std::string& out, std::string_view text);

}
