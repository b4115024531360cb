#pragma once

#include "delivery/topics.hpp"
#include "mail/message.hpp"
#include "subscribers/audience.hpp"
#include "subscribers/link_tokens.hpp"
#include "templates/dates.hpp"
#include "templates/program.hpp"
#include "templates/words.hpp"

#include <boost/json/fwd.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

// A mailing's message, frozen and compiled: everything that does not depend on the reader stands there as final octets,
// in quoted-printable, and what does is a slot or a small condition between them.
//
// In:     a heading and three programs (subject, text, HTML) that digest/ made from an issue; then one reader at a
// time. Out:    that reader's whole message: CRLF, no line that begins with a dot, fit to follow DATA as it stands.
// Always: the same reader and the same Message give the same octets, today and after a restart (Date is the mailing's,
// Message-ID
//         comes from the mailing and the subscription). No value of a reader can add a header, a line or a part.
// Threads: a Message never changes; each writer brings its own Scratch.

namespace postrider::delivery {

struct MessageParts {
    mail::Heading heading;      // with list fields; its subject is not used
    subscribers::KeyId key;     // signs this mailing's links, also after a rotation
    std::string subject_prefix; // "[Test] "
    Time date;
    templates::Program subject, text, html;
    templates::Program why;                        // of why_program()
    std::string language = "en", timezone = "UTC"; // of the date in it
    Topics topics{};                               // what the programs' TopicSlots are about
};

// The sentence that says why a reader gets this, in the list's language: with the slots "address" and "joined".
[[nodiscard]] templates::Program why_program(const templates::Words&, std::string_view list_title);
// Filled in, it is wrapped at 72 columns, as the text around it; in HTML a line end is a space like any other.
void wrap_why(std::string& sentence);

// What only the keys of the site can make for one reader.
struct ReaderLinks {
    std::string unsubscribe_url, preferences_url, view_url;
    std::string message_id;  // the part before the @
    std::string leave_token; // of the mailto: that unsubscribes

    void make(const subscribers::LinkSigner& signer, std::string_view site_url, MailingId mailing,
              const subscribers::Reader& reader);
};

class Message {
public:
    // Memory that writing reuses from one reader to the next.
    struct Scratch {
        struct Value {
            std::string text;
            std::string raw, escaped;   // as they stand in a part, quoted-printable
            bool escapes_itself = true; // nothing in it needs escaping: `raw` serves for both
        };
        std::vector<Value> values;
        std::vector<std::string_view> views;
        std::string buffer, subject, mailto;
        Share share;

        // Days in words, as long as they are those of `dates`: many readers joined on the same ones.
        std::shared_ptr<const templates::Dates> dates;
        std::unordered_map<std::int64_t, std::string> days;
    };

    [[nodiscard]] static Message compile(const MessageParts& parts);
    [[nodiscard]] Message dated(Time) const;   // the same with another Date
    [[nodiscard]] std::string to_text() const; // JSON
    [[nodiscard]] static Message from_text(std::string_view);

    // Appends the reader's whole message to `out`. `address` is the reader's, parsed.
    void write(std::string& out, const subscribers::Reader& reader, const mail::Address& address,
               const ReaderLinks& links, Scratch& scratch) const;

    // True when the topics that this reader chose leave no story.
    [[nodiscard]] bool is_empty_for(const subscribers::Reader& reader) const {
        return leaves_nothing(topics_, reader.topics);
    }

    // Another program of the same issue, such as its page for the browser, with this reader's values. Whoever would see
    // no story sees all of them.
    [[nodiscard]] std::string page(const templates::Program& program, const subscribers::Reader& reader,
                                   const ReaderLinks& links) const;

    // "bounce+TOKEN@DOMAIN", appended.
    void write_sender(std::string& out, const subscribers::LinkSigner& signer, MailingId mailing,
                      SubscriptionId reader) const;
    [[nodiscard]] subscribers::KeyId key() const { return key_; }
    [[nodiscard]] std::string_view from_domain() const { return heading_.from.address.domain_ascii(); }
    [[nodiscard]] Time date() const { return date_; }

private:
    enum class Kind : std::uint8_t { literal, escaped, raw, begin_if, begin_unless, end, next_part };
    struct Piece {
        Kind kind;
        std::uint32_t slot = 0;
        std::uint32_t partner = 0; // of a begin: the index of its end
        std::string text;          // of a literal: quoted-printable
    };

    enum class Source : std::uint8_t {
        name,
        first_name,
        address,
        language,
        unsubscribe_url,
        preferences_url,
        view_url,
        why,
        attribute,
        topic,
        none
    };
    struct Slot {
        std::string name;
        Source source;
        TopicSlot topic{};       // of Source::topic
        bool is_written = false; // in a part, not only asked about or in the subject
    };

    explicit Message(mail::Heading heading) : heading_(std::move(heading)) {}
    static Slot slot_for(std::string_view name);
    void add_body(const templates::Program& program);
    std::uint32_t slot_of(std::string_view name);
    void prepare();
    static boost::json::object attributes_for(std::span<const Slot> slots, const subscribers::Reader&);
    void look_up(const Slot&, const subscribers::Reader&, const boost::json::object& attributes, const ReaderLinks&,
                 Scratch&, std::string& value) const;
    void say_why(const subscribers::Reader&, Scratch&, std::string& value) const;
    void fill(Scratch&, const subscribers::Reader&, const ReaderLinks&) const;

    subscribers::KeyId key_;
    mail::Heading heading_;
    std::string subject_prefix_;
    Time date_;
    templates::Program subject_;
    std::vector<std::uint32_t> subject_slots_; // the subject program's slots among ours
    std::vector<Slot> slots_;
    std::vector<Piece> pieces_;
    templates::Program why_;
    std::string language_, timezone_;
    Topics topics_;

    // Made by prepare() from what is above.
    std::optional<mail::Frame> frame_;
    std::string after_leave_token_; // of the mailto: that unsubscribes
    std::shared_ptr<const templates::Dates> dates_;
};

}
