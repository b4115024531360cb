#include "delivery/message.hpp"

#include "mail/header.hpp"
#include "mail/quoted_printable.hpp"
#include "templates/escape.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postrider::delivery {
namespace {

namespace json = boost::json;
namespace field = mail::field;

// "=_" cannot occur in quoted-printable, so no part can contain it (RFC 2045 section 6.7, note 2).
constexpr std::string_view boundary = "=_postrider";

std::string date_in_words(Time time) {
    constexpr std::string_view months[] = {"January", "February", "March",     "April",   "May",      "June",
                                           "July",    "August",   "September", "October", "November", "December"};
    std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
    return fmt::format("{} {} {}", unsigned(day.day()), months[unsigned(day.month()) - 1], int(day.year()));
}

void append_part_header(std::string& out, std::string_view type, bool first) {
    out += fmt::format("{}--{}\r\n{}: {}; charset=utf-8\r\n{}: quoted-printable\r\n\r\n", first ? "" : "\r\n", boundary, field::content_type,
                       type, field::content_transfer_encoding);
}

}

void ReaderLinks::make(const subscribers::LinkSigner& signer, std::string_view site_url, MailingId mailing,
                       const subscribers::Reader& reader) {
    unsubscribe_url.assign(site_url).append("/leave/");
    signer.leave(unsubscribe_url, reader.subscription);
    preferences_url.assign(site_url).append("/preferences/");
    signer.preferences(preferences_url, reader.subscriber);
    view_url.assign(site_url).append("/view/");
    signer.view(view_url, mailing, reader.subscription);
    message_id.clear();
    signer.message_id(message_id, mailing, reader.subscription);
    bounce_token.clear();
    signer.bounce(bounce_token, mailing, reader.subscription);
    leave_token.clear();
    signer.leave_by_mail(leave_token, reader.subscription);
}

std::uint32_t Message::slot_of(std::string_view name) {
    auto known = std::ranges::find(slots_, name);
    if (known == slots_.end()) known = slots_.insert(slots_.end(), std::string(name));
    return std::uint32_t(known - slots_.begin());
}

Message Message::compile(const MessageParts& parts) {
    Message message;
    message.key_ = parts.key;
    message.domain_ = parts.domain;
    message.list_title_ = parts.list_title;
    message.subject_prefix_ = parts.test ? "[Test] " : "";
    message.subject_ = parts.subject;
    for (auto& name : parts.subject.slots()) message.subject_slots_.push_back(message.slot_of(name));

    std::string head;
    mail::append_date(head, parts.date);
    mail::append_mailbox(head, field::from, parts.from.name, parts.from.address);
    auto& pieces = message.pieces_;
    pieces.push_back({Kind::literal, 0, 0, std::move(head)});
    pieces.push_back({Kind::to, 0, 0, {}});
    pieces.push_back({Kind::subject, 0, 0, {}});
    pieces.push_back({Kind::literal, 0, 0, fmt::format("{}: <", field::message_id)});
    pieces.push_back({Kind::verbatim, message.slot_of("@message_id"), 0, {}});

    std::string lists = fmt::format("@{}>\r\n", parts.domain);
    mail::append_list_id(lists, parts.list_title, parts.list_identifier);
    pieces.push_back({Kind::literal, 0, 0, lists + fmt::format("{}: <", field::list_unsubscribe)});
    pieces.push_back({Kind::verbatim, message.slot_of("unsubscribe_url"), 0, {}});
    // RFC 2369 allows folding after the comma only; one address a line keeps long tokens below 998 octets.
    pieces.push_back({Kind::literal, 0, 0, ">,\r\n <mailto:leave+"});
    pieces.push_back({Kind::verbatim, message.slot_of("@leave_token"), 0, {}});

    std::string tail = fmt::format("@{}?subject=unsubscribe>\r\n", parts.domain);
    tail += fmt::format("{}: List-Unsubscribe=One-Click\r\n", field::list_unsubscribe_post); // RFC 8058 section 3.1
    mail::append_urls(tail, field::list_help, {parts.help_url});
    mail::append_urls(tail, field::list_archive, {parts.archive_url});
    tail += fmt::format("{}: NO\r\n", field::list_post);
    mail::append_text(tail, field::feedback_id, parts.feedback_id);
    tail += fmt::format("{}: bulk\r\n{}: OOF, AutoReply\r\n", field::precedence, field::auto_response_suppress);
    tail += fmt::format("{}: 1.0\r\n{}: multipart/alternative; boundary=\"{}\"\r\n\r\n", field::mime_version, field::content_type, boundary);
    append_part_header(tail, "text/plain", true);
    pieces.push_back({Kind::literal, 0, 0, std::move(tail)});
    message.add_body(parts.text);

    std::string between;
    append_part_header(between, "text/html", false);
    pieces.push_back({Kind::literal, 0, 0, std::move(between)});
    message.add_body(parts.html);
    pieces.push_back({Kind::literal, 0, 0, fmt::format("\r\n--{}--\r\n", boundary)});
    message.index();
    return message;
}

void Message::add_body(const templates::Program& program) {
    using From = templates::Piece::Kind;
    auto offset = std::uint32_t(pieces_.size());
    for (auto& piece : program.pieces()) {
        Piece mine{Kind::literal, 0, piece.partner + offset, {}};
        switch (piece.kind) {
        case From::literal: mail::quoted_printable::append_literal(mine.text, piece.text); break;
        case From::escaped: mine.kind = Kind::escaped; break;
        case From::raw: mine.kind = Kind::raw; break;
        case From::begin_if: mine.kind = Kind::begin_if; break;
        case From::begin_unless: mine.kind = Kind::begin_unless; break;
        case From::end: mine.kind = Kind::end; break;
        }
        if (piece.kind != From::literal && piece.kind != From::end) mine.slot = slot_of(program.slots()[piece.slot]);
        pieces_.push_back(std::move(mine));
    }
}

void Message::index() {
    constexpr std::array known = {"subscriber.name", "subscriber.first_name", "subscriber.address", "subscriber.language"};
    literal_size_ = 0;
    for (auto& piece : pieces_) literal_size_ += piece.text.size();
    wants_attributes_ = std::ranges::any_of(
        slots_, [&](auto& slot) { return slot.starts_with("subscriber.") && std::ranges::find(known, slot) == known.end(); });
}

std::string Message::to_text() const {
    json::array pieces;
    for (auto& piece : pieces_) pieces.push_back(json::array{int(piece.kind), piece.slot, piece.partner, piece.text});
    json::object object{{"key", key_.number}, {"domain", domain_}, {"title", list_title_}, {"prefix", subject_prefix_}, {"subject", subject_.stored()}};
    object["subject_slots"] = json::value_from(subject_slots_);
    object["slots"] = json::value_from(slots_);
    object["pieces"] = std::move(pieces);
    return json::serialize(object);
}

Message Message::from_text(std::string_view text) {
    auto object = json::parse(text).as_object();
    Message message;
    message.key_.number = object.at("key").to_number<std::uint8_t>();
    message.domain_ = object.at("domain").as_string();
    message.list_title_ = object.at("title").as_string();
    message.subject_prefix_ = object.at("prefix").as_string();
    auto subject = templates::Program::from_stored(object.at("subject").as_string());
    if (!subject) throw std::runtime_error("a frozen message has a broken subject: " + subject.error());
    message.subject_ = std::move(*subject);
    message.subject_slots_ = json::value_to<std::vector<std::uint32_t>>(object.at("subject_slots"));
    message.slots_ = json::value_to<std::vector<std::string>>(object.at("slots"));
    for (auto& value : object.at("pieces").as_array()) {
        auto& piece = value.as_array();
        message.pieces_.push_back({Kind(piece.at(0).to_number<int>()), piece.at(1).to_number<std::uint32_t>(),
                                   piece.at(2).to_number<std::uint32_t>(), std::string(piece.at(3).as_string())});
    }
    message.index();
    return message;
}

void Message::fill_values(const subscribers::Reader& reader, const ReaderLinks& links, Scratch& scratch) const {
    json::object attributes;
    if (wants_attributes_) attributes = json::parse(reader.attributes).as_object();
    scratch.values.resize(slots_.size());
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        auto& value = scratch.values[i];
        std::string_view name = slots_[i];
        if (name == "subscriber.name") value = reader.name;
        else if (name == "subscriber.first_name") value = std::string_view(reader.name).substr(0, reader.name.find(' '));
        else if (name == "subscriber.address") value = reader.address;
        else if (name == "subscriber.language") value = reader.language;
        else if (name == "unsubscribe_url") value = links.unsubscribe_url;
        else if (name == "preferences_url") value = links.preferences_url;
        else if (name == "view_url") value = links.view_url;
        else if (name == "@message_id") value = links.message_id;
        else if (name == "@leave_token") value = links.leave_token;
        else if (name == "why")
            value = fmt::format("You receive this because {} joined {} on {}.", reader.address, list_title_, date_in_words(reader.activated_at));
        else if (auto* attribute = attributes.if_contains(name.substr(std::min(name.size(), std::size_t(11)))); attribute && attribute->is_string())
            value = attribute->as_string();
        else value.clear();
    }
}

void Message::write(std::string& out, const subscribers::Reader& reader, const ReaderLinks& links, Scratch& scratch) const {
    fill_values(reader, links, scratch);
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        auto& piece = pieces_[i];
        switch (piece.kind) {
        case Kind::literal: out += piece.text; break;
        case Kind::verbatim: out += scratch.values[piece.slot]; break;
        case Kind::raw: mail::quoted_printable::append_slot(out, scratch.values[piece.slot]); break;
        case Kind::escaped:
            scratch.text.clear();
            templates::append_escaped(scratch.text, scratch.values[piece.slot]);
            mail::quoted_printable::append_slot(out, scratch.text);
            break;
        case Kind::begin_if:
            if (scratch.values[piece.slot].empty()) i = piece.partner;
            break;
        case Kind::begin_unless:
            if (!scratch.values[piece.slot].empty()) i = piece.partner;
            break;
        case Kind::end: break;
        case Kind::to: {
            auto address = mail::parse_address(reader.address);
            if (!address) throw std::runtime_error(fmt::format("the address of subscription {} is broken: {}", reader.subscription.number, address.error().reason));
            mail::append_mailbox(out, field::to, reader.name, *address);
            break;
        }
        case Kind::subject: {
            std::vector<std::string_view> values;
            for (auto slot : subject_slots_) values.push_back(scratch.values[slot]);
            scratch.text = subject_prefix_;
            subject_.fill(scratch.text, values);
            mail::append_text(out, field::subject, scratch.text);
            break;
        }
        }
    }
}

std::string Message::envelope_sender(const ReaderLinks& links) const { return fmt::format("bounce+{}@{}", links.bounce_token, domain_); }

}
