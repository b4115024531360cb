#include "templates/mustache.hpp"

#include "templates/plan.hpp"

#include <fmt/format.h>

#include <map>
#include <set>

namespace postrider::templates {
namespace {

using Part = Template::Part;
using Parts = std::deque<Part>; // parts never move: tokens view their text

constexpr std::size_t most_parts = 1000;
constexpr std::size_t largest_together = 64 * 1024 * 1024; // bytes of all parts

class Collector {
public:
    Collector(const Partials& partials, std::vector<Fault>& faults) : partials_(partials), faults_(faults) {}

    // The template and every partial that it can reach, each once.
    std::shared_ptr<Parts> run(const Source& source) {
        add(source);
        for (std::size_t i = 0; i < parts_->size(); ++i) {
            Part& part = (*parts_)[i];
            part.tokens = cut(part.source, faults_);
            for (Token& token : part.tokens)
                if (token.kind == Token::Kind::partial) token.partial = number_of(part, token);
        }
        return parts_;
    }

private:
    void add(Source source) {
        bytes_ += source.text.size();
        parts_->push_back({std::move(source), {}});
    }

    std::uint32_t number_of(const Part& part, const Token& token) {
        if (auto known = numbers_.find(token.text); known != numbers_.end()) return known->second;
        std::uint32_t number = Token::no_partial;
        auto found = partials_ ? partials_(token.text) : std::nullopt;
        if (found && (parts_->size() == most_parts || bytes_ + found->text.size() > largest_together)) {
            faults_.push_back(fault_at(part, token,
                                       fmt::format("partial \"{}\" is one too many: at most {}, and {} MB together",
                                                   token.text, most_parts, largest_together >> 20)));
        } else if (found) {
            number = std::uint32_t(parts_->size());
            add(*std::move(found));
        }
        numbers_.emplace(token.text, number);
        return number;
    }

    const Partials& partials_;
    std::vector<Fault>& faults_;
    std::shared_ptr<Parts> parts_ = std::make_shared<Parts>();
    std::map<std::string, std::uint32_t, std::less<>> numbers_;
    std::size_t bytes_ = 0;
};

void mark_recursive(Parts& parts) {
    std::vector<std::set<std::uint32_t>> uses(parts.size());
    for (std::size_t i = 0; i < parts.size(); ++i)
        for (const Token& token : parts[i].tokens)
            if (token.partial != Token::no_partial) uses[i].insert(token.partial);

    for (std::uint32_t from = 0; from < parts.size(); ++from) {
        std::vector<bool> reached(parts.size());
        std::vector<std::uint32_t> open{from};
        while (!open.empty()) {
            std::uint32_t part = open.back();
            open.pop_back();
            for (std::uint32_t next : uses[part]) {
                if (reached[next]) continue;
                reached[next] = true;
                open.push_back(next);
            }
        }
        parts[from].recursive = reached[from];
    }
}

}

Fault fault_at(const Template::Part& part, const Token& token, std::string message) {
    return {part.source.file, token.line, token.column, std::move(message)};
}

std::expected<Template, std::vector<Fault>> parse(const Source& source, const Partials& partials, Escaping escaping) {
    std::vector<Fault> faults;
    auto parts = Collector(partials, faults).run(source);
    if (!faults.empty()) {
        sort_by_place(faults);
        return std::unexpected(std::move(faults));
    }
    mark_recursive(*parts);

    Template result;
    result.parts_ = std::move(parts);
    result.escaping_ = escaping;
    try {
        result.plan_ = std::make_shared<const Plan>(result, nullptr);
    } catch (const TemplateError& error) { // too deep or too large once its partials are in place
        return std::unexpected(std::vector<Fault>{error.fault().value_or(Fault{source.file, 1, 1, error.what()})});
    }
    return result;
}

std::string Template::render(const boost::json::value& data) const { return plan_->render(data); }

}
