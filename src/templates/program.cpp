#include "templates/program.hpp"

#include "templates/plan.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>

namespace postrider::templates {
namespace {

using Kind = Piece::Kind;

constexpr std::string_view header = "postrider program 1\n";
constexpr std::size_t deepest = 10'000;

// One letter for each kind, in the order of Kind.
constexpr std::string_view letters = "terinx";

// Sets every partner; false where conditions do not nest.
bool match(std::vector<Piece>& pieces) {
    std::vector<std::uint32_t> open;
    for (std::uint32_t i = 0; i < pieces.size(); ++i) {
        if (pieces[i].kind == Kind::begin_if || pieces[i].kind == Kind::begin_unless) open.push_back(i);
        if (open.size() > deepest) return false;
        if (pieces[i].kind != Kind::end) continue;
        if (open.empty()) return false;
        pieces[open.back()].partner = i;
        open.pop_back();
    }
    return open.empty();
}

class Reader {
public:
    explicit Reader(std::string_view text) : rest_(text) {}

    bool done() const { return rest_.empty(); }

    bool skip(std::string_view expected) {
        if (!rest_.starts_with(expected)) return false;
        rest_.remove_prefix(expected.size());
        return true;
    }

    char letter() {
        char c = rest_.front();
        rest_.remove_prefix(1);
        return c;
    }

    std::optional<std::uint32_t> number() {
        std::uint32_t value = 0;
        auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), value);
        if (error != std::errc()) return std::nullopt;
        rest_.remove_prefix(std::size_t(end - rest_.data()));
        return value;
    }

    std::optional<std::string> text() { // 5:hello
        auto length = number();
        if (!length || !skip(":") || *length > rest_.size()) return std::nullopt;
        std::string result(rest_.substr(0, *length));
        rest_.remove_prefix(*length);
        return result;
    }

private:
    std::string_view rest_;
};

std::optional<Piece> read_piece(Reader& reader, std::size_t slots) {
    std::size_t kind = letters.find(reader.letter());
    if (kind == letters.npos) return std::nullopt;
    Piece piece{Kind(kind), 0, 0, {}};
    if (piece.kind == Kind::end) return piece;
    if (piece.kind == Kind::literal) {
        auto text = reader.text();
        if (!text) return std::nullopt;
        piece.text = *std::move(text);
        return piece;
    }
    auto slot = reader.number();
    if (!slot || *slot >= slots) return std::nullopt;
    piece.slot = *slot;
    return piece;
}

}

bool ReaderNames::contains(std::string_view name) const {
    if (std::ranges::find(names, name) != names.end()) return true;
    std::size_t dot = name.find('.');
    return dot != name.npos && is_group(name.substr(0, dot));
}

bool ReaderNames::is_group(std::string_view name) const { return std::ranges::find(groups, name) != groups.end(); }

void Program::fill(std::string& out, std::span<const std::string_view> values) const {
    auto value = [&](const Piece& piece) {
        return piece.slot < values.size() ? values[piece.slot] : std::string_view();
    };
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        const Piece& piece = pieces_[i];
        switch (piece.kind) {
        case Kind::literal: out += piece.text; break;
        case Kind::escaped: append_escaped(out, value(piece)); break;
        case Kind::raw: out += value(piece); break;
        case Kind::begin_if:
            if (value(piece).empty()) i = piece.partner;
            break;
        case Kind::begin_unless:
            if (!value(piece).empty()) i = piece.partner;
            break;
        case Kind::end: break;
        }
    }
}

Program Program::with_literals(std::vector<std::string> texts) const {
    Program other = *this;
    auto text = texts.begin();
    for (Piece& piece : other.pieces_)
        if (piece.kind == Kind::literal && text != texts.end()) piece.text = std::move(*text++);
    return other;
}

std::string Program::stored() const {
    std::string text(header);
    for (const std::string& slot : slots_) text += fmt::format("s{}:{}", slot.size(), slot);
    text += '\n';
    for (const Piece& piece : pieces_) {
        text += letters[std::size_t(piece.kind)];
        if (piece.kind == Kind::end) continue;
        if (piece.kind == Kind::literal)
            text.append(std::to_string(piece.text.size())).append(":").append(piece.text);
        else
            text += std::to_string(piece.slot);
    }
    return text;
}

std::expected<Program, std::string> Program::from_stored(std::string_view text) {
    auto broken = std::unexpected<std::string>("this is no stored program");
    Reader reader(text);
    if (!reader.skip(header)) return broken;
    Program program;
    while (reader.skip("s")) {
        auto name = reader.text();
        if (!name) return broken;
        program.slots_.push_back(*std::move(name));
    }
    if (!reader.skip("\n")) return broken;
    while (!reader.done()) {
        auto piece = read_piece(reader, program.slots_.size());
        if (!piece) return broken;
        program.pieces_.push_back(*std::move(piece));
    }
    if (!match(program.pieces_))
        return std::unexpected<std::string>("the conditions of this stored program do not nest");
    return program;
}

boost::json::object left_to_reader(std::string_view slot) { return {{reader_slot, slot}}; }

boost::json::object one_of(boost::json::array objects) { return {{reader_choice, std::move(objects)}}; }

Program compile(const Template& source, const boost::json::value& issue_data, const ReaderNames& names) {
    Program program = Plan(source, &names).run(issue_data);
    return program;
}

}
