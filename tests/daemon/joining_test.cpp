#include "daemon/newsroom.hpp"
#include "digest/rules.hpp"
#include "mail/message.hpp"
#include "support/scripted_name_server.hpp"
#include "system/mail_hosts.hpp"

#include <fmt/format.h>

namespace postrider::web {
namespace {

namespace json = boost::json;

TEST(Joining, IsAnsweredWithTheSameBytesWhateverIsKnownOfTheAddress) {
    Newsroom room;
    room.reader("active@example.org", room.courier);
    room.joins("pending@example.org");
    subscribers::Suppressions(*room.connection, room.tokens)
        .add(mail::parse_address("blocked@example.org").value(), subscribers::SuppressionKind::operator_, "asked",
             room.clock.now());
    auto unknown = everything(room.joins("unknown@example.org"));
    EXPECT_EQ(unknown.substr(0, 3), "200");
    for (auto known : {"active@example.org", "pending@example.org", "blocked@example.org"})
        EXPECT_EQ(everything(room.joins(known)), unknown) << known;
    for (int i = 0; i < 5; ++i) EXPECT_EQ(everything(room.joins("unknown@example.org")), unknown) << "over budget";
}

TEST(Joining, WritesOneConfirmationThatAsksAndSaysNothingElse) {
    Newsroom room;
    auto body = "email=ada%40example.org&name=WIN+http%3A%2F%2Fspam.example";
    EXPECT_EQ(room.post("/join/courier", body).status, 200);
    ASSERT_EQ(room.letters(), 1);
    auto message = room.letter("confirmation");
    EXPECT_TRUE(mail::safe_for_data(message));
    EXPECT_EQ(mail_linter::lint(message), "");
    EXPECT_NE(message.find("Auto-Submitted: auto-generated"), message.npos);
    EXPECT_EQ(message.find("List-"), message.npos);
    EXPECT_EQ(message.find("Precedence"), message.npos);
    EXPECT_EQ(message.find("spam.example"), message.npos);
    EXPECT_EQ(room.connection->value<std::string>("SELECT sender FROM letter"), "bounce@courier.example");
    EXPECT_FALSE(room.is_active("ada@example.org", room.courier));
}

TEST(Joining, TheDatabaseDoesTheSameWorkForAnAddressThatGetsNoMailAndKeepsNothing) {
    Newsroom room;
    room.reader("active@example.org", room.courier);
    auto consents = room.count("SELECT count(*) FROM consent");
    room.joins("active@example.org");
    EXPECT_EQ(room.letters(), 0);
    EXPECT_EQ(room.count("SELECT count(*) FROM sign_up"), 0);
    EXPECT_EQ(room.count("SELECT count(*) FROM consent"), consents);
    EXPECT_EQ(room.count("SELECT count(*) FROM budget WHERE kind = 'address'"), 0);
}

TEST(Joining, ASlipIsSuggestedAndNeverCorrected) {
    Newsroom room;
    auto page = room.joins("ada@gmial.com");
    EXPECT_EQ(page.status, 200);
    EXPECT_NE(page.body.find("<bdi>ada@gmail.com</bdi>"), page.body.npos) << page.body;
    EXPECT_EQ(room.connection->value<std::string>("SELECT address FROM letter"), "ada@gmial.com");
    auto answer = room.post("/join/courier", R"({"email": "bob@gmial.com"})", "application/json");
    EXPECT_EQ(json::parse(answer.body).at("suggestion").as_string(), "bob@gmail.com");
    EXPECT_EQ(room.joins("ada@example.org").body.find("Did you mean"), std::string::npos);
}

TEST(Joining, AddressesOfFunctionsAreRefusedWhereTheOperatorWantsIt) {
    Newsroom room;
    EXPECT_EQ(room.joins("info@example.org").status, 200);
    room.settings.role_addresses = subscribers::RoleAddresses::refuse;
    auto page = room.joins("office@example.org");
    EXPECT_EQ(page.status, 422);
    EXPECT_NE(page.body.find("Several people read office@example.org"), page.body.npos);
}

TEST(Joining, AFormLeadsBackToConfiguredAddressesOnly) {
    Newsroom room;
    room.settings.return_to = {"https://courier.example/thanks"};
    auto back = room.post("/join/courier", "email=a%40example.org&return_to=https%3A%2F%2Fcourier.example%2Fthanks");
    EXPECT_EQ(back.status, 303);
    EXPECT_EQ(back.headers.value("Location"), "https://courier.example/thanks");
    for (auto other :
         {"https%3A%2F%2Fevil.example", "https%3A%2F%2Fcourier.example%2Fthanks%2F..", "%2F%2Fevil.example", ""}) {
        auto page = room.post("/join/courier", std::string("email=b%40example.org&return_to=") + other);
        EXPECT_EQ(page.status, 200) << other;
        EXPECT_FALSE(page.headers.has("Location")) << other;
    }
    auto mistake = room.post("/join/courier", "email=nonsense&return_to=https%3A%2F%2Fcourier.example%2Fthanks");
    EXPECT_EQ(mistake.status, 422);
    EXPECT_NE(mistake.body.find("value=\"https://courier.example/thanks\""), mistake.body.npos);
    EXPECT_NE(mistake.headers.value("Content-Security-Policy").find("form-action 'self' https://courier.example;"),
              std::string_view::npos);
}

TEST(Joining, APastedFormIsNamedInTheConsentRecordByItsPage) {
    Newsroom room;
    room.post("/join/courier", "email=a%40example.org", room.urlencoded, {{"Origin", "https://news.example"}});
    room.post("/join/courier", "email=b%40example.org", room.urlencoded, {{"Origin", "https://mail.courier.example"}});
    room.post("/join/courier", "email=c%40example.org", room.urlencoded, {{"Origin", "null"}});
    EXPECT_EQ(room.count("SELECT count(*) FROM consent WHERE form = 'form on https://news.example'"), 1);
    EXPECT_EQ(room.count("SELECT count(*) FROM consent WHERE form = 'join page'"), 2);
}

TEST(Joining, AFormThatComesBackTooSoonOrWithoutItsTokenHasTheTighterBudget) {
    Newsroom room;
    room.settings.form_age = 3s;
    room.settings.per_unproven = {1, 1h};
    auto page = room.get("/join/courier").body;
    auto at = page.find("name=\"form\" value=\"") + 19;
    auto token = page.substr(at, page.find('"', at) - at);
    auto send = [&](std::string_view form) {
        return room.post("/join/courier", fmt::format("email=a%40example.org&form={}", form)).status;
    };
    EXPECT_EQ(send(token), 200); // the one that needs no proof
    EXPECT_EQ(send(token), 429);
    EXPECT_EQ(send("forged"), 429);
    EXPECT_EQ(send(""), 429);
    room.clock.advance(3s);
    EXPECT_EQ(send(token), 200);
    EXPECT_EQ(send(room.tokens.form(room.inner, room.clock.now() - 5s)), 429);
    room.clock.advance(25h);
    EXPECT_EQ(send("forged"), 200);
    EXPECT_EQ(send(token), 429);
}

TEST(Joining, TheProofOfWorkIsAskedForOnlyWhereItIsWanted) {
    Newsroom room;
    EXPECT_EQ(room.get("/challenge").status, 204);
    EXPECT_EQ(room.get("/join/courier").body.find("<script"), std::string::npos);
    room.settings.proof_of_work = subscribers::ProofOfWork::automatic;
    room.settings.odd_above = {60, 1h};
    EXPECT_EQ(room.get("/challenge").status, 204);
    for (int i = 0; i < 12; ++i) room.joins(fmt::format("a{}@example.org", i), fmt::format("192.0.2.{}", i));
    auto answer = room.get("/challenge", {{"Origin", "https://courier.example"}});
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.headers.value("Access-Control-Allow-Origin"), "https://courier.example");
    EXPECT_EQ(json::parse(answer.body).at("parameters").at("algorithm").as_string(), "PBKDF2/SHA-256");
    auto page = room.get("/join/courier");
    EXPECT_NE(page.body.find("<script src=\"/join.js\" defer></script>"), page.body.npos);
    EXPECT_NE(page.headers.value("Content-Security-Policy").find("script-src 'self'"), std::string_view::npos);
    room.clock.advance(1h);
    EXPECT_EQ(room.get("/challenge").status, 204);
}

// As a browser does it.
std::string solved(Newsroom& room) {
    auto challenge = json::parse(room.get("/challenge").body);
    auto& given = challenge.at("parameters");
    auto nonce = system::from_hex(std::string_view(given.at("nonce").as_string()));
    auto salt = system::from_hex(std::string_view(given.at("salt").as_string()));
    for (int counter = 0;; ++counter) {
        std::string end{'\0', '\0', char(counter >> 8), char(counter)};
        auto key = system::hex(system::pbkdf2_sha256(nonce + end, salt, int(given.at("cost").as_int64()), 32));
        if (!key.starts_with(std::string_view(given.at("keyPrefix").as_string()))) continue;
        auto text = json::serialize(json::object{
            {"challenge", challenge}, {"solution", json::object{{"counter", counter}, {"derivedKey", key}}}});
        return system::base64url(text);
    }
}

TEST(Joining, WrongSolutionsOfOneClientAreLookedAtAFewTimesASecondAndNobodyElsesWaitsForThem) {
    Newsroom room;
    room.settings.proof_of_work = subscribers::ProofOfWork::on;
    room.settings.per_unproven = {1, 1h};
    auto send = [&](std::string_view proof, std::string client) {
        auto body = fmt::format("email=a%40example.org&altcha={}", proof);
        return room.post("/join/courier", std::move(body), room.urlencoded, {}, std::move(client)).status;
    };
    auto good = solved(room), other = solved(room);
    EXPECT_EQ(send("nonsense", "192.0.2.1"), 200); // the one that needs no proof
    for (int i = 0; i < 3; ++i) EXPECT_EQ(send("nonsense", "192.0.2.1"), 429);
    EXPECT_EQ(send(good, "192.0.2.1"), 429) << "it is not looked at";
    EXPECT_EQ(send(other, "192.0.2.2"), 200);
    room.clock.advance(1s);
    EXPECT_EQ(send(good, "192.0.2.1"), 200) << "and not spent";
}

TEST(Joining, WhoIsOverTheBudgetIsToldSoBeforeTheirProofIsLookedAt) {
    Newsroom room;
    room.settings.proof_of_work = subscribers::ProofOfWork::on;
    room.settings.per_client = {1, 1h};
    auto good = solved(room);
    EXPECT_EQ(room.joins("a@example.org").status, 200);
    auto answer = room.post("/join/courier", "email=b%40example.org&altcha=" + good);
    EXPECT_EQ(answer.status, 429);
    EXPECT_NE(answer.headers.value("Retry-After"), "");
    EXPECT_EQ(room.count("SELECT count(*) FROM budget WHERE kind = 'solution'"), 0);
}

TEST(Joining, TheScriptIsSmallAndNeedsNobodyElse) {
    Newsroom room;
    auto script = room.get("/join.js");
    EXPECT_EQ(script.headers.value("Content-Type"), "text/javascript; charset=utf-8");
    EXPECT_LT(script.body.size(), 3000u);
    EXPECT_EQ(script.body.find("http"), std::string::npos);
    EXPECT_EQ(script.body.find("cookie ="), std::string::npos);
}

TEST(Joining, TakesFormsOfBothEncodingsAndJson) {
    Newsroom room;
    EXPECT_EQ(room.joins("a@example.org").status, 200);
    auto multipart = "--x\r\nContent-Disposition: form-data; name=\"email\"\r\n\r\nb@example.org\r\n--x--\r\n";
    EXPECT_EQ(room.post("/join/courier", multipart, "multipart/form-data; boundary=x").status, 200);
    auto answer = room.post("/join/courier", R"({"email": "c@example.org", "name": "C"})", "application/json");
    EXPECT_EQ(answer.status, 202);
    EXPECT_EQ(answer.headers.value("Content-Type"), "application/json");
    EXPECT_EQ(json::parse(answer.body).at("status").as_string(), "asked");
    EXPECT_EQ(room.letters(), 3);
}

TEST(Joining, AnswersAFormInJsonWhereAcceptPrefersIt) {
    Newsroom room;
    auto answer =
        room.post("/join/courier", "email=a%40example.org", room.urlencoded, {{"Accept", "application/json"}});
    EXPECT_EQ(answer.status, 202);
    EXPECT_TRUE(json::parse(answer.body).is_object());
}

TEST(Joining, RefusesABadAddressWith422AndABadBodyWith400) {
    Newsroom room;
    auto before = room.dump();
    EXPECT_EQ(room.post("/join/courier", "email=nobody").status, 422);
    EXPECT_EQ(room.post("/join/courier", "").status, 422);
    EXPECT_EQ(room.post("/join/courier", "email=a%40b.example%0D%0ABcc%3A+x%40y.example").status, 422);
    EXPECT_EQ(room.post("/join/courier", "{", "application/json").status, 400);
    EXPECT_EQ(room.post("/join/courier", "[1]", "application/json").status, 400);
    EXPECT_EQ(room.post("/join/courier", R"({"email": 7})", "application/json").status, 422);
    auto broken = room.post("/join/courier", R"({"email" "a@b.example"})", "application/json");
    EXPECT_EQ(json::parse(broken.body).at("error").as_string(),
              "The JSON cannot be read: syntax error at line 1, column 10.");
    auto twice = room.post("/join/courier", R"({"email": "a@b.example", "email": "c@b.example"})", "application/json");
    EXPECT_EQ(twice.status, 400);
    EXPECT_EQ(json::parse(twice.body).at("error").as_string(), "The JSON has \"email\" twice.");
    EXPECT_EQ(room.post("/join/courier", "<email/>", "text/xml").status, 400);
    EXPECT_EQ(room.post("/join/courier", std::string(20'000, 'a')).status, 413);
    EXPECT_EQ(room.dump(), before);
}

// DNS knows one domain that takes mail, one that takes none and one that it cannot tell about.
struct NewsroomThatAsksDns : Newsroom {
    test::dns::NameServer name_server{[](test::dns::Message question) {
        if (question.domain == "xn--bcher-kva.org") question.code = test::dns::no_such_name;
        if (question.domain == "fails.org") question.code = test::dns::server_failure;
        if (question.domain == "good.org")
            question.answers = {test::dns::exchanger(10, test::dns::name("mx.good.org"))};
        return question.bytes();
    }};
    system::MailHosts mail_hosts{clock, {.name_server = system::NameServer{"127.0.0.1", name_server.port()}}};
    Pages asking{database, clock, library, tokens, site, settings, {{}, {}, &mail_hosts}};

    NewsroomThatAsksDns() { handler = daemon::routes(asking, {}); }
};

TEST(Joining, ADomainThatTakesNoMailIsSaidToBeAMistake) {
    NewsroomThatAsksDns room;
    auto before = room.dump();
    auto answer = room.joins("ada@bücher.org");
    EXPECT_EQ(answer.status, 422);
    EXPECT_NE(answer.body.find("bücher.org does not take mail; is it spelled right?"), std::string::npos);
    EXPECT_NE(answer.body.find("value=\"ada@bücher.org\""), std::string::npos) << "to be corrected, not typed again";
    auto for_programs = room.post("/join/courier", R"({"email": "ada@BÜCHER.org"})", "application/json");
    EXPECT_EQ(for_programs.status, 422);
    EXPECT_EQ(json::parse(for_programs.body).at("error").as_string(),
              "bücher.org does not take mail; is it spelled right?");
    EXPECT_EQ(room.name_server.questions(), 1) << "the second was remembered";
    EXPECT_EQ(room.dump(), before);
}

TEST(Joining, ADomainThatTakesMailOrThatDnsCannotTellAboutIsGood) {
    NewsroomThatAsksDns room;
    for (auto address : {"ada@good.org", "ada@fails.org", "ada@reader.example"})
        EXPECT_EQ(room.joins(address).status, 200) << address;
    EXPECT_EQ(room.letters(), 3);
}

TEST(Joining, NobodyIsAskedAboutADomainWhereTheSettingIsOff) {
    NewsroomThatAsksDns room;
    room.settings.check_mx = false;
    EXPECT_EQ(room.joins("ada@bücher.org").status, 200);
    EXPECT_EQ(room.name_server.questions(), 0);
}

TEST(Joining, EscapesWhatItGivesBackAfterAMistake) {
    Newsroom room;
    auto answer = room.post("/join/courier", "email=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E&name=%22+onfocus%3D%22x");
    EXPECT_EQ(answer.status, 422);
    EXPECT_EQ(answer.body.find("<script"), std::string::npos);
    EXPECT_EQ(answer.body.find("\" onfocus"), std::string::npos);
    EXPECT_NE(answer.body.find("&lt;script&gt;"), std::string::npos);
}

TEST(Joining, APrivateAnArchivedAndAnUnknownListAreTheSame404) {
    Newsroom room;
    auto unknown = everything(room.get("/join/nowhere"));
    EXPECT_EQ(unknown.substr(0, 3), "404");
    EXPECT_EQ(everything(room.get("/join/inner")), unknown);
    EXPECT_EQ(room.post("/join/inner", "email=a%40example.org").status, 404);
    subscribers::Lists(*room.connection).archive(room.courier);
    EXPECT_EQ(everything(room.get("/join/courier")), unknown);
    EXPECT_EQ(room.joins("a@example.org").status, 404);
    EXPECT_EQ(room.letters(), 0);
}

TEST(Joining, TellsOnlyOneClientThatItAsksTooOften) {
    Newsroom room;
    for (int i = 0; i < 30; ++i) ASSERT_EQ(room.joins("r" + std::to_string(i) + "@example.org").status, 200);
    auto refused = room.joins("late@example.org");
    EXPECT_EQ(refused.status, 429);
    EXPECT_GT(std::stoi(std::string(refused.headers.value("Retry-After"))), 0);
    EXPECT_EQ(room.letters(), 30);
    EXPECT_EQ(room.joins("late@example.org", "198.51.100.7").status, 200);
}

TEST(Joining, OneAddressGetsThreeMailsADayHoweverManyAskForIt) {
    Newsroom room;
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(room.joins("victim@example.org", "198.51.100." + std::to_string(i)).status, 200);
    EXPECT_EQ(room.letters(), 3);
}

TEST(Joining, ARobotThatFillsInTheHiddenFieldIsThankedAndForgotten) {
    Newsroom room;
    auto before = room.dump();
    auto thanked = everything(room.post("/join/courier", "email=a%40example.org&website=http%3A%2F%2Fspam.example"));
    EXPECT_EQ(room.dump(), before);
    EXPECT_EQ(thanked, everything(room.joins("a@example.org")));
    EXPECT_NE(room.dump(), before);
}

TEST(Joining, ANameCannotAddAHeaderToAnyLetter) {
    Newsroom room;
    auto list = subscribers::Lists(*room.connection).find(room.courier).value();
    list.welcome = true;
    (void)subscribers::Lists(*room.connection).update(list, room.clock.now()).value();
    room.post("/join/courier", "email=ada%40example.org&name=Ada%0D%0ABcc%3A+victim%40example.org%0D%0A%0D%0AHello");
    EXPECT_EQ(room.post(room.confirm_path(), "").status, 200);
    for (auto purpose : {"confirmation", "welcome"}) {
        auto message = room.letter(purpose);
        ASSERT_NE(message, "") << purpose;
        EXPECT_TRUE(mail::safe_for_data(message));
        EXPECT_EQ(message.find("\r\nBcc"), message.npos);
    }
}

TEST(Joining, OnlyTheConfiguredSitesMayPostFromTheirPages) {
    Newsroom room;
    http::Headers ours{{"Origin", "https://courier.example"}}, theirs{{"Origin", "https://evil.example"}};
    auto preflight = room.ask({"OPTIONS", "/join/courier", "", "", ours, "", ""});
    EXPECT_EQ(preflight.status, 204);
    EXPECT_EQ(preflight.headers.value("Access-Control-Allow-Origin"), "https://courier.example");
    EXPECT_NE(preflight.headers.value("Access-Control-Allow-Methods").find("POST"), std::string_view::npos);
    EXPECT_FALSE(
        room.ask({"OPTIONS", "/join/courier", "", "", theirs, "", ""}).headers.has("Access-Control-Allow-Origin"));
    auto answer = room.post("/join/courier", R"({"email":"a@example.org"})", "application/json", ours);
    EXPECT_EQ(answer.headers.value("Access-Control-Allow-Origin"), "https://courier.example");
    EXPECT_FALSE(
        room.ask({"OPTIONS", "/preferences/x", "", "", ours, "", ""}).headers.has("Access-Control-Allow-Origin"));
}

TEST(Confirming, NeedsTheButtonAndASecondClickIsWelcomeToo) {
    Newsroom room;
    room.joins("ada@example.org");
    auto path = room.confirm_path();
    auto before = room.dump();
    for (int i = 0; i < 3; ++i) {
        auto page = room.get(path);
        EXPECT_EQ(page.status, 200);
        EXPECT_NE(page.body.find("<form method=\"post\" action=\"" + path + "\""), std::string::npos);
        EXPECT_EQ(page.body.find("ada@example.org"), std::string::npos);
        EXPECT_EQ(page.headers.value("Cache-Control"), "no-store");
        EXPECT_EQ(page.headers.value("X-Robots-Tag"), "noindex");
    }
    EXPECT_EQ(room.dump(), before);
    EXPECT_EQ(room.post(path, "").status, 200);
    EXPECT_TRUE(room.is_active("ada@example.org", room.courier));
    EXPECT_EQ(room.post(path, "").status, 200);
    EXPECT_EQ(room.get(path).status, 200);
    EXPECT_EQ(room.count("SELECT count(*) FROM subscription"), 1);
}

TEST(Confirming, OfSomebodyWhoHasLeftSaysSoAndBringsNobodyBack) {
    Newsroom room;
    room.joins("ada@example.org");
    auto path = room.confirm_path();
    EXPECT_EQ(room.post(path, "").status, 200);
    auto id = room.connection->value<SubscriptionId>("SELECT id FROM subscription").value();
    EXPECT_EQ(room.post(room.leave_path(id), "").status, 200);
    for (auto& page : {room.get(path), room.post(path, "")}) {
        EXPECT_EQ(page.status, 200);
        EXPECT_NE(page.body.find("href=\"/join/courier\""), std::string::npos) << page.body;
    }
    EXPECT_FALSE(room.is_active("ada@example.org", room.courier));
}

TEST(Confirming, AnExpiredLinkOffersANewOne) {
    Newsroom room;
    room.joins("ada@example.org");
    auto old = room.confirm_path();
    room.clock.advance(73h);
    EXPECT_EQ(room.get(old).status, 410);
    auto expired = room.post(old, "");
    EXPECT_EQ(expired.status, 410);
    EXPECT_FALSE(room.is_active("ada@example.org", room.courier));
    auto begin = expired.body.find("action=\"") + 8;
    auto again = expired.body.substr(begin, expired.body.find('"', begin) - begin);
    EXPECT_EQ(room.get(again).status, 410);
    EXPECT_EQ(room.letters(), 1);
    EXPECT_EQ(room.post(again, "").status, 200);
    EXPECT_EQ(room.letters(), 2);
    EXPECT_NE(room.confirm_path(), old);
    EXPECT_EQ(room.post(room.confirm_path(), "").status, 200);
    EXPECT_TRUE(room.is_active("ada@example.org", room.courier));
}

TEST(Confirming, AWelcomeIsWrittenOnceAndOnlyWhereTheListWantsIt) {
    Newsroom room;
    room.joins("ada@example.org");
    room.post(room.confirm_path(), "");
    EXPECT_EQ(room.letter("welcome"), "");
    auto list = subscribers::Lists(*room.connection).find(room.courier).value();
    list.welcome = true;
    (void)subscribers::Lists(*room.connection).update(list, room.clock.now()).value();
    room.joins("bob@example.org");
    auto path = room.confirm_path();
    room.post(path, "");
    room.post(path, "");
    EXPECT_EQ(room.count("SELECT count(*) FROM letter WHERE purpose = 'welcome'"), 1);
    EXPECT_EQ(room.letter("welcome").find("List-"), std::string::npos);
}

}
std::string topics_of(Newsroom& room, std::string_view address) {
    return room.connection
        ->value<std::string>(R"sql(SELECT s.topics FROM subscription s JOIN subscriber p ON p.id = s.subscriber_id
                                   WHERE p.address = $1)sql",
                             address)
        .value_or("none");
}

void has_topics(Newsroom& room) {
    digest::Rules rules;
    rules.topics = {digest::parse_topic("World & <b>more</b> = politics").value(),
                    digest::parse_topic("Sport = football").value()};
    digest::ListRules(*room.connection).keep(room.courier, rules);
}

TEST(Topics, AreChosenOnTheFormAndInJsonAndCountOnceConfirmed) {
    Newsroom room;
    EXPECT_EQ(room.get("/join/courier").body.find("fieldset>"), std::string::npos) << "there is nothing to choose";
    has_topics(room);
    auto page = room.get("/join/courier").body;
    EXPECT_NE(page.find("value=\"World &amp; &lt;b&gt;more&lt;/b&gt;\""), page.npos);
    EXPECT_EQ(page.find("<b>more"), page.npos);
    EXPECT_EQ(page.find(" checked"), page.npos);

    room.post("/join/courier", "email=ada%40example.org&topics=&topics=sport&topics=Gardening");
    room.post(room.confirm_path(), "");
    EXPECT_EQ(topics_of(room, "ada@example.org"), "Sport");
    room.post("/join/courier", R"({"email": "bob@example.org", "topics": ["Sport", "World & <b>more</b>", 7]})",
              "application/json");
    room.post(room.confirm_path(), "");
    EXPECT_EQ(topics_of(room, "bob@example.org"), "World & <b>more</b>\nSport");
    room.post("/join/courier", R"({"email": "cyd@example.org", "topics": "Sport"})", "application/json");
    room.post(room.confirm_path(), "");
    EXPECT_EQ(topics_of(room, "cyd@example.org"), "Sport");
    room.joins("dan@example.org");
    room.post(room.confirm_path(), "");
    EXPECT_EQ(topics_of(room, "dan@example.org"), "");

    auto again = room.post("/join/courier", "email=nobody&topics=Sport").body;
    EXPECT_NE(again.find("value=\"Sport\" checked"), again.npos) << "a mistake does not lose the choice";
}

TEST(Topics, AreChangedOnThePreferencesPage) {
    Newsroom room;
    has_topics(room);
    room.reader("ada@example.org", room.courier);
    auto path = room.preferences_path("ada@example.org");
    EXPECT_NE(room.get(path).body.find("name=\"topics-courier\" value=\"Sport\">"), std::string::npos);
    auto page = room.post(path, "save=1&name=Ada&topics-courier=&topics-courier=Sport&topics-inner=Sport").body;
    EXPECT_NE(page.find("name=\"topics-courier\" value=\"Sport\" checked>"), page.npos);
    EXPECT_EQ(topics_of(room, "ada@example.org"), "Sport");
    room.post(path, "save=1&name=Ada");
    EXPECT_EQ(topics_of(room, "ada@example.org"), "Sport") << "nothing was said of them";
    room.post(path, "save=1&topics-courier=");
    EXPECT_EQ(topics_of(room, "ada@example.org"), "");
}

}
