#include "mail/message.hpp"

#include "mail/utf8.hpp"
#include "system/random.hpp"

#include <fmt/format.h>

namespace postrider::mail {
namespace {

constexpr std::size_t longest_line = 998;

void append_token(std::string& out, std::string_view name, std::string_view value) {
    out += name;
    out += ": ";
    out += value;
    out += "\r\n";
}

// The fields that describe a part, and the empty line after them.
std::string part_head(std::string_view type) {
    std::string out;
    append_token(out, field::content_type, fmt::format("{}; charset=utf-8", type));
    append_token(out, field::content_transfer_encoding, "quoted-printable");
    return out + "\r\n";
}

}

std::string boundary_from(std::string_view unique) {
    // "=_" cannot occur in quoted-printable: RFC 2045 section 6.7 suggests it. The hash keeps nested messages apart.
    return "=_" + system::hex(system::sha256(unique)).substr(0, 24);
}

Frame::Frame(const Heading& heading, Time date, std::string_view boundary)
    : body_(heading.body), list_(heading.list.has_value()), domain_(heading.from.address.domain_ascii()) {
    append_date(before_to_, date);
    append_mailbox(before_to_, field::from, heading.from.name, heading.from.address);
    if (heading.reply_to)
        append_mailbox(before_to_, field::reply_to, heading.reply_to->name, heading.reply_to->address);
    append_text(subject_, field::subject, heading.subject);

    auto& after = after_unsubscribe_;
    if (heading.list) {
        const auto& list = *heading.list;
        append_list_id(before_unsubscribe_, list.title, list.identifier);
        append_urls(after, field::list_help, {list.help_url});
        append_urls(after, field::list_archive, {list.archive_url});
        append_token(after, field::list_post, "NO");
        if (!list.feedback_id.empty()) append_word(after, field::feedback_id, list.feedback_id);
        append_token(after, field::precedence, "bulk");
        append_token(after, field::auto_response_suppress, "OOF, AutoReply");
    } else {
        append_token(after, field::auto_submitted, "auto-generated");
    }
    append_token(after, field::mime_version, "1.0");
    if (body_ == Body::text) {
        after += part_head("text/plain");
        return;
    }
    append_token(after, field::content_type, fmt::format("multipart/alternative;\r\n boundary=\"{}\"", boundary));
    after += fmt::format("\r\n--{}\r\n{}", boundary, part_head("text/plain"));
    // The line end before a boundary belongs to the boundary (RFC 2046 section 5.1.1).
    next_ = fmt::format("\r\n--{}\r\n{}", boundary, part_head("text/html"));
    close_ = fmt::format("\r\n--{}--\r\n", boundary);
}

void Frame::open(std::string& out, const Recipient& recipient) const {
    out += before_to_;
    append_mailbox(out, field::to, recipient.name, recipient.address);
    if (recipient.subject)
        append_text(out, field::subject, *recipient.subject);
    else
        out += subject_;
    append_message_id(out, recipient.message_id, domain_);
    out += before_unsubscribe_;
    if (list_ && !recipient.unsubscribe_url.empty()) {
        append_urls(out, field::list_unsubscribe, {recipient.unsubscribe_url, recipient.unsubscribe_mailto});
        append_token(out, field::list_unsubscribe_post, "List-Unsubscribe=One-Click");
    }
    out += after_unsubscribe_;
}

void Frame::next(std::string& out) const { out += next_; }

void Frame::close(std::string& out) const {
    out += close_;
    if (!out.ends_with("\r\n")) out += "\r\n";
}

std::string whole_message(const Heading& heading, const Recipient& recipient, Time date, std::string_view text,
                          std::string_view html) {
    std::string out;
    Frame frame(heading, date, boundary_from(recipient.message_id));
    frame.open(out, recipient);
    quoted_printable::append_text(out, valid_utf8(text));
    if (heading.body == Body::alternative) {
        frame.next(out);
        quoted_printable::append_text(out, valid_utf8(html));
    }
    frame.close(out);
    return out;
}

bool safe_for_data(std::string_view bytes) {
    if (bytes.find('\0') != bytes.npos || bytes.empty()) return false;
    while (!bytes.empty()) {
        auto end = bytes.find('\n');
        if (end == bytes.npos || end == 0 || bytes[end - 1] != '\r') return false;
        auto line = bytes.substr(0, end - 1);
        if (line.size() > longest_line || line.starts_with('.') || line.find('\r') != line.npos) return false;
        bytes.remove_prefix(end + 1);
    }
    return true;
}

}
