#include "http/conditional.hpp"

#include <gtest/gtest.h>

namespace postrider::http {
namespace {

constexpr Time now = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 24));

Response answer(Headers asked, std::string body = "the page", std::string method = "GET") {
    Request request;
    request.method = std::move(method);
    request.headers = std::move(asked);
    Response response{200, {{"Last-Modified", "Mon, 23 Nov 2026 08:00:00 GMT"}}, std::move(body)};
    tag(response);
    answer_conditionally(request, response, now);
    return response;
}

TEST(Conditional, WhoeverHasThePageIsToldSoWithoutIt) {
    auto tag = std::string(answer({}).headers.value("ETag"));
    EXPECT_EQ(tag.size(), 24u);
    for (auto& have : {tag, "W/" + tag, "\"x\", " + tag, std::string("*")}) {
        auto again = answer({{"If-None-Match", have}});
        EXPECT_EQ(again.status, 304) << have;
        EXPECT_EQ(again.body, "");
        EXPECT_EQ(again.headers.value("ETag"), tag);
    }
}

TEST(Conditional, AnotherPageIsSent) {
    auto tag = std::string(answer({}).headers.value("ETag"));
    EXPECT_EQ(answer({{"If-None-Match", tag}}, "another page").status, 200);
    EXPECT_EQ(answer({{"If-None-Match", tag.substr(1)}}).status, 200);
    EXPECT_EQ(answer({{"If-None-Match", ""}}).status, 200);
}

TEST(Conditional, TheDateCountsOnlyWithoutATag) {
    EXPECT_EQ(answer({{"If-Modified-Since", "Mon, 23 Nov 2026 08:00:00 GMT"}}).status, 304);
    EXPECT_EQ(answer({{"If-Modified-Since", "Mon, 23 Nov 2026 07:59:59 GMT"}}).status, 200);
    EXPECT_EQ(answer({{"If-Modified-Since", "yesterday"}}).status, 200);
    EXPECT_EQ(answer({{"If-None-Match", "\"x\""}, {"If-Modified-Since", "Mon, 23 Nov 2026 08:00:00 GMT"}}).status, 200);
}

TEST(Conditional, APostIsAlwaysAnswered) {
    auto posted = answer({{"If-None-Match", "*"}}, "the page", "POST");
    EXPECT_EQ(posted.status, 200);
    EXPECT_EQ(posted.body, "the page");
}

}
}
