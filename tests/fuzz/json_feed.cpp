#include "fuzz/input.hpp"
#include "mail/utf8.hpp"
#include "stories/feed.hpp"

#include <string>

using namespace postrider;

// What stands in the items of a JSON Feed that is otherwise well formed.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    auto input = fuzz::text_of(data, size);
    auto text = input.starts_with('{')
                    ? std::string(input)
                    : "{\"version\":\"https://jsonfeed.org/version/1.1\",\"items\":[{" + std::string(input) + "}]}";
    auto feed = stories::parse_feed(text, "application/feed+json", "https://a.example/");
    if (!feed) return 0;
    for (auto& item : feed->items) {
        fuzz::must(!item.id.empty(), "an item has an id");
        fuzz::must(mail::is_utf8(item.title + item.html + item.summary), "what comes out is UTF-8");
    }
    return 0;
}
