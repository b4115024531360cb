#include "support.hpp"
#include "templates/client_support.hpp"
#include "templates/colour.hpp"
#include "templates/mail_rules.hpp"
#include "templates/review.hpp"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

namespace postrider::templates {
namespace {

std::string lines(const std::vector<Fault>& faults) {
    std::string text;
    for (const Fault& fault : faults) text += fault.text() + "\n";
    return text;
}

std::string said(const std::string& text, std::map<std::string, std::string> partials = {}) {
    auto source = made(text, std::move(partials));
    return lines(mail_faults(FlatTemplate(source), Document::fragment));
}

std::string at(int line, int column, const std::string& message) {
    return "digest.html.mustache:" + std::to_string(line) + ":" + std::to_string(column) + ": " + message;
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != text.npos; }

TEST(MailRules, RefuseWhatNoMailProgramRuns) {
    EXPECT_TRUE(said("<p>a\n <script>x</script>").starts_with(at(2, 2, "<script>: no mail program runs it")));
    EXPECT_TRUE(said("<form action=\"https://a.example\">").starts_with(at(1, 1, "<form>: mail programs remove")));
    EXPECT_TRUE(said("<p ONCLICK=\"x()\">").starts_with(at(1, 4, "onclick: nothing runs it")));
    EXPECT_TRUE(said("<iframe src=\"https://a.example\">").starts_with(at(1, 1, "<iframe>")));
}

TEST(MailRules, RefuseLinksThatLeadNowhereFromAnInbox) {
    EXPECT_TRUE(said("<a href=\"/about\">x</a>").starts_with(at(1, 4, "href \"/about\" leads nowhere from an inbox")));
    EXPECT_TRUE(has(said("<img alt=\"\" src='pics/{{issue.number}}.png'>"), "src \"pics/{{...}}.png\" leads nowhere"));
    EXPECT_TRUE(has(said("<a href=\"javascript:x()\">x</a>"), "mail programs do not follow javascript: links"));
    EXPECT_TRUE(has(said("<a href=\"http://a.example/\">x</a>"), "warning: href is http: write https"));
    EXPECT_EQ(
        said("<a href=\"http://127.0.0.1:8080/\">x</a><a href=\"#top\">x</a><a href=\"mailto:a@b.example\">x</a>"
             "<a href=\"{{view_url}}\">x</a><a href=\"{{site.url}}/about\">x</a><a href=\"https://a.example\">x</a>"),
        "");
}

TEST(MailRules, AskForWordsInThePlaceOfPicturesAndForALanguage) {
    EXPECT_TRUE(said("<p>\n<img src=\"{{image.url}}\">").starts_with(at(2, 1, "warning: <img> has no alt")));
    EXPECT_EQ(said("<img src=\"{{image.url}}\" alt=\"\"><img src=\"{{image.url}}\" alt=\"{{title}}\">"), "");
    EXPECT_TRUE(has(said("<html dir=\"ltr\">"), "warning: <html> has no lang"));
    EXPECT_EQ(said("<html lang=\"{{list.language}}\">"), "");
    auto bare = made("<p>x");
    EXPECT_TRUE(has(lines(mail_faults(FlatTemplate(bare), Document::whole)), "there is no <html>"));
}

TEST(MailRules, SeeWhatCannotBeReadWhereverItsColoursComeFrom) {
    auto grey = "warning: text in #999999 on #ffffff has a contrast of 2.8";
    EXPECT_TRUE(has(said("<p style=\"color:#999\">x</p>"), grey));
    EXPECT_TRUE(has(said("<style>.q{color:#999}</style><p class=\"q\">x</p>"), grey)) << "a rule";
    EXPECT_TRUE(has(said("<div style=\"background:#111\"><p>x</p></div>"), "text in #000000 on #111111"));
    EXPECT_EQ(said("<div style=\"background:#111\"><p style=\"color:#fff\">x <b>y</b></p></div>"), "");
    EXPECT_EQ(said("<p style=\"color:#999\"> &nbsp; <b style=\"color:#000\">x</b></p>"), "") << "nothing in grey";
    EXPECT_EQ(said("<div style=\"display:none;color:#fff\">x</div>"), "");
    EXPECT_EQ(said("<p style=\"color:{{list.title}}\">x</p>"), "") << "not known yet";
    EXPECT_TRUE(has(said("<p style=\"font:12px Arial\">x</p>"), "letters of 12 px"));
    EXPECT_TRUE(has(said("<p style=\"font-size:9pt\">x</p>"), "letters of 12 px"));
    EXPECT_EQ(said("<p style=\"font-size:0\">x</p><p style=\"font:bold 14px/20px Arial\">x</p>"), "");
}

TEST(MailRules, KnowWhatTheLargeMailProgramsDoNotKnow) {
    EXPECT_TRUE(said("<div style=\"margin:0;display:flex\">")
                    .starts_with(at(1, 22, "warning: display:flex is not known to Outlook: lay it out with a table")));
    EXPECT_TRUE(said("<style>\n.a{top:0}\n .b{width:calc(1px + 2px)}\n</style>")
                    .starts_with(at(3, 5, "warning: calc() is not known to Outlook, Yahoo")));
    EXPECT_TRUE(has(said("<style>@import url(x);</style>"), "@import is not known to Gmail, Yahoo"));
    EXPECT_TRUE(has(said("<style>p::before{color:red}</style>"), ":before is not known to"));
    EXPECT_TRUE(has(said("<svg></svg>"), "<svg> is not known to"));
    EXPECT_EQ(said("<style>@media (max-width:9px){.a{display:flex}}</style>"), "") << "for those who know @media";
    EXPECT_EQ(said("<p style=\"background:#eee;background:linear-gradient(#fff,#eee)\"></p>"), "") << "falls back";
}

TEST(MailRules, FindTheirPlacesInPartialsAndAcrossTags) {
    auto text = said("<td{{#why}} class=\"a\"{{/why}}>\n{{>card}}",
                     {{"card", "ü{{why}}<img src=\"{{view_url}}\">\n<p onload=x>"}});
    EXPECT_EQ(text.substr(0, text.find(": <img>")), "card.mustache:1:9: warning");
    EXPECT_TRUE(has(text, "card.mustache:2:4: onload"));
}

TEST(MailRules, LetNoWordOfOthersInAsHtml) {
    auto raw = [](const std::string& text) {
        auto source = made(text);
        return lines(raw_values(FlatTemplate(source)));
    };
    EXPECT_EQ(raw("{{#stories}}\n{{{title}}}{{/stories}}"),
              at(2, 1, "{{{title}}} lets whoever wrote it put HTML into the mail: write {{title}}\n"));
    EXPECT_TRUE(has(raw("{{& subscriber.name }}"), "{{{subscriber.name}}}"));
    EXPECT_TRUE(has(raw("{{#why}}{{{.}}}{{/why}}"), "{{{why}}}"));
    EXPECT_EQ(raw("{{{html}}}{{{story.html}}}{{{sentence.confirm_asked}}}{{{unsubscribe_url}}}{{title}}"), "");
}

TEST(MailRules, TakeBoundedTime) {
    std::string deep;
    for (int i = 0; i < 100'000; ++i) deep += "<div style=\"color:#999\">x";
    EXPECT_EQ(std::ranges::count(said(deep), '\n'), 100);
}

TEST(Colours, AreFoundInAValueHoweverItNamesThem) {
    EXPECT_EQ(colour_in("rgb(1, 2,3)"), (Colour{1, 2, 3}));
    EXPECT_EQ(colour_in("rgb(1,2,3,0.5)"), std::nullopt);
    EXPECT_EQ(colour_in("White"), (Colour{255, 255, 255}));
    EXPECT_EQ(colour_in("no-repeat #efece5"), (Colour{0xef, 0xec, 0xe5}));
    EXPECT_EQ(colour_in("none"), std::nullopt);
}

TEST(Review, WarnsOfAMailThatGmailWillCut) {
    auto program = [](std::size_t size) { return compile(made(std::string(size, 'x')), boost::json::object{}); };
    EXPECT_FALSE(fault_of_size(program(70'000), "digest.html.mustache"));
    EXPECT_TRUE(has(fault_of_size(program(90'000), "f")->text(), "f:1:1: warning: the mail has 92 of the 102 kB"));
    EXPECT_TRUE(has(fault_of_size(program(110'000), "f")->text(), "Gmail hides what comes after 102"));
}

TEST(Review, FindsNothingAmissInAnyBuiltInTemplate) {
    std::vector<std::string> designs{"digest", "brief", "letter"};
    Library library{std::filesystem::path()};
    for (auto& entry : library.names())
        EXPECT_EQ(lines(review(*Library::built_in(entry.name), Library::built_in, designs).faults), "") << entry.name;
}

TEST(Review, JudgesPagesAndLettersByTheirOwnRules) {
    std::vector<std::string> designs{"digest"};
    auto of = [&](const std::string& name, const std::string& text) {
        return lines(review({name, name + ".mustache", text}, Library::built_in, designs).faults);
    };
    EXPECT_EQ(of("page_x.html", "<form action=\"/x\"><a href=\"/\">{{anything}}</a></form>"), "");
    EXPECT_TRUE(has(of("page_x.html", "<p onclick=\"x\">"), "onclick"));
    EXPECT_TRUE(has(of("page_x.html", "{{words.subscrib}}"), "did you mean \"words.subscribe\"?"));
    EXPECT_TRUE(has(of("confirm.html", "<a href=\"/\">{{expires}}</a>"), "leads nowhere"));
    EXPECT_TRUE(has(of("digest.html", "<p>"), "{{unsubscribe_url}} is missing"));
    EXPECT_EQ(of("brief_row.html", "<p>{{list.title}}</p>"), "") << "a part need not show a way out";
    EXPECT_EQ(of("digest.txt", "{{{list.title}}} {{unsubscribe_url}} {{site.postal_address}}"), "");
}

// --- the corpus ----------------------------------------------------------------------------------------------------

TEST(ClientSupportCorpus, SaysWhatCaniemailSays) {
    auto* corpora = std::getenv("POSTRIDER_CORPORA");
    std::ifstream file(std::filesystem::path(corpora ? corpora : "") / "caniemail" / "features.json");
    if (!corpora || !file) GTEST_SKIP() << "no caniemail in POSTRIDER_CORPORA";
    auto features = boost::json::parse(std::string(std::istreambuf_iterator<char>(file), {})).as_object();
    constexpr std::pair<const char*, const char*> clients[] = {{"gmail/desktop-webmail", "Gmail"},
                                                               {"outlook/windows", "Outlook"},
                                                               {"apple-mail/macos", "Apple Mail"},
                                                               {"yahoo/desktop-webmail", "Yahoo"}};
    for (auto& thing : unsupported_things()) {
        ASSERT_TRUE(features.contains(thing.feature)) << thing.feature;
        std::string lacking;
        for (auto& [key, name] : clients) {
            auto* tested = features[thing.feature].at("latest").as_object().if_contains(key);
            if (tested && tested->at("support").as_string().starts_with("n"))
                lacking.append(lacking.empty() ? "" : ", ").append(name);
        }
        EXPECT_EQ(thing.lacking, lacking) << thing.name;
    }
}

}
}
