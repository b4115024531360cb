#include "delivery/message.hpp"

#include "mail/quoted_printable.hpp"
#include "templates/escape.hpp"
#include "templates/mustache.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace postrider::delivery {
namespace {

namespace json = boost::json;

constexpr std::string_view attribute_prefix = "subscriber.";
constexpr std::string_view why_address = "address", why_joined = "joined";
constexpr std::size_t most_days = 20'000; // in a Scratch

bool needs_escaping(std::string_view text) { return text.find_first_of("&<>\"'") != text.npos; }

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
    leave_token.clear();
    signer.leave_by_mail(leave_token, reader.subscription);
}

// In one pass: this is done for every reader.
void wrap_why(std::string& line) {
    constexpr std::size_t most = 72;
    std::size_t columns = 0, space = line.npos, after_space = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == ' ') {
            space = i;
            after_space = columns + 1;
        }
        columns += (static_cast<unsigned char>(line[i]) & 0xC0) != 0x80; // code points
        if (columns <= most || space == line.npos) continue;
        line[space] = '\n';
        columns -= after_space;
        space = line.npos;
    }
}

// The pattern of the language, with tags for values, is a template itself.
templates::Program why_program(const templates::Words& words, std::string_view list_title) {
    auto text = words.text("why", {{"address", "{{{address}}}"}, {"list", "{{{list}}}"}, {"date", "{{{joined}}}"}});
    auto nothing = [](std::string_view) { return std::optional<templates::Source>(); };
    auto parsed = templates::parse({"why.txt", "why", text}, nothing);
    if (!parsed) throw templates::TemplateError(parsed.error().front());
    templates::ReaderNames slots{{}, {std::string(why_address), std::string(why_joined)}};
    return templates::compile(*parsed, json::object{{"list", list_title}}, slots);
}

std::uint32_t Message::slot_of(std::string_view name) {
    auto known = std::ranges::find(slots_, name, &Slot::name);
    if (known == slots_.end()) known = slots_.insert(slots_.end(), slot_for(name));
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
    message.why_ = parts.why;
    message.language_ = parts.language;
    message.timezone_ = parts.timezone;
    message.topics_ = parts.topics;
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

Message::Slot Message::slot_for(std::string_view name) {
    constexpr std::pair<std::string_view, Source> known[] = {
        {"subscriber.name", Source::name},
        {"subscriber.first_name", Source::first_name},
        {"subscriber.address", Source::address},
        {"subscriber.language", Source::language},
        {"unsubscribe_url", Source::unsubscribe_url},
        {"preferences_url", Source::preferences_url},
        {"view_url", Source::view_url},
        {"why", Source::why},
    };
    for (auto& [text, source] : known)
        if (text == name) return {std::string(name), source};
    if (auto topic = TopicSlot::named(name)) return {std::string(name), Source::topic, *topic};
    return {std::string(name), name.starts_with(attribute_prefix) ? Source::attribute : Source::none};
}

void Message::prepare() {
    for (auto& piece : pieces_)
        if (piece.kind == Kind::escaped || piece.kind == Kind::raw) slots_[piece.slot].is_written = true;
    if (subject_slots_.empty()) {
        heading_.subject = subject_prefix_;
        subject_.fill(heading_.subject, {});
        mail::make_one_line(heading_.subject);
    }
    auto unique = fmt::format("{} {}", heading_.list->identifier, date_.time_since_epoch().count());
    frame_.emplace(heading_, date_, mail::boundary_from(unique));
    after_leave_token_ = fmt::format("@{}?subject=unsubscribe", heading_.from.address.domain_ascii());
    dates_ = std::make_shared<const templates::Dates>(language_, timezone_, templates::Dates::Style::long_);
}

Message Message::dated(Time date) const {
    auto other = *this;
    other.date_ = date;
    other.prepare();
    return other;
}

std::string Message::to_text() const {
    json::array pieces;
    for (auto& piece : pieces_) pieces.push_back(json::array{int(piece.kind), piece.slot, piece.partner, piece.text});
    json::array slots;
    for (auto& slot : slots_) slots.emplace_back(slot.name);
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
                        {"slots", std::move(slots)},
                        {"pieces", std::move(pieces)},
                        {"why", why_.stored()},
                        {"language", language_},
                        {"timezone", timezone_}};
    if (!topics_.names.empty()) {
        object["topics"] = json::value_from(topics_.names);
        object["story_topics"] = json::value_from(topics_.stories);
    }
    return json::serialize(object);
}

Message Message::from_text(std::string_view text) {
    auto object = json::parse(text).as_object();
    auto words = [&](const char* name) { return std::string(object.at(name).as_string()); };
    auto from = mail::parse_address(words("from"));
    auto subject = templates::Program::from_stored(words("subject"));
    // Messages that were frozen before there were languages have no sentence of their own: it was this one.
    auto why = object.contains("why") ? templates::Program::from_stored(words("why"))
                                      : why_program(templates::Languages().words({"en"}), words("list_title"));
    if (!from || !subject || !why)
        throw std::runtime_error("a frozen message is broken; restore the database from a backup");
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
    for (auto& name : object.at("slots").as_array()) message.slots_.push_back(slot_for(name.as_string()));
    for (auto& value : object.at("pieces").as_array()) {
        auto& piece = value.as_array();
        message.pieces_.push_back({Kind(piece.at(0).to_number<int>()), piece.at(1).to_number<std::uint32_t>(),
                                   piece.at(2).to_number<std::uint32_t>(), std::string(piece.at(3).as_string())});
    }
    message.why_ = std::move(*why);
    message.language_ = object.contains("language") ? words("language") : "en";
    message.timezone_ = object.contains("timezone") ? words("timezone") : "UTC";
    if (object.contains("topics"))
        message.topics_ = {json::value_to<std::vector<std::string>>(object.at("topics")),
                           json::value_to<std::vector<int>>(object.at("story_topics"))};
    message.prepare();
    return message;
}

void Message::say_why(const subscribers::Reader& reader, Scratch& scratch, std::string& value) const {
    if (scratch.dates != dates_ || scratch.days.size() > most_days) {
        scratch.dates = dates_;
        scratch.days.clear();
    }
    auto day = dates_->day(reader.activated_at);
    auto& joined = scratch.days[day.time_since_epoch().count()];
    if (joined.empty()) joined = dates_->in_words(day);

    std::string_view values[2];
    auto slots = why_.slots();
    for (std::size_t i = 0; i < slots.size() && i < std::size(values); ++i)
        values[i] = slots[i] == why_address ? std::string_view(reader.address) : std::string_view(joined);
    value.clear();
    why_.fill(value, values);
    wrap_why(value);
}

// Nothing where no slot asks for one.
json::object Message::attributes_for(std::span<const Slot> slots, const subscribers::Reader& reader) {
    bool wanted = std::ranges::any_of(slots, [](auto& slot) { return slot.source == Source::attribute; });
    return wanted ? json::parse(reader.attributes).as_object() : json::object();
}

void Message::look_up(const Slot& slot, const subscribers::Reader& reader, const json::object& attributes,
                      const ReaderLinks& links, Scratch& scratch, std::string& value) const {
    switch (slot.source) {
    case Source::name: value = reader.name; break;
    case Source::first_name: value = std::string_view(reader.name).substr(0, reader.name.find(' ')); break;
    case Source::address: value = reader.address; break;
    case Source::language: value = reader.language; break;
    case Source::unsubscribe_url: value = links.unsubscribe_url; break;
    case Source::preferences_url: value = links.preferences_url; break;
    case Source::view_url: value = links.view_url; break;
    case Source::why: say_why(reader, scratch, value); break;
    case Source::attribute: {
        auto* found = attributes.if_contains(std::string_view(slot.name).substr(attribute_prefix.size()));
        if (found && found->is_string())
            value = found->as_string();
        else
            value.clear();
        break;
    }
    case Source::topic: scratch.share.write(slot.topic, value); break;
    case Source::none: value.clear(); break;
    }
}

// Every value, and the octets it is in a part: once for each reader, however often a template writes it.
void Message::fill(Scratch& scratch, const subscribers::Reader& reader, const ReaderLinks& links) const {
    if (scratch.values.size() < slots_.size()) scratch.values.resize(slots_.size());
    if (!topics_.names.empty()) scratch.share.become(topics_, reader.topics);
    auto attributes = attributes_for(slots_, reader);
    for (std::size_t i = 0; i < slots_.size(); ++i) {
        auto& value = scratch.values[i];
        look_up(slots_[i], reader, attributes, links, scratch, value.text);
        if (!slots_[i].is_written) continue;
        value.raw.clear();
        mail::quoted_printable::append_slot(value.raw, value.text);
        value.escapes_itself = !needs_escaping(value.text);
        if (value.escapes_itself) continue;
        scratch.buffer.clear();
        templates::append_escaped(scratch.buffer, value.text);
        value.escaped.clear();
        mail::quoted_printable::append_slot(value.escaped, scratch.buffer);
    }
}

void Message::write(std::string& out, const subscribers::Reader& reader, const mail::Address& address,
                    const ReaderLinks& links, Scratch& scratch) const {
    fill(scratch, reader, links);
    auto& values = scratch.values;

    scratch.mailto.assign("mailto:leave+").append(links.leave_token).append(after_leave_token_);
    mail::Recipient recipient{address, reader.name, links.message_id, links.unsubscribe_url, scratch.mailto};
    if (!subject_slots_.empty()) {
        scratch.views.clear();
        for (auto slot : subject_slots_) scratch.views.push_back(values[slot].text);
        scratch.subject = subject_prefix_;
        subject_.fill(scratch.subject, scratch.views);
        mail::make_one_line(scratch.subject);
        recipient.subject = scratch.subject;
    }
    frame_->open(out, recipient);

    for (std::size_t i = 0; i < pieces_.size(); ++i) {
        auto& piece = pieces_[i];
        switch (piece.kind) {
        case Kind::literal: out += piece.text; break;
        case Kind::raw: out += values[piece.slot].raw; break;
        case Kind::escaped: {
            auto& value = values[piece.slot];
            out += value.escapes_itself ? value.raw : value.escaped;
            break;
        }
        case Kind::begin_if:
            if (values[piece.slot].text.empty()) i = piece.partner;
            break;
        case Kind::begin_unless:
            if (!values[piece.slot].text.empty()) i = piece.partner;
            break;
        case Kind::end: break;
        case Kind::next_part: frame_->next(out); break;
        }
    }
    frame_->close(out);
}

std::string Message::page(const templates::Program& program, const subscribers::Reader& reader,
                          const ReaderLinks& links) const {
    Scratch scratch;
    if (!is_empty_for(reader)) scratch.share.become(topics_, reader.topics);
    std::vector<std::string> values;
    std::vector<Slot> slots;
    for (auto& name : program.slots()) slots.push_back(slot_for(name));
    auto attributes = attributes_for(slots, reader);
    for (auto& slot : slots) look_up(slot, reader, attributes, links, scratch, values.emplace_back());
    std::vector<std::string_view> views(values.begin(), values.end());
    std::string out;
    program.fill(out, views);
    return out;
}

void Message::write_sender(std::string& out, const subscribers::LinkSigner& signer, MailingId mailing,
                           SubscriptionId reader) const {
    out += "bounce+";
    signer.bounce(out, mailing, reader);
    out += '@';
    out += heading_.from.address.domain_ascii();
}

}
