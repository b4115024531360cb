#include "stories/feed.hpp"

#include "fuzz/input.hpp"
#include "mail/utf8.hpp"
#include "stories/html.hpp"
#include "stories/news.hpp"

using namespace postrider;

// The first byte picks the Content-Type, so that encodings are tried too. RSS, Atom and JSON Feed alike.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::string_view types[] = {"", "text/xml", "application/rss+xml; charset=iso-8859-1",
                                          "application/feed+json", "application/atom+xml; charset=utf-16"};
    if (size == 0) return 0;
    const auto type = types[data[0] % std::size(types)];
    auto feed = stories::parse_feed(fuzz::text_of(data + 1, size - 1), type, "https://a.example/feed");
    if (!feed) {
        fuzz::must(!feed.error().what.empty(), "an error says what it found");
        return 0;
    }
    for (auto& item : feed->items) {
        fuzz::must(!item.id.empty(), "an item has an id");
        fuzz::must(item.id.size() <= 1'100, "an id is bounded");
        fuzz::must(item.title.find_first_of("\n\r") == item.title.npos, "a title is one line");
        for (auto* text : {&item.id, &item.title, &item.url, &item.byline, &item.summary, &item.html})
            fuzz::must(mail::is_utf8(*text), "what comes out is UTF-8");
        fuzz::must(item.url.empty() || item.url.starts_with("http"), "an address is one of the web");
    }
    auto news = stories::news_of(std::move(*feed), "https://a.example/feed", Time(1'800'000'000'000ms));
    for (auto& item : news.items) fuzz::must(!item.story.title.empty(), "a story has a title");
    return 0;
}
