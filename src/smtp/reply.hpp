#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// What a relay says, and where in the conversation it says it.
//
// In:     bytes as they come from the wire, cut anywhere.
// Out:    whole replies (RFC 5321 section 4.2), each with its enhanced status code (RFC 3463) where it has a believable
// one. Always: pure. The text is valid UTF-8 without control characters, at most Reply::longest bytes; a relay that
// talks without end,
//         or does not talk SMTP, is reported as garbage after bounded work.

namespace postrider::smtp {

// The command whose answer is meant. `connect` is DNS and TCP; `starttls` is also the handshake of smtps://; `body` is
// the final dot.
enum class Stage { connect, greeting, ehlo, starttls, auth, mail, rcpt, data, body, quit };
[[nodiscard]] std::string_view to_text(Stage);
[[nodiscard]] std::optional<Stage> stage_from_text(std::string_view);

struct Reply {
    static constexpr std::size_t longest = 4096;

    int code = 0;         // 200 to 599
    std::string enhanced; // "4.7.1"; empty when the relay gave none, or one whose class contradicts the code
    std::string text;     // without the codes; lines joined by '\n'

    [[nodiscard]] int kind() const { return code / 100; } // 2 done, 3 go on, 4 later, 5 no
    [[nodiscard]] bool done() const { return kind() == 2; }
    bool operator==(const Reply&) const = default;
};

[[nodiscard]] std::string to_text(const Reply&); // "451 4.7.1 Greylisted", in one line
// One reply as a person writes it: "451 4.7.1 Greylisted", "550", or several wire lines. Nothing when it begins with no
// reply code.
[[nodiscard]] std::optional<Reply> reply_from_text(std::string_view);

class ReplyReader {
public:
    enum class Found { nothing, reply, garbage }; // garbage is final

    void feed(std::string_view bytes);
    // Moves the next whole reply, if there is one, into `reply`, reusing its memory.
    [[nodiscard]] Found take(Reply& reply);
    [[nodiscard]] bool idle() const {
        return pending_.size() == at_ && lines_ == 0;
    } // nothing waits, not even half a reply
    // The beginning of what was no reply, fit to be shown.
    [[nodiscard]] const std::string& garbage() const { return garbage_; }

private:
    [[nodiscard]] Found line(std::string_view line, Reply& reply);
    [[nodiscard]] Found give_up(std::string_view why);

    std::string pending_;
    std::size_t at_ = 0;                // pending_ before this is done with
    std::size_t lines_ = 0, bytes_ = 0; // of the reply under way
    Reply open_;
    std::string garbage_;
};

// Valid UTF-8 with U+FFFD for what was not, spaces for control characters ('\n' stays), and at most `limit` bytes.
[[nodiscard]] std::string fit_to_show(std::string_view bytes, std::size_t limit);

}
