#pragma once

#include "daemon/kept_answers.hpp"
#include "http/server.hpp"
#include "web/pages.hpp"

#include <string>
#include <vector>

// Which page answers which method and path, and what every answer carries.
//
// In:     requests, as http::Server hands them over.
// Out:    the page's answer; 404 for a path that is none, 405 with Allow for another method, 204 for OPTIONS.
// Always: HEAD is GET; only POST may change anything. A slash at the end of a path is of no consequence, and no answer
//         is a redirect: what mail programs post must arrive where it was sent (RFC 8058 section 3.1). Answers under a
//         token are neither stored nor indexed, and no answer tells another site where it was read.

namespace postrider::daemon {

struct RouteSettings {
    std::vector<std::string> cors_origins; // "https://courier.example": whose pages may post sign-ups
    KeptAnswers* kept = nullptr;           // must outlive the handler; none: every answer is made anew
};

// The pages must outlive the handler.
[[nodiscard]] http::Handler routes(web::Pages&, RouteSettings);
// The page for what the server itself refuses. The pages must outlive it.
[[nodiscard]] http::Refuser refusals(web::Pages&);

}
