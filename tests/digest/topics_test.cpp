#include "delivery/message.hpp"
#include "digest/content.hpp"
#include "digest/rules.hpp"
#include "subscribers/topics.hpp"
#include "templates/source.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <random>

// The oracle of topics: what a reader gets of the one issue is, to the octet, what an issue of only the stories of the
// topics chosen would have been.

namespace postrider::digest {
namespace {

namespace json = boost::json;

const delivery::Topics three{{"World", "Sport", "Culture"}, {}};

struct Room {
    SiteWords site{"The Courier", "https://mail.courier.example", "1 Press Square, Example City", "",
                   mail::parse_mailbox("The Courier <news@courier.example>").value()};
    subscribers::List list = [] {
        subscribers::List fresh;
        fresh.slug = "daily";
        fresh.title = "The Daily";
        return fresh;
    }();
    templates::Words words = templates::Languages().words({"en"});

    [[nodiscard]] json::object content(std::span<const stories::Story> stories, std::size_t left_over) const {
        return issue_content(site, list, {}, {7, parse_rfc3339("2026-11-24T06:00:00Z").value(), left_over}, stories,
                             words, Bodies::shown);
    }
};

templates::Template parsed(const std::string& name, const std::string& text = "") {
    auto source = text.empty() ? templates::Library::built_in(name).value() : templates::Source{name, name, text};
    return templates::parse(source, templates::Library::built_in).value();
}

// Every way in which a template may ask what a story is among the others.
const std::string curious =
    "{{issue.story_count}} of {{#issue.more_count}}{{.}} "
    "more{{/issue.more_count}}{{^issue.more_count}}all{{/issue.more_count}}"
    "{{#stories}}{{#first}}[{{/first}}{{^first}}, {{#last}}and {{/last}}{{/first}}{{number}} {{title}}"
    "{{#number}}#{{.}}{{/number}}{{^last}};{{/last}}{{#last}}]{{^first}}({{title}} is "
    "last){{/first}}{{/last}}{{/stories}}"
    "{{lead.title}}{{#lead}}/{{number}}{{title}}{{#first}}!{{/first}}{{/lead}}{{#lead.image}}i{{/lead.image}}"
    "{{^lead.image}}none{{/lead.image}} and {{#issue.rest_count}}{{.}}{{/issue.rest_count}}"
    "{{#topics}}<{{name}}: {{#stories}}{{title}}{{^last}}/{{/last}}{{#first}}!{{/first}}{{/stories}}>{{/topics}}";

std::string filled(const templates::Program& program, const delivery::Topics& topics, std::string_view chosen) {
    delivery::Share share;
    share.become(topics, chosen);
    std::vector<std::string> values;
    for (auto& name : program.slots())
        if (auto slot = delivery::TopicSlot::named(name))
            share.write(*slot, values.emplace_back());
        else
            values.push_back("<" + name + ">");
    std::vector<std::string_view> views(values.begin(), values.end());
    std::string out;
    program.fill(out, views);
    return out;
}

stories::Story story(int number, int topic) {
    stories::Story one;
    one.title = "Story " + std::to_string(number);
    one.url = "https://courier.example/" + std::to_string(number);
    one.summary = "What happened in " + one.title;
    if (number % 2) one.image.url = "https://courier.example/i.png";
    if (topic >= 0)
        one.categories = {three.names[std::size_t(topic)]};
    else if (number % 2)
        one.categories = {"gardening"};
    return one;
}

TEST(Topics, AReadersIssueIsTheIssueOfOnlyTheStoriesOfTheTopicsChosen) {
    Room room;
    std::mt19937 random(11);
    for (int round = 0; round < 60; ++round) {
        std::vector<stories::Story> stories;
        auto topics = three;
        for (int i = 0, count = 1 + int(random() % 7); i < count; ++i) {
            topics.stories.push_back(int(random() % 4) - 1);
            stories.push_back(story(i, topics.stories.back()));
        }
        for (unsigned choice = 0; choice < 8; ++choice) {
            std::vector<std::string> names;
            for (unsigned i = 0; i < 3; ++i)
                if (choice & (1u << i)) names.push_back(three.names[i]);
            auto chosen = subscribers::chosen_topics(names, three.names);
            bool all = choice == 0 || choice == 7;
            std::vector<stories::Story> theirs;
            for (std::size_t i = 0; i < stories.size(); ++i)
                if (all || (topics.stories[i] >= 0 && (choice & (1u << unsigned(topics.stories[i])))))
                    theirs.push_back(stories[i]);
            EXPECT_EQ(delivery::leaves_nothing(topics, chosen), theirs.empty());
            if (theirs.empty()) continue;
            for (auto& source :
                 {parsed("letter.html"), parsed("letter.txt"), parsed("subject"), parsed("curious.txt", curious)}) {
                auto one = templates::compile(source, by_choice(room.content(stories, 3), topics));
                auto only = templates::compile(source, room.content(theirs, all ? 3 : 0));
                ASSERT_EQ(filled(one, topics, chosen), filled(only, {}, ""))
                    << source.source().name << " for " << choice;
            }
        }
    }
}

TEST(Topics, TheLeadStandsInNoSectionAndASectionWithoutStoriesIsNotShown) {
    Room room;
    auto source = parsed("sections.txt", "{{#sections}}[{{name}}:{{#stories}} {{title}}{{/stories}}]{{/sections}}");
    std::mt19937 random(5);
    for (int round = 0; round < 200; ++round) {
        std::vector<stories::Story> stories;
        auto topics = three;
        for (int i = 0, count = 1 + int(random() % 9); i < count; ++i) {
            topics.stories.push_back(int(random() % 4) - 1);
            stories.push_back(story(i, topics.stories.back()));
        }
        auto content = room.content(stories, 0);
        auto program = templates::compile(source, by_choice(content, topics));
        for (std::string chosen : {"", "World", "Sport\nCulture", "Culture"}) {
            if (delivery::leaves_nothing(topics, chosen)) continue;
            std::string expected;
            int lead = -1;
            auto gets = [&](int story) {
                auto topic = topics.stories[std::size_t(story)];
                return chosen.empty() || (topic >= 0 && chosen.contains(three.names[std::size_t(topic)]));
            };
            for (int i = int(stories.size()) - 1; i >= 0; --i)
                if (gets(i)) lead = i;
            for (auto& section : content.at("sections").as_array()) {
                std::string titles;
                for (auto& one : section.at("stories").as_array()) {
                    auto place = one.at("number").to_number<int>() - 1;
                    if (gets(place) && place != lead) titles += " " + std::string(one.at("title").as_string());
                }
                if (!titles.empty()) expected += "[" + std::string(section.at("name").as_string()) + ":" + titles + "]";
            }
            ASSERT_EQ(filled(program, topics, chosen), expected) << chosen;
        }
    }
}

TEST(Topics, WithoutTopicsTheProgramIsTheOneItAlwaysWas) {
    Room room;
    std::vector<stories::Story> stories = {story(0, 0), story(1, 1)};
    auto content = room.content(stories, 0);
    EXPECT_EQ(templates::compile(parsed("digest.html"), by_choice(content, {})),
              templates::compile(parsed("digest.html"), content));
}

TEST(Topics, AStoryWithoutATopicIsForThoseWhoChoseNone) {
    delivery::Topics topics{{"World", "Sport"}, {-1, 0}};
    delivery::Share share;
    std::string value;
    share.become(topics, "World");
    share.write({delivery::TopicSlot::What::shown, -1}, value);
    EXPECT_EQ(value, "");
    share.become(topics, "");
    share.write({delivery::TopicSlot::What::shown, -1}, value);
    EXPECT_NE(value, "");
}

TEST(Topics, AChoiceOfTopicsThatAreGoneIsNoChoice) {
    EXPECT_FALSE(delivery::leaves_nothing({{"World"}, {0}}, "Politics\nBusiness"));
    EXPECT_TRUE(delivery::leaves_nothing({{"World", "Sport"}, {0}}, "Politics\nSport"));
}

TEST(Topics, ANameThatCannotBeWrittenInAListOfThemIsRefused) {
    EXPECT_FALSE(parse_topic("World; Sport = politics"));
    EXPECT_FALSE(parse_topic("World\nSport = politics"));
    EXPECT_TRUE(parse_topic("World & Sport = politics"));
}

}
}
