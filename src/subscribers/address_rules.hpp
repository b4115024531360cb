#pragma once

#include "mail/address.hpp"

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

// What an address itself says against a sign-up, or about a slip of the finger.
//
// Always: says nothing about whether the address is known; a slip is suggested and never corrected.

namespace postrider::subscribers {

// "ada@gmail.com" for "ada@gmial.com": where the domain is one slip away from that of a great provider and is none itself.
[[nodiscard]] std::optional<std::string> suggested(const mail::Address&);

// info@, postmaster@ and their like (RFC 2142): several people read it, and none of them can agree for all.
[[nodiscard]] bool is_role(const mail::Address&);

// Domains that give anybody an address for an hour, from a file that the operator keeps: one a line, "#" begins a comment.
class DisposableDomains {
public:
    DisposableDomains() = default; // none
    // Throws std::runtime_error with file and line: unreadable, too long, or a line that is no domain.
    explicit DisposableDomains(const std::filesystem::path& file);

    [[nodiscard]] bool contains(const mail::Address&) const; // its domain, or one above it
    [[nodiscard]] std::size_t size() const { return domains_.size(); }

private:
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
    };
    std::unordered_set<std::string, Hash, std::equal_to<>> domains_;
};

}
