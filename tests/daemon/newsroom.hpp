#pragma once

#include "daemon/routes.hpp"
#include "digest/publishing.hpp"
#include "mail/address.hpp"
#include "storage/database.hpp"
#include "storage/migrations.hpp"
#include "subscribers/subscriptions.hpp"
#include "subscribers/suppressions.hpp"
#include "support/mail_linter.hpp"
#include "support/simulated_clock.hpp"
#include "system/random.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

// A site in a folder of its own with two lists, its real pages behind the real routes, and a visitor who asks them.

namespace postrider::web {

class Newsroom {
public:
    std::string address; // of the site
    std::filesystem::path folder =
        std::filesystem::temp_directory_path() / ("postrider-web-" + system::hex(system::random_bytes(8)));
    std::string url = "sqlite:" + (folder / "postrider.db").string();
    std::unique_ptr<storage::Connection> connection = open();
    subscribers::LinkTokens tokens{folder / "keys" / "links"};
    subscribers::Settings settings;
    digest::SiteWords site{"The <b>Courier</b>", address, "1 Press Square", "",
                           mail::parse_mailbox("The Courier <news@courier.example>").value()};
    templates::Library library{folder / "templates"};
    boost::asio::io_context loop;
    test::SimulatedClock clock{loop.get_executor()};
    storage::Database database{url};
    std::vector<std::string> wrong;
    Pages pages{database, clock, library, tokens, site, settings, options()};
    http::Handler handler = daemon::routes(pages, {{"https://courier.example"}});
    ListId courier = list("courier", "The <i>Morning</i> & Courier", subscribers::ListState::open);
    ListId inner = list("inner", "The inner circle", subscribers::ListState::private_);

    explicit Newsroom(std::string site_url = "https://mail.courier.example") : address(std::move(site_url)) {}
    ~Newsroom() {
        connection.reset();
        std::filesystem::remove_all(folder);
    }

    http::Response ask(http::Request request) {
        auto question = request.target.find('?');
        request.path = request.target.substr(0, question);
        if (question != std::string::npos) request.query = request.target.substr(question + 1);
        if (request.client.empty()) request.client = "192.0.2.1";
        http::Response answer;
        std::exception_ptr failed;
        auto run = [&]() -> boost::asio::awaitable<void> {
            auto running = handler(std::move(request));
            answer = co_await std::move(running);
        };
        boost::asio::co_spawn(loop, run, [&](std::exception_ptr error) { failed = error; });
        loop.restart();
        loop.run();
        if (failed) std::rethrow_exception(failed);
        return answer;
    }
    http::Response get(std::string target, http::Headers headers = {}) {
        return ask({"GET", std::move(target), "", "", std::move(headers), "", ""});
    }
    http::Response post(std::string target, std::string body, std::string type = urlencoded, http::Headers headers = {},
                        std::string client = "") {
        if (!type.empty()) headers.add("Content-Type", std::move(type));
        return ask({"POST", std::move(target), "", "", std::move(headers), std::move(body), std::move(client)});
    }
    http::Response joins(std::string_view address, std::string client = "") {
        return post("/join/courier", "email=" + http::percent_encode(address), urlencoded, {}, std::move(client));
    }

    // The path of the link in the newest confirmation mail.
    std::string confirm_path() {
        auto message = letter("confirmation");
        auto text = mail_linter::decode_quoted_printable(
                        message.substr(message.find("\r\n\r\n", message.find("\r\n--")) + 4,
                                       message.find("\r\n--", message.find("\r\n--") + 4) -
                                           message.find("\r\n\r\n", message.find("\r\n--")) - 4) +
                        "\r\n")
                        .value_or("");
        auto begin = text.find("/confirm/");
        if (begin == text.npos) return "";
        return text.substr(begin, text.find_first_of("\r\n", begin) - begin);
    }
    std::string letter(std::string_view purpose) {
        return connection
            ->value<std::string>("SELECT message FROM letter WHERE purpose = $1 ORDER BY id DESC LIMIT 1", purpose)
            .value_or("");
    }
    std::int64_t letters() { return count("SELECT count(*) FROM letter"); }
    std::int64_t count(std::string_view sql) { return connection->value<std::int64_t>(sql).value(); }

    SubscriptionId reader(std::string_view address, ListId list) {
        return subscribers::Subscriptions(*connection, tokens)
            .add(list, mail::parse_address(address).value(), {"Ada", "en", "", "{}"}, "met", "test", clock.now())
            .subscription.value();
    }
    bool is_active(std::string_view address, ListId list) {
        return subscribers::Subscriptions(*connection, tokens)
            .active(list, mail::parse_address(address).value())
            .has_value();
    }
    std::string leave_path(SubscriptionId id) {
        std::string path = "/leave/";
        tokens.signer().leave(path, id);
        return path;
    }
    std::string preferences_path(std::string_view address) {
        std::string path = "/preferences/";
        auto id = connection->value<SubscriberId>("SELECT id FROM subscriber WHERE address = $1", address);
        tokens.signer().preferences(path, id.value());
        return path;
    }

    MailingId publishes(ListId id, std::string story_url = "https://courier.example/bridge") {
        stories::Stories stories(*connection);
        stories::Story story;
        story.url = std::move(story_url);
        story.canonical_url = story.url;
        story.title = "<script>alert(1)</script> The bridge";
        story.first_seen_at = clock.now();
        stories.stand(id, stories.put(story, clock.now()).first, stories::Standing::candidate, clock.now());
        digest::Publishing publishing(*connection, library, tokens, site);
        auto list = subscribers::Lists(*connection).find(id).value();
        auto issue = publishing.publish(list, std::nullopt, clock.now()).issue.value();
        auto mailing = digest::Issues(*connection).find(issue)->mailing.value();
        // Of a list, one is sent at a time: those before are.
        connection->run("UPDATE mailing SET state = 'sent', finished_at = $1 WHERE state = 'sending'", clock.now());
        delivery::Mailings(*connection).start(mailing, clock.now());
        return mailing;
    }

    // Every row of every table.
    std::string dump() {
        std::string all;
        auto name = [](const storage::Row& row) { return row.get<std::string>(0); };
        for (auto& table : connection->all("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name", name)) {
            std::string row = "''";
            for (auto& column : connection->all("SELECT name FROM pragma_table_info($1)", name, table))
                row += " || '|' || quote(\"" + column + "\")";
            all += table + "\n";
            for (auto& text : connection->all("SELECT " + row + " FROM \"" + table + "\"", name)) all += text + "\n";
        }
        return all;
    }

    void writes_template(const std::string& name, const std::string& text) {
        std::filesystem::create_directories(folder / "templates");
        std::ofstream(folder / "templates" / (name + ".mustache"), std::ios::binary) << text;
    }

    static inline const std::string urlencoded = "application/x-www-form-urlencoded";

private:
    std::unique_ptr<storage::Connection> open() {
        std::filesystem::create_directories(folder);
        auto opened = std::make_unique<storage::Connection>(url);
        storage::migrate(*opened, embedded::schema(), Time(1'800'000'000'000ms));
        return opened;
    }
    PageOptions options() {
        return {folder / "outbox", [this] { return wrong; }};
    }
    ListId list(std::string slug, std::string title, subscribers::ListState state) {
        subscribers::List list;
        list.slug = std::move(slug);
        list.title = std::move(title);
        list.state = state;
        list.sender = "The Courier <news@courier.example>";
        return subscribers::Lists(*connection).add(list, clock.now()).value().id;
    }
};

inline std::string everything(const http::Response& answer) {
    std::string all = std::to_string(answer.status) + "\n";
    for (auto& [name, value] : answer.headers) all += name + ": " + value + "\n";
    return all + "\n" + answer.body;
}

}
