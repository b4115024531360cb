#include "daemon/newsroom.hpp"
#include "delivery/letters.hpp"
#include "subscribers/erase.hpp"

namespace postrider::web {
namespace {

constexpr std::string_view one_click = "List-Unsubscribe=One-Click";

std::string how(Newsroom& room) {
    return room.connection->value<std::string>("SELECT left_how FROM subscription ORDER BY id DESC LIMIT 1").value();
}

TEST(Leaving, OneClickWorksInBothEncodings) {
    Newsroom room;
    auto ada = room.reader("ada@example.org", room.courier);
    EXPECT_EQ(room.post(room.leave_path(ada), std::string(one_click)).status, 200);
    EXPECT_FALSE(room.is_active("ada@example.org", room.courier));
    EXPECT_EQ(how(room), "one-click");
    auto bob = room.reader("bob@example.org", room.courier);
    auto multipart = "--x\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--x--\r\n";
    EXPECT_EQ(room.post(room.leave_path(bob), multipart, "multipart/form-data; boundary=x").status, 200);
    EXPECT_FALSE(room.is_active("bob@example.org", room.courier));
    EXPECT_EQ(how(room), "one-click");
}

TEST(Leaving, WorksWithAnyBodyAndAnyContentTypeOrNone) {
    Newsroom room;
    for (auto [body, type] :
         std::vector<std::pair<std::string, std::string>>{{"", ""},
                                                          {std::string(one_click), ""},
                                                          {std::string(one_click), "text/plain"},
                                                          {"--", "multipart/form-data"},
                                                          {"\xff\xfe=%zz", "application/x-www-form-urlencoded"},
                                                          {"{}", "application/json"}}) {
        auto id = room.reader("ada@example.org", room.courier);
        auto answer = room.post(room.leave_path(id), body, type);
        EXPECT_EQ(answer.status, 200) << type;
        EXPECT_FALSE(answer.headers.has("Location"));
        EXPECT_FALSE(room.is_active("ada@example.org", room.courier)) << type;
    }
}

TEST(Leaving, ASlashAtTheEndIsNoRedirect) {
    Newsroom room;
    auto id = room.reader("ada@example.org", room.courier);
    EXPECT_EQ(room.post(room.leave_path(id) + "/", std::string(one_click)).status, 200);
    EXPECT_FALSE(room.is_active("ada@example.org", room.courier));
}

TEST(Leaving, LookingAtThePageTakesNobodyOffTheList) {
    Newsroom room;
    auto path = room.leave_path(room.reader("ada@example.org", room.courier));
    auto before = room.dump();
    for (auto method : {"GET", "HEAD", "OPTIONS"}) (void)room.ask({method, path, "", "", {}, "", ""});
    auto page = room.get(path);
    EXPECT_EQ(room.dump(), before);
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.body.find("ada@example.org"), std::string::npos);
    EXPECT_NE(page.body.find("a***@example.org"), std::string::npos);
    EXPECT_TRUE(room.is_active("ada@example.org", room.courier));
}

TEST(Leaving, TheButtonOfThePageIsNotOneClick) {
    Newsroom room;
    auto path = room.leave_path(room.reader("ada@example.org", room.courier));
    auto answer = room.post(path, "");
    EXPECT_EQ(how(room), "page");
    EXPECT_NE(answer.body.find("href=\"/join/courier\""), std::string::npos);
}

TEST(Leaving, AgainAndAfterErasureIsAnsweredAsTheFirstTime) {
    Newsroom room;
    auto path = room.leave_path(room.reader("ada@example.org", room.courier));
    EXPECT_EQ(room.post(path, "").status, 200);
    EXPECT_EQ(room.post(path, "").status, 200);
    EXPECT_EQ(room.get(path).status, 200);
    subscribers::erase(*room.connection, room.tokens, mail::parse_address("ada@example.org").value(), room.clock.now());
    EXPECT_EQ(room.post(path, std::string(one_click)).status, 200);
    EXPECT_EQ(room.get(path).status, 200);
}

TEST(Leaving, OneListLeavesTheOther) {
    Newsroom room;
    auto id = room.reader("ada@example.org", room.courier);
    room.reader("ada@example.org", room.inner);
    room.post(room.leave_path(id), "");
    EXPECT_TRUE(room.is_active("ada@example.org", room.inner));
}

TEST(Tokens, ForgedCutAndForeignOnesAreOneAndTheSame404) {
    Newsroom room;
    auto id = room.reader("ada@example.org", room.courier);
    auto token = room.leave_path(id).substr(7);
    subscribers::LinkTokens foreign(room.folder / "other" / "links");
    std::string stranger;
    foreign.signer().leave(stranger, id);
    auto flipped = token;
    flipped[token.size() / 2] = flipped[token.size() / 2] == 'A' ? 'B' : 'A';
    auto before = room.dump();
    auto uniform = everything(room.get("/leave/x"));
    EXPECT_EQ(uniform.substr(0, 3), "404");
    for (auto& bad : {token.substr(0, token.size() - 1), token + "A", flipped, stranger, std::string("a.b")})
        for (auto page : {"/leave/", "/confirm/", "/preferences/", "/view/"}) {
            EXPECT_EQ(everything(room.get(page + bad)), uniform) << page << bad;
            if (page != std::string("/view/")) EXPECT_EQ(everything(room.post(page + bad, "")), uniform) << page << bad;
        }
    for (auto page : {"/confirm/", "/preferences/", "/view/"})
        EXPECT_EQ(everything(room.get(page + token)), uniform) << "a token for another purpose";
    EXPECT_EQ(room.dump(), before);
    EXPECT_TRUE(room.is_active("ada@example.org", room.courier));
}

std::string text_of(Newsroom& room, std::string_view sql) {
    return room.connection->value<std::optional<std::string>>(sql).value_or(std::nullopt).value_or("");
}

TEST(Leaving, CanBeTakenBackWithinAnHourAndOnlyByTheButtonForIt) {
    Newsroom room;
    auto id = room.reader("ada@example.org", room.courier);
    auto path = room.leave_path(id);
    auto page = room.post(path, "").body;
    EXPECT_NE(page.find("name=\"undo\" value=\"1\""), page.npos);
    EXPECT_EQ(room.get(path).body.find("name=\"undo\""), std::string::npos) << "a link is followed by anybody";
    room.post(path, "List-Unsubscribe=One-Click&undo=1");
    EXPECT_FALSE(room.is_active("ada@example.org", room.courier)) << "a mail program never joins";
    EXPECT_NE(room.post(path, "undo=1").body.find("Welcome"), std::string::npos);
    EXPECT_TRUE(room.is_active("ada@example.org", room.courier));
    EXPECT_EQ(room.letters(), 0);

    room.post(path, "");
    room.clock.advance(61min);
    EXPECT_EQ(room.post(path, "").body.find("name=\"undo\""), std::string::npos);
    EXPECT_EQ(room.post(path, "undo=1").status, 200);
    EXPECT_FALSE(room.is_active("ada@example.org", room.courier));
}

TEST(Leaving, NobodyButTheReaderTakesItBack) {
    Newsroom room;
    auto id = room.reader("ada@example.org", room.courier);
    subscribers::Subscriptions(*room.connection, room.tokens)
        .remove(room.courier, mail::parse_address("ada@example.org").value(), room.clock.now());
    EXPECT_EQ(room.post(room.leave_path(id), "").body.find("name=\"undo\""), std::string::npos);
    room.post(room.leave_path(id), "undo=1");
    EXPECT_FALSE(room.is_active("ada@example.org", room.courier)) << "the operator took her off";
}

TEST(Leaving, AReasonMayBeGivenAfterwardsAndChangesNothingElse) {
    Newsroom room;
    auto id = room.reader("ada@example.org", room.courier);
    auto path = room.leave_path(id);
    room.post(path, "reason=often");
    EXPECT_TRUE(room.is_active("ada@example.org", room.courier)) << "a reason is no leaving";
    EXPECT_EQ(text_of(room, "SELECT left_reason FROM subscription"), "");
    EXPECT_NE(room.post(path, "").body.find("name=\"reason\""), std::string::npos);
    auto thanks = room.post(path, "reason=never").body;
    EXPECT_NE(thanks.find("Thank you"), thanks.npos);
    EXPECT_EQ(thanks.find("name=\"reason\""), thanks.npos);
    EXPECT_EQ(text_of(room, "SELECT left_reason FROM subscription"), "never");
    room.post(path, "reason=%3Cscript%3E");
    EXPECT_EQ(text_of(room, "SELECT left_reason FROM subscription"), "never");
    auto reasons = subscribers::Subscriptions(*room.connection, room.tokens).reasons_for_leaving(room.courier);
    ASSERT_EQ(reasons.size(), 1u);
    EXPECT_EQ(reasons[0].count, 1);
}

TEST(Preferences, LeaveAllListsAtOnce) {
    Newsroom room;
    room.reader("ada@example.org", room.courier);
    auto path = room.preferences_path("ada@example.org");
    EXPECT_EQ(room.get(path).body.find("leave_all"), std::string::npos) << "there is only one";
    room.reader("ada@example.org", room.inner);
    EXPECT_NE(room.get(path).body.find("leave_all"), std::string::npos);
    EXPECT_EQ(room.post(path, "leave_all=1").status, 200);
    EXPECT_FALSE(room.is_active("ada@example.org", room.courier));
    EXPECT_FALSE(room.is_active("ada@example.org", room.inner));
}

TEST(Preferences, PauseForSomeWeeksAndEndThePause) {
    Newsroom room;
    room.reader("ada@example.org", room.courier);
    auto path = room.preferences_path("ada@example.org");
    EXPECT_NE(room.get(path).body.find("4 weeks"), std::string::npos);
    for (auto nonsense : {"pause=0", "pause=-1", "pause=99999999999", "pause=x"}) room.post(path, nonsense);
    EXPECT_EQ(room.count("SELECT count(*) FROM subscriber WHERE paused_until IS NOT NULL"), 0);
    auto paused = room.post(path, "pause=4").body;
    EXPECT_NE(paused.find("Paused until"), paused.npos);
    EXPECT_NE(paused.find("pause_end"), paused.npos);
    EXPECT_EQ(room.connection->value<Time>("SELECT paused_until FROM subscriber"), room.clock.now() + 28 * 24h);
    EXPECT_TRUE(room.is_active("ada@example.org", room.courier));
    EXPECT_EQ(room.post(path, "pause_end=1").body.find("Paused until"), std::string::npos);
    room.post(path, "pause=1");
    room.clock.advance(7 * 24h + 1s);
    EXPECT_EQ(room.get(path).body.find("Paused until"), std::string::npos) << "it ended by itself";
}

TEST(Preferences, AChangeOfAddressIsConfirmedByTheNewOneAndToldToTheOld) {
    Newsroom room;
    room.reader("old@example.org", room.courier);
    room.reader("old@example.org", room.inner);
    auto path = room.preferences_path("old@example.org");
    auto bad = room.post(path, "change=1&email=nobody");
    EXPECT_EQ(bad.status, 422);
    EXPECT_NE(bad.body.find("role=\"alert\""), bad.body.npos);
    EXPECT_EQ(room.letters(), 0);

    EXPECT_EQ(room.post(path, "change=1&email=new%40example.org").status, 200);
    EXPECT_EQ(room.count("SELECT count(*) FROM letter WHERE address = 'new@example.org'"), 1);
    EXPECT_TRUE(room.is_active("old@example.org", room.courier)) << "not before it is confirmed";
    room.post(room.confirm_path(), "");
    for (auto list : {room.courier, room.inner}) {
        EXPECT_FALSE(room.is_active("old@example.org", list));
        EXPECT_TRUE(room.is_active("new@example.org", list)) << "all lists move";
    }
    auto told = room.letter("notice");
    EXPECT_EQ(room.count("SELECT count(*) FROM letter WHERE purpose = 'notice' AND address = 'old@example.org'"), 1);
    EXPECT_EQ(mail_linter::lint(told), "");
    EXPECT_EQ(told.find("new@example.org"), told.npos) << "who reads the old mailbox learns nothing of the new one";
    EXPECT_NE(told.find("Auto-Submitted: auto-generated"), told.npos);
    EXPECT_EQ(subscribers::Lists(*room.connection).active_count(room.courier), 1);
}

TEST(Preferences, AChangeToAnAddressThatIsKnownIsAnsweredAsAnyOther) {
    Newsroom room;
    room.reader("ada@example.org", room.courier);
    room.reader("ben@example.org", room.courier);
    auto path = room.preferences_path("ada@example.org");
    auto unknown = everything(room.post(path, "change=1&email=new%40example.org"));
    EXPECT_EQ(everything(room.post(path, "change=1&email=ben%40example.org")), unknown);
    EXPECT_EQ(everything(room.post(path, "change=1&email=ada%40example.org")), unknown);
    EXPECT_TRUE(room.is_active("ada@example.org", room.courier));
}

TEST(Preferences, OfferATimeZoneWhereAListGoesByIt) {
    Newsroom room;
    room.reader("ada@example.org", room.courier);
    auto path = room.preferences_path("ada@example.org");
    EXPECT_EQ(room.get(path).body.find("name=\"timezone\""), std::string::npos);
    auto list = subscribers::Lists(*room.connection).find(room.courier).value();
    list.local_hour = true;
    (void)subscribers::Lists(*room.connection).update(list, room.clock.now());
    EXPECT_NE(room.get(path).body.find("<option value=\"Asia/Tokyo\">"), std::string::npos);
    auto saved = room.post(path, "save=1&timezone=Asia%2FTokyo").body;
    EXPECT_NE(saved.find("<option value=\"Asia/Tokyo\" selected>"), saved.npos);
    room.post(path, "save=1&timezone=Mars%2FOlympus");
    EXPECT_EQ(text_of(room, "SELECT timezone FROM subscriber"), "Asia/Tokyo");
    room.post(path, "save=1&timezone=");
    EXPECT_EQ(text_of(room, "SELECT timezone FROM subscriber"), "");
}

TEST(Preferences, ShowAndSaveNameAndLanguage) {
    Newsroom room;
    room.reader("ada@example.org", room.courier);
    auto path = room.preferences_path("ada@example.org");
    auto before = room.dump();
    auto page = room.get(path);
    EXPECT_EQ(page.status, 200);
    EXPECT_EQ(page.body.find("ada@example.org"), std::string::npos);
    EXPECT_EQ(room.dump(), before);
    auto saved = room.post(path, "save=1&name=%3Cimg+src%3Dx%3E%0D%0AX&language=de");
    EXPECT_EQ(saved.status, 200);
    EXPECT_EQ(saved.body.find("<img"), std::string::npos);
    EXPECT_EQ(room.connection->value<std::string>("SELECT name || '/' || language FROM subscriber"),
              "<img src=x> X/de");
    EXPECT_NE(saved.body.find("Deutsch"), std::string::npos);
}

TEST(Preferences, LeaveEachListByItself) {
    Newsroom room;
    room.reader("ada@example.org", room.courier);
    room.reader("ada@example.org", room.inner);
    EXPECT_EQ(room.post(room.preferences_path("ada@example.org"), "leave=courier").status, 200);
    EXPECT_FALSE(room.is_active("ada@example.org", room.courier));
    EXPECT_TRUE(room.is_active("ada@example.org", room.inner));
}

TEST(Preferences, JoiningAnotherListTakesItsConfirmationAndAPrivateOneCannotBeJoined) {
    Newsroom room;
    room.reader("ada@example.org", room.courier);
    auto path = room.preferences_path("ada@example.org");
    EXPECT_EQ(room.get(path).body.find("inner circle"), std::string::npos);
    room.post(path, "join=inner");
    EXPECT_EQ(room.letters(), 0);
    room.post(path, "leave=courier");
    room.post(path, "join=courier");
    EXPECT_EQ(room.letters(), 1);
    EXPECT_FALSE(room.is_active("ada@example.org", room.courier));
}

TEST(Preferences, WhatAReaderErasesIsOverwrittenInTheDatabaseToo) {
    Newsroom room;
    room.reader("ada@example.org", room.courier);
    auto path = room.preferences_path("ada@example.org");
    std::string message; // of many pages, which all become free
    while (message.size() < 60'000) message += "Dear Quillfeather, this is for you alone.\r\n";
    delivery::Letters(*room.connection)
        .add(delivery::Purpose::notice, "n@courier.example", "ada@example.org", "ada@example.org", message,
             room.clock.now(), 24h);
    auto file = [&] {
        room.connection->run("PRAGMA wal_checkpoint(TRUNCATE)");
        std::ifstream in(room.folder / "postrider.db", std::ios::binary);
        return std::string(std::istreambuf_iterator<char>(in), {});
    };
    ASSERT_NE(file().find("Quillfeather"), std::string::npos);
    EXPECT_EQ(room.post(path, "erase=everything").status, 200);
    auto after = file();
    EXPECT_EQ(after.find("Quillfeather"), after.npos);
    EXPECT_EQ(after.find("ada@example.org"), after.npos);
}

TEST(Preferences, HandOutAndEraseWhatIsKnown) {
    Newsroom room;
    room.reader("ada@example.org", room.courier);
    auto path = room.preferences_path("ada@example.org");
    auto known = room.get(path + "?export");
    EXPECT_EQ(boost::json::parse(known.body).at("address").as_string(), "ada@example.org");
    EXPECT_EQ(known.headers.value("Cache-Control"), "no-store");
    auto sure = room.post(path, "erase=1");
    EXPECT_NE(sure.body.find("value=\"everything\""), std::string::npos);
    EXPECT_EQ(room.count("SELECT count(*) FROM subscriber"), 1);
    EXPECT_EQ(room.post(path, "erase=everything").status, 200);
    EXPECT_EQ(room.count("SELECT count(*) FROM subscriber"), 0);
    EXPECT_EQ(room.get(path).status, 404);
}

}
}
