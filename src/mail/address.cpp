#include "mail/address.hpp"

#include "mail/utf8.hpp"
#include "system/trimmed.hpp"

#include <fmt/format.h>
#include <idn2.h>
#include <unicode/uchar.h>

#include <algorithm>
#include <memory>
#include <optional>

namespace postrider::mail {
namespace {

constexpr std::string_view blanks = " \t";
constexpr std::size_t longest_input = 1024; // any name whose A-labels fit in 254 octets is shorter than this in UTF-8
constexpr std::size_t longest_local = 64;   // RFC 5321 section 4.5.3.1.1
constexpr std::size_t longest_domain = 255; // section 4.5.3.1.2
constexpr std::size_t longest_path = 254;   // section 4.5.3.1.3: 256 with the angle brackets
constexpr std::size_t longest_label = 63;   // RFC 1035 section 2.3.4

std::unexpected<AddressError> refuse(std::string reason) { return std::unexpected(AddressError{std::move(reason)}); }

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// RFC 5322 section 3.2.3, with UTF8-non-ascii of RFC 6531 section 3.3.
bool is_atext(char c) {
    return is_letter(c) || is_digit(c) || (unsigned char)c >= 0x80 ||
           std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

// `part` completes the sentence: "the part before the @".
std::optional<std::string> wrong_dots(std::string_view text, std::string_view part) {
    if (text.starts_with('.')) return fmt::format("{} begins with a dot", part);
    if (text.ends_with('.')) return fmt::format("{} ends in a dot", part);
    if (text.find("..") != text.npos) return fmt::format("{} has two dots in a row", part);
    return std::nullopt;
}

std::string contains(std::string_view part, std::string_view text, std::size_t at) {
    auto start = at;
    auto c = next_code_point(text, at);
    if (c == ' ') return fmt::format("{} contains a space", part);
    if (U_GET_GC_MASK(UChar32(c)) & (U_GC_C_MASK | U_GC_Z_MASK))
        return fmt::format("{} contains the invisible character U+{:04X}", part, std::uint32_t(c));
    return fmt::format("{} contains \"{}\"", part, text.substr(start, at - start));
}

// Characters that no person can see or type have no place in an address; with them two addresses would look alike.
std::optional<std::string> unsafe_character(std::string_view local) {
    for (std::size_t at = 0; at < local.size();) {
        auto start = at;
        auto mask = U_GET_GC_MASK(UChar32(next_code_point(local, at)));
        if (mask & (U_GC_C_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK)) return contains("the part before the @", local, start);
        if ((mask & U_GC_ZS_MASK) && local[start] != ' ') return contains("the part before the @", local, start);
        if (start == 0 && (mask & U_GC_M_MASK)) return "the part before the @ begins with a combining mark";
    }
    return std::nullopt;
}

struct Split {
    std::string local; // what it means: without the quotes and backslashes of a quoted-string
    bool quoted;
    std::string_view local_as_given, domain;
};

std::expected<Split, AddressError> split_quoted(std::string_view text) {
    std::string local;
    for (std::size_t at = 1; at < text.size(); ++at) {
        char c = text[at];
        if (c == '"') {
            if (at + 1 == text.size()) return refuse("there is no @ after the closing quotation mark");
            if (text[at + 1] != '@') return refuse("only an @ may follow the closing quotation mark");
            return Split{std::move(local), true, text.substr(0, at + 1), text.substr(at + 2)};
        }
        if (c == '\\') {
            // quoted-pairSMTP of RFC 5321 section 4.1.2 is for printable ASCII.
            if (++at == text.size() || (unsigned char)text[at] >= 0x80)
                return refuse("a backslash stands before nothing");
            c = text[at];
        }
        local += c;
    }
    return refuse("a quotation mark is not closed");
}

std::expected<Split, AddressError> split(std::string_view text) {
    if (text.starts_with('"')) return split_quoted(text);
    auto at = text.find('@');
    if (at == text.npos) return refuse("there is no @");
    auto local = text.substr(0, at);
    return Split{std::string(local), false, local, text.substr(at + 1)};
}

std::optional<std::string> wrong_atoms(std::string_view local) {
    if (local.empty()) return "there is nothing before the @";
    if (auto wrong = wrong_dots(local, "the part before the @")) return wrong;
    auto bad = std::ranges::find_if(local, [](char c) { return c != '.' && !is_atext(c); });
    if (bad != local.end()) return contains("the part before the @", local, std::size_t(bad - local.begin()));
    return std::nullopt;
}

// Quotes only where RFC 5321 section 4.1.2 needs them, so that "ada"@x and ada@x are one address.
std::string written(std::string_view local) {
    if (!wrong_atoms(local)) return std::string(local);
    std::string out = "\"";
    for (char c : local) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::expected<std::string, AddressError> local_part(const Split& split) {
    auto local = nfc(split.local);
    if (auto unsafe = unsafe_character(local)) return refuse(*unsafe);
    // After composition, because U+037E composes to a semicolon.
    if (!split.quoted)
        if (auto wrong = wrong_atoms(local)) return refuse(*wrong);
    auto text = written(local);
    if (split.local_as_given.size() > longest_local || text.size() > longest_local)
        return refuse(fmt::format("the part before the @ is longer than {} octets", longest_local));
    return text;
}

std::optional<std::string> wrong_label(std::string_view label) {
    auto bad = std::ranges::find_if(label, [](char c) { return !is_letter(c) && !is_digit(c) && c != '-'; });
    if (bad != label.end()) return contains("the domain", label, std::size_t(bad - label.begin()));
    if (label.size() > longest_label)
        return fmt::format("a part of the domain is longer than {} characters", longest_label);
    if (label.starts_with('-')) return "a part of the domain begins with a hyphen";
    if (label.ends_with('-')) return "a part of the domain ends in a hyphen";
    // RFC 5891 section 4.2.3.1: hyphens in the third and fourth place are reserved for A-labels.
    if (label.substr(std::min<std::size_t>(2, label.size())).starts_with("--") && !label.starts_with("xn--"))
        return "a part of the domain has hyphens in the third and fourth place";
    return std::nullopt;
}

// The domain in A-labels and lower case.
std::optional<std::string> wrong_host_name(std::string_view domain) {
    if (domain.empty()) return "there is nothing after the @";
    if (auto wrong = wrong_dots(domain, "the domain")) return wrong;
    if (domain.size() > longest_domain) return fmt::format("the domain is longer than {} octets", longest_domain);
    std::string_view rest = domain, last;
    while (!rest.empty()) {
        last = rest.substr(0, rest.find('.'));
        if (auto wrong = wrong_label(last)) return wrong;
        rest.remove_prefix(std::min(rest.size(), last.size() + 1));
    }
    if (last.size() == domain.size()) return "the domain has no dot: is its ending missing?";
    // Every ending ever delegated closes with a letter or is an A-label. One of digits only is grammatical (RFC 5321
    // section 4.1.2) and left to DNS.
    if (!is_letter(last.back()) && !last.starts_with("xn--") && !std::ranges::all_of(last, is_digit))
        return fmt::format("the domain ends in \"{}\", which is no top-level domain", last);
    return std::nullopt;
}

struct FreeWithIdn2 {
    void operator()(char* text) const { idn2_free(text); }
};
using Idn2Text = std::unique_ptr<char, FreeWithIdn2>;

// UTS 46 maps the capital sharp s to the small one since revision 31; libidn2's tables are older and make it "ss",
// another domain.
void map_capital_sharp_s(std::string& domain) {
    constexpr std::string_view capital = "\u1e9e", small = "\u00df";
    for (auto at = domain.find(capital); at != domain.npos; at = domain.find(capital, at))
        domain.replace(at, capital.size(), small);
}

std::expected<std::string, AddressError> to_a_labels(const std::string& domain) {
    char* out = nullptr;
    int status = idn2_to_ascii_8z(domain.c_str(), &out, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    Idn2Text owner(out);
    if (status == IDN2_OK) return std::string(out);
    if (status == IDN2_TOO_BIG_LABEL || status == IDN2_PUNYCODE_BIG_OUTPUT)
        return refuse(fmt::format("a part of the domain is longer than {} characters", longest_label));
    if (status == IDN2_TOO_BIG_DOMAIN)
        return refuse(fmt::format("the domain is longer than {} octets", longest_domain));
    return refuse(fmt::format("the domain is not a valid international name: {}", idn2_strerror(status)));
}

std::optional<std::string> to_u_labels(const std::string& domain) {
    char* out = nullptr;
    int status = idn2_to_unicode_8z8z(domain.c_str(), &out, 0);
    Idn2Text owner(out);
    if (status != IDN2_OK) return std::nullopt;
    return std::string(out);
}

struct Domain {
    std::string text, ascii;
};

std::expected<Domain, AddressError> domain_part(std::string_view given) {
    if (given.find('@') != given.npos) return refuse("there is more than one @");
    if (given.starts_with('[')) return refuse("an address in brackets is not taken: the domain must be a name");
    std::string domain(given);
    if (is_ascii(given)) {
        domain = case_folded(given);
        if (auto wrong = wrong_host_name(domain)) return refuse(*wrong);
        if (domain.find("xn--") == domain.npos) return Domain{domain, domain};
    }
    map_capital_sharp_s(domain);
    auto ascii = to_a_labels(domain);
    if (!ascii) return std::unexpected(ascii.error());
    // On the result, because full-width letters, dots and hyphens are mapped to plain ones.
    if (auto wrong = wrong_host_name(*ascii)) return refuse(*wrong);
    auto text = to_u_labels(*ascii);
    if (!text || to_a_labels(*text) != *ascii) return refuse("the domain is not a valid international name");
    return Domain{*text, *ascii};
}

std::expected<std::string, AddressError> display_name(std::string_view text) {
    if (!is_utf8(text)) return refuse("the name is not valid UTF-8");
    for (std::size_t at = 0; at < text.size();) {
        auto c = next_code_point(text, at);
        if (U_GET_GC_MASK(UChar32(c)) & (U_GC_CC_MASK | U_GC_ZL_MASK | U_GC_ZP_MASK))
            return refuse("the name contains a control character");
    }
    if (!text.starts_with('"')) {
        if (text.find('"') != text.npos) return refuse("a quotation mark stands inside the name: quote the whole name");
        if (text.find_first_of("<>") != text.npos) return refuse("there are several angle brackets");
        return std::string(text);
    }
    std::string name;
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] == '"') {
            if (at + 1 != text.size()) return refuse("something follows the closing quotation mark");
            return name;
        }
        if (text[at] == '\\' && at + 1 < text.size()) ++at;
        name += text[at];
    }
    return refuse("a quotation mark is not closed");
}

}

Address::Address(std::string_view local, std::string_view domain_text, std::string_view domain_ascii)
    : text_(fmt::format("{}@{}", local, domain_text)), ascii_(fmt::format("{}@{}", local, domain_ascii)),
      local_size_(local.size()), needs_smtputf8_(!is_ascii(local)) {}

std::string Address::key() const {
    auto key = case_folded(local());
    key += '@';
    key += domain_ascii();
    return key;
}

std::expected<Address, AddressError> parse_address(std::string_view text) {
    if (text.empty()) return refuse("there is no address");
    if (text.size() > longest_input) return refuse(fmt::format("it is longer than {} octets", longest_path));
    if (std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
        return refuse("it contains a control character or a line break");
    if (!is_utf8(text)) return refuse("it is not valid UTF-8");

    auto halves = split(text);
    if (!halves) return std::unexpected(halves.error());
    auto local = local_part(*halves);
    if (!local) return std::unexpected(local.error());
    auto domain = domain_part(halves->domain);
    if (!domain) return std::unexpected(domain.error());

    Address address(*local, domain->text, domain->ascii);
    if (address.ascii().size() > longest_path || address.text().size() > longest_path)
        return refuse(fmt::format("it is longer than {} octets", longest_path));
    return address;
}

bool is_same(std::string_view text, const Address& address) {
    auto other = parse_address(text);
    return other && other->key() == address.key();
}

std::expected<Mailbox, AddressError> parse_mailbox(std::string_view text) {
    text = system::trimmed(text, blanks);
    std::string name;
    if (text.ends_with('>')) {
        auto open = text.rfind('<');
        if (open == text.npos) return refuse("there is a > without a <");
        auto named = display_name(system::trimmed(text.substr(0, open), blanks));
        if (!named) return std::unexpected(named.error());
        name = std::move(*named);
        text = text.substr(open + 1, text.size() - open - 2);
    }
    auto address = parse_address(text);
    if (!address) return std::unexpected(address.error());
    return Mailbox{std::move(name), std::move(*address)};
}

std::expected<Mailbox, AddressError> parse_sender(std::string_view text) {
    auto mailbox = parse_mailbox(text);
    if (mailbox && mailbox->address.needs_smtputf8())
        return refuse("the part before the @ must be ASCII, as not every reader's server takes other senders");
    return mailbox;
}

}
