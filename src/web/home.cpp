#include "digest/issues.hpp"
#include "storage/database.hpp"
#include "system/log.hpp"
#include "web/pages.hpp"

#include <boost/json.hpp>

namespace postrider::web {

namespace json = boost::json;

Pages::Answer Pages::home(const http::Request& request, const Names&) {
    struct Shown {
        subscribers::List list;
        bool has_archive;
    };
    auto read = [](storage::Connection& connection) {
        std::vector<Shown> shown;
        for (auto& list : subscribers::Lists(connection).all())
            if (list.state == subscribers::ListState::open)
                shown.push_back({list, !digest::Issues(connection).published(list.id, 1).empty()});
        return shown;
    };
    auto shown = co_await database_.read(read);

    auto words = speaking(request);
    json::array lists;
    for (auto& one : shown)
        lists.push_back(
            json::object{{"slug", one.list.slug},
                         {"language", one.list.language},
                         {"direction", templates::direction_of(one.list.language)},
                         {"title", one.list.title},
                         {"description", one.list.description},
                         {"join_url", path_of("/join/" + one.list.slug)},
                         {"archive_url", one.has_archive ? path_of("/archive/" + one.list.slug) : std::string()}});
    auto all = data(words, words.text("newsletters"));
    all["lists"] = std::move(lists);
    auto response = page(200, "page_home.html", std::move(all));
    response.headers.add("Vary", "Accept-Language");
    co_return response;
}

Pages::Answer Pages::health(const http::Request&, const Names&) {
    std::vector<std::string> wrong;
    if (options_.what_is_wrong) wrong = options_.what_is_wrong();
    auto ask = [](storage::Connection& connection) {
        return connection.value<std::int64_t>("SELECT count(*) FROM list");
    };
    try {
        (void)co_await database_.read(ask);
    } catch (const storage::Error& error) {
        log::error("database cannot be read", {{"error", error.what()}});
        wrong.emplace_back("the database cannot be read");
    }
    json::array sentences;
    for (auto& sentence : wrong) sentences.emplace_back(sentence);
    json::object body{{"status", wrong.empty() ? "ok" : "degraded"},
                      {"wrong", std::move(sentences)},
                      {"version", POSTRIDER_VERSION},
                      {"time", rfc3339(clock_.now())}};
    co_return json_answer(200, body);
}

}
