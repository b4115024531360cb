#include "web/wording.hpp"

#include "digest/content.hpp"
#include "mail/utf8.hpp"

#include <fmt/format.h>

#include <array>

namespace postrider::web {

std::string masked(std::string_view address) {
    auto at = address.rfind('@');
    if (at == address.npos || at == 0) return {};
    auto local = address.substr(0, at);
    std::size_t first = 0, last = 0, count = 0;
    for (std::size_t i = 0; i < local.size(); ++count) {
        last = i;
        (void)mail::next_code_point(local, i);
        if (count == 0) first = i;
    }
    // Of a short name the last letter would be half of it.
    auto end = count > 3 ? local.substr(last) : std::string_view();
    return fmt::format("{}***{}{}", local.substr(0, first), end, address.substr(at));
}

std::string in_words(Duration length) {
    struct Unit {
        Duration size;
        std::string_view name;
    };
    constexpr std::array units = {Unit{24h, "day"}, Unit{1h, "hour"}, Unit{1min, "minute"}};
    for (auto& unit : units)
        if (length >= 2 * unit.size) return fmt::format("{} {}s", length / unit.size, unit.name);
    return "1 minute";
}

std::string date_in_words(Time time, std::string_view timezone) {
    auto text = digest::long_date(time, timezone);
    auto comma = text.find(", ");
    return comma == text.npos ? text : text.substr(comma + 2);
}

std::string language_name(std::string_view tag) {
    struct Name {
        std::string_view code, name;
    };
    constexpr std::array names = {
        Name{"ar", "العربية"},      Name{"bg", "Български"},  Name{"ca", "Català"},     Name{"cs", "Čeština"},
        Name{"da", "Dansk"},        Name{"de", "Deutsch"},    Name{"el", "Ελληνικά"},   Name{"en", "English"},
        Name{"es", "Español"},      Name{"et", "Eesti"},      Name{"fa", "فارسی"},      Name{"fi", "Suomi"},
        Name{"fr", "Français"},     Name{"ga", "Gaeilge"},    Name{"he", "עברית"},      Name{"hi", "हिन्दी"},
        Name{"hr", "Hrvatski"},     Name{"hu", "Magyar"},     Name{"is", "Íslenska"},   Name{"it", "Italiano"},
        Name{"ja", "日本語"},       Name{"ko", "한국어"},     Name{"lt", "Lietuvių"},   Name{"lv", "Latviešu"},
        Name{"nb", "Norsk bokmål"}, Name{"nl", "Nederlands"}, Name{"no", "Norsk"},      Name{"pl", "Polski"},
        Name{"pt", "Português"},    Name{"ro", "Română"},     Name{"ru", "Русский"},    Name{"sk", "Slovenčina"},
        Name{"sl", "Slovenščina"},  Name{"sr", "Српски"},     Name{"sv", "Svenska"},    Name{"tr", "Türkçe"},
        Name{"uk", "Українська"},   Name{"ur", "اردو"},       Name{"vi", "Tiếng Việt"}, Name{"zh", "中文"}};
    auto base = tag.substr(0, tag.find('-'));
    for (auto& one : names) {
        if (one.code == tag) return std::string(one.name);
        if (one.code == base) return fmt::format("{} ({})", tag, one.name);
    }
    return std::string(tag);
}

}
