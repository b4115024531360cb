#include "templates/review.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace postrider::templates {
namespace {

constexpr std::string_view without_way_out =
    "<!DOCTYPE html><html lang=\"en\"><body><p>{{list.title}}</p></body></html>";

bool misses_way_out(const std::string& name, const std::vector<std::string>& designs) {
    Source source{name, name + ".mustache", std::string(without_way_out)};
    auto none = [](std::string_view) { return std::optional<Source>(); };
    for (auto& fault : review(source, none, designs).faults)
        if (fault.text().find("unsubscribe_url") != std::string::npos) return true;
    return false;
}

TEST(Review, ADesignNeedsAWayOutWhateverItsNameBeginsWith) {
    for (std::string name : {"plain", "welcome_week", "confirmed_news", "letter_home", "page_one", "moved"})
        EXPECT_TRUE(misses_way_out(name + ".html", {name})) << name;
}

TEST(Review, ALetterToOneReaderHasNoneToLeave) {
    EXPECT_FALSE(misses_way_out("confirm.html", {"digest"}));
    EXPECT_FALSE(misses_way_out("page_join.html", {"digest"}));
}

std::vector<std::string> said_of_subject(std::string text) {
    auto none = [](std::string_view) { return std::optional<Source>(); };
    std::vector<std::string> said;
    for (auto& fault : review({"subject", "subject.mustache", std::move(text)}, none, {}).faults)
        said.push_back(fault.text());
    return said;
}

TEST(Review, ASubjectSaysSomethingAndHoldsNoLink) {
    EXPECT_TRUE(said_of_subject("{{list.title}}: {{issue.date}}").empty());
    EXPECT_TRUE(said_of_subject("News").empty());
    EXPECT_EQ(said_of_subject("").size(), 1u);
    EXPECT_EQ(said_of_subject("{{! nothing }} \n{{#list.title}} {{/list.title}}").size(), 1u);
    EXPECT_EQ(said_of_subject("{{list.title}} {{unsubscribe_url}}").size(), 1u);
}

}
}
