#include "cli/command_line.hpp"

#include <fstream>

// Keys for DKIM, made and shown.

namespace postrider::cli {

using Dkim = ASite;

TEST_F(Dkim, KeysAreMadeAndTheirRecordsPrinted) {
    auto made = must({"dkim", "create", "Courier.example", "n2026"});
    EXPECT_TRUE(made.out.starts_with("n2026._domainkey.courier.example. IN TXT ( \"v=DKIM1; k=rsa; p=")) << made.out;
    EXPECT_NE(made.out.find("\nn2026-ed._domainkey.courier.example. IN TXT ( \"v=DKIM1; k=ed25519; p="), made.out.npos);
    EXPECT_NE(made.err.find("[dkim]"), made.err.npos) << "what to do next";

    auto file = site() / "keys" / "n2026._domainkey.courier.example";
    EXPECT_EQ(fs::status(file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
    auto shown = must({"dkim", "show"});
    EXPECT_NE(shown.out.find(made.out), shown.out.npos) << "the same records again";
    EXPECT_EQ((made.out + made.err + shown.out).find("PRIVATE"), std::string::npos);
    expect_refused(on_site({"dkim", "create", "courier.example", "N2026"}), 1, file.string());
}

TEST_F(Dkim, AnOlderSelectorIsShownBesideTheNewOne) {
    must({"dkim", "create", "courier.example", "n2026"});
    must({"dkim", "create", "courier.example", "n2027"});
    must({"dkim", "create", "other.example", "n2027"});
    auto rows = data({"dkim", "show", "courier.example"}).as_array();
    ASSERT_EQ(rows.size(), 2u);
    for (auto& row : rows) expect_keys(row, {"domain", "selector", "file", "keys", "faults", "warnings"});
    EXPECT_EQ(rows[0].at("selector"), "n2026");
    EXPECT_EQ(rows[1].at("selector"), "n2027");
    auto& key = rows[1].at("keys").at(0);
    expect_keys(key, {"algorithm", "bits", "selector", "name", "value", "strings"});
    EXPECT_EQ(key.at("name"), "n2027._domainkey.courier.example");
    EXPECT_EQ(std::string(key.at("strings").at(0).as_string()) + key.at("strings").at(1).as_string().c_str(),
              key.at("value").as_string());
    EXPECT_EQ(data({"dkim", "show"}).as_array().size(), 3u);
}

TEST_F(Dkim, TheSelectorOfTheConfigurationIsTheOneThatSigns) {
    must({"dkim", "create", "courier.example", "n2026"});
    must({"dkim", "create", "courier.example", "n2027"});
    auto configure = [&](const std::string& lines) {
        static const std::string before = read(site() / "postrider.toml");
        file("site/postrider.toml", before + "[dkim]\n" + lines);
    };
    EXPECT_FALSE(data({"dkim", "show"}).at(0).at("signs").as_bool());
    configure("selector = \"N2027\"\n");
    auto rows = data({"dkim", "show"}).as_array();
    EXPECT_FALSE(rows[0].at("signs").as_bool());
    EXPECT_TRUE(rows[1].at("signs").as_bool());
    configure("");
    expect_refused(on_site({"dkim", "show"}), 1, "selector of [dkim]");
    configure("selector = \"n-ed\"\n");
    expect_refused(on_site({"dkim", "show"}), 1, "selector of [dkim]: \"n-ed\" is no selector");
    configure("selector = \"n\"\nkey_file = \"x.pem\"\n");
    expect_refused(on_site({"dkim", "show"}), 1, "domain of [dkim]: is missing");
    configure("selector = \"n\"\nalgorithm = \"ed25519-sha256\"\n");
    expect_refused(on_site({"dkim", "show"}), 1, "none of: both, rsa-sha256");
}

TEST_F(Dkim, WhatIsWrongWithAKeyIsSaidAndCounts) {
    EXPECT_NE(must({"dkim", "show"}).out.find("dkim create"), std::string::npos) << "none yet";
    EXPECT_EQ(data({"dkim", "show"}), json::value(json::array{}));
    expect_refused(on_site({"dkim", "show", "courier.example"}), 1, "dkim create courier.example SELECTOR");

    must({"dkim", "create", "courier.example", "n2026"});
    auto file = site() / "keys" / "n2026._domainkey.courier.example";
    fs::permissions(file, fs::perms::group_read, fs::perm_options::add);
    expect_refused(on_site({"dkim", "show"}), 1, "chmod 600 " + file.string());
    fs::permissions(file, fs::perms::group_read, fs::perm_options::remove);
    fs::permissions(site() / "keys", fs::perms::others_read, fs::perm_options::add);
    auto shown = on_site({"dkim", "show"});
    EXPECT_EQ(shown.status, 1);
    EXPECT_NE(shown.err.find("chmod 700 "), std::string::npos) << shown.err;
    EXPECT_FALSE(shown.out.empty()) << "the records all the same";
}

TEST_F(Dkim, DoctorFailsOverWhatServeWouldRefuse) {
    std::ofstream(site() / "postrider.toml", std::ios::app) << "\n[dkim]\nselector = \"n2026\"\n";
    auto sick = on_site({"doctor"});
    EXPECT_EQ(sick.status, 1);
    EXPECT_NE(sick.err.find("n2026"), sick.err.npos) << sick.err;
    must({"dkim", "create", "courier.example", "n2026"});
    EXPECT_NE(on_site({"doctor"}).err.find("mail of courier.example is signed"), std::string::npos);
}

TEST_F(Dkim, NamesThatDnsCouldNotHoldAreWrongUsage) {
    expect_refused(on_site({"dkim", "create", "courier", "n2026"}), 2, "\"courier\" is no domain");
    expect_refused(on_site({"dkim", "create", "../../etc.example", "n2026"}), 2, "is no domain");
    expect_refused(on_site({"dkim", "create", "courier.example", "../n"}), 2, "\"../n\" is no selector");
    expect_refused(on_site({"dkim", "create", "courier.example", "n-ed"}), 2, "end in -ed");
}

}
