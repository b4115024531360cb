#pragma once

#include "templates/escape.hpp"
#include "templates/fault.hpp"
#include "templates/source.hpp"
#include "templates/syntax.hpp"

#include <boost/json/fwd.hpp>

#include <deque>
#include <expected>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// Mustache templates: the core of github.com/mustache/spec (comments, delimiters, interpolation, sections, inverted,
// partials).
//
// In:     a text, a way to find its partials, and JSON data.
// Out:    the rendered text; or every fault of the text with file, line and column.
// Always: a Template never changes: any number of threads may render it at once, and copies are cheap. Time and memory
// have
//         bounds whatever the template and the data are (the limits stand in mustache.cpp, layout.cpp and plan.cpp).
//
// Values as sections: false, null, "", 0, an empty array and a name that does not exist are false, as in mustache.js.
// Values as text: numbers in their shortest form (85, 1.21), true and false by name; null, objects and arrays are
// empty.

namespace postrider::templates {

using Partials = std::function<std::optional<Source>(std::string_view name)>;

class Plan;

class Template {
public:
    struct Part { // the template itself, or a partial that it uses; the tokens view the source
        Source source;
        std::vector<Token> tokens;
        bool recursive = false; // includes itself, directly or through others
    };

    // Throws TemplateError when partials include themselves more than 64 deep over this data, or the result is over 256
    // MB.
    [[nodiscard]] std::string render(const boost::json::value& data) const;

    // The template first, then each partial once; Token::partial is an index into these.
    [[nodiscard]] const std::deque<Part>& parts() const { return *parts_; }
    [[nodiscard]] const Source& source() const { return parts_->front().source; }
    [[nodiscard]] Escaping escaping() const { return escaping_; }

private:
    friend std::expected<Template, std::vector<Fault>> parse(const Source&, const Partials&, Escaping);
    friend class Plan;
    friend class Layout;

    std::shared_ptr<const std::deque<Part>> parts_;
    std::shared_ptr<const Plan> plan_;
    Escaping escaping_ = Escaping::html;
};

[[nodiscard]] Fault fault_at(const Template::Part&, const Token&, std::string message);

// The faults are sorted by place. A partial that nobody knows is no fault here (the specification renders it as
// nothing): see missing_partials() in check.hpp.
[[nodiscard]] std::expected<Template, std::vector<Fault>> parse(const Source&, const Partials&, Escaping);
[[nodiscard]] inline std::expected<Template, std::vector<Fault>> parse(const Source& source, const Partials& partials) {
    return parse(source, partials, escaping_of(source.name));
}

}
