#pragma once

#include "http/message.hpp"

// Fields whose value is a list: RFC 9110 section 5.6.1.

namespace postrider::http {

// Takes the first item, without the blanks around it, off a list that is not empty.
[[nodiscard]] inline std::string_view take_item(std::string_view& list) {
    auto end = list.find(',');
    auto item = trimmed(list.substr(0, end));
    list.remove_prefix(end == list.npos ? list.size() : end + 1);
    return item;
}

}
