#include "stories/html.hpp"

#include "fuzz/input.hpp"
#include "mail/utf8.hpp"
#include "stories/discover.hpp"
#include "stories/page.hpp"

using namespace postrider;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto html = fuzz::text_of(data, size);
    const auto safe = stories::safe_html(html, "https://a.example/dir/page");
    fuzz::must(mail::is_utf8(safe), "safe HTML is UTF-8");
    for (std::string_view bad : {"<script", "<style", "<iframe", "<object", "<svg", "<math", "<form", "<input",
                                 "href=\"javascript:", "src=\"javascript:", "src=\"data:"})
        fuzz::must(safe.find(bad) == safe.npos, "nothing that runs is left");
    fuzz::must(mail::is_utf8(stories::plain_text(html, stories::Links::written_out)), "plain text is UTF-8");
    if (auto page = stories::read_page(html, "text/html", "https://a.example/dir/page")) {
        fuzz::must(!page->title.empty() && !page->text.empty(), "a page has a headline and a text");
        fuzz::must(mail::is_utf8(page->title + page->text + page->html + page->byline), "a page is UTF-8");
    }
    for (auto& feed : stories::find_feeds(html, "", "https://a.example/").declared)
        fuzz::must(feed.url.starts_with("http"), "a feed has an address of the web");
    return 0;
}
