#include "mail/dkim.hpp"

#include "mail/header.hpp"
#include "system/ascii.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <stdexcept>

namespace postrider::mail::dkim {
namespace {

constexpr std::size_t widest = 78; // RFC 5322 section 2.1.1

struct SignedField {
    std::string_view name;
    bool once_more; // signed once more than it is there
};

// RFC 6376 section 5.4.1, what RFC 8058 section 4 and RFC 9477 add to it, and Feedback-ID. The fields that a relay
// writes or changes on the way (Received, Return-Path) are not among them.
constexpr SignedField signed_fields[] = {
    {field::from, true},
    {field::to, true},
    {"Cc", true},
    {field::subject, true},
    {field::date, true},
    {field::reply_to, true},
    {field::message_id, true},
    {field::mime_version, false},
    {field::content_type, true},
    {field::content_transfer_encoding, false},
    {field::list_id, false},
    {field::list_help, false},
    {field::list_unsubscribe, true},
    {field::list_unsubscribe_post, true},
    {field::list_archive, false},
    {field::list_post, false},
    {field::feedback_id, false},
    {"CFBL-Address", false},
    {"CFBL-Feedback-ID", false},
};

bool is_space(char c) { return c == ' ' || c == '\t'; }

std::string_view name_of(std::string_view field) {
    auto name = field.substr(0, std::min(field.find(':'), field.size()));
    while (!name.empty() && is_space(name.back())) name.remove_suffix(1);
    return name;
}

// Each with its folded lines, without the last CRLF; up to the empty line.
std::vector<std::string_view> fields_of(std::string_view header) {
    std::vector<std::string_view> fields;
    fields.reserve(32);
    while (!header.empty() && !header.starts_with("\r\n")) {
        auto end = header.find("\r\n");
        while (end < header.size() - 2 && is_space(header[end + 2])) end = header.find("\r\n", end + 2);
        end = std::min(end, header.size());
        fields.push_back(header.substr(0, end));
        header.remove_prefix(std::min(end + 2, header.size()));
    }
    return fields;
}

void append_relaxed(std::string& out, std::string_view field) {
    auto name = name_of(field);
    for (char c : name) out += system::lower(c);
    out += ':';
    auto value = field.substr(std::min(field.find(':'), field.size() - 1) + 1);
    bool space = false, begun = false;
    for (std::size_t at = 0; at < value.size();) {
        if (is_space(value[at])) {
            space = true;
            ++at;
            continue;
        }
        if (value.substr(at).starts_with("\r\n")) { // folding; what stands behind it is a space
            at += 2;
            continue;
        }
        auto end = std::min(value.find_first_of(" \t\r", at + 1), value.size());
        if (space && begun) out += ' ';
        out += value.substr(at, end - at);
        space = false;
        begun = true;
        at = end;
    }
}

// What is signed of a header, in the order of h= (section 5.4.2: of several fields of one name the last comes first).
struct SignedHeader {
    std::vector<std::string_view> names;
    std::string canonical;
};

SignedHeader signed_header(std::string_view header) {
    SignedHeader result;
    result.names.reserve(40);
    result.canonical.reserve(header.size() + 1024);
    auto fields = fields_of(header);
    for (auto& [name, once_more] : signed_fields) {
        for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
            if (!system::equal_without_case(name_of(*field), name)) continue;
            append_relaxed(result.canonical, *field);
            result.canonical += "\r\n";
            result.names.push_back(name);
        }
        if (name == field::from && result.names.empty())
            throw std::invalid_argument("DKIM: a message without From cannot be signed (RFC 6376 section 5.4)");
        if (once_more) result.names.push_back(name);
    }
    return result;
}

// A field that grows by words and breaks before one that does not fit.
class Folded {
public:
    explicit Folded(std::string_view begin) : text(begin), column_(begin.size()) {}

    void word(std::string_view word) { put(word, " "); }
    void joined(std::string_view word) { put(word, ""); }
    void broken(std::string_view word) { // wherever the line ends
        while (!word.empty()) {
            if (column_ >= widest) line();
            auto part = word.substr(0, widest - column_);
            text += part;
            column_ += part.size();
            word.remove_prefix(part.size());
        }
    }

    void line() {
        text += "\r\n ";
        column_ = 1;
    }

    std::string text;

private:
    void put(std::string_view word, std::string_view before) {
        if (column_ + before.size() + word.size() > widest)
            line();
        else
            text += before, column_ += before.size();
        text += word;
        column_ += word.size();
    }
    std::size_t column_;
};

// The field up to "b=".
Folded unsigned_field(const std::string& domain, const Key& key, const SignedHeader& header, std::string_view body_hash,
                      Time now) {
    Folded field("DKIM-Signature: v=1;");
    field.text.reserve(1024);
    field.word(fmt::format("a={};", to_text(key.algorithm())));
    field.word("c=relaxed/relaxed;");
    field.word(fmt::format("d={};", domain));
    field.word(fmt::format("s={};", key.selector()));
    field.word(fmt::format("t={};", std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count()));
    std::string word = "h=";
    for (auto& name : header.names) {
        word += name;
        word += &name == &header.names.back() ? ';' : ':';
        if (word.starts_with("h="))
            field.word(word);
        else
            field.joined(word);
        word.clear();
    }
    field.word(fmt::format("bh={};", body_hash));
    field.line(); // so that the signature begins right behind b=: some verifiers want it there
    field.joined("b=");
    return field;
}

// How many octets stand in relaxed form already, whatever follows: up to the first tab, or space before a space, a tab
// or a CR. A space or a CR at the very end is left, for what follows it to decide.
std::size_t relaxed_prefix(std::string_view octets) {
    constexpr std::size_t block = 32;
    auto* at = octets.data();
    auto* end = at + octets.size();
    auto changes = [](const char* at) {
        return bool((at[0] == '\t') | ((at[0] == ' ') & ((at[1] == ' ') | (at[1] == '\t') | (at[1] == '\r'))));
    };
    // Without a branch in it, the inner loop becomes a few vector instructions.
    for (; std::size_t(end - at) > block; at += block) {
        bool any = false;
        for (std::size_t i = 0; i < block; ++i) any |= changes(at + i);
        if (any) break;
    }
    while (end - at > 1 && !changes(at)) ++at;
    if (end - at == 1 && !is_space(*at) && *at != '\r') ++at;
    return std::size_t(at - octets.data());
}

}

std::string relaxed_field(std::string_view field) {
    std::string out;
    append_relaxed(out, field);
    return out;
}

// --- The body -------------------------------------------------------------------------------------------------------

void RelaxedBody::flush() {
    sha256_.add({buffer_.data(), held_});
    held_ = 0;
}

void RelaxedBody::hash(std::string_view octets) {
    if (octets.size() > buffer_.size() - held_) flush();
    if (octets.size() > buffer_.size()) { // long enough to be hashed where it is
        sha256_.add(octets);
        return;
    }
    std::memcpy(buffer_.data() + held_, octets.data(), octets.size());
    held_ += octets.size();
}

// Octets of which the last is no line end: what waited before them counts.
void RelaxedBody::content(std::string_view octets) {
    for (; line_ends_ > 0; --line_ends_) hash("\r\n");
    if (space_) hash(" ");
    space_ = false;
    empty_ = false;
    hash(octets);
}

void RelaxedBody::step(char octet) {
    if (cr_ && octet == '\n') {
        ++line_ends_;
        cr_ = space_ = false;
        return;
    }
    if (cr_) content("\r"); // alone it is an octet like others
    cr_ = octet == '\r';
    if (is_space(octet))
        space_ = true;
    else if (!cr_)
        content({&octet, 1});
}

void RelaxedBody::add(std::string_view piece) {
    while (!piece.empty()) {
        auto size = space_ || cr_ ? 0 : relaxed_prefix(piece);
        if (size == 0) {
            step(piece.front());
            piece.remove_prefix(1);
            continue;
        }
        auto octets = piece.substr(0, size);
        std::size_t line_ends = 0;
        for (; octets.ends_with("\r\n"); octets.remove_suffix(2)) ++line_ends;
        if (!octets.empty()) content(octets);
        line_ends_ += line_ends;
        piece.remove_prefix(size);
    }
}

std::string RelaxedBody::finish() {
    if (cr_) content("\r");
    if (!empty_) hash("\r\n"); // ends the last line, whether it had an end of its own or not
    flush();
    return sha256_.finish();
}

// --- The signature --------------------------------------------------------------------------------------------------

Signer::Signer(std::string domain, std::vector<Key> keys) : domain_(std::move(domain)), keys_(std::move(keys)) {
    if (keys_.empty()) throw std::invalid_argument(fmt::format("DKIM: there is no key for {}", domain_));
}

bool Signer::covers(std::string_view from_domain) const {
    if (from_domain.size() < domain_.size()) return false;
    auto above = from_domain.size() - domain_.size();
    return system::equal_without_case(from_domain.substr(above), domain_) &&
           (above == 0 || from_domain[above - 1] == '.');
}

std::string Signer::sign(std::string_view header, std::span<const std::string_view> body, Time now) const {
    RelaxedBody relaxed;
    for (auto piece : body) relaxed.add(piece);
    auto body_hash = system::base64(relaxed.finish());
    auto fields = signed_header(header);
    auto size = fields.canonical.size();
    std::string signatures;
    for (auto& key : keys_) {
        auto field = unsigned_field(domain_, key, fields, body_hash, now);
        fields.canonical.resize(size);
        append_relaxed(fields.canonical, field.text); // itself comes last, with an empty b= (section 3.7)
        field.broken(key.signature(fields.canonical));
        signatures += field.text;
        signatures += "\r\n";
    }
    return signatures;
}

std::string Signer::sign(std::string_view message, Time now) const {
    auto end = message.find("\r\n\r\n");
    auto header = message.substr(0, end == message.npos ? end : end + 2);
    auto body = end == message.npos ? std::string_view() : message.substr(end + 4);
    return sign(header, {&body, 1}, now);
}

const Signer* signer_for(std::span<const Signer> signers, std::string_view from_domain) {
    const Signer* nearest = nullptr;
    for (auto& signer : signers)
        if (signer.covers(from_domain) && (!nearest || signer.domain().size() > nearest->domain().size()))
            nearest = &signer;
    return nearest;
}

std::expected<std::vector<Signer>, std::string> load_signers(const Settings& settings,
                                                             const std::filesystem::path& keys_folder) {
    std::vector<KeyFile> files;
    if (!settings.key_file.empty())
        files.push_back({settings.key_file, settings.domain, settings.selector});
    else if (!settings.domain.empty())
        files.push_back(key_file(keys_folder, settings.domain, settings.selector));
    else
        for (auto& file : key_files(keys_folder))
            if (file.selector == settings.selector) files.push_back(std::move(file));
    if (files.empty())
        return std::unexpected(fmt::format("{0}: no key in it has the selector {1}; `postrider dkim create DOMAIN {1}` "
                                           "makes one, `postrider dkim show` shows those that are there",
                                           keys_folder.string(), settings.selector));
    std::vector<Signer> signers;
    for (auto& file : files) {
        auto keys = read_keys(file);
        if (!keys) return std::unexpected(keys.error());
        if (settings.only) std::erase_if(*keys, [&](auto& key) { return key.algorithm() != *settings.only; });
        if (keys->empty())
            return std::unexpected(
                fmt::format("{}: it holds no key for {}", file.path.string(), to_text(*settings.only)));
        signers.emplace_back(file.domain, std::move(*keys));
    }
    return signers;
}

}
