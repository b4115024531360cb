#include "digest/content.hpp"

#include "digest/prose.hpp"
#include "digest/story_body.hpp"
#include "schedule/zone.hpp"
#include "stories/html.hpp"
#include "stories/url.hpp"
#include "templates/program.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>

namespace postrider::digest {
namespace {

namespace json = boost::json;

constexpr std::size_t columns = 72;
constexpr stories::PictureSize thumb{96, 144};  // pixels, at most
constexpr std::size_t longest_brief = 200;      // code points
constexpr std::size_t longest_body = 60 * 1024; // bytes; Gmail cuts a mail off at 102 KB, and its footer with it

json::object image_content(const stories::Image& picture) {
    json::object image{{"url", picture.url}, {"alt", picture.alt}};
    if (picture.width <= 0) return image;
    image["width"] = picture.width;
    const stories::PictureSize natural{picture.width, picture.height};
    const auto wide = shown_size(natural, sheet_width);
    auto small = shown_size(natural, thumb.width);
    image["wide_width"] = wide.width;
    if (picture.height <= 0) return image;
    if (small.height > thumb.height) small = {std::max(1, small.width * thumb.height / small.height), thumb.height};
    image["height"] = picture.height;
    image["wide_height"] = wide.height;
    image["thumb_width"] = small.width;
    image["thumb_height"] = small.height;
    return image;
}

// A picture for the reader, which every program of his fetches without a warning, and a browser on a page that came by
// https. Without an address: there is none.
stories::Image shown_image(const stories::Story& story, const stories::PictureSizes& sizes) {
    auto image = story.image;
    const auto read = sizes.find(image.url);
    if (read != sizes.end() && (image.width == 0 || image.height == 0 || is_counter(read->second))) {
        image.width = read->second.width;
        image.height = read->second.height;
    }
    const bool fit = stories::scheme_of(image.url) == "https" && stories::is_web_address(image.url);
    if (!fit || stories::is_counter({image.width, image.height})) image.url.clear();
    return image;
}

// Who wrote it, where it stood and when: what is known of it.
std::string credit_of(const stories::Story& story, const std::string& published) {
    std::string credit;
    for (auto* part : {&story.byline, &story.source, &published})
        if (!part->empty()) credit.append(credit.empty() ? "" : " · ").append(*part);
    return credit;
}

json::object story_content(const stories::Story& story, std::size_t place, std::size_t count,
                           const templates::Dates& dates, const subscribers::List& list,
                           const stories::PictureSizes& sizes) {
    const auto& language = story.language.empty() ? list.language : story.language;
    json::object content{{"title", story.title},
                         {"url", stories::is_web_address(story.url) ? story.url : ""},
                         {"summary", story.summary},
                         {"brief", first_sentence(story.summary, language, longest_brief)},
                         {"byline", story.byline},
                         {"source", story.source},
                         {"topic", story.categories.empty() ? "" : story.categories.front()},
                         {"number", place + 1},
                         {"first", place == 0},
                         {"last", place + 1 == count}};
    auto published = story.published_at.value_or(story.first_seen_at);
    content["published"] = dates.in_words(published);
    content["credit"] = credit_of(story, dates.in_words(published));
    content["published_iso"] = rfc3339(published);
    if (auto image = shown_image(story, sizes); !image.url.empty()) content["image"] = image_content(image);
    return content;
}

// The story in full, where it has more to say than its summary and leaves room for the rest of the mail.
void add_body(json::object& content, const stories::Story& story, const stories::PictureSizes& sizes, const Look& look,
              std::string_view direction) {
    if (story.html.empty() || story.html.size() > longest_body) return;
    content["html"] = story_body(story.html, shown_image(story, sizes).url, sizes, look, direction);
    content["text"] = stories::plain_text(story.html, stories::Links::written_out);
}

// Stories by topic, in the order in which the topics first occur.
json::array by_topic(std::span<const json::value> stories) {
    json::array topics;
    for (auto& story : stories) {
        auto& name = story.at("topic").as_string();
        json::object* found = nullptr;
        for (auto& topic : topics)
            if (topic.at("name").as_string() == name) found = &topic.as_object();
        if (!found) found = &topics.emplace_back(json::object{{"name", name}, {"stories", json::array()}}).as_object();
        found->at("stories").as_array().push_back(story);
    }
    return topics;
}

// What follows the lead: by topic, those without one first. Where nearly every story has a topic of its own headings
// would be noise: then all are one section without a name, in order.
json::array sections_of(const json::array& stories) {
    if (stories.size() < 2) return {};
    std::span<const json::value> rest(stories.data() + 1, stories.size() - 1);
    auto sections = by_topic(rest);
    std::size_t named = 0, under_a_name = 0;
    for (auto& section : sections) {
        if (section.at("name").as_string().empty()) continue;
        ++named;
        under_a_name += section.at("stories").as_array().size();
    }
    if (named * 3 > under_a_name * 2)
        return {json::object{{"name", ""}, {"stories", json::array(rest.begin(), rest.end())}}};
    auto nameless =
        std::ranges::find_if(sections, [](auto& section) { return section.at("name").as_string().empty(); });
    if (nameless != sections.end()) std::rotate(sections.begin(), nameless, nameless + 1);
    return sections;
}

using TopicWhat = delivery::TopicSlot::What;

std::string slot_name(TopicWhat what, std::int64_t number) { return delivery::TopicSlot{what, int(number)}.name(); }
json::object slot(TopicWhat what, std::int64_t number) { return templates::left_to_reader(slot_name(what, number)); }

// One story among those that a reader gets: only the first and the last one of a topic can be the first and the last of
// all.
struct Standing {
    std::int64_t place; // from 0
    int topic;
    bool may_be_first, may_be_last;

    Standing(const json::value& story, const std::vector<int>& topics)
        : place(story.at("number").to_number<std::int64_t>() - 1), topic(topics[std::size_t(place)]) {
        auto here = topics.begin() + place;
        may_be_first = place == 0 || (topic >= 0 && std::find(topics.begin(), here, topic) == here);
        may_be_last =
            here + 1 == topics.end() || (topic >= 0 && std::find(here + 1, topics.end(), topic) == topics.end());
    }
};

json::object left_to_reader(const json::value& story, const std::vector<int>& topics) {
    Standing standing(story, topics);
    auto open = story.as_object();
    open[templates::only_if] = slot_name(TopicWhat::shown, standing.topic);
    open["number"] = slot(TopicWhat::place, standing.place);
    if (standing.place > 0 && standing.may_be_first) open["first"] = slot(TopicWhat::first, standing.place);
    if (!story.at("last").as_bool() && standing.may_be_last) open["last"] = slot(TopicWhat::last, standing.place);
    return open;
}

// The first story that the reader gets.
json::value lead_left_to_reader(const json::array& stories, const std::vector<int>& topics) {
    json::array leads;
    for (auto& story : stories) {
        Standing standing(story, topics);
        if (!standing.may_be_first) continue;
        auto& lead = leads.emplace_back(left_to_reader(story, topics)).as_object();
        lead[templates::only_if] = slot_name(TopicWhat::first, standing.place);
    }
    return templates::one_of(std::move(leads));
}

// A group of stories, without the one that is the lead.
void leave_section_to_reader(json::object& section, const std::vector<int>& topics) {
    auto& stories = section.at("stories").as_array();
    Standing first(stories.front(), topics);
    auto same = [&](const json::value& story) { return Standing(story, topics).topic == first.topic; };
    if (!std::ranges::all_of(stories, same)) // all that is not the lead
        section[templates::only_if] = slot_name(TopicWhat::others, std::int64_t(topics.size()) - 1);
    else if (stories.size() == 1 && first.may_be_first)
        section[templates::only_if] = slot_name(TopicWhat::rest, first.place);
    else
        section[templates::only_if] = slot_name(TopicWhat::shown, first.topic);
    for (auto& story : stories) {
        Standing standing(story, topics);
        story = left_to_reader(story, topics);
        if (standing.may_be_first) story.as_object()[templates::only_if] = slot_name(TopicWhat::rest, standing.place);
    }
}

void wrap_member(json::object& object, std::string_view member) {
    if (auto* value = object.if_contains(member); value && value->is_string())
        *value = wrapped(value->as_string(), columns);
}

void wrap_story(json::object& story) {
    for (auto member : {"title", "summary", "brief", "text", "credit", "topic"}) wrap_member(story, member);
}

}

std::string letter_sender(const SiteWords& site) { return fmt::format("bounce@{}", site.from.address.domain_ascii()); }

std::string moment_in_words(Time time, const templates::Words& words, std::string_view timezone) {
    const auto zone = schedule::Zone::find(timezone).value_or(schedule::Zone::utc());
    const auto local = zone.local(time);
    const std::chrono::hh_mm_ss clock(
        std::chrono::floor<std::chrono::minutes>(local - std::chrono::floor<std::chrono::days>(local)));
    auto day = words.dates(zone.name(), templates::Dates::Style::long_).in_words(time);
    return fmt::format("{}, {:02}:{:02} {}", day, clock.hours().count(), clock.minutes().count(), zone.name());
}

json::object site_content(const SiteWords& site) {
    return {{"name", site.name},
            {"url", site.url},
            {"postal_address", site.postal_address},
            {"privacy_url", site.privacy_url}};
}

json::object list_content(const SiteWords& site, const subscribers::List& list) {
    auto direction = templates::direction_of(list.language);
    return {{"title", list.title},
            {"description", list.description},
            {"language", list.language},
            {"direction", direction},
            {"align_start", templates::align_start_of(direction)},
            {"archive_url", fmt::format("{}/archive/{}", site.url, list.slug)}};
}

json::object issue_content(const SiteWords& site, const subscribers::List& list, const Look& look,
                           const IssueWords& issue, std::span<const stories::Story> stories,
                           const templates::Words& words, Bodies bodies, const stories::PictureSizes& sizes) {
    const auto dates = words.dates(list.timezone, templates::Dates::Style::long_);
    const auto direction = templates::direction_of(list.language);
    json::array shown;
    for (std::size_t i = 0; i < stories.size(); ++i)
        shown.push_back(story_content(stories[i], i, stories.size(), dates, list, sizes));
    auto topics = by_topic(shown);
    auto sections = sections_of(shown);
    if (bodies == Bodies::shown)
        for (std::size_t i = 0; i < stories.size(); ++i)
            add_body(shown[i].as_object(), stories[i], sizes, look, direction);
    auto lead = shown.empty() ? json::value() : shown.front();
    json::object about{{"number", issue.number},
                       {"date", words.dates(list.timezone, templates::Dates::Style::full).in_words(issue.date)},
                       {"date_iso", rfc3339(issue.date)},
                       {"story_count", stories.size()},
                       {"rest_count", stories.empty() ? 0 : stories.size() - 1},
                       {"more_count", issue.left_over},
                       {"web_url", fmt::format("{}/archive/{}/{}", site.url, list.slug, issue.number)},
                       {"subject", ""},
                       {"intro", look.intro}};
    json::object sentences{{"issue_number", words.text("issue_number", {{"number", words.number(issue.number)}})},
                           {"more_stories", words.text("more_stories", {{"count", std::int64_t(issue.left_over)}})}};
    return {{"site", site_content(site)},      {"list", list_content(site, list)}, {"look", look_content(look)},
            {"issue", std::move(about)},       {"stories", std::move(shown)},      {"lead", std::move(lead)},
            {"sections", std::move(sections)}, {"topics", std::move(topics)},      {"words", words.fixed()},
            {"sentence", std::move(sentences)}};
}

json::object by_choice(json::object content, const delivery::Topics& topics) {
    if (topics.names.empty()) return content;
    auto& of = topics.stories;
    content["lead"] = lead_left_to_reader(content.at("stories").as_array(), of);
    for (auto& section : content.at("sections").as_array()) leave_section_to_reader(section.as_object(), of);
    for (auto& group : content.at("topics").as_array()) {
        auto& stories = group.at("stories").as_array();
        group.as_object()[templates::only_if] = slot_name(TopicWhat::shown, Standing(stories.front(), of).topic);
        for (auto& story : stories) story = left_to_reader(story, of);
    }
    for (auto& story : content.at("stories").as_array()) story = left_to_reader(story, of);
    auto& issue = content.at("issue").as_object();
    for (auto [name, what] : {std::pair{"story_count", TopicWhat::count},
                              {"rest_count", TopicWhat::others},
                              {"more_count", TopicWhat::more}})
        issue[name] = slot(what, issue.at(name).to_number<std::int64_t>());
    return content;
}

json::object for_plain_text(json::object content) {
    auto wrap_all = [](json::array& stories) {
        for (auto& story : stories) wrap_story(story.as_object());
    };
    wrap_all(content.at("stories").as_array());
    if (auto* lead = content.at("lead").if_object()) wrap_story(*lead);
    for (auto groups : {"topics", "sections"})
        for (auto& group : content.at(groups).as_array()) {
            wrap_member(group.as_object(), "name");
            wrap_all(group.at("stories").as_array());
        }
    for (auto [about, member] : {std::pair{"issue", "intro"},
                                 {"list", "title"},
                                 {"list", "description"},
                                 {"site", "name"},
                                 {"site", "postal_address"}})
        wrap_member(content.at(about).as_object(), member);
    return content;
}

}
