#include "templates/layout.hpp"

#include <fmt/format.h>

namespace postrider::templates {
namespace {

// The library recurses over the nest; these keep its stack within a few hundred kilobytes.
constexpr int deepest_sections = 256;
constexpr int deepest_partials = 64;
constexpr int deepest_recursion = 64;
constexpr int deepest_recursive_sections = 1000;

// Partials that include one another twice grow without measure.
constexpr std::size_t most_tokens = 5'000'000;
constexpr std::size_t most_copied = 64 * 1024 * 1024; // bytes of text that was copied to be indented

Path path_from(std::string_view name) {
    Path path;
    if (name == ".") return path;
    while (true) {
        std::size_t dot = name.find('.');
        path.emplace_back(name.substr(0, dot));
        if (dot == name.npos) return path;
        name.remove_prefix(dot + 1);
    }
}

}

Layout::Layout(const Template& source, const ReaderNames* readers)
    : parts_(source.parts()), escaping_(source.escaping()), readers_(readers) {
    writing_ = &skeleton_;
    part(parts_.front(), {});
    end_run();
    writing_ = nullptr;
    path_numbers_.clear();
}

const std::string& Layout::skeleton_of(std::uint32_t number) {
    Expansion& expansion = expansions_.at(number);
    if (expansion.laid_out) return expansion.skeleton;
    if (expansion.place.recursion > deepest_recursion)
        throw TemplateError(fault_at(
            *expansion.user, *expansion.token,
            fmt::format("partial \"{}\" includes itself more than {} deep", expansion.token->text, deepest_recursion)));
    expansion.laid_out = true;
    writing_ = &expansion.skeleton;
    run_begin_ = std::uint32_t(steps_.size());
    part(parts_[expansion.token->partial], expansion.place);
    end_run();
    writing_ = nullptr;
    return expansion.skeleton;
}

void Layout::part(const Template::Part& part, Place place) {
    std::vector<Section> open;
    bool line_begins = true;
    for (const Token& token : part.tokens) {
        count(part, token);
        bool is_text = token.kind == Token::Kind::literal;
        if (line_begins && !place.indent.empty() && !is_text && !token.alone) {
            copied_literal(place.indent);
            line_begins = false;
        }
        switch (token.kind) {
        case Token::Kind::literal: indented(token.text, place.indent, line_begins); break;
        case Token::Kind::escaped:
        case Token::Kind::raw: variable(token, place); break;
        case Token::Kind::section:
        case Token::Kind::inverted: section(part, token, place, open); break;
        case Token::Kind::end:
            if (open.back().skeleton_end.empty()) {
                steps_.push_back({Step::Kind::end});
            } else {
                end_run();
                *writing_ += open.back().skeleton_end;
            }
            place.dot = open.back().outer_dot;
            --place.sections;
            open.pop_back();
            break;
        case Token::Kind::partial: partial(part, token, place); break;
        }
    }
}

void Layout::indented(std::string_view text, const std::string& indent, bool& line_begins) {
    if (indent.empty()) return literal(text);
    std::string copy;
    for (char c : text) {
        if (line_begins) copy += indent;
        copy += c;
        line_begins = c == '\n';
    }
    copied_literal(std::move(copy));
}

void Layout::literal(std::string_view text) {
    literals_.push_back(text);
    steps_.push_back({Step::Kind::literal, std::uint32_t(literals_.size() - 1)});
}

void Layout::copied_literal(std::string text) {
    copied_ += text.size();
    literal(kept_.emplace_back(std::move(text)));
}

void Layout::variable(const Token& token, const Place& place) {
    bool escape = token.kind == Token::Kind::escaped && escaping_ == Escaping::html;
    if (auto slot = slot_of(token.text, place); slot != no_slot)
        steps_.push_back({escape ? Step::Kind::slot_escaped : Step::Kind::slot_raw, std::uint32_t(slot)});
    else
        steps_.push_back({escape ? Step::Kind::escaped : Step::Kind::raw, path_of(token.text)});
}

void Layout::section(const Template::Part& part, const Token& token, Place& place, std::vector<Section>& open) {
    if (++place.sections > (place.recursion > 0 ? deepest_recursive_sections : deepest_sections))
        throw TemplateError(fault_at(part, token, fmt::format("section \"{}\" is nested too deep", token.text)));
    if (readers_ && readers_->is_group(token.text))
        throw TemplateError(fault_at(
            part, token, fmt::format("\"{0}\" cannot be opened as a section: write {{{{{0}.name}}}}", token.text)));

    bool inverted = token.kind == Token::Kind::inverted;
    Section section{{}, place.dot};
    if (auto slot = slot_of(token.text, place); slot != no_slot) {
        steps_.push_back({inverted ? Step::Kind::begin_unless : Step::Kind::begin_if, std::uint32_t(slot)});
        if (!inverted) place.dot = slot;
    } else {
        auto path = path_of(token.text);
        end_run();
        *writing_ += inverted ? fmt::format("{{{{#n{}}}}}", path) : fmt::format("{{{{#s{}}}}}", path);
        section.skeleton_end = inverted ? fmt::format("{{{{/n{}}}}}", path) : fmt::format("{{{{/s{}}}}}", path);
        if (!inverted) place.dot = no_slot;
    }
    open.push_back(std::move(section));
}

void Layout::partial(const Template::Part& user, const Token& token, const Place& place) {
    if (token.partial == Token::no_partial) return;
    const Template::Part& used = parts_[token.partial];
    Place inside = place;
    if (token.alone)
        inside.indent += token.indent;
    else
        inside.indent.clear();

    if (used.recursive) {
        ++inside.recursion;
        end_run();
        *writing_ += fmt::format("{{{{>p{}}}}}", expansions_.size());
        expansions_.push_back({&user, &token, std::move(inside), false, {}});
        return;
    }
    if (++inside.partials > deepest_partials)
        throw TemplateError(
            fault_at(user, token, fmt::format("partial \"{}\" is more than {} deep", token.text, deepest_partials)));
    part(used, std::move(inside));
}

void Layout::end_run() {
    auto last = std::uint32_t(steps_.size());
    if (run_begin_ < last) {
        *writing_ += fmt::format("{{{{r{}}}}}", runs_.size());
        runs_.push_back({run_begin_, last});
    }
    run_begin_ = last;
}

std::int64_t Layout::slot_of(std::string_view name, const Place& place) {
    if (name == ".") return place.dot;
    if (!readers_ || !readers_->contains(name)) return no_slot;
    return slot_named(name);
}

std::uint32_t Layout::slot_named(std::string_view name) {
    auto known = slot_numbers_.find(name);
    if (known == slot_numbers_.end()) {
        known = slot_numbers_.emplace(name, std::uint32_t(slots_.size())).first;
        slots_.emplace_back(name);
    }
    return known->second;
}

std::uint32_t Layout::path_of(std::string_view name) {
    auto known = path_numbers_.find(name);
    if (known == path_numbers_.end()) {
        known = path_numbers_.emplace(name, std::uint32_t(paths_.size())).first;
        paths_.push_back(path_from(name));
    }
    return known->second;
}

void Layout::count(const Template::Part& part, const Token& token) {
    if (++tokens_ > most_tokens || copied_ > most_copied)
        throw TemplateError(fault_at(part, token, "the template is too large once its partials are in place"));
}

}
