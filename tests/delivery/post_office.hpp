#pragma once

#include "delivery/dispatcher.hpp"
#include "delivery/mailings.hpp"
#include "delivery/message.hpp"
#include "mail/address.hpp"
#include "storage/migrations.hpp"
#include "subscribers/lists.hpp"
#include "subscribers/subscriptions.hpp"
#include "support/scripted_relay.hpp"
#include "support/simulated_clock.hpp"
#include "templates/mustache.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace postrider::delivery {

// A list with readers, a real database, a relay that does what it is told, and a clock that stands still.
class PostOffice : public testing::Test {
protected:
    PostOffice() {
        auto pattern = (std::filesystem::temp_directory_path() / "postrider-delivery-XXXXXX").string();
        folder = mkdtemp(pattern.data());
        url = "sqlite:" + (folder / "test.db").string();
        connection.emplace(url);
        storage::migrate(*connection, embedded::schema(), clock.now());
        tokens.emplace(folder / "keys" / "links");
        list = add_list("daily");
        relays = {LaneSettings{relay.settings(), 4}};
    }
    ~PostOffice() override {
        closes();
        connection.reset();
        std::filesystem::remove_all(folder);
    }

    ListId add_list(const std::string& slug) {
        subscribers::List fresh;
        fresh.slug = slug;
        fresh.title = slug;
        fresh.sender = "The Courier <news@courier.example>";
        return subscribers::Lists(*connection).add(fresh, clock.now()).value().id;
    }
    SubscriptionId joins(const std::string& address, ListId where = {}) {
        auto parsed = mail::parse_address(address).value();
        auto result =
            subscribers::Subscriptions(*connection, *tokens)
                .add(where.number ? where : list, parsed, {.name = "Ada"}, "asked in person", "test", clock.now());
        return result.subscription.value();
    }
    void join(int count) {
        storage::Transaction transaction(*connection);
        for (int i = 1; i <= count; ++i) joins(fmt::format("reader{}@example.org", i));
        transaction.commit();
    }
    void leaves(SubscriptionId who) {
        subscribers::Subscriptions(*connection, *tokens).leave(who, subscribers::LeftHow::page, "", clock.now());
    }

    void chooses(SubscriptionId who, const std::string& topics) {
        subscribers::Subscriptions(*connection, *tokens).choose_topics(who, topics);
    }

    // With topics the stories' titles are those of their topics.
    Message a_message(const std::string& greeting = "Hello {{subscriber.name}}\n{{unsubscribe_url}}\n",
                      const Topics& topics = {}) {
        boost::json::array stories;
        for (int topic : topics.stories)
            stories.push_back(
                boost::json::object{{"title", topics.names[std::size_t(topic)]},
                                    {templates::only_if, TopicSlot{TopicSlot::What::shown, topic}.name()}});
        boost::json::object content{{"stories", std::move(stories)}};
        auto program = [&](const std::string& name, const std::string& text) {
            auto parsed = templates::parse({name, name, text},
                                           [](std::string_view) { return std::optional<templates::Source>(); });
            return templates::compile(*parsed, content);
        };
        mail::ListFields fields{"Daily", "daily.courier.example", "https://courier.example/", "",
                                "1:daily:digest:courier"};
        mail::Heading heading{
            mail::parse_mailbox("The Courier <news@courier.example>").value(), {}, "", fields, mail::Body::alternative};
        MessageParts parts{
            heading,
            tokens->newest(),
            "",
            clock.now(),
            program("subject", "News for {{subscriber.name}}"),
            program("a.txt", greeting),
            program("a.html", "<p>Hello {{subscriber.name}}</p><a href=\"{{unsubscribe_url}}\">leave</a>\n")};
        parts.topics = topics;
        return Message::compile(parts);
    }
    MailingId issue(ListId where = {}) {
        return Mailings(*connection).add(where.number ? where : list, a_message().to_text(), clock.now());
    }

    void opens() {
        database.emplace(url);
        dispatcher.emplace(context.get_executor(), *database, clock, *tokens,
                           Settings{settings, "https://mail.courier.example", domain_rates, rate, signers}, relays);
        running = true;
        boost::asio::co_spawn(context, dispatcher->run(), [this](std::exception_ptr error) {
            running = false;
            if (error) std::rethrow_exception(error);
        });
    }
    // Lets everything happen that happens without the clock moving.
    void settles() {
        if (!dispatcher) opens();
        auto limit = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        dispatcher->tick(true);
        for (int quiet = 0; quiet < 3;) {
            context.restart();
            // Where nothing is under way, in the database neither, there is nothing to wait for.
            bool rests = (dispatcher->idle() || dispatcher->all_held()) && database->idle();
            bool something = (rests ? context.poll_one() : context.run_one_for(std::chrono::milliseconds(10))) > 0;
            if (!something) dispatcher->tick(false);
            quiet = something || !calm() ? 0 : quiet + 1;
            if (std::chrono::steady_clock::now() > limit) {
                ADD_FAILURE() << "it never settles";
                return;
            }
        }
    }
    // Silence is calm too, and so is a rate: whoever waits for an answer that will not come, or for a turn.
    bool calm() const { return dispatcher->idle() || relay.is_silent() || held() || relays.front().rate; }
    bool held() const {
        for (auto& lane : dispatcher->lanes())
            if (!lane.held_until || *lane.held_until <= clock.now()) return false;
        return true;
    }
    void passes(Duration length, Duration step = 1min) {
        auto until = clock.now() + length;
        while (clock.now() < until) {
            clock.advance(std::min(step, until - clock.now()));
            settles();
        }
    }
    void stops(Duration limit = 6s) {
        dispatcher->stop(limit);
        auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
        while (running && std::chrono::steady_clock::now() < end) {
            context.restart();
            if (context.run_one_for(std::chrono::milliseconds(20)) == 0) {
                clock.advance(200ms);
                dispatcher->tick(true);
            }
        }
        EXPECT_FALSE(running) << "it does not stop";
    }
    // As a kill -9 does: nothing is recorded any more.
    void closes() {
        if (!dispatcher) return;
        relay.hangs_up_on_everyone();
        // The writing thread finishes first, then the loop's coroutines are dropped with the context of the next life.
        if (running) stops(0s);
        dispatcher.reset();
        database.reset();
    }
    Balance balance(MailingId id) { return Mailings(*connection).balance(id); }
    void balances(MailingId id, std::int64_t accepted, MailingState state = MailingState::sent) {
        auto account = balance(id);
        EXPECT_EQ(to_text(account.state), to_text(state));
        EXPECT_EQ(account.accepted, accepted);
        EXPECT_TRUE(account.balanced());
        for (auto& sentence : Mailings(*connection).contradictions(id)) ADD_FAILURE() << sentence;
    }

    boost::asio::io_context context;
    test::SimulatedClock clock{context.get_executor()};
    test::ScriptedRelay relay{context.get_executor()};
    std::filesystem::path folder;
    std::string url;
    std::optional<storage::Connection> connection;
    std::optional<subscribers::LinkTokens> tokens;
    ListId list;
    RetrySettings settings;
    std::shared_ptr<std::vector<mail::dkim::Signer>> signers; // null: mail goes unsigned
    std::vector<LaneSettings> relays;
    std::map<std::string, Rate> domain_rates;
    std::optional<Rate> rate;
    std::optional<storage::Database> database;
    std::optional<Dispatcher> dispatcher;
    bool running = false;
};

}
