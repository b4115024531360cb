#pragma once

#include "mail/address.hpp"
#include "storage/migrations.hpp"
#include "subscribers/lists.hpp"
#include "subscribers/sign_up.hpp"
#include "subscribers/subscriptions.hpp"
#include "subscribers/suppressions.hpp"
#include "system/random.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>

// A site in a folder of its own, with a real database; noon is some fixed moment.

namespace postrider::subscribers {

inline const Time noon = parse_rfc3339("2026-05-04T12:00:00Z").value();

inline mail::Address address(std::string_view text) { return mail::parse_address(text).value(); }

struct Folder {
    std::filesystem::path path =
        std::filesystem::temp_directory_path() / ("postrider-subscribers-" + system::hex(system::random_bytes(8)));
    Folder() { std::filesystem::create_directories(path); }
    ~Folder() { std::filesystem::remove_all(path); }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::filesystem::path file(std::string_view name, std::string_view content) const {
        std::ofstream(path / name, std::ios::binary) << content;
        return path / name;
    }
};

struct Site {
    Folder folder;
    storage::Connection database{"sqlite:" + (folder.path / "postrider.db").string()};
    LinkTokens tokens{folder.path / "keys" / "links"};
    Settings settings;
    Lists lists{database};
    SignUps sign_ups{database, tokens, settings};
    Subscriptions subscriptions{database, tokens};
    Suppressions suppressions{database, tokens};
    ListId courier, gazette;

    Site() {
        storage::migrate(database, embedded::schema(), noon);
        courier = list("courier");
        gazette = list("gazette");
    }
    ListId list(std::string slug) {
        List list;
        list.slug = slug;
        list.title = slug;
        list.sender = "news@courier.example";
        return lists.add(list, noon).value().id;
    }
    AskOutcome ask(std::string_view who, ListId list, Time now = noon, std::string_view client = "192.0.2.1") {
        auto parsed = address(who);
        return sign_ups.ask({list, parsed, "Ada", "en", client, "join page", "Yes, mail me the Courier."}, now);
    }
    SignUpId asked(std::string_view who, ListId list, Time now = noon) {
        return std::get<MailConfirmation>(ask(who, list, now)).id;
    }
    SubscriptionId reader(std::string_view who, ListId list, Time now = noon) {
        return subscriptions.add(list, address(who), {"Ada", "", "", "{}"}, "met in person", "test", now)
            .subscription.value();
    }
    std::int64_t count(std::string_view sql) { return database.value<std::int64_t>(sql).value(); }

    // What list_counter says against what the rows say.
    bool counters_are_right() {
        return count(R"sql(SELECT count(*) FROM list_counter c WHERE active <>
                           (SELECT count(*) FROM subscription s WHERE s.list_id = c.list_id AND s.left_at IS NULL))sql") ==
               0;
    }
};

}
