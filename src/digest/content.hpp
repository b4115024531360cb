#pragma once

#include "delivery/topics.hpp"
#include "digest/look.hpp"
#include "mail/address.hpp"
#include "stories/pictures.hpp"
#include "stories/stories.hpp"
#include "subscribers/lists.hpp"
#include "templates/words.hpp"

#include <boost/json/fwd.hpp>

#include <span>
#include <string>
#include <string_view>

// The data of an issue's templates, with the names of interface.md.
//
// In:     the site's words, the list, its look, the chosen stories in order, the words of the list's language, and the
//         sizes of pictures where the stories do not say them.
// Out:    one JSON object; frozen with the issue, so that its page can be made again exactly.
// Always: pure. Only https and http addresses get in; dates are in the list's time zone and in the
//         language of the words.

namespace postrider::digest {

struct SiteWords {
    std::string name;
    std::string url; // without a slash at its end
    std::string postal_address;
    std::string privacy_url;
    mail::Mailbox from;      // of confirmations, and of lists without a sender of their own
    std::string editor = {}; // [site] operator: asked for approval where a list names nobody; empty: nobody
};

struct IssueWords {
    int number;
    Time date;
    std::size_t left_over; // stories that found no room
};

// Whether the templates show whole stories: their HTML and text are much work, and are made only then.
enum class Bodies { left_out, shown };

// "bounce@courier.example": of the envelopes of letters, which belong to no list.
[[nodiscard]] std::string letter_sender(const SiteWords& site);

// "24 November 2026, 07:00 Europe/Berlin"; in UTC where the zone is not known.
[[nodiscard]] std::string moment_in_words(Time time, const templates::Words& words, std::string_view timezone);

[[nodiscard]] boost::json::object site_content(const SiteWords& site);
[[nodiscard]] boost::json::object list_content(const SiteWords& site, const subscribers::List& list);
[[nodiscard]] boost::json::object issue_content(const SiteWords& site, const subscribers::List& list, const Look& look,
                                                const IssueWords& issue, std::span<const stories::Story> stories,
                                                const templates::Words& words, Bodies bodies,
                                                const stories::PictureSizes& sizes = {});

// The same data where readers choose topics: each story, and what depends on which of them a reader gets, is left to the
// reader, as delivery::TopicSlot has it. The stories' topics are those of `topics`. Which sections there are is decided
// for the whole issue.
[[nodiscard]] boost::json::object by_choice(boost::json::object content, const delivery::Topics& topics);

// The same data for a plain-text template: prose is wrapped at 72 columns.
[[nodiscard]] boost::json::object for_plain_text(boost::json::object content);
}
