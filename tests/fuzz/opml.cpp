#include "stories/opml.hpp"

#include "fuzz/input.hpp"
#include "mail/utf8.hpp"

using namespace postrider;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto list = stories::parse_opml(fuzz::text_of(data, size));
    if (!list) return 0;
    for (auto& feed : list->feeds) {
        fuzz::must(feed.url.starts_with("http") || feed.url.starts_with("HTTP") || feed.url.find("://") == 4 ||
                       feed.url.find("://") == 5,
                   "an address is one of the web");
        fuzz::must(mail::is_utf8(feed.title + feed.url + feed.site), "what comes out is UTF-8");
    }
    auto again = stories::parse_opml(stories::write_opml(list->title, list->feeds, Time(1'800'000'000'000ms)));
    fuzz::must(again.has_value(), "what we write is a list");
    fuzz::must(again->feeds.size() == list->feeds.size(), "with as many feeds");
    for (std::size_t i = 0; i < again->feeds.size(); ++i)
        fuzz::must(again->feeds[i].url == list->feeds[i].url, "and the same addresses");
    return 0;
}
