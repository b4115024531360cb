#include "templates/flat.hpp"

#include <algorithm>

namespace postrider::templates {
namespace {

constexpr std::size_t largest = 4 * 1024 * 1024, most_pieces = 1'000'000;
constexpr int deepest = 100; // the parser refuses partials that are deeper

}

FlatTemplate::FlatTemplate(const Template& source) : inside_(source.parts().size()) { lay(source, 0, 0); }

void FlatTemplate::lay(const Template& source, std::size_t number, int depth) {
    using Kind = Token::Kind;
    if (inside_[number] || depth > deepest) return;
    inside_[number] = true;
    auto& part = source.parts()[number];
    for (auto& token : part.tokens) {
        if (text_.size() > largest || pieces_.size() > most_pieces) break;
        if (token.kind == Kind::section || token.kind == Kind::inverted) sections_.push_back(token.text);
        if (token.kind == Kind::end) sections_.pop_back();
        if (token.kind == Kind::partial && token.partial != Token::no_partial) lay(source, token.partial, depth + 1);
        bool value = token.kind == Kind::escaped || token.kind == Kind::raw;
        if (!value && token.kind != Kind::literal) continue;
        pieces_.push_back({text_.size(), &part, &token});
        if (!value) {
            text_ += token.text;
            continue;
        }
        text_ += value_mark;
        auto name = token.text == "." && !sections_.empty() ? sections_.back() : token.text;
        values_.push_back({std::string(name), token.kind == Kind::raw, templates::fault_at(part, token, "")});
    }
    inside_[number] = false;
}

Fault FlatTemplate::fault_at(std::size_t offset, std::string message, Severity severity) const {
    auto behind = std::ranges::upper_bound(pieces_, offset, {}, &Piece::at);
    if (behind == pieces_.begin()) return {"", 1, 1, std::move(message), severity};
    auto& piece = *std::prev(behind);
    Fault fault{piece.part->source.file, piece.token->line, piece.token->column, std::move(message), severity};
    if (piece.token->kind != Token::Kind::literal) return fault;
    std::string_view whole = piece.part->source.text;
    auto end = std::size_t(piece.token->text.data() - whole.data()) + offset - piece.at;
    auto before = whole.substr(0, end);
    fault.line = 1 + int(std::ranges::count(before, '\n'));
    auto line = before.substr(before.rfind('\n') + 1); // npos + 1 is 0
    fault.column = 1 + int(std::ranges::count_if(line, [](unsigned char c) { return (c & 0xC0) != 0x80; }));
    return fault;
}

}
