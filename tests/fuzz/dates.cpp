#include "stories/dates.hpp"

#include "fuzz/input.hpp"
#include "system/time.hpp"

using namespace postrider;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    if (auto time = stories::parse_date(text)) {
        const auto written = rfc3339(*time);
        auto again = parse_rfc3339(written);
        fuzz::must(again.has_value(), "what was read can be written and read");
        fuzz::must(*again == std::chrono::floor<std::chrono::seconds>(*time), "and is the same second");
    }
    if (auto time = parse_rfc3339(text)) fuzz::must(rfc3339(*time).size() >= 20, "an RFC 3339 time can be written");
    (void)parse_duration(text);
    return 0;
}
