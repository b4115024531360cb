#include "smtp/reply.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postrider::smtp {

namespace {

constexpr std::array<std::string_view, 10> stages = {"connect", "greeting", "ehlo", "starttls", "auth",
                                                     "mail",    "rcpt",     "data", "body",     "quit"};

// RFC 5321 section 4.5.3.1.5 allows 512 bytes a line; real relays go beyond. These bounds only stop a flood.
constexpr std::size_t longest_line = 8192, most_lines = 10000, most_bytes = 256 * 1024;

bool digit(char c) { return c >= '0' && c <= '9'; }

// The length of "4.7.1" at the beginning of the text, 0 when it does not begin with an enhanced status code (RFC 3463
// section 2).
std::size_t enhanced_length(std::string_view text) {
    if (text.size() < 5 || (text[0] != '2' && text[0] != '4' && text[0] != '5')) return 0;
    std::size_t at = 1;
    for (int part = 0; part < 2; ++part) {
        if (at >= text.size() || text[at] != '.') return 0;
        auto first = ++at;
        while (at < text.size() && digit(text[at])) ++at;
        if (at == first || at - first > 3) return 0;
    }
    // Some write "5.1.1:" or "5.1.1,"; a fourth number would make it an IP address or a version.
    if (at < text.size() && (text[at] == '.' || std::isalnum(static_cast<unsigned char>(text[at])))) return 0;
    return at;
}

std::string_view without_spaces(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

// The length of the well-formed UTF-8 sequence at the beginning (RFC 3629 section 4), 0 when there is none.
std::size_t sequence_length(std::string_view bytes) {
    auto at = [&](std::size_t i) -> unsigned { return i < bytes.size() ? static_cast<unsigned char>(bytes[i]) : 0u; };
    auto tail = [&](std::size_t i) { return (at(i) & 0xC0) == 0x80; };
    unsigned lead = at(0);
    if (lead < 0x80) return 1;
    if (lead >= 0xC2 && lead <= 0xDF) return tail(1) ? 2 : 0;
    if (lead >= 0xE0 && lead <= 0xEF) {
        bool overlong = lead == 0xE0 && at(1) < 0xA0, surrogate = lead == 0xED && at(1) > 0x9F;
        return tail(1) && tail(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (lead >= 0xF0 && lead <= 0xF4) {
        bool overlong = lead == 0xF0 && at(1) < 0x90, too_high = lead == 0xF4 && at(1) > 0x8F;
        return tail(1) && tail(2) && tail(3) && !overlong && !too_high ? 4 : 0;
    }
    return 0;
}

bool plain(std::string_view bytes) {
    return std::ranges::all_of(bytes, [](char c) { return c >= ' ' && c <= '~'; });
}

void append_fit(std::string& out, std::string_view bytes, std::size_t limit) {
    if (out.size() >= limit) return;
    if (plain(bytes)) {
        out += bytes.substr(0, limit - out.size());
        return;
    }
    while (!bytes.empty()) {
        auto length = sequence_length(bytes);
        auto piece = length ? bytes.substr(0, length) : std::string_view("\xEF\xBF\xBD");
        auto c = static_cast<unsigned char>(bytes[0]);
        if ((c < ' ' && c != '\n') || c == 0x7F) piece = " ";
        // U+0080 to U+009F are control characters too.
        if (length == 2 && c == 0xC2 && static_cast<unsigned char>(bytes[1]) < 0xA0) piece = " ";
        if (out.size() + piece.size() > limit) return;
        out += piece;
        bytes.remove_prefix(std::max<std::size_t>(length, 1));
    }
}

}

std::string_view to_text(Stage stage) { return stages[static_cast<std::size_t>(stage)]; }

std::optional<Stage> stage_from_text(std::string_view text) {
    auto found = std::ranges::find(stages, text);
    if (found == stages.end()) return std::nullopt;
    return static_cast<Stage>(found - stages.begin());
}

std::string fit_to_show(std::string_view bytes, std::size_t limit) {
    std::string out;
    append_fit(out, bytes, limit);
    return out;
}

std::string to_text(const Reply& reply) {
    auto out = std::to_string(reply.code);
    for (std::string_view part : {std::string_view(reply.enhanced), std::string_view(reply.text)}) {
        if (part.empty()) continue;
        out += ' ';
        out += part;
    }
    std::ranges::replace(out, '\n', ' ');
    return out;
}

std::optional<Reply> reply_from_text(std::string_view text) {
    ReplyReader reader;
    Reply reply;
    reader.feed(without_spaces(text));
    reader.feed("\n");
    if (reader.take(reply) != ReplyReader::Found::reply) return std::nullopt;
    return reply;
}

void ReplyReader::feed(std::string_view bytes) {
    if (at_ == pending_.size()) {
        pending_.clear();
        at_ = 0;
    } else if (at_ > longest_line) {
        pending_.erase(0, at_);
        at_ = 0;
    }
    pending_ += bytes;
}

ReplyReader::Found ReplyReader::take(Reply& reply) {
    if (!garbage_.empty()) return Found::garbage;
    for (;;) {
        auto rest = std::string_view(pending_).substr(at_);
        auto end = rest.find('\n');
        if (end == std::string_view::npos && rest.size() <= longest_line) return Found::nothing;
        if (end > longest_line) return give_up(rest.substr(0, 200));
        at_ += end + 1;
        auto text = rest.substr(0, end);
        while (text.ends_with('\r')) text.remove_suffix(1);
        auto found = line(text, reply);
        if (found != Found::nothing) return found;
    }
}

ReplyReader::Found ReplyReader::give_up(std::string_view why) {
    garbage_ = fit_to_show(without_spaces(why), 200);
    if (garbage_.empty()) garbage_ = "an empty line";
    return Found::garbage;
}

ReplyReader::Found ReplyReader::line(std::string_view line, Reply& reply) {
    if (line.size() < 3 || line[0] < '2' || line[0] > '5' || !digit(line[1]) || !digit(line[2])) return give_up(line);
    if (line.size() > 3 && digit(line[3])) return give_up(line);
    if (++lines_ > most_lines || (bytes_ += line.size()) > most_bytes) return give_up("a reply without end");

    if (lines_ == 1) {
        open_.enhanced.clear();
        open_.text.clear();
    } else if (open_.text.size() < Reply::longest) {
        open_.text += '\n';
    }
    // Where the lines disagree, the last one counts: it is the one that ends the reply.
    open_.code = (line[0] - '0') * 100 + (line[1] - '0') * 10 + (line[2] - '0');
    bool more = line.size() > 3 && line[3] == '-';
    auto text = without_spaces(
        line.substr(std::min<std::size_t>(line.size(), line.size() > 3 && (more || line[3] == ' ') ? 4 : 3)));
    // A code of another class than the reply's is not believed, and stays in the text for whoever wants to know.
    if (auto length = enhanced_length(text); length && text[0] == line[0]) {
        auto code = text.substr(0, length);
        if (open_.enhanced.empty()) open_.enhanced = code;
        if (code == open_.enhanced) text = without_spaces(text.substr(length));
    }
    append_fit(open_.text, text, Reply::longest);
    if (more) return Found::nothing;

    if (!open_.enhanced.empty() && open_.enhanced[0] != '0' + open_.code / 100) open_.enhanced.clear();
    std::swap(reply.code, open_.code);
    reply.enhanced.swap(open_.enhanced);
    reply.text.swap(open_.text);
    lines_ = bytes_ = 0;
    return Found::reply;
}

}
