#include "delivery/message.hpp"
#include "digest/look.hpp"
#include "digest/publishing.hpp"
#include "storage/migrations.hpp"
#include "stories/pictures.hpp"
#include "support/mail_linter.hpp"
#include "templates/source.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace postrider::digest {
namespace {

class Publisher : public testing::Test {
protected:
    Publisher() {
        auto pattern = (std::filesystem::temp_directory_path() / "postrider-digest-XXXXXX").string();
        folder = mkdtemp(pattern.data());
        connection.emplace("sqlite:" + (folder / "test.db").string());
        storage::migrate(*connection, embedded::schema(), now);
        tokens.emplace(folder / "keys" / "links");
        library.emplace(folder / "templates");
        subscribers::List fresh;
        fresh.slug = "daily";
        fresh.title = "The Daily";
        fresh.sender = "The Courier <news@courier.example>";
        fresh.schedule = "every day at 07:00";
        list = subscribers::Lists(*connection).add(fresh, now).value();
        publishing.emplace(*connection, *library, *tokens, site);
    }
    ~Publisher() override {
        publishing.reset();
        connection.reset();
        std::filesystem::remove_all(folder);
    }

    StoryId story(const std::string& title) {
        stories::Story fresh;
        fresh.title = title;
        fresh.url = "https://courier.example/" + std::to_string(++count);
        fresh.canonical_url = fresh.url;
        fresh.summary = "Summary of " + title;
        auto id = stories::Stories(*connection).put(fresh, now).first;
        stories::Stories(*connection).stand(list.id, id, stories::Standing::candidate, now);
        return id;
    }
    // Both parts of the next issue, with this story in it.
    std::string mail_with(stories::Story fresh) {
        fresh.title = "The one that counts";
        fresh.summary = "What happened.";
        auto id = stories::Stories(*connection).put(fresh, now).first;
        stories::Stories(*connection).stand(list.id, id, stories::Standing::candidate, now);
        auto sample = publishing->sample(list, *publishing->publish(list, {}, now).issue, reader(), "", now);
        return sample.html + sample.text;
    }
    void chooses(const std::string& design) {
        list.template_name = design;
        list = subscribers::Lists(*connection).update(list, now).value();
    }
    void operator_writes(const std::string& name, const std::string& text) {
        std::filesystem::create_directories(folder / "templates");
        std::ofstream(folder / "templates" / name) << text;
    }
    subscribers::Reader reader(const std::string& name = "Ada Lovelace") {
        return {SubscriptionId{1}, SubscriberId{1}, "ada@example.org", name, "", "{}", now, false};
    }
    std::string mail_of(IssueId id) { return publishing->sample(list, id, reader(), "", now).eml; }

    std::filesystem::path folder;
    Time now = parse_rfc3339("2026-11-24T06:00:00Z").value();
    SiteWords site{"The Courier", "https://mail.courier.example", "1 Press Square, Example City",
                   "https://courier.example/privacy",
                   mail::parse_mailbox("The Courier <news@courier.example>").value()};
    std::optional<storage::Connection> connection;
    std::optional<subscribers::LinkTokens> tokens;
    std::optional<templates::Library> library;
    subscribers::List list;
    std::optional<Publishing> publishing;
    int count = 0;
};

TEST_F(Publisher, AnIssueIsFrozenWithItsStoriesItsNumberAndAMailing) {
    story("First");
    story("Second");
    auto outcome = publishing->publish(list, {}, now);
    ASSERT_TRUE(outcome.issue);
    auto issue = Issues(*connection).find(*outcome.issue).value();
    EXPECT_EQ(issue.number, 1);
    EXPECT_EQ(to_text(issue.state), "scheduled");
    EXPECT_TRUE(issue.mailing);
    EXPECT_EQ(Issues(*connection).stories(issue.id).size(), 2u);
    EXPECT_FALSE(issue.subject.empty());
}

TEST_F(Publisher, ALaterEditOfAStoryOrATemplateChangesNothingOfAFrozenIssue) {
    story("First");
    auto id = *publishing->publish(list, {}, now).issue;
    auto before = mail_of(id);
    stories::Story edited;
    edited.title = "Changed";
    edited.url = "https://courier.example/1";
    edited.canonical_url = edited.url;
    stories::Stories(*connection).put(edited, now);
    operator_writes("digest.html.mustache", "{{list.title}} {{unsubscribe_url}} {{site.postal_address}}");
    EXPECT_EQ(mail_of(id), before);
}

TEST_F(Publisher, AStoryWithoutAnAddressIsInTheIssueWithoutALink) {
    for (std::string address : {"", "javascript:alert(1)", "urn:isbn:1", "/relative", "https://"}) {
        stories::Story fresh;
        fresh.url = address;
        fresh.image.url = "https://courier.example/ship.png";
        auto mail = mail_with(fresh);
        EXPECT_TRUE(mail.contains("The one that counts")) << address;
        EXPECT_TRUE(mail.contains("What happened.")) << address;
        EXPECT_FALSE(mail.contains("href=\"\"")) << address;
        EXPECT_TRUE(mail.contains("ship.png")) << address;
        if (!address.empty()) {
            EXPECT_FALSE(mail.contains("href=\"" + address + "\"")) << address;
        }
    }
}

TEST_F(Publisher, AMailShowsOnlyPicturesThatThePageOfItMayShowToo) {
    for (std::string address : {"http://courier.example/ship.png", "data:image/png;base64,AAAA", "javascript:1"}) {
        stories::Story fresh;
        fresh.image.url = address;
        EXPECT_FALSE(mail_with(fresh).contains("<img")) << address;
    }
    stories::Story fresh;
    fresh.image.url = "HTTPS://courier.example/ship.png";
    EXPECT_TRUE(mail_with(fresh).contains("<img src=\"HTTPS://courier.example/ship.png\""));
}

TEST_F(Publisher, AReaderGetsTheStoriesOfTheTopicsChosenAndTheArchiveHasAll) {
    Rules rules;
    rules.topics = {parse_topic("World = politics").value(), parse_topic("Sport = football").value()};
    ListRules(*connection).keep(list.id, rules);
    for (auto [title, category] : {std::pair{"An election", "politics"}, {"A match", "football"}}) {
        auto id = story(title);
        connection->run("UPDATE story SET categories = $2 WHERE id = $1", id, std::string("[\"") + category + "\"]");
    }
    auto id = *publishing->publish(list, {}, now).issue;
    auto of = [&](const std::string& topics) {
        auto who = reader();
        who.topics = topics;
        return publishing->sample(list, id, who, "", now);
    };
    auto sport = of("Sport"), all = of("");
    for (auto* text : {&sport.html, &sport.text, &sport.eml}) {
        EXPECT_TRUE(text->contains("A match"));
        EXPECT_FALSE(text->contains("An election"));
    }
    EXPECT_TRUE(sport.eml.contains("Subject: The Daily: A match"));
    EXPECT_EQ(mail_linter::lint(sport.eml), "");
    EXPECT_EQ(mail_linter::lint(all.eml), "");
    EXPECT_TRUE(all.text.contains("A match") && all.text.contains("An election"));
    auto page = templates::Program::from_stored(Issues(*connection).page(id)).value();
    auto archived = delivery::for_nobody(page);
    EXPECT_TRUE(archived.contains("A match") && archived.contains("An election"));
    EXPECT_FALSE(Issues(*connection).content(id).contains("\\u0001")) << "the content is only about the issue";
}

TEST_F(Publisher, NothingToSendMakesNoIssueByHandAndASkippedOneForASlot) {
    EXPECT_FALSE(publishing->publish(list, {}, now).issue);
    EXPECT_TRUE(Issues(*connection).all().empty());
    EXPECT_FALSE(publishing->publish(list, now, now).issue);
    auto issues = Issues(*connection).all();
    ASSERT_EQ(issues.size(), 1u);
    EXPECT_EQ(to_text(issues[0].state), "skipped");
    EXPECT_EQ(issues[0].reason, "there are no stories yet");
}

TEST_F(Publisher, ASlotIsFilledOnceHoweverOftenItIsLookedFor) {
    story("First");
    std::vector<std::string> errors;
    auto due = now + 1h;
    auto fired = publishing->publish_due(due, 12h, errors);
    ASSERT_EQ(fired.size(), 1u);
    EXPECT_TRUE(fired[0].outcome.issue);
    story("Second");
    EXPECT_EQ(publishing->publish_due(due + 1h, 12h, errors).size(), 0u);
    EXPECT_EQ(publishing->publish_due(due - 2h, 12h, errors).size(), 0u) << "a clock set back";
    EXPECT_TRUE(errors.empty());
}

TEST_F(Publisher, OnlyAScheduledIssueOfAListWithTheLocalHourGoesByTheReadersClocks) {
    list.local_hour = true;
    list = subscribers::Lists(*connection).update(list, now).value();
    auto local_slot = [&](IssueId id) {
        auto mailing = Issues(*connection).find(id)->mailing.value();
        return delivery::Mailings(*connection).find(mailing)->local_slot;
    };
    story("First");
    std::vector<std::string> errors;
    auto fired = publishing->publish_due(now + 1h, 12h, errors);
    ASSERT_EQ(fired.size(), 1u);
    EXPECT_EQ(local_slot(*fired[0].outcome.issue), now + 1h);
    story("Second");
    EXPECT_EQ(local_slot(*publishing->publish(list, {}, now + 2h).issue), std::nullopt);
}

TEST_F(Publisher, ABrokenTemplateIsNamedWithItsPlaceAndNothingIsWritten) {
    story("First");
    operator_writes("digest.html.mustache", "line one\n  {{#stories}}\n");
    try {
        publishing->publish(list, {}, now);
        FAIL() << "it published";
    } catch (const templates::TemplateError& error) {
        EXPECT_STREQ(error.what(), "digest.html.mustache:2:3: section \"stories\" is never closed");
    }
    EXPECT_TRUE(Issues(*connection).all().empty());
    EXPECT_EQ(publishing->explain(list, now).chosen.size(), 1u) << "the story is still there for the next try";
}

TEST_F(Publisher, ATemplateWithoutTheWayOutIsRefused) {
    story("First");
    operator_writes("digest.txt.mustache", "{{list.title}}\n");
    EXPECT_THROW(publishing->publish(list, {}, now), templates::TemplateError);
}

TEST_F(Publisher, ACancelledIssueThatNobodyGotGivesItsStoriesBack) {
    story("First");
    auto id = *publishing->publish(list, {}, now).issue;
    EXPECT_TRUE(publishing->explain(list, now).chosen.empty());
    EXPECT_TRUE(publishing->cancel(id, now));
    EXPECT_EQ(publishing->explain(list, now).chosen.size(), 1u);
    EXPECT_EQ(Issues(*connection).find(id)->state, IssueState::cancelled);
    EXPECT_FALSE(publishing->cancel(id, now));
}

TEST_F(Publisher, AListWithApprovalHoldsItsIssueUntilItIsFrozen) {
    list.approval = true;
    list = subscribers::Lists(*connection).update(list, now).value();
    story("First");
    auto id = *publishing->publish(list, {}, now).issue;
    EXPECT_EQ(Issues(*connection).find(id)->state, IssueState::held);
    publishing->freeze(id, now);
    EXPECT_EQ(Issues(*connection).find(id)->state, IssueState::scheduled);
}

TEST_F(Publisher, AnIssueThatTwoOperatorsApproveGoesOutOnce) {
    story("First");
    auto id = *publishing->draft(list, {}, IssueState::held, now).issue;
    publishing->freeze(id, now);
    EXPECT_THROW(publishing->freeze(id, now), std::runtime_error);
    EXPECT_EQ(connection->value<int>("SELECT count(*) FROM mailing"), 1);
    ASSERT_TRUE(publishing->cancel(id, now));
    EXPECT_THROW(publishing->freeze(id, now), std::runtime_error);
}

TEST_F(Publisher, AStoryHiddenOrHeldWhileItIsInADraftIsNotMailed) {
    auto first = story("First");
    story("Second");
    auto id = *publishing->draft(list, {}, IssueState::held, now).issue;
    stories::Stories(*connection).set_state(first, stories::StoryState::hidden);
    publishing->freeze(id, now);
    EXPECT_EQ(Issues(*connection).stories(id).size(), 1u);
    EXPECT_EQ(mail_of(id).find("First"), std::string::npos);
    EXPECT_EQ(publishing->explain(list, now).choices.size(), 2u);
    for (auto& choice : publishing->explain(list, now).choices)
        if (choice.story == first) EXPECT_EQ(choice.why, "hidden by the operator");
}

TEST_F(Publisher, ADraftWhoseStoriesAreAllHiddenCannotBeSentEmpty) {
    auto only = story("Only");
    auto id = *publishing->draft(list, {}, IssueState::held, now).issue;
    stories::Stories(*connection).set_state(only, stories::StoryState::hidden);
    EXPECT_THROW(publishing->freeze(id, now), std::runtime_error);
    EXPECT_EQ(Issues(*connection).find(id)->state, IssueState::held);
}

TEST_F(Publisher, NothingNewBecauseADraftHasItAllIsSaidSo) {
    story("First");
    (void)publishing->draft(list, {}, IssueState::draft, now);
    EXPECT_EQ(publishing->publish(list, {}, now).why_not, "there are no new stories; 1 is in a draft");
}

TEST_F(Publisher, TheMailIsBeyondReproachWhateverItsStoriesAndItsReaderAreCalled) {
    story("A <b>bold</b> & \"quoted\" title");
    story("x\r\nBcc: victim@example.org");
    story(std::string(3000, 'w'));
    story("=?utf-8?q?=0D=0ABcc:_a?= \xE2\x80\xA8 \xF0\x9F\x93\xB0");
    auto id = *publishing->publish(list, {}, now).issue;
    for (auto name : {"Ada", "x\r\nBcc: a@b", "=?utf-8?q?evil?=", "J\xC3\xBCrgen (x), \"Doe\"", "\xF0\x9F\x98\x80"}) {
        auto sample = publishing->sample(list, id, reader(name), "", now);
        EXPECT_EQ(mail_linter::lint(sample.eml), "") << name;
        auto header = sample.eml.substr(0, sample.eml.find("\r\n\r\n"));
        EXPECT_EQ(header.find("\r\nBcc:"), std::string::npos);
    }
}

TEST_F(Publisher, APreviewWithoutNewStoriesShowsTheNewestAsAnExample) {
    story("First");
    (void)publishing->publish(list, {}, now);
    auto sample = publishing->sample(list, {}, reader(), "", now);
    EXPECT_TRUE(sample.example);
    EXPECT_NE(sample.html.find("First"), std::string::npos);
    EXPECT_NE(sample.text.find("First"), std::string::npos);
}

TEST_F(Publisher, EachDesignShowsEveryStoryInBothItsParts) {
    for (int i = 0; i < 3; ++i) story("Story number " + std::to_string(i));
    for (auto* design : {"digest", "brief", "letter"}) {
        chooses(design);
        auto sample = publishing->sample(list, {}, reader(), "", now);
        for (auto* part : {&sample.html, &sample.text})
            for (int i = 0; i < 3; ++i) {
                EXPECT_TRUE(part->contains("Story number " + std::to_string(i))) << design;
                EXPECT_TRUE(part->contains("https://courier.example/" + std::to_string(i + 1))) << design;
            }
        EXPECT_FALSE(sample.text.contains("&")) << design;
        EXPECT_FALSE(sample.html.contains("<img")) << design;
    }
}

TEST_F(Publisher, NoLineOfTheTextIsLongerThanSeventyTwoColumnsButAnAddress) {
    list.title = "The rather long name of a newspaper that is read in the morning, at noon and at night";
    stories::Story fresh;
    fresh.url = "https://courier.example/" + std::string(100, 'x');
    fresh.byline = "Ada Lovelace, Charles Babbage, Luigi Menabrea, Mary Somerville, Augustus De Morgan";
    fresh.categories = {"Everything that happens between the harbour and the railway station"};
    fresh.html = "<ul><li>" + std::string(40, 'y') + " " + std::string(40, 'z') + "</li></ul>";
    stories::Stories(*connection)
        .stand(list.id, stories::Stories(*connection).put(fresh, now).first, stories::Standing::candidate, now);
    for (auto* design : {"digest", "brief", "letter"}) {
        chooses(design);
        std::istringstream text(publishing->sample(list, {}, reader(), "", now).text);
        for (std::string line; std::getline(text, line);)
            if (!line.contains("://")) {
                EXPECT_LE(line.size(), 72u + std::ranges::count(line, '\xC2')) << design << ": " << line;
            }
    }
}

TEST_F(Publisher, TheLetterHasTheWholeStoryInHtmlAndInWords) {
    stories::Story fresh;
    fresh.url = "https://courier.example/whole";
    fresh.html = "<p>The <a href=\"https://courier.example/x\">whole</a> story &amp; more.</p>";
    chooses("letter");
    auto mail = mail_with(fresh);
    EXPECT_TRUE(mail.contains(">whole</a> story &amp; more.</p>")) << mail;
    EXPECT_TRUE(mail.contains("The whole (https://courier.example/x) story & more.")) << mail;
    EXPECT_FALSE(mail.contains("What happened.</p>")) << "the summary would say it twice";
}

TEST_F(Publisher, AStoryThatWouldBeCutOffInTheInboxIsLeftAtItsSummary) {
    stories::Story fresh;
    fresh.url = "https://courier.example/long";
    fresh.html = "<p>" + std::string(100'000, 'x') + "</p>";
    chooses("letter");
    auto mail = mail_with(fresh);
    EXPECT_FALSE(mail.contains("xxxxx"));
    EXPECT_TRUE(mail.contains("What happened."));
}

TEST_F(Publisher, StoriesStandByTopicWhereSeveralShareOneAndElseEachSaysItsOwn) {
    auto of_topic = [&](const std::string& title, const std::string& topic) {
        auto fresh = stories::Stories(*connection).find(story(title)).value();
        fresh.categories = {topic};
        stories::Stories(*connection).put(fresh, now);
    };
    of_topic("Alpha", "Sport");
    of_topic("Beta", "World");
    of_topic("Gamma", "Arts");
    auto text = publishing->sample(list, {}, reader(), "", now).text;
    EXPECT_TRUE(text.contains("[World]\nBeta\n")) << text;
    of_topic("Delta", "World");
    of_topic("Epsilon", "Sport");
    of_topic("Zeta", "World");
    text = publishing->sample(list, {}, reader(), "", now).text;
    auto heading = text.find("[World]\n\n");
    ASSERT_NE(heading, text.npos) << text;
    EXPECT_EQ(text.find("[World]", heading + 1), text.npos) << text;
}

TEST_F(Publisher, TheLookOfAListIsFrozenWithItsIssue) {
    story("First");
    Look look;
    look.accent = *templates::parse_colour("#0a5");
    look.fonts = "Verdana, sans-serif";
    look.logo_url = "https://courier.example/logo.png?a=1&b=2";
    look.logo_width = 240;
    look.intro = "Good morning.";
    ListLooks(*connection).keep(list.id, look);
    auto id = *publishing->publish(list, {}, now).issue;
    ListLooks(*connection).keep(list.id, {});
    auto html = publishing->sample(list, id, reader(), "", now).html;
    for (auto* words :
         {"font:bold 30px/37px Verdana, sans-serif", "src=\"https://courier.example/logo.png?a=1&amp;b=2\"",
          "width=\"240\"", "alt=\"The Daily\"", "Good morning."})
        EXPECT_TRUE(html.contains(words)) << words;
}

TEST_F(Publisher, APictureSaysTheSizeThatWasReadFromIt) {
    stories::Story fresh;
    fresh.image.url = "https://courier.example/ship.png";
    EXPECT_TRUE(mail_with(fresh).contains("ship.png\" alt=\"The one that counts\" width=\"552\" style"));
    stories::Pictures(*connection).keep(fresh.image.url, stories::PictureSize{1104, 700}, now);
    EXPECT_TRUE(mail_with(fresh).contains("width=\"552\" height=\"350\""));
}

TEST_F(Publisher, APictureThatTurnsOutToBeACounterIsNotShown) {
    stories::Story fresh;
    fresh.image.url = "https://courier.example/dot.gif";
    fresh.html = "<p>Words.<img src=\"https://courier.example/dot.gif\" alt=\"\"></p>";
    stories::Pictures(*connection).keep(fresh.image.url, stories::PictureSize{2, 2}, now);
    for (auto* design : {"digest", "letter"}) {
        chooses(design);
        EXPECT_FALSE(mail_with(fresh).contains("dot.gif")) << design;
    }
}

TEST_F(Publisher, WritesTheRulesOfAMailIntoItsStyleAttributesWhenTheIssueIsMade) {
    operator_writes("digest.html.mustache",
                    "<style>p{color:red}\n@media print{p{top:0}}</style>{{#stories}}<p>{{title}}</p>{{/stories}}"
                    "<a href=\"{{unsubscribe_url}}\">x</a>{{site.postal_address}}");
    story("First");
    auto issue = publishing->publish(list, {}, now).issue;
    auto html = publishing->sample(list, issue, reader(), "", now).html;
    EXPECT_TRUE(
        html.starts_with("<style>@media print{p{top:0}}</style><p style=\"color:red\">First</p><a href=\"https"))
        << html;
}

TEST_F(Publisher, SaysItsWarningsAndSendsAllTheSame) {
    operator_writes("digest.html.mustache",
                    "<html lang=\"en\"><p style=\"color:#999\">x</p><a href=\"{{unsubscribe_url}}\">"
                    "x</a>{{site.postal_address}}");
    story("First");
    auto outcome = publishing->publish(list, {}, now);
    ASSERT_TRUE(outcome.issue);
    ASSERT_EQ(outcome.warnings.size(), 1u);
    EXPECT_TRUE(
        outcome.warnings[0].text().starts_with("digest.html.mustache:1:17: warning: text in #999999 on #ffffff"))
        << outcome.warnings[0].text();
}

TEST_F(Publisher, RefusesAScriptWithItsPlaceAndWritesNothing) {
    operator_writes("digest.html.mustache", "{{unsubscribe_url}}{{site.postal_address}}\n<script>x</script>");
    story("First");
    try {
        (void)publishing->publish(list, {}, now);
        FAIL() << "published";
    } catch (const templates::TemplateError& error) {
        EXPECT_TRUE(std::string(error.what()).starts_with("digest.html.mustache:2:1: <script>")) << error.what();
    }
    EXPECT_TRUE(publishing->explain(list, now).chosen.size() == 1);
}

TEST_F(Publisher, LetsTheBuiltInWordsStandInForACatalogueThatCannotBeUsed) {
    operator_writes("words.de.json", "{");
    list.language = "de";
    list = subscribers::Lists(*connection).update(list, now).value();
    story("Zuerst");
    auto outcome = publishing->publish(list, {}, now);
    ASSERT_TRUE(outcome.issue);
    ASSERT_EQ(outcome.warnings.size(), 1u);
    EXPECT_TRUE(outcome.warnings[0].text().starts_with("words.de.json:1:2: warning: ")) << outcome.warnings[0].text();
    EXPECT_TRUE(outcome.warnings[0].text().ends_with("; the built-in words stand in")) << outcome.warnings[0].text();
    EXPECT_NE(publishing->sample(list, outcome.issue, reader(), "", now).text.find("Abmelden"), std::string::npos);
}

}
}
