#include "support.hpp"
#include "templates/mustache.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <thread>

namespace postrider::templates {
namespace {

namespace json = boost::json;

TEST(Mustache, RendersEveryCoreCaseOfTheSpecificationByteForByte) {
    const char* corpora = std::getenv("POSTRIDER_CORPORA");
    if (!corpora) GTEST_SKIP() << "POSTRIDER_CORPORA names no folder with corpora";
    int cases = 0;
    for (const char* area : {"comments", "delimiters", "interpolation", "inverted", "partials", "sections"}) {
        auto path = std::filesystem::path(corpora) / "mustache/spec" / (std::string(area) + ".json");
        std::ifstream file(path);
        std::string text((std::istreambuf_iterator<char>(file)), {});
        json::value spec = json::parse(text);
        for (const json::value& test : spec.at("tests").as_array()) {
            std::map<std::string, std::string> partials;
            if (auto* given = test.as_object().if_contains("partials"))
                for (const auto& [name, partial] : given->as_object())
                    partials[std::string(name)] = std::string(partial.as_string());
            auto result = made(std::string(test.at("template").as_string()), partials).render(test.at("data"));
            EXPECT_EQ(result, std::string(test.at("expected").as_string())) << area << ": " << test.at("name");
            ++cases;
        }
    }
    EXPECT_EQ(cases, 136);
}

TEST(Mustache, WritesNumbersShortAndTakesZeroAndEmptyTextAsFalse) {
    EXPECT_EQ(rendered("{{a}} {{b}} {{c}} {{d}} {{e}}", R"({"a":85,"b":1.21,"c":2.0,"d":true,"e":-7})"),
              "85 1.21 2 true -7");
    EXPECT_EQ(rendered("{{#a}}yes{{/a}}{{^a}}no{{/a}}", R"({"a":0})"), "no");
    EXPECT_EQ(rendered("{{#a}}yes{{/a}}{{^a}}no{{/a}}", R"({"a":""})"), "no");
    EXPECT_EQ(rendered("{{#a}}yes{{/a}}{{^a}}no{{/a}}", R"({"a":"0"})"), "yes");
    EXPECT_EQ(rendered("{{a}}", R"({"a":0})"), "0");
}

TEST(Mustache, EscapesInHtmlAndNotInPlainTextOrSubject) {
    json::value data = {{"a", "Tom & 'Jerry' <\">"}};
    EXPECT_EQ(made("{{a}}|{{{a}}}").render(data), "Tom &amp; &#39;Jerry&#39; &lt;&quot;&gt;|Tom & 'Jerry' <\">");
    EXPECT_EQ(made("{{a}}", {}, "digest.txt").render(data), "Tom & 'Jerry' <\">");
    EXPECT_EQ(made("{{a}}", {}, "subject").render(data), "Tom & 'Jerry' <\">");
}

TEST(Mustache, KeepsALineOfNothingButBlanksInsideASection) {
    EXPECT_EQ(rendered("{{#a}} {{/a}}", R"({"a":true})"), " ");
    EXPECT_EQ(rendered("-{{#a}}\n  \n{{/a}}", R"({"a":true})"), "-\n  \n");
    EXPECT_EQ(rendered("{{#a}}\n \n{{/a}}", R"({"a":[1,2]})"), " \n \n");
}

TEST(Mustache, IteratesListsInListsAndFindsOuterNames) {
    EXPECT_EQ(rendered("{{#a}}{{#.}}[{{.}}{{x}}]{{/.}};{{/a}}", R"({"a":[[1,2],[],[3]],"x":"!"})"), "[1!][2!];;[3!];");
    EXPECT_EQ(rendered("{{#a}}{{#a}}{{.}}{{/a}}{{/a}}", R"({"a":[1,2]})"), "1212");
    EXPECT_EQ(rendered("{{#a}}{{#b}}{{x}}{{y}}{{/b}}{{^b}}-{{/b}}{{/a}}", R"({"a":[{"b":[{"x":1}],"y":2},{"y":3}]})"),
              "12-");
}

TEST(Mustache, SaysWhereASectionThatIsNeverClosedOpens) {
    EXPECT_EQ(faults_of("<p>\n  {{#stories}}\n{{title}}"),
              "digest.html.mustache:2:3: section \"stories\" is never closed\n");
    EXPECT_EQ(faults_of("{{#a}}{{#b}}{{/a}}"), "digest.html.mustache:1:7: section \"b\" is never closed\n");
}

TEST(Mustache, CountsColumnsInCharacters) {
    EXPECT_EQ(faults_of("Grüße, 世界 {{/x}}"),
              "digest.html.mustache:1:11: section \"x\" is closed here but was never opened\n");
}

TEST(Mustache, ShowsBothPlacesOfCrossedSections) {
    EXPECT_EQ(faults_of("{{#a}}\n{{#b}}\n{{/a}}\n{{/b}}"),
              "digest.html.mustache:2:1: section \"b\" crosses section \"a\", which is closed at 3:1 while \"b\" is "
              "still open "
              "(closed at 4:1)\n"
              "digest.html.mustache:4:1: section \"b\", opened at 2:1, must be closed before \"a\" is closed at 3:1\n");
}

TEST(Mustache, FindsTagsThatAreNotClosedEmptyOrNamedBadly) {
    EXPECT_EQ(faults_of("a\nb {{name"), "digest.html.mustache:2:3: tag \"{{name\" is never closed with \"}}\"\n");
    EXPECT_EQ(faults_of("{{name {{title}}"), "digest.html.mustache:1:1: tag \"{{name\" is never closed with \"}}\"\n");
    EXPECT_EQ(faults_of("{{{name}}"), "digest.html.mustache:1:1: tag \"{{{name}}\" is never closed with \"}}}\"\n");
    EXPECT_EQ(faults_of("x{{ }}"), "digest.html.mustache:1:2: this tag is empty\n");
    EXPECT_EQ(faults_of("x{{#}}"), "digest.html.mustache:1:2: this tag is empty\n");
    EXPECT_EQ(faults_of("{{a..b}}"), "digest.html.mustache:1:1: the name \"a..b\" has a dot too many\n");
    EXPECT_EQ(faults_of("{{=<<=}}"),
              "digest.html.mustache:1:1: a delimiter tag names two delimiters without blanks or \"=\", as in "
              "{{=<% %>=}}\n");
    EXPECT_EQ(faults_of("{{=| | |=}}").substr(0, 25), "digest.html.mustache:1:1:");
}

TEST(Mustache, ReportsSeveralFaultsInTheOrderOfThePage) {
    EXPECT_EQ(faults_of("{{/a}}\n{{}}\n{{#b}}"),
              "digest.html.mustache:1:1: section \"a\" is closed here but was never opened\n"
              "digest.html.mustache:2:1: this tag is empty\n"
              "digest.html.mustache:3:1: section \"b\" is never closed\n");
}

TEST(Mustache, NamesThePartialThatHoldsAFault) {
    EXPECT_EQ(faults_of("{{>footer}}", {{"footer", "\n {{#x}}"}}),
              "footer.mustache:2:2: section \"x\" is never closed\n");
}

TEST(Mustache, StopsAPartialThatIncludesItselfWithoutEnd) {
    Template endless = made("<p>\n {{>node}}", {{"node", "x{{>node}}"}});
    try {
        (void)endless.render(json::object{});
        FAIL() << "rendered";
    } catch (const TemplateError& error) {
        EXPECT_STREQ(error.what(), "node.mustache:1:2: partial \"node\" includes itself more than 64 deep");
    }
}

TEST(Mustache, StopsPartialsThatIncludeThemselvesManyTimesOver) {
    Template bush = made("{{>a}}", {{"a", "{{>b}}{{>b}}"}, {"b", "{{#x}}{{>a}}{{>a}}{{/x}}"}});
    EXPECT_THROW((void)bush.render(json::value{{"x", true}}), TemplateError);
    EXPECT_EQ(bush.render(json::object{}), "");
}

TEST(Mustache, RefusesPartialsThatGrowWithoutMeasure) {
    std::map<std::string, std::string> laughs;
    for (int i = 0; i < 40; ++i)
        laughs["p" + std::to_string(i)] = "{{>p" + std::to_string(i + 1) + "}}{{>p" + std::to_string(i + 1) + "}}";
    EXPECT_NE(faults_of("{{>p0}}", laughs).find("too large"), std::string::npos);
}

TEST(Mustache, RendersATreeByARecursivePartialWithItsIndentation) {
    const char* tree = R"({"n":1,"below":[{"n":2,"below":[{"n":3,"below":[]}]},{"n":4,"below":[]}]})";
    EXPECT_EQ(rendered("{{>node}}", tree, {{"node", "{{n}}\n{{#below}}\n  {{>node}}\n{{/below}}\n"}}),
              "1\n  2\n    3\n  4\n");
}

TEST(Mustache, RefusesSectionsNestedBeyondReason) {
    std::string opens, ends;
    for (int i = 0; i < 300; ++i) opens += "{{#a}}", ends += "{{/a}}";
    EXPECT_NE(faults_of(opens + ends).find("nested too deep"), std::string::npos);
}

TEST(Mustache, StopsDeepSectionsInARecursivePartialBeforeTheStackEnds) {
    std::string opens, ends;
    for (int i = 0; i < 200; ++i)
        opens += i % 2 ? "{{^no}}" : "{{#yes}}", ends = (i % 2 ? "{{/no}}" : "{{/yes}}") + ends;
    Template deep = made("{{>node}}", {{"node", opens + "{{>node}}" + ends}});
    EXPECT_THROW((void)deep.render(json::value{{"yes", true}}), TemplateError);
}

TEST(Mustache, NeverLosesItselfInRandomText) {
    static const std::vector<std::string> bits = {"{{", "}}", "{",  "}", "#",    "^",           "/",      ">",
                                                  "!",  "&",  "=",  " ", "\n",   "\r\n",        "a",      "b",
                                                  ".",  "<%", "%>", "é", "\xff", "{{=<% %>=}}", "{{#a}}", "{{/a}}"};
    std::mt19937 random(3);
    json::value data = json::parse(R"({"a":[{"b":1},{"b":"x"}],"b":true})");
    int good = 0;
    for (int i = 0; i < 20'000; ++i) {
        std::string text;
        for (auto count = random() % 25; count > 0; --count) text += bits[random() % bits.size()];
        auto result = parse({"x", "x", text}, partials_of({{"a", text}}));
        if (!result) {
            auto lines = std::ranges::count(text, '\n') + 1;
            for (const Fault& fault : result.error())
                EXPECT_TRUE(fault.line >= 1 && fault.line <= lines && fault.column >= 1) << text;
            continue;
        }
        ++good;
        try {
            (void)result->render(data);
        } catch (const TemplateError&) { // it includes itself
        }
    }
    EXPECT_GT(good, 1000);
}

TEST(Mustache, StopsSectionsThatMultiply) {
    std::string text;
    for (int i = 0; i < 20; ++i) text += "{{#a}}";
    for (int i = 0; i < 20; ++i) text += "{{/a}}";
    EXPECT_THROW((void)made(text).render(json::parse(R"({"a":[1,2,3,4,5,6,7,8,9,10]})")), TemplateError);
}

TEST(Mustache, TakesATemplateOfTenMegabytes) {
    std::string blanks(10 << 20, ' ');
    EXPECT_EQ(rendered(blanks + "{{a}}", R"({"a":1})"), blanks + "1");
    std::string tags;
    while (tags.size() < (10 << 20)) tags += "{{name}} \n";
    EXPECT_EQ(rendered(tags, R"({"name":"x"})").size(), tags.size() / 10 * 3);
    std::string opening(10 << 20, '{');
    EXPECT_NE(faults_of(opening), "");
}

TEST(Mustache, RendersOneTemplateInSeveralThreadsAtOnce) {
    Template shared = made("{{#a}}{{.}}{{>node}}{{/a}}", {{"node", "{{#b}}{{x}}{{#c}}{{>node}}{{/c}}{{/b}}"}});
    json::value data = json::parse(R"({"a":[1,2,3],"b":{"x":"<"}})");
    std::string expected = shared.render(data);
    std::vector<int> wrong(4);
    {
        std::vector<std::jthread> threads;
        for (int& count : wrong)
            threads.emplace_back([&] {
                for (int i = 0; i < 200; ++i) count += shared.render(data) != expected;
            });
    }
    EXPECT_EQ(wrong, std::vector<int>(4));
}

}
}
