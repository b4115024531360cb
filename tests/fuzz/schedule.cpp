#include "schedule/schedule.hpp"

#include "fuzz/input.hpp"

using namespace postrider;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    auto parsed = schedule::parse(text);
    if (!parsed) {
        fuzz::must(parsed.error().column + parsed.error().length <= size, "the place of an error lies in the text");
        fuzz::must(!schedule::explain(text, parsed.error()).empty(), "an error has words");
        return 0;
    }
    fuzz::must(!schedule::in_words(*parsed).empty(), "a schedule has words");
    static const auto zone = *schedule::Zone::find("America/Sao_Paulo");
    auto at = Time(1'540'000'000'000ms);
    auto first = schedule::next(*parsed, zone, at);
    for (int i = 0; first && i < 3; ++i) {
        fuzz::must(*first > at, "slots ascend");
        at = *first;
        first = schedule::next(*parsed, zone, at);
    }
    auto again = schedule::parse(parsed->expression);
    fuzz::must(again && again->days == parsed->days && again->times == parsed->times, "what was kept reads the same");
    return 0;
}
