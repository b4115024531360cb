#include "templates/escape.hpp"

#include <array>

namespace postrider::templates {
namespace {

constexpr std::array<std::string_view, 256> entities = [] {
    std::array<std::string_view, 256> table{};
    table['&'] = "&amp;";
    table['<'] = "&lt;";
    table['>'] = "&gt;";
    table['"'] = "&quot;";
    table['\''] = "&#39;";
    return table;
}();

}

Escaping escaping_of(std::string_view template_name) {
    return template_name.ends_with(".txt") || template_name.ends_with("subject") ? Escaping::none : Escaping::html;
}

void append_escaped(std::string& out, std::string_view text) {
    std::size_t start = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        std::string_view entity = entities[static_cast<unsigned char>(text[i])];
        if (entity.empty()) continue;
        out.append(text.substr(start, i - start)).append(entity);
        start = i + 1;
    }
    out.append(text.substr(start));
}

}
