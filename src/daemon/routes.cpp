#include "daemon/routes.hpp"

#include "http/conditional.hpp"
#include "storage/connection.hpp"
#include "system/log.hpp"

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <string_view>

namespace postrider::daemon {
namespace {

using web::Pages;
using Page = Pages::Answer (Pages::*)(const http::Request&, const Pages::Names&);

enum class Kind {
    open,   // anybody may read it, and keep it for a moment
    fresh,  // anybody may read it; it changes
    secret, // under a token, or for the operator
};

struct Route {
    std::string_view path; // "*" stands for one name
    Page get;
    Page post; // null: there is nothing to change
    Kind kind;
    bool cors = false; // forms of other sites post here
};

constexpr std::array table = {
    Route{"/", &Pages::home, nullptr, Kind::fresh},
    Route{"/health", &Pages::health, nullptr, Kind::secret},
    Route{"/join.js", &Pages::join_script, nullptr, Kind::open},
    Route{"/challenge", &Pages::challenge, nullptr, Kind::secret, true},
    Route{"/join/*", &Pages::join_form, &Pages::join, Kind::fresh, true},
    Route{"/confirm/*", &Pages::confirm_form, &Pages::confirm, Kind::secret},
    Route{"/leave/*", &Pages::leave_form, &Pages::leave, Kind::secret},
    Route{"/preferences/*", &Pages::preferences, &Pages::change_preferences, Kind::secret},
    Route{"/view/*", &Pages::view, nullptr, Kind::secret},
    Route{"/approve/*", &Pages::approve_form, &Pages::approve, Kind::secret},
    Route{"/stop/*", &Pages::stop_form, &Pages::stop, Kind::secret},
    Route{"/archive/*", &Pages::archive, nullptr, Kind::fresh},
    Route{"/archive/*/feed.xml", &Pages::archive_feed, nullptr, Kind::open},
    Route{"/archive/*/feed.json", &Pages::archive_feed, nullptr, Kind::open},
    Route{"/archive/*/*", &Pages::archive_issue, nullptr, Kind::open},
    Route{"/outbox", &Pages::outbox, nullptr, Kind::secret},
    Route{"/outbox/*/*", &Pages::outbox_mail, nullptr, Kind::secret},
};

std::vector<std::string_view> segments(std::string_view path) {
    std::vector<std::string_view> found;
    if (path.starts_with('/')) path.remove_prefix(1);
    if (path.ends_with('/')) path.remove_suffix(1);
    while (!path.empty()) {
        auto end = std::min(path.find('/'), path.size());
        found.push_back(path.substr(0, end));
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return found;
}

std::optional<Pages::Names> match(std::string_view pattern, const std::vector<std::string_view>& path) {
    auto wanted = segments(pattern);
    if (wanted.size() != path.size()) return std::nullopt;
    Pages::Names names;
    for (std::size_t i = 0; i < path.size(); ++i) {
        if (wanted[i] == "*")
            names.emplace_back(path[i]);
        else if (wanted[i] != path[i])
            return std::nullopt;
    }
    return names;
}

std::string allowed(const Route& route) { return route.post ? "GET, HEAD, POST, OPTIONS" : "GET, HEAD, OPTIONS"; }

void dress(http::Response& response, Kind kind, const Pages& pages) {
    auto& headers = response.headers;
    if (!headers.has("Content-Security-Policy"))
        headers.add("Content-Security-Policy",
                    "default-src 'none'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'");
    headers.add("X-Content-Type-Options", "nosniff");
    headers.add("Referrer-Policy", "no-referrer");
    bool keep = kind == Kind::open && response.status == 200;
    if (kind == Kind::secret)
        headers.add("Cache-Control", "no-store");
    else
        headers.add("Cache-Control", keep ? "public, max-age=300" : "no-cache");
    if (kind == Kind::secret) headers.add("X-Robots-Tag", "noindex");
    if (pages.is_secure()) headers.add("Strict-Transport-Security", "max-age=31536000");
}

class Router {
public:
    Router(Pages& pages, RouteSettings settings) : pages_(pages), settings_(std::move(settings)) {}

    boost::asio::awaitable<http::Response> answer(http::Request request) const {
        auto path = segments(below_site(request.path));
        Pages::Names names;
        auto route = std::ranges::find_if(table, [&](const Route& one) {
            auto found = match(one.path, path);
            if (found) names = std::move(*found);
            return found.has_value();
        });
        if (route == table.end()) {
            auto response = pages_.not_found(request);
            dress(response, Kind::secret, pages_);
            co_return response;
        }
        http::Response response;
        auto page = page_for(*route, request.method);
        auto key = settings_.kept && page && route->kind != Kind::secret ? KeptAnswers::key_of(request) : std::string();
        if (auto* kept = key.empty() ? nullptr : settings_.kept->find(key)) {
            response = *kept;
        } else {
            if (page) {
                auto running = answered(page, request, names);
                response = co_await std::move(running);
            } else {
                response = without_page(*route, request);
            }
            dress(response, route->kind, pages_);
            if (route->kind != Kind::secret && request.method == "GET") http::tag(response);
            if (!key.empty()) settings_.kept->keep(key, response);
        }
        if (route->kind != Kind::secret) http::answer_conditionally(request, response, pages_.now());
        if (route->cors) allow_origin(response, *route, request);
        co_return response;
    }

private:
    // A proxy may strip the path of site.url or leave it there.
    std::string_view below_site(std::string_view path) const {
        const auto& prefix = pages_.site_path();
        bool below =
            !prefix.empty() && path.starts_with(prefix) && (path.size() == prefix.size() || path[prefix.size()] == '/');
        return below ? path.substr(prefix.size()) : path;
    }

    // A database that another process keeps locked, or that cannot be written, is an answer too: come again.
    boost::asio::awaitable<http::Response> answered(Page page, const http::Request& request,
                                                    const Pages::Names& names) const {
        try {
            auto running = (pages_.*page)(request, names);
            co_return co_await std::move(running);
        } catch (const storage::Error& error) {
            log::error("a request could not be served", {{"method", request.method}, {"reason", error.what()}});
        } catch (const std::exception& error) {
            log::error("a request failed", {{"method", request.method}, {"error", error.what()}});
            co_return pages_.refusal(request, 500, "broken");
        }
        auto response = pages_.refusal(request, 503, "busy");
        response.headers.add("Retry-After", "10");
        co_return response;
    }

    static Page page_for(const Route& route, std::string_view method) {
        if (method == "GET" || method == "HEAD") return route.get;
        if (method == "POST") return route.post;
        return nullptr;
    }

    http::Response without_page(const Route& route, const http::Request& request) const {
        http::Response response{204, {}, {}};
        if (request.method != "OPTIONS") response = pages_.refusal(request, 405, "wrong_method");
        response.headers.add("Allow", allowed(route));
        return response;
    }

    // https://fetch.spec.whatwg.org/#http-cors-protocol; no credentials: there are none.
    void allow_origin(http::Response& response, const Route& route, const http::Request& request) const {
        response.headers.add("Vary", "Accept, Accept-Language, Origin");
        auto origin = request.headers.value("Origin");
        if (origin.empty() || std::ranges::find(settings_.cors_origins, origin) == settings_.cors_origins.end()) return;
        response.headers.add("Access-Control-Allow-Origin", std::string(origin));
        response.headers.add("Access-Control-Expose-Headers", "Retry-After");
        if (request.method != "OPTIONS") return;
        response.headers.add("Access-Control-Allow-Methods", allowed(route));
        response.headers.add("Access-Control-Allow-Headers", "Content-Type, Accept");
        response.headers.add("Access-Control-Max-Age", "86400");
    }

    Pages& pages_;
    RouteSettings settings_;
};

}

http::Handler routes(Pages& pages, RouteSettings settings) {
    auto router = std::make_shared<const Router>(pages, std::move(settings));
    return [router](http::Request request) { return router->answer(std::move(request)); };
}

http::Refuser refusals(Pages& pages) {
    return [&pages](const http::Request& request, int status, std::string_view reason) {
        auto response = pages.not_taken(request, status, reason);
        dress(response, Kind::secret, pages);
        return response;
    };
}

}
