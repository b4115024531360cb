#include "support.hpp"
#include "system/embedded.hpp"
#include "templates/check.hpp"
#include "templates/words.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <unistd.h>

namespace postrider::templates {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view languages[] = {"ar", "de", "en", "es", "fr", "he", "it",
                                          "ja", "nl", "pl", "pt", "ru", "tr", "uk"};

Time evening() { return parse_rfc3339("2026-11-24T23:30:00Z").value(); }

Words in(std::string_view language) { return Languages().words({language}); }

std::string lines(const std::vector<Fault>& faults) {
    std::string text;
    for (auto& fault : faults) text += fault.text() + "\n";
    return text;
}

Catalogue catalogue(const std::string& name, const std::string& text) {
    auto read = read_catalogue({name, name, text});
    EXPECT_TRUE(read) << read.error().text();
    return read.value_or(Catalogue{});
}

std::string fault(const std::string& text) {
    auto read = read_catalogue({"words.sv.json", "words.sv.json", text});
    return read ? "none" : read.error().text();
}

std::string content(const fs::path& file) {
    std::ifstream stream(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(stream), {}};
}

TEST(Catalogues, OfFourteenLanguagesAreCompleteWithTheValuesThatEnglishHas) {
    for (auto language : languages) {
        auto* built_in = Languages::built_in(language);
        ASSERT_TRUE(built_in) << language;
        EXPECT_EQ(lines(faults_of(*built_in, Languages::english(), nullptr)), "");
        EXPECT_EQ(built_in->entries.size(), Languages::english().entries.size()) << language;
    }
    EXPECT_EQ(Languages().choices().size(), std::size(languages));
}

TEST(Catalogues, HaveEveryWordThatATemplateWritesAndNoneThatNothingWrites) {
    std::set<std::string> used;
    for (auto& file : embedded::templates()) {
        if (!file.name.ends_with(".mustache")) continue;
        auto parsed = parse(*Library::built_in(name_of(file.name)), Library::built_in);
        ASSERT_TRUE(parsed) << parsed.error().front().text();
        EXPECT_EQ(lines(unknown_words(*parsed)), "");
        for (auto& part : parsed->parts())
            for (auto& token : part.tokens)
                for (std::string_view group : {"words.", "sentence."})
                    if (token.kind != Token::Kind::literal && token.text.starts_with(group))
                        used.emplace(token.text.substr(group.size()));
    }
    std::string sources;
    for (auto& entry : fs::recursive_directory_iterator(fs::path(POSTRIDER_SOURCE) / "src"))
        if (entry.path().extension() == ".cpp") sources += content(entry.path());
    for (auto& [key, entry] : Languages::english().entries) {
        auto reason = key.substr(0, key.rfind('_')); // refusal(..., "not_found") takes not_found_heading and _text
        bool named =
            sources.find("\"" + key + "\"") != sources.npos || sources.find("\"" + reason + "\"") != sources.npos;
        EXPECT_TRUE(used.contains(key) || named) << key << " is not used";
    }
}

TEST(Catalogues, WriteTypographicApostrophesAsTheOthersAreMarksOfThePattern) {
    for (auto language : languages)
        for (auto& [key, entry] : Languages::built_in(language)->entries)
            EXPECT_EQ(entry.text.find('\''), entry.text.npos) << language << " " << key;
}

TEST(Words, ChooseThePluralOfTheLanguage) {
    auto more = [](std::string_view language, std::int64_t count) {
        return in(language).text("more_stories", {{"count", count}});
    };
    EXPECT_EQ(more("en", 3), "And 3 more on the site");
    EXPECT_EQ(more("de", 1), "Und 1 weiterer Artikel auf der Website");
    EXPECT_EQ(more("de", 1200), "Und 1.200 weitere Artikel auf der Website");
    EXPECT_EQ(more("pl", 1), "I jeszcze 1 artykuł w serwisie");
    EXPECT_EQ(more("pl", 22), "I jeszcze 22 artykuły w serwisie");
    EXPECT_EQ(more("pl", 12), "I jeszcze 12 artykułów w serwisie");
    EXPECT_EQ(more("ru", 21), "И ещё 21 статья на сайте");
    EXPECT_EQ(more("uk", 3), "І ще 3 статті на сайті");
    EXPECT_EQ(more("ar", 2), "ومقالان آخران على الموقع");
    EXPECT_NE(more("ar", 3), more("ar", 11));
    EXPECT_EQ(more("ja", 5), "ほかに5件の記事がサイトにあります");
}

TEST(Words, WriteDatesAsTheLanguageAndTheZoneHaveThem) {
    auto date = [](std::string_view language, Dates::Style style) {
        return in(language).dates("Europe/Berlin", style).in_words(evening());
    };
    EXPECT_EQ(date("en", Dates::Style::long_), "25 November 2026");
    EXPECT_EQ(date("de", Dates::Style::long_), "25. November 2026");
    EXPECT_EQ(date("de", Dates::Style::full), "Mittwoch, 25. November 2026");
    EXPECT_EQ(date("ja", Dates::Style::long_), "2026年11月25日");
    EXPECT_EQ(in("en").dates("UTC", Dates::Style::long_).in_words(evening()), "24 November 2026");
    EXPECT_EQ(in("en").dates("no such zone", Dates::Style::long_).in_words(evening()), "24 November 2026");
    auto january = parse_rfc3339("2027-01-05T12:00:00Z").value();
    EXPECT_EQ(in("de-AT").dates("UTC", Dates::Style::long_).in_words(january), "5. Jänner 2027");
    EXPECT_EQ(in("de").dates("UTC", Dates::Style::long_).in_words(january), "5. Januar 2027");
}

TEST(Words, AreFoundByTheNearestLanguageElseByTheNextWishElseInEnglish) {
    auto found = [](std::initializer_list<std::string_view> wishes) { return Languages().words(wishes).language(); };
    EXPECT_EQ(found({"de-AT"}), "de-AT");
    EXPECT_EQ(found({"DE"}), "de");
    EXPECT_EQ(found({"pt_BR"}), "pt-BR");
    EXPECT_EQ(found({"de-!!!"}), "de");
    EXPECT_EQ(found({"xx-YY", "", "fr"}), "fr");
    EXPECT_EQ(found({"d", "deutsch", "-", "--de", std::string(1'000'000, 'd')}), "en");
    EXPECT_EQ(found({}), "en");
    EXPECT_EQ(in("de-AT").text("unsubscribe"), "Abmelden");
}

TEST(Words, RunFromTheRightAndKeepAnAddressInOnePiece) {
    EXPECT_EQ(in("ar").direction(), "rtl");
    EXPECT_EQ(in("he").align_start(), "right");
    EXPECT_EQ(in("ja").direction(), "ltr");
    auto text = in("ar").text("leave_text", {{"address", "ada@example.org"}});
    EXPECT_NE(text.find("\u2068ada@example.org\u2069"), text.npos) << text;
    EXPECT_EQ(in("en").text("leave_text", {{"address", "ada@example.org"}}),
              "ada@example.org will receive no more issues.");
}

TEST(Words, NeverLetAValueIntoThePageAsMarkup) {
    EXPECT_EQ(in("en").html("left_text", {{"list", "<b>{address} & 'Co'"}}),
              "You will receive no more issues of <strong><bdi>&lt;b&gt;{address} &amp; &#39;Co&#39;</bdi></strong>.");
    EXPECT_EQ(in("en").text("left_text", {{"list", "{0} '{' #"}}), "You will receive no more issues of {0} '{' #.");
}

TEST(Words, KnowLanguagesByTheirOwnNames) {
    EXPECT_EQ(name_of_language("de"), "Deutsch");
    EXPECT_EQ(name_of_language("en"), "English");
    EXPECT_EQ(name_of_language("fr"), "Français");
    EXPECT_EQ(name_of_language("ja"), "日本語");
    EXPECT_EQ(name_of_language("!"), "!");
}

TEST(CatalogueFile, IsReadWithThePlacesOfItsEntries) {
    auto read = catalogue("words.pt-PT.json", "\xEF\xBB\xBF{\n  \"why\": \"a\\u00e9\\\"\",\n\n  \"é\" : \"b\" }\n");
    EXPECT_EQ(read.language, "pt-PT");
    EXPECT_EQ(read.entries.at("why").text, "aé\"");
    EXPECT_EQ(read.entries.at("é").line, 4);
    EXPECT_EQ(read.entries.at("é").column, 3);
}

TEST(CatalogueFile, ThatIsBrokenIsNamedWithThePlace) {
    EXPECT_EQ(fault(""), "words.sv.json:1:1: must be one JSON object, as in {\"unsubscribe\": \"...\"}");
    EXPECT_EQ(fault("{\n \"a\": \"b\"\n \"c\": \"d\"}"),
              "words.sv.json:3:2: a comma or the closing brace is missing here");
    EXPECT_EQ(fault("{\"a\": 7}"), "words.sv.json:1:7: \"a\" must be followed by a text in double quotes");
    EXPECT_EQ(fault("{\"a\" \"b\"}"), "words.sv.json:1:6: a colon is missing after \"a\"");
    EXPECT_EQ(fault("{\"a\": \"b\", \"a\": \"c\"}"), "words.sv.json:1:12: \"a\" is here twice");
    EXPECT_EQ(fault("{\"a\": \"b\"} x"), "words.sv.json:1:12: there is more after the object");
    for (std::string_view whole = R"({"a": "b\"", "c": "d"})"; !whole.empty(); whole.remove_suffix(1))
        (void)fault(std::string(whole));
    (void)fault(std::string(1'000'000, '{'));
}

TEST(CatalogueFile, SaysWhatIsMissingWhatIsUnknownAndWhichValuesDiffer) {
    auto english = catalogue("words.en.json", R"({"why": "{address} on {date}", "bye": "Bye",
                                                  "more": "{count, plural, one{# more} other{# more}}"})");
    auto faults = [&](const std::string& text) {
        return lines(faults_of(catalogue("words.pl.json", text), english, nullptr));
    };
    std::string more = R"("more": "{count, plural, one{#} few{#} many{#} other{#}}")";
    EXPECT_EQ(faults("{\n\"why\": \"{date} {address}\",\n\"bye\": \"Pa\",\n" + more + "}"), "");
    EXPECT_EQ(faults("{\n\"why\": \"{date} {address}\",\n" + more + "}"),
              "words.pl.json:1:1: \"bye\" is missing: English stands in; there it is \"Bye\"\n");
    EXPECT_EQ(faults("{\"why\": \"{dat} {address}\",\n\"byes\": \"\", \"bye\": \" \",\n" + more + "}"),
              "words.pl.json:1:2: \"why\" has {address}, {dat}; in English it has {address}, {date}\n"
              "words.pl.json:2:1: \"byes\" is no word of ours; did you mean \"bye\"?\n"
              "words.pl.json:2:13: \"bye\" is empty\n");
    EXPECT_EQ(faults("{\"why\": \"{date} {address\",\n\"bye\": \"{0}\",\n"
                     "\"more\": \"{count, plural, one{#} other{#}}\"}"),
              "words.pl.json:1:2: \"why\" is no message pattern: its braces do not match\n"
              "words.pl.json:2:1: \"bye\" is no message pattern: values have names here, not numbers\n"
              "words.pl.json:3:1: \"more\" lacks the plural for few, many\n");
}

class OperatorsWords : public testing::Test {
protected:
    void SetUp() override { fs::create_directories(folder); }
    void TearDown() override { fs::remove_all(folder); }
    void write(const std::string& file, const std::string& text) { std::ofstream(folder / file) << text; }

    fs::path folder = fs::temp_directory_path() / ("postrider-words-" + std::to_string(::getpid()) + "-" +
                                                   testing::UnitTest::GetInstance()->current_test_info()->name());
    Library library{folder};
};

TEST_F(OperatorsWords, AddALanguageByAFileAndEnglishStandsInForWhatItLacks) {
    write("words.sv.json", "{\"unsubscribe\": \"Avsluta\",\n\"leave_text\": \"{adress} får inget mer.\"}");
    Languages known(library);
    auto words = known.words({"sv-SE"});
    EXPECT_EQ(words.language(), "sv-SE");
    EXPECT_EQ(words.text("unsubscribe"), "Avsluta");
    EXPECT_EQ(words.fixed().at("unsubscribe").as_string(), "Avsluta");
    EXPECT_EQ(words.text("privacy"), "Privacy");
    EXPECT_EQ(words.text("leave_text", {{"address", "a@b.example"}}), "a@b.example will receive no more issues.");
    EXPECT_EQ(words.dates("UTC", Dates::Style::long_).in_words(evening()), "24 november 2026");
    EXPECT_EQ(known.faults().size(), Languages::english().entries.size() - 1);
    EXPECT_TRUE(lines(known.faults())
                    .ends_with("words.sv.json:2:1: \"leave_text\" has {adress}; in English it has {address}\n"));
    ASSERT_EQ(known.faults_in_short().size(), 1u);
    EXPECT_TRUE(known.faults_in_short()[0].ends_with(" more; `postrider template check words.sv.json`)"));
    EXPECT_EQ(Languages().words({"sv"}).language(), "en");
}

TEST_F(OperatorsWords, MayHoldOnlyWhatTheySayDifferently) {
    write("words.de.json", "{\"unsubscribe\": \"Abbestellen\"}");
    Languages known(library);
    EXPECT_EQ(known.words({"de"}).text("unsubscribe"), "Abbestellen");
    EXPECT_EQ(known.words({"de"}).text("privacy"), "Datenschutz");
    EXPECT_EQ(lines(known.faults()), "");
}

TEST_F(OperatorsWords, ThatCannotBeReadAreAFaultAndTheBuiltInOnesStandIn) {
    write("words.de.json", "{");
    write("words.sv.json", "[]");
    Languages known(library);
    EXPECT_EQ(known.words({"de"}).text("privacy"), "Datenschutz");
    EXPECT_TRUE(known.words({"de"}).broken());
    EXPECT_EQ(known.words({"sv"}).language(), "en");
    EXPECT_TRUE(known.words({"sv"}).broken());
    EXPECT_FALSE(known.words({"fr"}).broken());
    EXPECT_EQ(known.faults().size(), 2u);
    EXPECT_EQ(known.choices().size(), std::size(languages)) << "Swedish has no words to choose";
}

TEST_F(OperatorsWords, AreNamedAmongTheTemplates) {
    write("words.sv.json", "{}");
    write("words.json", "{}");
    std::set<std::string> names;
    for (auto& entry : library.catalogue_names()) names.insert(entry.name);
    EXPECT_EQ(names.size(), std::size(languages) + 1);
    EXPECT_TRUE(names.contains("words.sv.json"));
    EXPECT_EQ(library.get("words.sv.json").text, "{}");
    EXPECT_EQ(library.get("words.de.json").file, "words.de.json");
}

TEST(Check, NamesAWordThatNoCatalogueHas) {
    EXPECT_EQ(lines(unknown_words(made("{{words.privacy}}{{title}}\n{{words.privaci}}{{{sentence.leave_txt}}}"))),
              "digest.html.mustache:2:1: there is no \"words.privaci\"; did you mean \"words.privacy\"?\n"
              "digest.html.mustache:2:18: there is no \"sentence.leave_txt\"; did you mean \"sentence.leave_text\"?\n");
    EXPECT_EQ(lines(unknown_names(made("{{words.all_issues}}{{sentence.more_stories}}{{words.more_stories}}"),
                                  mail_vocabulary())),
              "digest.html.mustache:1:46: there is no \"words.more_stories\" here\n");
}

}
}
