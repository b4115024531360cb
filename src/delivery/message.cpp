#include "delivery/message.hpp"

#include "mail/quoted_printable.hpp"
#include "templates/escape.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postrider::delivery {
namespace {

namespace json = boost::json;

std::string date_in_words(Time time) {
    constexpr std::string_view months[] = {"January", "February", "March",     "April",   "May",      "June",
                                           "July",    "August",   "September", "October", "November", "December"};
    std::chrono::year_month_day day(std::chrono::floor<std::chrono::days>(time));
    return fmt::format("{} {} {}", unsigned(day.day()), months[unsigned(day.month()) - 1], int(day.year()));
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
    Message message(parts.heading);
    message.key_ = parts.key;
    message.heading_.subject.clear();
    message.subject_prefix_ = parts.subject_prefix;
    message.date_ = parts.date;
    message.subject_ = parts.subject;
    for (auto& name : parts.subject.slots()) message.subject_slots_.push_back(message.slot_of(name));
    message.add_body(parts.text);
    message.pieces_.push_back({Kind::next_part, 0, 0, {}});
    message.add_body(parts.html);
    message.prepare();
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

void Message::prepare() {
    constexpr std::array known = {"subscriber.name", "subscriber.first_name", "subscriber.address",
                                  "subscriber.language"};
    wants_attributes_ = std::ranges::any_of(slots_, [&](auto& slot) {
        return slot.starts_with("subscriber.") && std::ranges::find(known, slot) == known.end();
    });
    frame_.emplace(heading_, mail::boundary_from(
                                 fmt::format("{} {}", heading_.list->identifier, date_.time_since_epoch().count())));
}

std::string Message::to_text() const {
    json::array pieces;
    for (auto& piece : pieces_) pieces.push_back(json::array{int(piece.kind), piece.slot, piece.partner, piece.text});
    auto& list = *heading_.list;
    json::object object{{"key", key_.number},
                        {"from_name", heading_.from.name},
                        {"from", heading_.from.address.text()},
                        {"list_title", list.title},
                        {"list_id", list.identifier},
                        {"help_url", list.help_url},
                        {"archive_url", list.archive_url},
                        {"feedback_id", list.feedback_id},
                        {"prefix", subject_prefix_},
                        {"date", date_.time_since_epoch().count()},
                        {"subject", subject_.stored()},
                        {"subject_slots", json::value_from(subject_slots_)},
                        {"slots", json::value_from(slots_)},
                        {"pieces", std::move(pieces)}};
    return json::serialize(object);
}

Message Message::from_text(std::string_view text) {
    auto object = json::parse(text).as_object();
    auto words = [&](const char* name) { return std::string(object.at(name).as_string()); };
    auto from = mail::parse_address(words("from"));
    auto subject = templates::Program::from_stored(words("subject"));
    if (!from || !subject) throw std::runtime_error("a frozen message is broken; restore the database from a backup");
    mail::Heading heading{
        mail::Mailbox{words("from_name"), *from}, {}, "", mail::ListFields{}, mail::Body::alternative};
    *heading.list = {words("list_title"), words("list_id"), words("help_url"), words("archive_url"),
                     words("feedback_id")};
    Message message(std::move(heading));
    message.key_.number = object.at("key").to_number<std::uint8_t>();
    message.subject_prefix_ = words("prefix");
    message.date_ = Time(Duration(object.at("date").to_number<std::int64_t>()));
    message.subject_ = std::move(*subject);
    message.subject_slots_ = json::value_to<std::vector<std::uint32_t>>(object.at("subject_slots"));
    message.slots_ = json::value_to<std::vector<std::string>>(object.at("slots"));
    for (auto& value : object.at("pieces").as_array()) {
        auto& piece = value.as_array();
        message.pieces_.push_back({Kind(piece.at(0).to_number<int>()), piece.at(1).to_number<std::uint32_t>(),
                                   piece.at(2).to_number<std::uint32_t>(), std::string(piece.at(3).as_string())});
    }
    message.prepare();
    return message;
}

void Message::fill_values(std::span<const std::string> slots, bool wants_attributes, const subscribers::Reader& reader,
                          const ReaderLinks& links, std::vector<std::string>& values) const {
    json::object attributes;
    if (wants_attributes) attributes = json::parse(reader.attributes).as_object();
    values.resize(slots.size());
    for (std::size_t i = 0; i < slots.size(); ++i) {
        auto& value = values[i];
        std::string_view name = slots[i];
        if (name == "subscriber.name")
            value = reader.name;
        else if (name == "subscriber.first_name")
            value = std::string_view(reader.name).substr(0, reader.name.find(' '));
        else if (name == "subscriber.address")
            value = reader.address;
        else if (name == "subscriber.language")
            value = reader.language;
        else if (name == "unsubscribe_url")
            value = links.unsubscribe_url;
        else if (name == "preferences_url")
            value = links.preferences_url;
        else if (name == "view_url")
            value = links.view_url;
        else if (name == "why")
            value = fmt::format("You receive this because {} joined {} on {}.", reader.address, heading_.list->title,
                                date_in_words(reader.activated_at));
        else if (auto* attribute = attributes.if_contains(name.substr(std::min(name.size(), std::size_t(11))));
                 attribute && attribute->is_string())
            value = attribute->as_string();
        else
            value.clear();
    }
}

void Message::write(std::string& out, const subscribers::Reader& reader, const mail::Address& address,
                    const ReaderLinks& links, Scratch& scratch) const {
    fill_values(slots_, wants_attributes_, reader, links, scratch.values);

    scratch.views.clear();
    for (auto slot : subject_slots_) scratch.views.push_back(scratch.values[slot]);
    scratch.subject = subject_prefix_;
    subject_.fill(scratch.subject, scratch.views);
    scratch.mailto.assign("mailto:leave+")
        .append(links.leave_token)
        .append("@")
        .append(heading_.from.address.domain_ascii())
        .append("?subject=unsubscribe");
    mail::Recipient recipient{address,        reader.name,    links.message_id, links.unsubscribe_url,
                              scratch.mailto, scratch.subject};
    frame_->open(out, recipient, date_);

    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        auto& piece = pieces_[i];
        switch (piece.kind) {
        case Kind::literal: out += piece.text; break;
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
        case Kind::next_part: frame_->next(out); break;
        }
    }
    frame_->close(out);
}

std::string Message::page(const templates::Program& program, const subscribers::Reader& reader,
                          const ReaderLinks& links) const {
    std::vector<std::string> values;
    fill_values(program.slots(), true, reader, links, values);
    std::vector<std::string_view> views(values.begin(), values.end());
    std::string out;
    program.fill(out, views);
    return out;
}

std::string Message::envelope_sender(const ReaderLinks& links) const {
    return fmt::format("bounce+{}@{}", links.bounce_token, heading_.from.address.domain_ascii());
}

}
