#include "digest/example.hpp"

#include "digest/content.hpp"
#include "templates/check.hpp"
#include "templates/inline_styles.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace postrider::digest {
namespace {

constexpr std::array<std::string_view, 4> titles = {
    "The first ferry leaves for the island again", "Forty bakers and one oven",
    "Why the harbour clock was wrong for a year", "A letter that took thirty years to arrive"};
constexpr std::array<std::string_view, 3> topics = {"Harbour", "Town", ""};
constexpr std::string_view sentence = "What happened, who saw it, and what the people who live there make of it now. ";

std::string times(std::size_t count, std::string_view text) {
    std::string out;
    for (; count > 0; --count) out += text;
    return out;
}

std::vector<stories::Story> example_stories(std::size_t count, Time now) {
    std::vector<stories::Story> all;
    for (std::size_t i = 0; i < count; ++i) {
        stories::Story story;
        story.title = titles[i % titles.size()];
        story.url = fmt::format("https://courier.example/stories/{}", i + 1);
        story.byline = "Ada Lovelace";
        story.source = "The Courier";
        story.summary = times(4, sentence); // 300 characters: feeds' summaries seldom have more
        story.html = "<p>" + times(8, sentence) + "</p>";
        story.published_at = story.first_seen_at = now - std::chrono::hours(i);
        if (i % 3 != 2) {
            story.image.url = fmt::format("https://courier.example/pictures/{}.jpg", i + 1);
            story.image.alt = "The harbour in the morning";
            story.image.width = 1200;
            story.image.height = 800;
        }
        if (!topics[i % topics.size()].empty()) story.categories.emplace_back(topics[i % topics.size()]);
        all.push_back(std::move(story));
    }
    return all;
}

std::string value_of(std::string_view slot) {
    constexpr std::pair<std::string_view, std::string_view> known[] = {
        {"subscriber.name", "Ada Lovelace"},
        {"subscriber.first_name", "Ada"},
        {"subscriber.address", "ada@reader.example"},
        {"why", "You receive this because ada@reader.example joined The Courier on 1 May 2026."},
    };
    for (auto& [name, value] : known)
        if (name == slot) return std::string(value);
    if (slot.ends_with("_url"))
        return fmt::format("https://mail.courier.example/{}/TOKEN", slot.substr(0, slot.find('_')));
    return "";
}

}

templates::Program example_program(const templates::Template& html, Time now) {
    SiteWords site{"The Courier", "https://mail.courier.example", "1 Press Square, Example City",
                   "https://courier.example/privacy",
                   mail::parse_mailbox("The Courier <news@courier.example>").value()};
    subscribers::List list;
    list.slug = "courier";
    list.title = "The Courier";
    list.description = "What happened in the town, once a day";
    auto stories = example_stories(std::size_t(list.maximum), now);
    auto bodies = templates::names(html, "html") ? Bodies::shown : Bodies::left_out;
    auto content = issue_content(site, list, Look{}, IssueWords{12, now, 3}, stories,
                                 templates::Languages().words({"en"}), bodies);
    content.at("issue").as_object()["subject"] = titles.front();
    return templates::with_inlined_styles(templates::compile(html, content));
}

std::string example_mail(const templates::Template& html, Time now) {
    auto program = example_program(html, now);
    std::vector<std::string> values;
    for (auto& slot : program.slots()) values.push_back(value_of(slot));
    std::vector<std::string_view> views(values.begin(), values.end());
    std::string mail;
    program.fill(mail, views);
    return mail;
}

}
