#include "stories/characters.hpp"
#include "stories/html.hpp"
#include "stories/page.hpp"
#include "stories/page_text.hpp"
#include "stories/reading.hpp"

#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <ctime>

namespace postrider::stories {
namespace {

namespace json = boost::json;

std::string sentence(int words) {
    std::string out = "The";
    for (int i = 1; i < words; ++i) out += i % 9 == 0 ? ", word" : " word";
    return out + '.';
}

std::string article_page(std::string_view head, std::string_view body) {
    std::string page =
        "<html><head>" + std::string(head) + "</head><body><nav><a href=/>Home</a> <a href=/news>News</a></nav>";
    page += "<div class=content>" + std::string(body);
    for (int i = 0; i < 5; ++i) page += "<p>" + sentence(40) + "</p>";
    return page + "</div><footer>About us. Imprint. Contact, terms, privacy.</footer></body></html>";
}

TEST(PageText, ReadsAWireStoryBetweenAdvertisementAndAppeal) {
    const auto page = read_page(
        "Find the best jobs in your town today - JOIN NOW\n\n\nMinister ‘Leaves’ Office After Ten Years\n\nInterfax\n\n"
        "08:05 28/02/2013\n\nKYIV, February 28 (Interfax) - The minister, " +
            sentence(30) + "\n\n" + sentence(25) + "\n\n\"Yes,\" he said.\n\nSubscribe to our newsletter",
        "text/plain; charset=utf-8", "https://example.org/1.txt");
    ASSERT_TRUE(page);
    EXPECT_EQ(page->title, "Minister ‘Leaves’ Office After Ten Years");
    EXPECT_EQ(page->agency, "Interfax");
    EXPECT_EQ(page->dateline, "KYIV");
    ASSERT_TRUE(page->published);
    EXPECT_EQ(rfc3339(*page->published), "2013-02-28T08:05:00Z");
    EXPECT_TRUE(page->text.starts_with("KYIV, February 28"));
    EXPECT_TRUE(page->text.ends_with("he said."));
    EXPECT_EQ(page->canonical_url, "https://example.org/1.txt");
}

TEST(PageText, LetsTheDatelineDecideBetweenDayAndMonth) {
    Dateline may{.place = "ROME", .agency = {}, .month = 5, .day = 4};
    EXPECT_EQ(rfc3339(*read_visible_date("05/04/2012", may)), "2012-05-04T00:00:00Z");
    EXPECT_EQ(rfc3339(*read_visible_date("05/04/2012", {})), "2012-04-05T00:00:00Z");
    EXPECT_EQ(rfc3339(*read_visible_date("Published: 27.03.2012 12:46", {})), "2012-03-27T12:46:00Z");
    EXPECT_FALSE(read_visible_date("12 people were hurt", {}));
}

TEST(PageText, KnowsTheFormsOfADateline) {
    const auto place = [](std::string_view text) { return read_dateline(text).value_or(Dateline{}).place; };
    const auto agency = [](std::string_view text) { return read_dateline(text).value_or(Dateline{}).agency; };
    EXPECT_EQ(place("WASHINGTON (AP) — The president said"), "WASHINGTON");
    EXPECT_EQ(agency("WASHINGTON (AP) — The president said"), "AP");
    EXPECT_EQ(place("NEW YORK, May 5 (Reuters) - Shares fell"), "NEW YORK");
    EXPECT_EQ(place("OAKLAND, Calif. (AP) — Police said"), "OAKLAND, Calif.");
    EXPECT_EQ(agency("MOSCOW, May 5. /TASS/. The ministry said"), "TASS");
    EXPECT_EQ(place("PARIS — The museum opens"), "PARIS");
    EXPECT_EQ(place("The well-known writer - born in Rome - said"), "");
    EXPECT_EQ(place("It was 5 - 3 in the end"), "");
    EXPECT_EQ(place("- - -"), "");
}

TEST(PageText, FindsTheHeadlineAboveItsDeckAndByline) {
    const auto page = read_page(
        "Council votes for the new bridge\n\nDeck that says a little more about it\n\nBy Ada Smith\n\n3 May 2020\n\n" +
            sentence(40) + "\n\n" + sentence(30) + "\n",
        "text/plain", "");
    ASSERT_TRUE(page);
    EXPECT_EQ(page->title, "Council votes for the new bridge");
    EXPECT_EQ(page->byline, "Ada Smith");
    EXPECT_EQ(rfc3339(*page->published), "2020-05-03T00:00:00Z");
}

TEST(PageText, ReadsTheSeed) {
    const auto folder = reading::corpora();
    if (!folder) GTEST_SKIP() << "POSTRIDER_CORPORA is not set";
    const auto seeds = *folder / "../seeds";
    if (!std::filesystem::is_directory(seeds)) GTEST_SKIP() << "no folder of seeds beside the corpora";
    for (const auto& entry : std::filesystem::directory_iterator(seeds)) {
        if (entry.path().filename() != "000_571e4e782295d294.txt") continue;
        const auto page = read_page(reading::file(entry.path()), "", "");
        ASSERT_TRUE(page) << page.error().reason;
        EXPECT_EQ(page->title, "Obama Asked Medvedev for ‘Space’ on Missile Defense");
        EXPECT_EQ(page->agency, "RIA Novosti");
        EXPECT_EQ(page->dateline, "MOSCOW");
        ASSERT_TRUE(page->published);
        EXPECT_EQ(rfc3339(*page->published), "2012-03-27T12:46:00Z");
        EXPECT_TRUE(page->text.starts_with("MOSCOW, March 27"));
        EXPECT_TRUE(page->text.ends_with("cooperation."));
        EXPECT_FALSE(page->text.contains("JOIN NOW"));
    }
}

TEST(Page, TakesTheHeadlineFromTheBestPlace) {
    EXPECT_EQ(
        read_page(article_page("<title>T | Site</title><meta property=og:title content='The &amp;amp; headline'>", ""),
                  "text/html", "")
            ->title,
        "The & headline");
    EXPECT_EQ(
        read_page(article_page("<title>The council votes again today | Site</title>", ""), "text/html", "")->title,
        "The council votes again today");
    EXPECT_EQ(read_page(article_page("", "<h1>Only a heading</h1>"), "text/html", "")->title, "Only a heading");
}

TEST(Page, ReadsLinkedData) {
    const auto page = read_page(
        article_page(
            "<script type='application/ld+json'>{\"@graph\":[{\"@type\":\"WebSite\"},{\"@type\":[\"NewsArticle\"],"
            "\"headline\":\"From "
            "JSON\",\"author\":[{\"name\":\"Ada\"},\"Bob\"],\"datePublished\":\"2020-01-02T03:04:05+01:00\","
            "\"dateModified\":\"2020-01-03\",\"publisher\":{\"name\":\"The "
            "Paper\"},\"image\":[\"/i.jpg\"],\"articleSection\":\"World\"}]}</script>",
            ""),
        "text/html", "https://example.org/a/b?utm_source=x");
    ASSERT_TRUE(page);
    EXPECT_EQ(page->title, "From JSON");
    EXPECT_EQ(page->byline, "Ada, Bob");
    EXPECT_EQ(page->site, "The Paper");
    EXPECT_EQ(page->section, "World");
    EXPECT_EQ(page->image, "https://example.org/i.jpg");
    EXPECT_EQ(rfc3339(*page->published), "2020-01-02T02:04:05Z");
    EXPECT_EQ(rfc3339(*page->updated), "2020-01-03T00:00:00Z");
}

TEST(Page, LeavesOutWhatSurroundsTheArticle) {
    const auto page =
        read_page(article_page("<title>The council votes again today</title>", "<div class=share>Share on A B C</div>"),
                  "text/html", "");
    ASSERT_TRUE(page);
    EXPECT_FALSE(page->text.contains("Imprint"));
    EXPECT_FALSE(page->text.contains("Home"));
    EXPECT_FALSE(page->text.contains("Share on"));
    EXPECT_EQ(page->text.substr(0, page->text.find("\n\n")), sentence(40));
    EXPECT_FALSE(page->html.contains("nav"));
}

TEST(Page, KeepsCaptionsAndCreditsWithThePicturesAlone) {
    const auto page =
        read_page(article_page("<title>The council votes again today</title>",
                               "<figure><img src=/a.jpg><figcaption>The bridge at dawn</figcaption></figure>"
                               "<p>Photo: Ada Smith/Agency</p><p>Photo: a word that begins a sentence of "
                               "the story, which goes on for so long that it can be no credit of a picture, "
                               "and says something about it.</p>"),
                  "text/html", "https://example.org/");
    ASSERT_TRUE(page);
    EXPECT_FALSE(page->text.contains("at dawn"));
    EXPECT_FALSE(page->text.contains("Ada Smith"));
    EXPECT_TRUE(page->text.contains("can be no credit"));
    EXPECT_TRUE(page->html.contains("<figcaption>The bridge at dawn</figcaption>"));
}

TEST(Page, BeginsWithTheLeadThatStandsApart) {
    const std::string lead = "The council votes again today, and nobody knows how, says the mayor of the town.";
    const auto with = [&](const std::string& head, const std::string& above) {
        const auto page = read_page("<title>The old bridge</title>" + head + "<body><div><h1>The old bridge</h1>" +
                                        above + "</div>" + article_page("", "") + "</body>",
                                    "text/html", "");
        return page ? page->text.substr(0, page->text.find("\n\n")) : "";
    };
    EXPECT_EQ(with("", "<p class=a-lead>" + lead + "</p>"), lead);
    EXPECT_EQ(with("<meta name=description content='" + lead + "'>", "<p>" + lead + "</p>"), lead);
    EXPECT_EQ(with("", "<p class=a-lead><a href=/>Short</a></p>"), sentence(40));
}

TEST(Page, EndsWithTheLastSentence) {
    const auto end_of = [](const std::string& below) {
        std::string body = "<body><article><h1>The old bridge</h1>";
        for (int i = 0; i < 5; ++i) body += "<p>" + sentence(40) + "</p>";
        const auto page =
            read_page("<title>The old bridge</title>" + body + below + "</article></body>", "text/html", "");
        return page ? page->text.substr(page->text.rfind("\n\n") + 2) : "";
    };
    EXPECT_EQ(end_of("<p>Join our mailing list</p>"), sentence(40));
    EXPECT_EQ(end_of("<h3>Related articles</h3><div>Another bridge fell</div>"), sentence(40));
    EXPECT_EQ(end_of("<h3>Weitere Artikel zum Thema</h3>"), sentence(40));
    EXPECT_EQ(end_of("<div class=post><p>Before: <a rel=prev href=/1>The new bridge</a></p></div>"), sentence(40));
    EXPECT_EQ(
        end_of("<section><article><h2><a href=/2>The new bridge</a></h2>" + sentence(20) + "</article></section>"),
        sentence(40));
    EXPECT_EQ(end_of("<div class=embed-consent>To load external content we need your consent.</div>"), sentence(40));
    EXPECT_EQ(end_of("<p>\"Yes,\" he said.</p>"), "\"Yes,\" he said.");
}

TEST(Page, ResolvesAddressesAgainstTheBaseElement) {
    const auto page = read_page(
        article_page("<title>The council votes again today</title><base href='/deep/'><link rel=canonical href=story>",
                     "<p>" + sentence(30) + "<a href=x>y</a></p>"),
        "text/html", "https://example.org/");
    ASSERT_TRUE(page);
    EXPECT_EQ(page->canonical_url, "https://example.org/deep/story");
    EXPECT_TRUE(page->html.contains("href=\"https://example.org/deep/x\""));
}

TEST(Page, IsAnErrorWhenThereIsNoStory) {
    EXPECT_FALSE(read_page("", "text/html", ""));
    EXPECT_FALSE(read_page("<html><body></body></html>", "text/html", ""));
    EXPECT_FALSE(read_page("%PDF-1.4", "application/pdf", ""));
    EXPECT_FALSE(read_page("\x89PNG\r\n", "image/png", ""));
}

TEST(Page, SurvivesAnyBytes) {
    std::string noise;
    unsigned state = 7;
    for (int i = 0; i < 50000; ++i)
        noise += i % 5 == 0 ? "<p> >/\"'="[(state = state * 1664525 + 1013904223) >> 24 & 7]
                            : static_cast<char>((state = state * 1664525 + 1013904223) >> 24);
    for (const auto* type : {"text/html", "text/plain", ""})
        if (const auto page = read_page(noise, type, "")) EXPECT_EQ(clean_utf8(page->text), page->text);
    std::string deep = "<title>Deep</title>";
    for (int i = 0; i < 200000; ++i) deep += "<div class=author><p>word, word, word, word, word, word, word";
    (void)read_page(deep, "text/html", "");
}

TEST(Page, HostileShapesTakeLessThanTwoSeconds) {
    const auto page_of = [](std::string_view piece, int times) {
        std::string page = "<title>A page</title>";
        for (int i = 0; i < times; ++i) page += piece;
        return page;
    };
    const std::string shapes[] = {
        page_of("<div class=author>", 199) + page_of("<p>word, word, word</p>", 50000),
        page_of("<div><p>word, word, word, word, word, word</p>", 100000),
        page_of("<table><tr><td>word, word, word, word, word, word</td>", 50000),
        page_of("<div>word, word, word, word, word, word</div>", 50000),
        page_of("<h1>A page</h1>", 100000),
        page_of("<ul><li>word <a href=/>link</a></ul><div>a<table><tr><td>b</table></div>", 20000),
        page_of("<meta property='a b c d e f g h i j k' content=x>", 20000),
        page_of("<span class=date>26.10.2023</span>", 30000),
        page_of("<script type='application/ld+json'>[[[[[[[[[[[[", 20000),
    };
    for (const auto& shape : shapes) {
        const auto begin = std::clock();
        (void)read_page(shape, "text/html", "https://example.org/");
        const auto taken = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
        EXPECT_LT(taken, 2) << shape.substr(0, 80);
        printf("  %.3f s  %s\n", taken, shape.substr(21, 50).c_str());
    }
    for (const auto* line : {"word - word\n", "\n", "By\n\n", "12:46 27/03/2012\n\n", "- \n\n", "JOIN NOW\n\n"}) {
        std::string text;
        for (int i = 0; i < 100000; ++i) text += line;
        const auto begin = std::clock();
        (void)read_page(text, "text/plain", "");
        EXPECT_LT(static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC, 2) << line;
    }
}

std::string folded(std::string_view text) {
    std::string out;
    for (const auto& word : reading::words(text)) out += word + ' ';
    return out;
}

TEST(Page, AgreesWithReadabilityCorpus) {
    const auto folder = reading::corpora();
    if (!folder) GTEST_SKIP() << "POSTRIDER_CORPORA is not set";
    int count = 0, titles = 0, near = 0, bylines = 0, with_byline = 0, sites = 0, with_site = 0, times = 0,
        with_time = 0, languages = 0, with_language = 0, good = 0;
    double sum = 0;
    for (const auto& entry : std::filesystem::directory_iterator(*folder / "article-readability")) {
        if (!entry.is_directory()) continue;
        const auto name = entry.path().filename().string();
        const auto wanted = json::parse(reading::file(entry.path() / "expected-metadata.json")).as_object();
        const auto expected = plain_text(reading::file(entry.path() / "expected.html"));
        const auto page =
            read_page(reading::file(entry.path() / "source.html"), "text/html", "http://fakehost/test/page.html");
        const auto of = [&](const char* key) {
            const auto* value = wanted.if_contains(key);
            return value && value->is_string() ? std::string(value->get_string()) : std::string{};
        };
        ++count;
        const Page got = page ? *page : Page{};
        const auto f1 = reading::likeness(reading::words(expected), reading::words(got.text));
        sum += f1;
        good += f1 >= 0.85;
        const bool same = folded(of("title")) == folded(got.title);
        const bool close = same || reading::likeness(reading::words(of("title")), reading::words(got.title)) >= 0.7;
        titles += same;
        near += close;
        const auto check = [](const std::string& want, const std::string& have, int& with, int& right) {
            with += !want.empty();
            right += !want.empty() && folded(want) == folded(have);
        };
        check(person_in(of("byline")), got.byline.empty() ? got.agency : got.byline, with_byline, bylines);
        check(of("siteName"), got.site, with_site, sites);
        check(of("lang"), got.language, with_language, languages);
        with_time += !of("publishedTime").empty();
        times += !of("publishedTime").empty() && got.published.has_value();
        if (const auto by = got.byline.empty() ? got.agency : got.byline;
            !of("byline").empty() && folded(by) != folded(person_in(of("byline"))))
            printf("  %-40s byline %s | wanted %s\n", name.c_str(), by.c_str(), of("byline").c_str());
        if (of("siteName") != got.site && !of("siteName").empty())
            printf("  %-40s site %s | wanted %s\n", name.c_str(), got.site.c_str(), of("siteName").c_str());
        if (!of("publishedTime").empty() && !got.published)
            printf("  %-40s no time | wanted %s\n", name.c_str(), of("publishedTime").c_str());
        if (f1 < 0.85)
            printf("  %-40s F1 %.3f (%zu of %zu characters)\n", name.c_str(), f1, got.text.size(), expected.size());
        if (!same) printf("  %-40s title %s | wanted %s\n", name.c_str(), got.title.c_str(), of("title").c_str());
    }
    printf("  %d pages: text F1 %.3f, %d at 0.85 or more; title the same %d, near %d; byline %d/%d, site %d/%d, "
           "language %d/%d, time %d/%d\n",
           count, sum / count, good, titles, near, bylines, with_byline, sites, with_site, languages, with_language,
           times, with_time);
    EXPECT_GE(sum / count, 0.96);
    EXPECT_GE(near, count * 95 / 100);
}

std::string unpacked(const std::filesystem::path& path) {
    std::string out;
    FILE* pipe = popen(("gzip -dc '" + path.string() + "'").c_str(), "r");
    if (!pipe) return out;
    char piece[65536];
    for (std::size_t length; (length = fread(piece, 1, sizeof piece, pipe)) > 0;) out.append(piece, length);
    pclose(pipe);
    return out;
}

TEST(Page, AgreesWithTrafilaturaCorpus) {
    const auto folder = reading::corpora();
    if (!folder) GTEST_SKIP() << "POSTRIDER_CORPORA is not set";
    const auto cases = json::parse(reading::file(*folder / "article-trafilatura/expected.json")).as_object();
    int titles = 0, found = 0, wanted_count = 0, kept_out = 0, unwanted_count = 0, dates = 0;
    for (const auto& [name, expected] : cases) {
        const auto page = read_page(unpacked(*folder / "article-trafilatura/html" / std::string(name)), "text/html",
                                    std::string(expected.at("url").as_string()));
        const Page got = page ? *page : Page{};
        const auto text = folded(got.text);
        const std::string title(expected.at("title").as_string());
        const bool same = reading::likeness(reading::words(title), reading::words(got.title)) >= 0.7;
        titles += same;
        if (!same) printf("  %s title %s | wanted %s\n", std::string(name).c_str(), got.title.c_str(), title.c_str());
        const std::string date(expected.at("date").as_string());
        const bool dated = got.published && rfc3339(*got.published).starts_with(date);
        dates += dated;
        if (!dated)
            printf("  %s date %s | wanted %s\n", std::string(name).c_str(),
                   got.published ? rfc3339(*got.published).c_str() : "-", date.c_str());
        for (const auto& part : expected.at("with").as_array()) {
            ++wanted_count;
            const bool in = text.contains(folded(part.as_string()).substr(0, folded(part.as_string()).size() - 1));
            found += in;
            if (!in) printf("  %s misses: %s\n", std::string(name).c_str(), std::string(part.as_string()).c_str());
        }
        for (const auto& part : expected.at("without").as_array()) {
            ++unwanted_count;
            const bool in = (' ' + text).contains(' ' + folded(part.as_string())); // whole words
            kept_out += !in;
            if (in) printf("  %s has: %s\n", std::string(name).c_str(), std::string(part.as_string()).c_str());
        }
    }
    const double recall = static_cast<double>(found) / wanted_count;
    const double precision = static_cast<double>(found) / (found + unwanted_count - kept_out);
    printf("  %zu pages: title %d, date %d, wanted parts %d/%d, unwanted kept out %d/%d, F1 %.3f\n", cases.size(),
           titles, dates, found, wanted_count, kept_out, unwanted_count, 2 * precision * recall / (precision + recall));
    EXPECT_GE(2 * precision * recall / (precision + recall), 0.93);
    EXPECT_GE(titles, static_cast<int>(cases.size() * 95 / 100));
}

}
}
