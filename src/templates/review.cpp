#include "templates/review.hpp"

#include "mail/quoted_printable.hpp"
#include "templates/check.hpp"
#include "templates/mail_rules.hpp"
#include "templates/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postrider::templates {
namespace {

enum class Purpose {
    design, // of an issue: what readers get
    mail,   // a part of one, a subject, or a design that no list uses
    letter, // to one reader, with names of its own
    page
};

constexpr std::array<std::string_view, 3> whole_letters = {"confirm.html", "welcome.html", "moved.html"};

Purpose purpose_of(std::string_view name, std::span<const std::string> designs) {
    bool part = name.ends_with(".html") || name.ends_with(".txt");
    // First: an operator may call a design welcome_week, and its readers need a way out all the same.
    if (part && std::ranges::find(designs, name.substr(0, name.rfind('.'))) != designs.end()) return Purpose::design;
    if (name.starts_with("page_")) return Purpose::page;
    for (auto prefix : {"letter_", "confirm", "welcome", "moved"})
        if (name.starts_with(prefix)) return Purpose::letter;
    return part || name == "subject" ? Purpose::mail : Purpose::letter;
}

void add(std::vector<Fault>& faults, std::vector<Fault> more) {
    for (auto& fault : more) faults.push_back(std::move(fault));
}

std::vector<Fault> faults_of_html(const Template& parsed, Purpose purpose) {
    FlatTemplate flat(parsed);
    auto faults = raw_values(flat);
    bool whole =
        purpose == Purpose::design || std::ranges::find(whole_letters, parsed.source().name) != whole_letters.end();
    auto document = whole ? Document::whole : Document::fragment;
    add(faults, purpose == Purpose::page ? page_faults(flat, document) : mail_faults(flat, document));
    return faults;
}

// A subject stands in the inbox and on the locked screen: it says something, and it is no place for a link of the
// reader's own.
std::vector<Fault> faults_of_subject(const Template& parsed) {
    std::vector<Fault> faults;
    bool says_something = false;
    for (auto& part : parsed.parts())
        for (auto& token : part.tokens) {
            using Kind = Token::Kind;
            bool value = token.kind == Kind::escaped || token.kind == Kind::raw;
            says_something |=
                value || token.kind == Kind::partial ||
                (token.kind == Kind::literal && token.text.find_first_not_of(" \t\r\n") != token.text.npos);
            if (value && token.text.ends_with("_url"))
                faults.push_back(fault_at(
                    part, token, fmt::format("{{{{{}}}}} is a link, and a subject is text; leave it out", token.text)));
        }
    if (!says_something)
        faults.push_back({parsed.source().file, 1, 1, "the subject is empty; {{list.title}} says at least from whom"});
    return faults;
}

std::vector<Fault> faults_of_catalogue(const Source& source) {
    auto read = read_catalogue(source);
    if (!read) return {read.error()};
    return faults_of(*read, Languages::english(), Languages::built_in(read->language));
}

}

Review review(const Source& source, const Partials& partials, std::span<const std::string> designs) {
    if (language_in(source.name)) return {{}, faults_of_catalogue(source)};
    auto parsed = parse(source, partials);
    if (!parsed) return {{}, parsed.error()};
    auto purpose = purpose_of(source.name, designs);
    auto faults = missing_partials(*parsed);
    bool names_known = purpose == Purpose::design || purpose == Purpose::mail;
    add(faults, names_known ? unknown_names(*parsed, mail_vocabulary()) : unknown_words(*parsed));
    if (faults.empty() && purpose == Purpose::design) faults = missing_footer(*parsed);
    if (source.name == "subject" || source.name.ends_with("_subject")) add(faults, faults_of_subject(*parsed));
    if (parsed->escaping() == Escaping::html) add(faults, faults_of_html(*parsed, purpose));
    sort_by_place(faults);
    return {std::move(*parsed), std::move(faults)};
}

std::size_t encoded_size(const Program& program) {
    constexpr std::size_t of_a_value = 100;
    std::size_t size = 0;
    std::string encoded;
    for (auto& piece : program.pieces()) {
        if (piece.kind == Piece::Kind::escaped || piece.kind == Piece::Kind::raw) size += of_a_value;
        if (piece.kind != Piece::Kind::literal) continue;
        encoded.clear();
        mail::quoted_printable::append_literal(encoded, piece.text);
        size += encoded.size();
    }
    return size;
}

std::optional<Fault> fault_of_size(const Program& program, const std::string& file) {
    auto size = encoded_size(program);
    if (size < clipped_at / 10 * 8) return std::nullopt;
    auto message = size < clipped_at
                       ? fmt::format("the mail has {} of the {} kB that Gmail shows: fewer stories, or shorter ones",
                                     (size + 1023) / 1024, clipped_at / 1024)
                       : fmt::format("the mail has {} kB: Gmail hides what comes after {}, the way out too; fewer "
                                     "stories, or shorter ones",
                                     (size + 1023) / 1024, clipped_at / 1024);
    return Fault{file, 1, 1, std::move(message), Severity::warning};
}

}
