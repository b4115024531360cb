#include "support.hpp"
#include "system/embedded.hpp"
#include "templates/program.hpp"

#include <random>

namespace postrider::templates {
namespace {

namespace json = boost::json;

// One reader's values: by name for a full render, by slot for a program.
struct Values {
    json::object subscriber;
    std::map<std::string, std::string> single;

    std::string of(std::string_view slot) const {
        if (slot.starts_with("subscriber.")) {
            auto* found = subscriber.if_contains(slot.substr(11));
            return found ? std::string(found->as_string()) : "";
        }
        auto found = single.find(std::string(slot));
        return found == single.end() ? "" : found->second;
    }
};

std::string filled(const Program& program, const Values& values) {
    std::vector<std::string> texts;
    for (const std::string& slot : program.slots()) texts.push_back(values.of(slot));
    std::vector<std::string_view> views(texts.begin(), texts.end());
    std::string out;
    program.fill(out, views);
    return out;
}

std::string full(const Template& source, const json::value& issue, const Values& values) {
    json::object all = issue.as_object();
    all["subscriber"] = values.subscriber;
    for (const auto& [name, value] : values.single) all[name] = value;
    return source.render(all);
}

Values generated(unsigned seed) {
    static const std::vector<std::string> texts = {"",  "Ada",        "Grüße 世界 🙂", "<b>&\"'", "O'Neil & Sons",
                                                   " ", "\x01v1\x02", "{{x}}"};
    std::mt19937 random(seed);
    auto any = [&] { return texts[random() % texts.size()]; };
    Values values;
    for (const char* name : {"name", "first_name", "address"}) values.subscriber[name] = any();
    if (random() % 2) values.subscriber["city"] = any();
    for (const char* name : {"unsubscribe_url", "preferences_url", "view_url", "why"}) values.single[name] = any();
    return values;
}

const json::value& issue() {
    static const json::value data = json::parse(R"({
        "site": {"name": "The <Courier> \u0001x\u0002", "url": "https://m.example/", "postal_address": "1 Press Sq & Co"},
        "list": {"title": "Daily 'News'", "language": "en", "direction": "ltr", "archive_url": "", "description": "d"},
        "issue": {"number": 7, "subject": "S", "story_count": 2, "more_count": 0, "web_url": "https://m.example/7", "intro": "Hi"},
        "stories": [
            {"title": "One & only", "url": "https://a/?b=1&c=2", "summary": "x", "image": {"url": "i.png", "width": 3}, "first": true,
             "why": "not the reader's", "number": 1},
            {"title": "Two", "url": "u", "summary": "", "last": true, "number": 2}],
        "topics": [{"name": "T", "stories": [{"title": "One", "url": "u"}]}]})");
    return data;
}

void expect_same(const Template& source) {
    Program program = compile(source, issue());
    auto again = Program::from_stored(program.stored());
    ASSERT_TRUE(again) << again.error();
    EXPECT_EQ(*again, program);
    for (unsigned seed = 0; seed < 200; ++seed) {
        Values values = generated(seed);
        ASSERT_EQ(filled(*again, values), full(source, issue(), values)) << source.source().name << ", reader " << seed;
    }
}

TEST(Program, FillsExactlyWhatAFullRenderWrites) {
    expect_same(made("Dear {{subscriber.name}}{{^subscriber.name}}reader{{/subscriber.name}}, {{{subscriber.city}}}"));
    expect_same(made(
        "{{#subscriber.first_name}}Hi {{.}} ({{&.}}) of {{site.name}}{{#stories}}\n* {{title}}{{#subscriber.city}} in "
        "{{.}} {{issue.number}}{{/subscriber.city}}{{/stories}}{{/subscriber.first_name}}"));
    expect_same(made(
        "{{#stories}}{{#image}}{{subscriber.name}}{{#why_not}}{{/why_not}}{{/image}}{{/stories}}{{unsubscribe_url}}"));
    expect_same(made("  {{>foot}}\n", {{"foot", "{{#why}}\n{{why}}\n{{/why}}\n{{subscriber.address}}\n"}}));
    expect_same(
        made("{{subscriber.name}} {{site.name}} {{#subscriber.name}}{{.}}{{/subscriber.name}}", {}, "digest.txt"));
}

// A random text in good order: names of the issue and of the reader, sections of both, partials, indentation.
std::string grown(std::mt19937& random, int depth) {
    static const std::vector<std::string> words = {"a", " ", "\n", "  ", "\r\n", "&", "<b>", "}}", "é"};
    static const std::vector<std::string> names = {"site.name", "title",   "stories", "stories",  "subscriber.name",
                                                   "why",       "why",     ".",       "image",    "subscriber.city",
                                                   "view_url",  "missing", "number",  "image.url"};
    std::string text;
    for (auto count = 1 + random() % 6; count > 0; --count) {
        const std::string& name = names[random() % names.size()];
        switch (random() % 7) {
        case 0:
        case 1: text += words[random() % words.size()]; break;
        case 2: text += "{{" + name + "}}"; break;
        case 3: text += "{{{" + name + "}}}"; break;
        case 4: text += (random() % 2 ? "{{>p}}" : "\n  {{>q}}\n"); break;
        default:
            if (depth > 4) break;
            text += (random() % 3 ? "{{#" : "{{^") + name + "}}" + grown(random, depth + 1) + "{{/" + name + "}}";
        }
    }
    return text;
}

TEST(Program, FillsGrownTemplatesExactlyAsAFullRenderWould) {
    std::mt19937 random(7);
    json::object plain = issue().as_object(); // a reader's name must mean the same in both, so no story may have one
    plain["stories"].as_array()[0].as_object().erase("why");
    int rendered = 0;
    for (int i = 0; i < 2000; ++i) {
        std::map<std::string, std::string> partials = {{"p", grown(random, 3)}, {"q", grown(random, 3)}};
        auto source = parse({"digest.html", "digest.html.mustache", grown(random, 0)}, partials_of(partials));
        ASSERT_TRUE(source) << source.error().front().text();
        for (unsigned seed = 0; seed < 4; ++seed) {
            Values values = generated(unsigned(i) * 4 + seed);
            std::string whole;
            try {
                whole = full(*source, plain, values);
            } catch (const TemplateError&) { // a partial that includes itself without end
                continue;
            }
            Program program;
            try {
                program = compile(*source, plain);
            } catch (const TemplateError&) { // an end that only the reader's values would bring
                continue;
            }
            ASSERT_EQ(filled(program, values), whole) << source->source().text << "\n--\n"
                                                      << partials["p"] << "\n--\n"
                                                      << partials["q"];
            ++rendered;
        }
    }
    EXPECT_GT(rendered, 4000);
}

TEST(Program, FillsEveryBuiltInTemplateAsAFullRenderWould) {
    for (const embedded::File& file : embedded::templates()) {
        if (!file.name.ends_with(".mustache")) continue;
        auto source = Library::built_in(name_of(file.name));
        ASSERT_TRUE(source);
        auto parsed = parse(*source, Library::built_in);
        ASSERT_TRUE(parsed) << parsed.error().front().text();
        expect_same(*parsed);
    }
}

TEST(Program, MeansTheReaderByAReadersNameEvenInsideAStory) {
    Program program = compile(made("{{#stories}}{{why}};{{/stories}}"), issue());
    std::vector<std::string_view> values = {"signed up"};
    std::string out;
    program.fill(out, values);
    EXPECT_EQ(out, "signed up;signed up;");
}

TEST(Program, JoinsWhatNeedsNoReaderIntoOneLiteral) {
    Program program = compile(made("a{{site.url}}{{#stories}}{{number}}{{/stories}}{{subscriber.name}}b"), issue());
    ASSERT_EQ(program.pieces().size(), 3u);
    EXPECT_EQ(program.pieces()[0].text, "ahttps://m.example/12");
    EXPECT_EQ(program.pieces()[1].kind, Piece::Kind::escaped);
}

TEST(Program, LeavesToTheReaderWhatTheDataSayIsTheReaders) {
    json::array stories{json::object{{"title", "One"}, {"lead", left_to_reader("lead.0")}, {only_if, "shown.0"}},
                        json::object{{"title", "Two"}, {"lead", false}}};
    auto source = made("{{#stories}}{{#lead}}<{{.}}{{title}}{{/lead}}{{^lead}}{{title}}{{#why}}?{{/why}}{{/lead}};"
                       "{{lead}}{{/stories}}");
    Program program = compile(source, json::object{{"stories", stories}});
    EXPECT_EQ(filled(program, {{}, {{"lead.0", "1"}, {"shown.0", "1"}}}), "<1One;1Two;false");
    EXPECT_EQ(filled(program, {{}, {{"why", "y"}, {"shown.0", "1"}}}), "One?;Two?;false");
    EXPECT_EQ(filled(program, {}), "Two;false");
}

TEST(Program, TakesMissingValuesAsEmpty) {
    Program program = compile(made("{{subscriber.name}}{{^why}}none{{/why}}"), issue());
    std::string out;
    program.fill(out, {});
    EXPECT_EQ(out, "none");
}

TEST(Program, RefusesAStoredTextThatWasDamaged) {
    std::string stored = compile(made("a{{#why}}{{why}}{{/why}}"), issue()).stored();
    EXPECT_TRUE(Program::from_stored(stored));
    for (std::size_t i = 0; i < stored.size(); ++i) {
        (void)Program::from_stored(stored.substr(0, i)); // must not crash, whatever it says
        std::string changed = stored;
        changed[i] = '9';
        (void)Program::from_stored(changed);
    }
    EXPECT_FALSE(Program::from_stored(""));
    EXPECT_FALSE(Program::from_stored("postrider program 1\ns3:why\ni0"));
    EXPECT_FALSE(Program::from_stored("postrider program 1\ns3:why\nx"));
    EXPECT_FALSE(Program::from_stored("postrider program 1\ns3:why\ne1"));
    EXPECT_FALSE(Program::from_stored("postrider program 1\n\nt4000000000:a"));
}

TEST(Program, SaysThatAReaderIsNoSection) {
    EXPECT_THROW((void)compile(made("{{#subscriber}}{{name}}{{/subscriber}}"), issue()), TemplateError);
}

}
}
