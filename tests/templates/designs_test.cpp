#include "templates/check.hpp"
#include "templates/designs.hpp"
#include "templates/mustache.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace postrider::templates {
namespace {

class Designs : public testing::Test {
protected:
    Designs() {
        auto pattern = (std::filesystem::temp_directory_path() / "postrider-designs-XXXXXX").string();
        folder = mkdtemp(pattern.data());
    }
    ~Designs() override { std::filesystem::remove_all(folder); }

    void operator_writes(const std::string& file) { std::ofstream(folder / file) << "x"; }
    std::vector<std::string> names() {
        std::vector<std::string> all;
        for (auto& design : designs(Library(folder))) all.push_back(design.name);
        return all;
    }

    std::filesystem::path folder;
};

TEST_F(Designs, ThreeAreBuiltInAndAPairOfTheOperatorsIsAnother) {
    EXPECT_EQ(names(), (std::vector<std::string>{"digest", "brief", "letter"}));
    operator_writes("mine.html.mustache");
    EXPECT_EQ(names().size(), 3u);
    EXPECT_EQ(no_design(Library(folder), "mine"),
              "there is no template \"mine.txt\"; a design needs both parts, HTML and text");
    operator_writes("mine.txt.mustache");
    EXPECT_EQ(names().back(), "mine");
    EXPECT_EQ(no_design(Library(folder), "mine"), std::nullopt);
}

TEST_F(Designs, OneIsChangedWhenEitherOfItsPartsIs) {
    operator_writes("brief.txt.mustache");
    auto all = designs(Library(folder));
    EXPECT_EQ(all[0].origin, Library::Origin::built_in);
    EXPECT_EQ(all[1].origin, Library::Origin::changed);
}

TEST_F(Designs, AnUnknownOneIsRefusedWithTheNearest) {
    Library library(folder);
    EXPECT_EQ(no_design(library, "digset"), "there is no design \"digset\"; did you mean \"digest\"?");
    EXPECT_EQ(no_design(library, "confirm"), "there is no design \"confirm\"; there are digest, brief, letter");
    EXPECT_EQ(no_design(library, "../x"), "there is no design \"../x\"; there are digest, brief, letter");
}

TEST_F(Designs, EveryBuiltInOneHasBothPartsWithoutFault) {
    Library library(folder);
    auto partials = [&](std::string_view name) { return library.find(name); };
    for (auto& design : designs(library))
        for (auto part : {".html", ".txt"}) {
            auto parsed = parse(library.get(design.name + part), partials);
            ASSERT_TRUE(parsed) << parsed.error().front().text();
            for (auto& faults :
                 {unknown_names(*parsed, mail_vocabulary()), missing_partials(*parsed), missing_footer(*parsed)})
                EXPECT_TRUE(faults.empty()) << faults.front().text();
        }
}

}
}
