#include "delivery/message.hpp"
#include "newsroom.hpp"
#include "web/kept_mail.hpp"

namespace postrider::web {
namespace {

bool has(std::string_view text, std::string_view part) { return text.find(part) != text.npos; }

std::string on_one_line(std::string text) {
    std::erase(text, '\r');
    std::ranges::replace(text, '\n', ' ');
    return text;
}

http::Headers browser(std::string languages) {
    http::Headers headers;
    headers.add("Accept-Language", std::move(languages));
    return headers;
}

void speaks(Newsroom& room, ListId id, std::string language, std::string timezone = "UTC") {
    auto list = subscribers::Lists(*room.connection).find(id).value();
    list.language = std::move(language);
    list.timezone = std::move(timezone);
    (void)subscribers::Lists(*room.connection).update(list, room.clock.now()).value();
}

void learns(Newsroom& room, std::string_view address, std::string_view language) {
    room.connection->run("UPDATE subscriber SET language = $1 WHERE address = $2", language, address);
}

digest::Sample sample_of(Newsroom& room, SubscriptionId reader) {
    room.publishes(room.courier);
    auto list = subscribers::Lists(*room.connection).find(room.courier).value();
    auto issue = room.connection->value<IssueId>("SELECT max(id) FROM issue").value();
    return digest::Publishing(*room.connection, room.library, room.tokens, room.site)
        .sample(list, issue, subscribers::read_one(*room.connection, reader), "", room.clock.now());
}

TEST(Languages, APageOfAListSpeaksTheListsWhateverTheBrowserAsksFor) {
    Newsroom room;
    speaks(room, room.courier, "ar");
    auto page = room.get("/join/courier", browser("de"));
    EXPECT_TRUE(has(page.body, "<html lang=\"ar\" dir=\"rtl\">")) << page.body;
    EXPECT_TRUE(has(page.body, "عنوان البريد الإلكتروني"));
    speaks(room, room.courier, "de-AT");
    EXPECT_TRUE(has(room.get("/archive/courier").body, "<html lang=\"de-AT\" dir=\"ltr\">"));
}

TEST(Languages, APageOfNoListSpeaksTheBrowsersAndSaysThatItDepends) {
    Newsroom room;
    auto page = room.get("/", browser("xx, ja;q=0.5, de;q=0.4"));
    EXPECT_TRUE(has(page.body, "<html lang=\"ja\" dir=\"ltr\">"));
    EXPECT_TRUE(has(page.body, "ニュースレター"));
    EXPECT_EQ(page.headers.value("Vary"), "Accept-Language");
    EXPECT_TRUE(has(room.get("/").body, "<html lang=\"en\" dir=\"ltr\">"));
    EXPECT_TRUE(has(room.get("/nowhere", browser("he")).body, "<html lang=\"he\" dir=\"rtl\">"));
    EXPECT_TRUE(has(room.get("/leave/x", browser("fr")).body, "Cette page n’existe pas"));
    EXPECT_TRUE(has(room.post("/", "", "", browser("pl")).body, "Ta strona tego nie umożliwia"));
}

TEST(Languages, TheLettersAndPagesOfASignUpSpeakTheLanguageThatWasAskedFor) {
    Newsroom room;
    auto list = subscribers::Lists(*room.connection).find(room.courier).value();
    list.welcome = true;
    (void)subscribers::Lists(*room.connection).update(list, room.clock.now()).value();
    auto answer = room.post("/join/courier", R"({"email": "ada@example.org", "language": "ar"})", "application/json");
    EXPECT_EQ(answer.status, 202);
    EXPECT_TRUE(has(boost::json::parse(answer.body).at("message").as_string(), "يرجى فتح الرابط للتأكيد"));
    auto letter = read_mail(room.letter("confirmation"));
    EXPECT_TRUE(letter.subject.starts_with("يرجى التأكيد: ")) << letter.subject;
    EXPECT_TRUE(has(letter.html, "<html lang=\"ar\" dir=\"rtl\">"));
    EXPECT_TRUE(has(letter.html, "text-align:right"));
    EXPECT_TRUE(has(letter.html, "<bdi>ada@example.org</bdi>"));
    EXPECT_TRUE(has(letter.text, "\u2068ada@example.org\u2069")) << letter.text;
    EXPECT_TRUE(has(letter.text, "تنتهي صلاحية الرابط خلال ٣ أيام")) << letter.text;

    auto path = room.confirm_path();
    EXPECT_TRUE(has(room.get(path, browser("de")).body, "<html lang=\"ar\" dir=\"rtl\">"));
    EXPECT_TRUE(has(room.post(path, "").body, "مرحباً بك"));
    auto welcome = read_mail(room.letter("welcome"));
    EXPECT_TRUE(has(welcome.html, "<html lang=\"ar\" dir=\"rtl\">"));
    EXPECT_TRUE(has(welcome.text, "وصلتك هذه الرسالة")) << welcome.text;
    EXPECT_TRUE(has(room.connection->value<std::string>("SELECT words FROM consent LIMIT 1").value(),
                    "ويمكنك إلغاء الاشتراك في أي وقت."));
}

TEST(Languages, AReaderWithALanguageReadsItOnEveryPageBehindALink) {
    Newsroom room;
    speaks(room, room.courier, "de");
    auto id = room.reader("ada@example.org", room.courier);
    learns(room, "ada@example.org", "ru");
    EXPECT_TRUE(has(room.get(room.leave_path(id)).body, "Отписаться от"));
    EXPECT_TRUE(has(room.get(room.preferences_path("ada@example.org")).body, "Подписка действует с "));
    learns(room, "ada@example.org", "");
    EXPECT_TRUE(has(room.get(room.leave_path(id), browser("fr")).body, "Abmelden"));
    EXPECT_TRUE(has(room.get(room.preferences_path("ada@example.org"), browser("fr")).body, "Angemeldet seit"));
    EXPECT_TRUE(has(room.post(room.leave_path(id), "").body, "Sie sind abgemeldet"));
    EXPECT_TRUE(has(room.get(room.preferences_path("ada@example.org"), browser("fr")).body, "Vos préférences"));
}

TEST(Languages, ALanguageThatIsChosenIsSpokenAtOnceAndAllAreOffered) {
    Newsroom room;
    room.reader("ada@example.org", room.courier);
    auto page = room.post(room.preferences_path("ada@example.org"), "save=1&language=he");
    EXPECT_TRUE(has(page.body, "<html lang=\"he\" dir=\"rtl\">"));
    EXPECT_TRUE(has(page.body, "<option value=\"he\" lang=\"he\" selected>עברית</option>")) << page.body;
    EXPECT_TRUE(has(page.body, "<option value=\"uk\" lang=\"uk\">Українська</option>"));
}

TEST(Languages, AnIssueSpeaksTheListsInEveryWordOfItsChrome) {
    Newsroom room;
    speaks(room, room.courier, "de", "Europe/Berlin");
    auto reader = room.reader("ada@example.org", room.courier);
    auto sample = sample_of(room, reader);
    for (auto& text : {on_one_line(sample.html), on_one_line(sample.text)}) {
        EXPECT_TRUE(has(text, "Nr. 1")) << text;
        EXPECT_TRUE(has(text, "Im Browser ansehen"));
        EXPECT_TRUE(has(text, "Sie erhalten diese E-Mail, weil ada@example.org am 15. Januar 2027 für")) << text;
        EXPECT_TRUE(has(text, "Freitag, 15. Januar 2027"));
        for (auto english : {"Unsubscribe", "Preferences", "All issues", "January", "You receive"})
            EXPECT_FALSE(has(text, english)) << english;
    }
    auto mail = read_mail(sample.eml);
    EXPECT_TRUE(has(on_one_line(mail.text),
                    "weil ada@example.org am 15. Januar 2027 für The <i>Morning</i> & Courier angemeldet"))
        << mail.text;
}

TEST(Languages, AMessageThatWasFrozenWithoutAnyIsInEnglish) {
    Newsroom room;
    auto reader = room.reader("ada@example.org", room.courier);
    auto mailing = room.publishes(room.courier);
    auto frozen = boost::json::parse(delivery::Mailings(*room.connection).message(mailing)).as_object();
    for (auto key : {"why", "language", "timezone"}) frozen.erase(key);
    auto message = delivery::Message::from_text(boost::json::serialize(frozen));
    delivery::Message::Scratch scratch;
    delivery::ReaderLinks links;
    links.make(room.tokens.signer(), room.site.url, mailing, subscribers::read_one(*room.connection, reader));
    std::string mail;
    message.write(mail, subscribers::read_one(*room.connection, reader), mail::parse_address("ada@example.org").value(),
                  links, scratch);
    EXPECT_TRUE(has(on_one_line(read_mail(mail).text),
                    "You receive this because ada@example.org joined The <i>Morning</i> & Courier "
                    "on 15 January 2027."))
        << read_mail(mail).text;
}

TEST(Languages, AnIssueFromTheRightBeginsItsLinesThere) {
    Newsroom room;
    speaks(room, room.courier, "he");
    auto sample = sample_of(room, room.reader("ada@example.org", room.courier));
    EXPECT_TRUE(has(sample.html, "<html lang=\"he\" dir=\"rtl\">"));
    EXPECT_TRUE(has(sample.html, "text-align:right"));
    EXPECT_TRUE(has(sample.html, "\u2068ada@example.org\u2069"));
}

TEST(Languages, AFileMakesANewOneAndAnEditCountsAtOnce) {
    Newsroom room;
    speaks(room, room.courier, "sv");
    EXPECT_TRUE(has(room.get("/join/courier").body, "<html lang=\"en\" dir=\"ltr\">"));
    std::filesystem::create_directories(room.folder / "templates");
    std::ofstream(room.folder / "templates" / "words.sv.json") << R"({"email_address": "E-postadress"})";
    auto page = room.get("/join/courier");
    EXPECT_TRUE(has(page.body, "<html lang=\"sv\" dir=\"ltr\">"));
    EXPECT_TRUE(has(page.body, "E-postadress"));
    EXPECT_TRUE(has(page.body, "You can leave at any time.")) << "English stands in";
    std::ofstream(room.folder / "templates" / "words.sv.json") << R"({"email_address": "Din adress", "saved": "Ja."})";
    EXPECT_TRUE(has(room.get("/join/courier").body, "Din adress"));
    std::ofstream(room.folder / "templates" / "words.sv.json") << "{";
    EXPECT_EQ(room.get("/join/courier").status, 200);
    room.reader("ada@example.org", room.courier);
    EXPECT_NO_THROW(room.publishes(room.courier)) << "it stops no issue either";
}

}
}
