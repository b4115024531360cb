#include "support.hpp"
#include "system/nearest.hpp"
#include "templates/check.hpp"

namespace postrider::templates {
namespace {

std::string lines(const std::vector<Fault>& faults) {
    std::string text;
    for (const Fault& fault : faults) text += fault.text() + "\n";
    return text;
}

std::string unknown(const std::string& text, std::map<std::string, std::string> partials = {}) {
    return lines(unknown_names(made(text, std::move(partials)), mail_vocabulary()));
}

TEST(Nearest, FindsTheWordThatWasMeantAndNothingFarOff) {
    std::vector<std::string> known = {"title", "summary", "url", "listen"};
    EXPECT_EQ(system::nearest("titel", known), "title");
    EXPECT_EQ(system::nearest("Sumary", known), "summary");
    EXPECT_EQ(system::nearest("lisen", known), "listen");
    EXPECT_EQ(system::nearest("banana", known), std::nullopt);
    EXPECT_EQ(system::nearest("", known), std::nullopt);
    EXPECT_EQ(system::nearest(std::string(1'000'000, 't'), known), std::nullopt);
}

TEST(Check, KnowsEveryNameAMailMayUseInItsSections) {
    EXPECT_EQ(
        unknown("{{site.name}}{{#stories}}{{title}}{{image.url}}{{issue.number}}{{#image}}{{alt}}{{/image}}{{/stories}}"
                "{{#topics}}{{name}}{{#stories}}{{title}}{{^last}},{{/last}}{{/stories}}{{/topics}}"
                "{{subscriber.shoe_size}}{{#subscriber.first_name}}{{.}}{{/subscriber.first_name}}{{why}}{{view_url}}"),
        "");
}

TEST(Check, NamesAnUnknownNameItsPlaceAndTheNearestKnownOne) {
    EXPECT_EQ(unknown("<p>\n{{#stories}}{{titel}}{{/stories}}"),
              "digest.html.mustache:2:13: there is no \"titel\" here; did you mean \"title\"?\n");
    EXPECT_EQ(unknown("{{issue.nubmer}}"),
              "digest.html.mustache:1:1: there is no \"issue.nubmer\" here; did you mean \"issue.number\"?\n");
    EXPECT_EQ(unknown("{{#storys}}{{title}}{{/storys}}"),
              "digest.html.mustache:1:1: there is no \"storys\" here; did you mean \"stories\"?\n");
    EXPECT_EQ(unknown("{{blubb}}"), "digest.html.mustache:1:1: there is no \"blubb\" here\n");
}

TEST(Check, SaysInWhichSectionANameIsKnown) {
    EXPECT_EQ(unknown("{{title}}"),
              "digest.html.mustache:1:1: there is no \"title\" here; it is known inside {{#stories}}\n");
}

TEST(Check, LooksIntoPartialsInTheScopeWhereTheyAreUsed) {
    EXPECT_EQ(unknown("{{#stories}}{{>card}}{{/stories}}", {{"card", "{{title}}"}}), "");
    EXPECT_EQ(unknown("{{>card}}{{>card}}", {{"card", "{{titel}}{{>card}}"}})
                  .find("card.mustache:1:1: there is no \"titel\""),
              0u);
}

TEST(Check, KnowsThatAReaderIsNoSection) {
    EXPECT_EQ(unknown("{{#subscriber}}{{name}}{{/subscriber}}"),
              "digest.html.mustache:1:1: \"subscriber\" cannot be opened as a section: write {{subscriber.name}}\n");
}

TEST(Check, FindsPartialsThatDoNotExist) {
    EXPECT_EQ(lines(missing_partials(made("a\n {{>fotter}}"))),
              "digest.html.mustache:2:2: there is no partial \"fotter\"\n");
}

TEST(Check, RefusesAMailWithoutAddressOrAWayOut) {
    EXPECT_EQ(lines(missing_footer(made("{{why}}"))),
              "digest.html.mustache:1:1: {{site.postal_address}} is missing: a mail must always show it\n"
              "digest.html.mustache:1:1: {{unsubscribe_url}} is missing: a mail must always show it\n");
    EXPECT_EQ(lines(missing_footer(
                  made("{{>footer}}", {{"footer", "{{#site}}{{postal_address}}{{/site}} {{{unsubscribe_url}}}"}}))),
              "");
    EXPECT_EQ(lines(missing_footer(made("{{site.postal_address}}{{#unsubscribe_url}}{{.}}{{/unsubscribe_url}}"))), "");
}

TEST(Check, RefusesAWayOutThatIsThereOnlySometimes) {
    EXPECT_EQ(
        lines(missing_footer(made("{{site.postal_address}}\n{{#stories}}{{unsubscribe_url}}{{/stories}}"))),
        "digest.html.mustache:2:13: {{unsubscribe_url}} depends on section \"stories\": a mail must always show it\n");
}

TEST(Check, FindsNothingAmissInTheBuiltInDigest) {
    for (const char* name : {"digest.html", "digest.txt", "subject"}) {
        auto source = Library::built_in(name);
        if (!source) continue;
        auto parsed = parse(*source, Library::built_in);
        ASSERT_TRUE(parsed) << parsed.error().front().text();
        EXPECT_EQ(lines(unknown_names(*parsed, mail_vocabulary())), "");
        EXPECT_EQ(lines(missing_partials(*parsed)), "");
        if (std::string_view(name) != "subject") {
            EXPECT_EQ(lines(missing_footer(*parsed)), "");
        }
    }
}

TEST(Check, TakesMoreNamesForPagesOfTheirOwn) {
    std::array<std::string_view, 1> more = {"confirm_url"};
    EXPECT_EQ(lines(unknown_names(made("{{confirm_url}}"), mail_vocabulary().with(more))), "");
}

}
}
