#include "templates/fault.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

namespace postrider::templates {

std::string Fault::text() const {
    return fmt::format("{}:{}:{}: {}{}", file, line, column, severity == Severity::warning ? "warning: " : "", message);
}

const Fault* first_error(const std::vector<Fault>& faults) {
    auto found = std::ranges::find(faults, Severity::error, &Fault::severity);
    return found == faults.end() ? nullptr : &*found;
}

void sort_by_place(std::vector<Fault>& faults) {
    std::ranges::sort(faults, [](const Fault& a, const Fault& b) {
        return std::tie(a.file, a.line, a.column, a.message) < std::tie(b.file, b.line, b.column, b.message);
    });
}

}
