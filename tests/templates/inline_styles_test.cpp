#include "support.hpp"
#include "templates/cascade.hpp"
#include "templates/inline_styles.hpp"
#include "templates/markup.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sstream>

namespace postrider::templates {
namespace {

namespace fs = std::filesystem;

std::string with(const std::string& css, const std::string& html) {
    return with_inlined_styles("<style>" + css + "</style>" + html);
}

TEST(InlineStyles, AreWrittenWhereTheirRulesMean) {
    EXPECT_EQ(with("p{color:red} .lead{margin:0}", "<p class=\"x lead\">a</p><b>b</b>"),
              "<p class=\"x lead\" style=\"color:red;margin:0\">a</p><b>b</b>");
}

TEST(InlineStyles, KnowEverySelectorThatTagsAloneDecide) {
    std::string html =
        "<ul id=\"u\"><li lang=\"en-GB\">1</li><li>2</li><li><a href=\"https://a.example\">3</a></li></ul><p></p>";
    auto marked = [&](const std::string& selector) {
        auto out = with(selector + "{top:0}", html);
        std::string found;
        for (auto& tag : tags_in(out))
            if (tag.attribute("style")) found += tag.name + (tag.name == "li" ? out.substr(tag.end, 1) : "") + " ";
        return found;
    };
    EXPECT_EQ(marked("#u > li"), "li1 li2 li< ");
    EXPECT_EQ(marked("ul a"), "a ");
    EXPECT_EQ(marked("ul > a"), "");
    EXPECT_EQ(marked("li + li"), "li2 li< ");
    EXPECT_EQ(marked("li:first-child ~ li"), "li2 li< ");
    EXPECT_EQ(marked("ul + p"), "p ");
    EXPECT_EQ(marked("li:last-child"), "li< ");
    EXPECT_EQ(marked("li:nth-child(2n+1)"), "li1 li< ");
    EXPECT_EQ(marked("li:nth-child( -n + 2 )"), "li1 li2 ");
    EXPECT_EQ(marked("li:nth-last-child(1)"), "li< ");
    EXPECT_EQ(marked("[href^='https:'], [lang|=en], [title]"), "li1 a ");
    EXPECT_EQ(marked("LI.none, p"), "p ");
    EXPECT_EQ(marked("*"), "ul li1 li2 li< a p ");
}

TEST(InlineStyles, FollowSpecificityThenOrderAndKeepShorthandsInTheirOrder) {
    EXPECT_EQ(with("#p{padding:0}.a.b{color:red}.a{color:blue;padding:3px}p{padding-left:1px}",
                   "<p id=\"p\" class=\"a b\"></p>"),
              "<p id=\"p\" class=\"a b\" style=\"padding-left:1px;color:red;padding:0\"></p>");
}

TEST(InlineStyles, YieldToTheAttributeButForWhatIsImportant) {
    EXPECT_EQ(with("p{color:red;margin:0!important;top:0}", "<p style=\"color:blue; margin:9px\"></p>"),
              "<p style=\"top:0;color:blue; margin:9px;margin:0\"></p>");
    EXPECT_EQ(with("p{color:red!important}", "<p style='color:blue!important;'></p>"),
              "<p style='color:blue!important;'></p>");
    EXPECT_EQ(with("p{font-family:\"A B\",'C'}", "<p style=''></p><br/>"),
              "<p style='font-family:\"A B\",&#39;C&#39;'></p><br/>");
}

TEST(InlineStyles, KeepARuleThatNeedsMoreThanTheTags) {
    std::string rest = "@media (max-width:480px){a{color:red!important}}\n[data-ogsc] a{color:red}\na:hover{top:0}";
    EXPECT_EQ(with("a,a:hover{left:0}" + rest, "<a>x</a>"),
              "<style>a:hover{left:0}" + rest + "</style><a style=\"left:0\">x</a>");
    EXPECT_EQ(with_inlined_styles("<style media=\"print\">a{top:0}</style><a>x</a>"),
              "<style media=\"print\">a{top:0}</style><a>x</a>");
}

TEST(InlineStyles, TouchNoCommentAndNothingElse) {
    std::string html =
        "<!DOCTYPE html><html><head><title>p{}</title><!--[if mso]><style>p{font:1px a}</style><![endif]-->\n"
        "</head><body><p CLASS=a  >x &amp; y<br></body>";
    EXPECT_EQ(with_inlined_styles(html), html);
    EXPECT_EQ(with_inlined_styles("<head>\n<style>\np{top:0}\n</style>\n</head><p CLASS=a  >x<br />"),
              "<head>\n</head><p CLASS=a  style=\"top:0\" >x<br />");
}

TEST(InlineStyles, LeaveAReadersSlotsAndConditionsOpen) {
    auto source = made("<style>p{color:red}a{top:0}</style><p>{{#why}}<a href=\"{{view_url}}\">{{why}}</a>{{/why}}</p>"
                       "<p style=\"{{subscriber.css}}\">{{list.title}}</p>");
    auto data = boost::json::parse(R"({"list": {"title": "T"}})");
    auto program = with_inlined_styles(compile(source, data));
    std::string out;
    std::vector<std::string_view> values(program.slots().size(), "v");
    program.fill(out, values);
    EXPECT_EQ(out, "<p style=\"color:red\"><a href=\"v\" style=\"top:0\">v</a></p><p style=\"color:red;v\">T</p>");
    EXPECT_EQ(Program::from_stored(program.stored()), program);
}

TEST(InlineStyles, TakeBoundedTimeForHostileText) {
    std::string deep, wide;
    for (int i = 0; i < 20'000; ++i) deep += "<div class=\"a\">";
    for (int i = 0; i < 20'000; ++i) wide += "div .a > .a ~ .b" + std::to_string(i) + "{top:0}";
    EXPECT_FALSE(with("div div div div > .a ~ .a{top:0}", deep).empty());
    EXPECT_EQ(with(wide, deep), "<style>" + wide + "</style>" + deep) << "too much to match";
    for (auto* text :
         {"<", "<p", "<p a=\"", "<style>", "<style>p{", "<style>@", "<style>p{}</style", "<!--", "</", "<p ="})
        EXPECT_EQ(with_inlined_styles(text), text);
}

TEST(InlineStyles, ChangeNothingOfTheBuiltInMails) {
    for (auto* name : {"digest.html", "confirm.html", "welcome.html"}) {
        auto parsed = parse(*Library::built_in(name), Library::built_in);
        ASSERT_TRUE(parsed);
        auto program = compile(*parsed, boost::json::object{});
        EXPECT_EQ(with_inlined_styles(program), program) << name;
    }
}

// --- the corpus ----------------------------------------------------------------------------------------------------

std::string text_of(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

std::string without_blanks(std::string text) {
    std::erase_if(text, [](char c) { return std::isspace(static_cast<unsigned char>(c)); });
    std::ranges::replace(text, '"', '\'');
    return text;
}

// One line an element: its name, its attributes by name, the last of each property of its style in order. Juice makes
// width attributes of some styles.
std::string shape_of(const std::string& html) {
    std::string lines;
    for (auto& tag : tags_in(html)) {
        if (tag.kind == Tag::Kind::close || tag.name == "style" || tag.name == "link") continue;
        std::vector<std::string> attributes;
        for (auto& attribute : tag.attributes) {
            if (attribute.name == "width") continue;
            if (attribute.name != "style") {
                attributes.push_back(attribute.name + "=" + without_blanks(decoded(attribute.value)));
                continue;
            }
            auto text = decoded(attribute.value);
            auto declarations = css::declarations_in(text);
            std::string style;
            for (auto i = declarations.begin(); i != declarations.end(); ++i)
                if (std::none_of(i + 1, declarations.end(), [&](auto& later) { return later.property == i->property; }))
                    style += i->property + ":" + without_blanks(std::string(i->value)) + ";";
            attributes.push_back("style=" + style);
        }
        std::ranges::sort(attributes);
        lines += tag.name;
        for (auto& one : attributes) lines += " " + one;
        lines += "\n";
    }
    return lines;
}

// What juice makes by options that we have no use for: attributes from styles, text of pseudo-elements, other sheets.
constexpr std::string_view other_aims[] = {"counter-reset",
                                           "height-attr",
                                           "insert-preserve-fragment",
                                           "table-attr",
                                           "media-preserve",
                                           "pseudo-elements-and-width-attr",
                                           "xml"};

TEST(InlineStylesCorpus, GivesWhatJuiceGives) {
    auto* corpora = std::getenv("POSTRIDER_CORPORA");
    if (!corpora || !fs::is_directory(fs::path(corpora) / "css-inline"))
        GTEST_SKIP() << "no css-inline in POSTRIDER_CORPORA";
    int agree = 0, count = 0;
    std::string differing;
    for (auto& entry : fs::recursive_directory_iterator(fs::path(corpora) / "css-inline")) {
        auto file = entry.path();
        if (file.extension() != ".out") continue;
        if (std::ranges::find(other_aims, file.stem().string()) != std::end(other_aims)) continue;
        auto html = text_of(fs::path(file).replace_extension(".html")),
             css = text_of(fs::path(file).replace_extension(".css"));
        auto ours = shape_of(with_inlined_styles("<style>" + css + "</style>" + html)), juice = shape_of(text_of(file));
        ++count;
        agree += ours == juice;
        if (ours == juice) continue;
        differing += " " + file.stem().string();
    }
    RecordProperty("agree", agree);
    EXPECT_GE(agree, count - 2) << "of " << count << "; not:" << differing << "; nested rules stay where they are";
}

}
}
