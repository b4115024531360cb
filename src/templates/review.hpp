#pragma once

#include "templates/mustache.hpp"
#include "templates/program.hpp"

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The one judgement of a template or a catalogue: `template check`, `doctor` and every issue ask here.
//
// In:     a source, a way to find its partials, and which designs the lists use.
// Out:    the template where it can be parsed, and all there is to say of it, sorted by place: check.hpp, mail_rules.hpp
//         and, for a catalogue, catalogue.hpp. A template with an error is refused, one with warnings is used.
// Always: pure; linear in the template and its partials.

namespace postrider::templates {

struct Review {
    std::optional<Template> parsed; // none: a catalogue, or a text that is no template
    std::vector<Fault> faults;
};

// `designs`: "digest" for digest.html and digest.txt, which must show a way out and a postal address.
[[nodiscard]] Review review(const Source&, const Partials&, std::span<const std::string> designs);

// Gmail shows no more of a mail than 102 kB and hides the rest, the way out with it. A reader's values count as 100
// bytes each.
constexpr std::size_t clipped_at = 102 * 1024;
[[nodiscard]] std::size_t encoded_size(const Program&); // in quoted-printable
// A warning from 80 % on.
[[nodiscard]] std::optional<Fault> fault_of_size(const Program&, const std::string& file);

}
