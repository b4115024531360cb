#include "cli/command_line.hpp"

#include <fstream>

// The words of a language: an operator's catalogue from the first copy to the last fault.

namespace postrider::cli {
namespace {

void write(const fs::path& file, std::string_view text) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << text;
}

TEST_F(ASite, ALanguageIsAddedByAFileThatCheckReads) {
    auto shown = must({"template", "show", "words.en.json"}).out;
    EXPECT_TRUE(must({"template", "ls"}).out.contains("words.uk.json"));
    write(site() / "templates/words.sv.json", shown);
    EXPECT_EQ(must({"template", "check"}).err, "");

    std::string cut = shown;
    auto privacy = cut.find("    \"privacy\"");
    cut.erase(privacy, cut.find('\n', privacy) + 1 - privacy);
    cut.replace(cut.find("on {date}."), 10, "on {dat}.");
    write(site() / "templates/words.sv.json", cut);
    auto done = on_site({"template", "check"});
    EXPECT_EQ(done.status, 1);
    EXPECT_EQ(done.err, "words.sv.json:1:1: \"privacy\" is missing: English stands in; there it is \"Privacy\"\n"
                        "words.sv.json:5:5: \"why\" has {address}, {dat}, {list}; in English it has {address}, {date}, "
                        "{list}\n");
    EXPECT_EQ(on_site({"template", "check", "words.sv.json"}).err, done.err);
    EXPECT_EQ(on_site({"template", "check", "digest.html"}).status, 0);
    EXPECT_TRUE(on_site({"doctor"}).err.contains("words.sv.json:1:1: \"privacy\" is missing"));
}

TEST_F(ASite, ABuiltInCatalogueIsCopiedByEditAndMayKeepOnlyWhatDiffers) {
    must({"template", "edit", "words.de.json"});
    auto file = site() / "templates/words.de.json";
    EXPECT_EQ(read(file), must({"template", "show", "words.de.json"}).out);
    write(file, "{\"unsubscribe\": \"Abbestellen\"}");
    EXPECT_EQ(must({"template", "check"}).err, "");
    write(file, "{\n\"unsubscribe\": \"Abbestellen\",\n}");
    EXPECT_TRUE(on_site({"template", "check"}).err.contains("words.de.json:3:1: a key in double quotes is missing"));
}

TEST_F(ASite, AWordThatAPageMisspellsIsNamed) {
    write(site() / "templates/page_foot.html.mustache", "\n{{words.privaci}}");
    auto done = on_site({"template", "check", "page_home.html"});
    EXPECT_EQ(done.status, 1);
    EXPECT_EQ(done.err,
              "page_foot.html.mustache:2:1: there is no \"words.privaci\"; did you mean \"words.privacy\"?\n");
}

}
}
