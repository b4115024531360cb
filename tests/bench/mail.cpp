#include "delivery/message.hpp"
#include "digest/content.hpp"
#include "support/mail_linter.hpp"
#include "templates/inline_styles.hpp"
#include "templates/mustache.hpp"
#include "templates/source.hpp"

#include <boost/json.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

// How many personal mails of 14 kB one core makes in a second: the built-in digest, compiled once and filled in for
// each reader, against a full render of its two templates for each reader. And how long the compiling takes.
//
// In:     --rounds N, default 5.
// Out:    the medians of alternating rounds, in mails a second; "links" is what the keys sign for each reader. Then
//         the time from stories to a message that can be filled in, styles inlined, for an issue of 20 stories.
// Always: for every reader of the first round, both parts of the mail, decoded, are compared with the full render, and
//         the measurement fails where one byte differs.

using namespace postrider;

namespace {

namespace json = boost::json;

constexpr std::size_t wanted_size = 14'000;
constexpr int readers_in_memory = 1000;

struct Keys {
    std::filesystem::path folder = [] {
        auto pattern = (std::filesystem::temp_directory_path() / "postrider-merge-XXXXXX").string();
        return std::filesystem::path(mkdtemp(pattern.data()));
    }();
    subscribers::LinkTokens tokens{folder / "links"};
    ~Keys() { std::filesystem::remove_all(folder); }
};

std::vector<stories::Story> some_stories(int count, Time now) {
    std::vector<stories::Story> stories;
    for (int i = 0; i < count; ++i) {
        stories::Story story;
        story.title = fmt::format("The harbour café, part {}: what the board decided & why", i + 1);
        story.url = fmt::format("https://courier.example/2026/11/harbour-{}?from=list&part={}", i, i);
        story.source = "The Courier";
        story.byline = "Ída Ørsted";
        story.first_seen_at = now;
        story.summary =
            "The harbour board met on Monday evening and heard fishermen, bakers and the master of the night ferry "
            "before it decided to put off the decision until the ice has gone, as it has done every winter since the "
            "old pier burnt down. Nobody in the hall was surprised – \"we know our board\", said one.";
        stories.push_back(std::move(story));
    }
    return stories;
}

templates::Template built_in(std::string_view name) {
    auto parsed = templates::parse(*templates::Library::built_in(name), templates::Library::built_in);
    if (!parsed) throw std::runtime_error(fmt::format("{} does not parse", name));
    return *parsed;
}

// The same issue, once compiled and once as it would have to be rendered for each reader.
class Issue {
public:
    Issue(const Keys& keys, int story_count) : signer_(keys.tokens.signer()), message_(compile(keys, story_count)) {}

    void links(const subscribers::Reader& reader) { links_.make(signer_, site_.url, MailingId{7}, reader); }
    const std::string& merge(const subscribers::Reader& reader, const mail::Address& address) {
        out_.clear();
        message_->write(out_, reader, address, links_, scratch_);
        return out_;
    }
    // Text and HTML.
    std::pair<std::string, std::string> render(const subscribers::Reader& reader) {
        for (auto* content : {&text_content_, &html_content_}) add_reader(*content, reader);
        return {text_.render(text_content_), html_.render(html_content_)};
    }

    std::optional<delivery::Message> compile(const Keys& keys, int story_count) {
        subscribers::List list;
        list.slug = "daily";
        list.title = list_title_;
        list.description = "What happened, every morning.";
        list.timezone = "Europe/Berlin";
        auto stories = some_stories(story_count, now_);
        json::object content =
            digest::issue_content(site_, list, {}, {12, now_, 3}, stories, words_, digest::Bodies::left_out);
        auto subject = templates::compile(built_in("subject"), content);
        content.at("issue").as_object()["subject"] = "The Daily, issue 12";
        html_content_ = content;
        text_content_ = digest::for_plain_text(content);
        mail::ListFields fields{list.title, "daily.courier.example", site_.url + "/", site_.url + "/archive/daily",
                                "12:daily:digest:courier"};
        mail::Heading heading{site_.from, {}, "", fields, mail::Body::alternative};
        delivery::MessageParts parts{std::move(heading),
                                     keys.tokens.newest(),
                                     "",
                                     now_,
                                     std::move(subject),
                                     templates::compile(text_, text_content_),
                                     templates::with_inlined_styles(templates::compile(html_, html_content_)),
                                     delivery::why_program(words_, list.title),
                                     words_.language(),
                                     list.timezone};
        return delivery::Message::compile(parts);
    }

private:
    void add_reader(json::value& content, const subscribers::Reader& reader) const {
        auto& object = content.as_object();
        object["subscriber"] = {{"name", reader.name},
                                {"first_name", reader.name.substr(0, reader.name.find(' '))},
                                {"address", reader.address},
                                {"language", reader.language}};
        object["unsubscribe_url"] = links_.unsubscribe_url;
        object["preferences_url"] = links_.preferences_url;
        object["view_url"] = links_.view_url;
        std::string why;
        std::string_view values[] = {reader.address, "24 November 2026"};
        why_.fill(why, values);
        delivery::wrap_why(why);
        object["why"] = why;
    }

    Time now_ = parse_rfc3339("2026-11-24T06:00:00Z").value();
    digest::SiteWords site_{"The Courier", "https://mail.courier.example", "1 Press Square, Example City",
                            "https://courier.example/privacy",
                            mail::parse_mailbox("The Courier <news@courier.example>").value()};
    std::string list_title_ = "The Daily";
    templates::Words words_ = templates::Languages().words({"en"});
    templates::Program why_ = delivery::why_program(words_, list_title_); // first the address, then the day
    templates::Template text_ = built_in("digest.txt"), html_ = built_in("digest.html");
    json::value text_content_, html_content_;
    subscribers::LinkSigner signer_;
    std::optional<delivery::Message> message_;
    delivery::ReaderLinks links_;
    delivery::Message::Scratch scratch_;
    std::string out_;
};

struct Readers {
    std::vector<subscribers::Reader> readers;
    std::vector<mail::Address> addresses;

    Readers() {
        constexpr std::string_view names[] = {"Ada Lovelace", "Jürgen <Ø> Müller", "O'Neil & \"Sons\"", "",
                                              "Žofie=20 ."};
        for (int i = 1; i <= readers_in_memory; ++i) {
            subscribers::Reader reader{};
            reader.subscription = SubscriptionId{1'000'000 + i};
            reader.subscriber = SubscriberId{2'000'000 + i};
            reader.address = fmt::format("reader.{:07}@example{}.test", i, i % 97);
            reader.name = names[i % std::size(names)];
            reader.attributes = "{}";
            reader.activated_at = parse_rfc3339("2026-11-24T05:00:00Z").value();
            addresses.push_back(mail::parse_address(reader.address).value());
            readers.push_back(std::move(reader));
        }
    }
};

std::string with_crlf(std::string_view text) {
    std::string out;
    for (char c : text) out += c == '\n' ? std::string("\r\n") : std::string(1, c);
    return out;
}

void compare(Issue& issue, const Readers& all) {
    for (std::size_t i = 0; i < all.readers.size(); ++i) {
        issue.links(all.readers[i]);
        auto bodies = mail_linter::bodies(mail_linter::read(issue.merge(all.readers[i], all.addresses[i])));
        auto [text, html] = issue.render(all.readers[i]);
        if (bodies.size() != 2 || bodies[0] != with_crlf(text) || bodies[1] != with_crlf(html))
            throw std::runtime_error(
                fmt::format("the mail to {} is not what a full render gives", all.readers[i].address));
    }
}

// Calls work(i) for about half a second; how often it did in a second.
template <class Work>
double rate(Work work) {
    using Clock = std::chrono::steady_clock;
    auto began = Clock::now();
    std::int64_t done = 0;
    std::chrono::duration<double> passed{0};
    while (passed.count() < 0.5) {
        for (int i = 0; i < 64; ++i) work(std::size_t(done++ % readers_in_memory));
        passed = Clock::now() - began;
    }
    return double(done) / passed.count();
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

// Milliseconds, the median of a hundred.
double time_to_compile(const Keys& keys, int stories) {
    using Clock = std::chrono::steady_clock;
    Issue issue(keys, stories);
    std::vector<double> times;
    for (int i = 0; i < 100; ++i) {
        auto began = Clock::now();
        if (!issue.compile(keys, stories)) throw std::runtime_error("the issue does not compile");
        times.push_back(std::chrono::duration<double, std::milli>(Clock::now() - began).count());
    }
    return median(times);
}

}

int main(int count, char** words) try {
    int rounds = count == 3 && std::string_view(words[1]) == "--rounds" ? std::atoi(words[2]) : 5;
    Keys keys;
    Readers all;
    std::optional<Issue> issue;
    std::size_t size = 0;
    int stories = 0;
    while (size < wanted_size) {
        issue.emplace(keys, ++stories);
        issue->links(all.readers[0]);
        size = issue->merge(all.readers[0], all.addresses[0]).size();
    }
    compare(*issue, all);

    std::vector<double> merges, merges_with_links, renders;
    std::size_t octets = 0; // so that nothing is optimised away
    for (int round = 0; round < rounds; ++round) {
        merges.push_back(rate([&](std::size_t i) { octets += issue->merge(all.readers[i], all.addresses[i]).size(); }));
        merges_with_links.push_back(rate([&](std::size_t i) {
            issue->links(all.readers[i]);
            octets += issue->merge(all.readers[i], all.addresses[i]).size();
        }));
        renders.push_back(rate([&](std::size_t i) { octets += issue->render(all.readers[i]).second.size(); }));
    }
    fmt::print("Personal mails of {} octets ({} stories, text and HTML) on one core; medians of {} alternating rounds; "
               "{} compared byte by byte\n\n",
               size, stories, rounds, all.readers.size());
    fmt::print("{:32}{:>12}{:>12}\n", "", "mails/s", "ours is");
    fmt::print("{:32}{:>12.0f}{:>12.1f}\n", "merge", median(merges), median(merges) / median(renders));
    fmt::print("{:32}{:>12.0f}{:>12.1f}\n", "links and merge", median(merges_with_links),
               median(merges_with_links) / median(renders));
    fmt::print("{:32}{:>12.0f}{:>12.1f}\n", "full render, without MIME", median(renders), 1.0);
    fmt::print("\nAn issue of 20 stories is compiled in {:.2f} ms\n", time_to_compile(keys, 20));
    return octets > 0 ? 0 : 1;
} catch (const std::exception& error) {
    fmt::print(stderr, "mail: {}\n", error.what());
    return 1;
}
