#include "smtp/relay.hpp"

#include "cli/call.hpp"
#include "cli/command.hpp"
#include "daemon/lock.hpp"
#include "delivery/retry.hpp"
#include "mail/message.hpp"
#include "smtp/outbox.hpp"
#include "smtp/session.hpp"
#include "system/random.hpp"
#include "web/letters.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>

namespace postrider::cli {
namespace {

namespace asio = boost::asio;
namespace json = boost::json;

constexpr std::string_view stage_names[] = {"connect", "greeting", "ehlo", "starttls", "auth",
                                            "mail",    "rcpt",     "data", "body"};

smtp::Stage stage_of(Call& call) {
    auto word = call.text("--stage", "rcpt");
    std::vector<std::string> known(std::begin(stage_names), std::end(stage_names));
    auto stage = smtp::stage_from_text(word);
    if (!stage || std::ranges::find(known, word) == known.end())
        throw WrongUsage(
            fmt::format("--stage \"{}\" is none of: {}{}", word, fmt::join(known, ", "), did_you_mean(word, known)));
    return *stage;
}

int explain(Call& call) {
    auto stage = stage_of(call);
    auto reply = smtp::reply_from_text(call.argument(0));
    if (!reply)
        throw Failure(fmt::format("\"{}\" is no answer of a relay; it begins with three digits, as in \"451 4.7.1 Try "
                                  "again later\"",
                                  call.argument(0)));
    auto meaning = delivery::meaning_of(stage, *reply);
    if (call.json()) {
        print_json(call.out, json::object{{"verdict", to_text(meaning.answer)},
                                          {"about", to_text(meaning.about)},
                                          {"why", meaning.why}});
        return 0;
    }
    constexpr std::string_view doing[] = {"the message was taken", "it is tried again later",
                                          "this reader is not tried again in this issue",
                                          "nothing more is sent this way for a while, and nobody's tries are counted"};
    call.say(fmt::format("{}: {}", to_text(meaning.answer), meaning.why));
    call.say(fmt::format("It is about the {}; {}.", to_text(meaning.about), doing[int(meaning.answer)]));
    return 0;
}

struct Hold {
    std::optional<Time> until;
    std::string reason;
};

Hold hold_of(Call& call, const std::string& name) {
    auto read = [](const storage::Row& row) {
        return Hold{row.get<std::optional<Time>>(0), row.get<std::optional<std::string>>(1).value_or("")};
    };
    auto hold = call.database().first("SELECT held_until, reason FROM relay_state WHERE name = $1", read, name);
    return hold && hold->until ? *hold : Hold{};
}

int ls(Call& call) {
    json::array rows;
    Table table({"RELAY", "URL", "TLS", "CONNECTIONS", "HELD UNTIL", "WHY"});
    for (auto& relay : call.site().relays) {
        auto& settings = relay.lane.relay;
        auto hold = hold_of(call, settings.name);
        auto tls = relay.outbox ? "none" : to_text(settings.tls); // what stays in a folder is not encrypted on a wire
        rows.push_back(json::object{{"name", settings.name},
                                    {"url", settings.url},
                                    {"user", json_text(settings.user)},
                                    {"tls", tls},
                                    {"connections", relay.lane.connections},
                                    {"held_until", json_time(hold.until)},
                                    {"reason", hold.until ? json::value(hold.reason) : json::value()}});
        table.row({settings.name, settings.url, std::string(tls), std::to_string(relay.lane.connections),
                   hold.until ? shown(hold.until) : "-", hold.reason});
    }
    if (call.json())
        print_json(call.out, rows);
    else
        table.print(call.out, call.terminal);
    return 0;
}

const daemon::Relay& relay_of(Call& call) {
    auto& relays = call.site().relays;
    if (call.count() == 0) return relays.front();
    std::vector<std::string> known;
    for (auto& relay : relays) {
        if (relay.lane.relay.name == call.argument(0)) return relay;
        known.push_back(relay.lane.relay.name);
    }
    throw Failure(fmt::format("there is no relay \"{}\"{}; `postrider relay ls` shows them", call.argument(0),
                              did_you_mean(call.argument(0), known)));
}

std::string test_message(Call& call, const mail::Address& to, const std::string& relay) {
    auto& words = call.site().words;
    mail::Heading heading{words.from, {}, fmt::format("Test of the relay {}", relay), {}, mail::Body::text};
    auto id = "test." + system::base32(system::random_bytes(15));
    mail::Recipient recipient{to, "", id, "", ""};
    auto text = fmt::format("`postrider relay test` of {} sent this mail through the relay \"{}\". It works.\n",
                            words.name, relay);
    return mail::whole_message(heading, recipient, call.now, text, "");
}

struct Tested {
    bool encrypted = false;
    smtp::Capabilities offered;
    std::optional<smtp::Reply> taken; // of the mail
    std::string trouble;              // one line; empty: all went well
};

asio::awaitable<void> send(smtp::Session& session, const std::string& from, const mail::Address& to, std::string body,
                           Tested& tested) {
    smtp::Envelope envelope{from, to.ascii(), to.needs_smtputf8(), body.size()};
    auto result = co_await session.begin(envelope);
    if (!result.ready()) {
        tested.trouble = fmt::format("at {}: {}", to_text(result.stage), smtp::to_text(*result.refusal));
        co_return;
    }
    tested.taken = co_await session.finish(body, nullptr);
    if (!tested.taken->done()) tested.trouble = "after the message: " + smtp::to_text(*tested.taken);
}

asio::awaitable<void> converse(Call& call, system::CurlLoop& curl, system::Clock& clock,
                               const smtp::RelaySettings& settings, Tested& tested) {
    using namespace asio::experimental::awaitable_operators;
    auto opened = co_await smtp::Session::open(curl, clock, settings);
    if (!opened) {
        tested.trouble = opened.error().text;
        co_return;
    }
    auto& session = **opened;
    tested.encrypted = session.encrypted();
    tested.offered = session.offered();
    if (auto written = call.text_if("--to")) {
        auto to = call.address(*written);
        auto body = test_message(call, to, settings.name);
        auto from = digest::letter_sender(call.site().words);
        auto sending = send(session, from, to, std::move(body), tested);
        auto watching = session.keep_time();
        co_await (std::move(sending) || std::move(watching));
    }
    if (!session.lost()) co_await session.quit();
}

int test(Call& call) {
    auto& relay = relay_of(call);
    auto settings = relay.lane.relay;
    if (auto to = call.text_if("--to")) (void)call.address(*to);
    settings.timeouts.opening = 30s; // somebody sits and waits
    settings.timeouts.command = settings.timeouts.data = settings.timeouts.dot = 60s;

    asio::io_context context(1);
    system::SystemClock clock;
    system::CurlLoop curl(context.get_executor());
    std::optional<smtp::Outbox> outbox;
    if (relay.outbox) {
        outbox.emplace(context.get_executor(), call.site().outbox, clock);
        outbox->run();
        settings.url = outbox->url();
        settings.tls = smtp::default_tls(settings.url);
    }
    Tested tested;
    asio::co_spawn(context, converse(call, curl, clock, settings, tested), [&](std::exception_ptr failed) {
        try {
            if (failed) std::rethrow_exception(failed);
        } catch (const std::exception& error) {
            tested.trouble = error.what();
        }
        if (outbox) outbox->stop();
    });
    context.run();

    auto& name = settings.name;
    if (!tested.trouble.empty()) throw Failure(fmt::format("relay {} ({}): {}", name, settings.url, tested.trouble));
    auto& offered = tested.offered;
    if (call.json()) {
        print_json(call.out,
                   json::object{{"relay", name},
                                {"url", relay.lane.relay.url},
                                {"encrypted", tested.encrypted},
                                {"pipelining", offered.pipelining},
                                {"smtputf8", offered.smtputf8},
                                {"dsn", offered.dsn},
                                {"size", offered.largest},
                                {"reply", tested.taken ? json::value(smtp::to_text(*tested.taken)) : json::value()}});
        return 0;
    }
    call.say(fmt::format("relay {} ({}) answers: {}{}{}{}", name, relay.lane.relay.url,
                         tested.encrypted ? "encrypted" : "not encrypted",
                         settings.user.empty() ? ", no login" : fmt::format(", logged in as {}", settings.user),
                         offered.pipelining ? ", pipelining" : ", no pipelining (slower)",
                         offered.smtputf8 ? ", takes UTF-8 addresses" : ""));
    if (tested.taken)
        call.say(fmt::format("it took a mail to {}: {}", call.text("--to"), smtp::to_text(*tested.taken)));
    else
        call.say("no mail was sent; --to ADDRESS sends one");
    return 0;
}

}

void add_relay(Commands& commands) {
    commands.push_back({"relay",
                        "ls",
                        "Show the relays, and whether one is left alone for a while.",
                        "relay ls",
                        {},
                        {json_option},
                        ls});
    commands.push_back({"relay",
                        "test",
                        "Talk to a relay: connect, encrypt, log in; with --to also send one mail.",
                        "relay test main --to you@example.org",
                        {{"NAME", "left out: the first relay", Times::maybe}},
                        {{"--to", "ADDRESS", "who gets the mail"}, json_option},
                        test});
    commands.push_back(
        {"relay",
         "explain",
         "Say what we would do on an answer of a relay, and why. Needs no site.",
         "relay explain \"451 4.7.1 Greylisted, try again later\" --stage rcpt",
         {{"ANSWER", "what the relay says, codes first, in quotes"}},
         {{"--stage", "STAGE", "what it answers: connect greeting ehlo starttls auth mail rcpt data body"},
          json_option},
         explain});
}

}
