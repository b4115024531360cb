#pragma once

#include <string>
#include <string_view>
#include <vector>

// The schema.org description of an article inside a page (JSON-LD 1.1, as publishers write it).

namespace postrider::stories {

struct LinkedData {
    std::string headline;
    std::string name;
    std::string byline; // names, joined by ", "
    std::string section;
    std::string summary;
    std::string image;
    std::string site;
    std::string language;
    std::string published; // as written
    std::string updated;
};

// Empty strings when no script describes an article; broken JSON is passed over.
[[nodiscard]] LinkedData read_linked_data(const std::vector<std::string>& scripts);

}
