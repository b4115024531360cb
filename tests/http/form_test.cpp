#include "http/date.hpp"
#include "http/form.hpp"

#include <gtest/gtest.h>

using namespace postrider;
using namespace postrider::http;

namespace {

std::string all_of(const FormResult& form) {
    if (!form) return "error: " + form.error();
    std::string text;
    for (const auto& [name, value] : *form) text += name + "=" + value + ";";
    return text;
}

const std::string browser_form = "--xyz\r\n"
                                 "Content-Disposition: form-data; name=\"email\"\r\n"
                                 "\r\n"
                                 "ada@example.org\r\n"
                                 "--xyz\r\n"
                                 "Content-Disposition: form-data; name=\"a \\\"b%22\"; filename=\"f;name=evil.csv\"\r\n"
                                 "Content-Type: text/csv\r\n"
                                 "\r\n"
                                 "line\r\n--xy\r\n\r\n"
                                 "--xyz\r\n"
                                 "Content-Disposition: form-data; name=\"empty\"\r\n"
                                 "\r\n"
                                 "\r\n"
                                 "--xyz--\r\n";

}

TEST(Form, UrlEncodedFieldsAreDecodedAsBrowsersEncodeThem) {
    EXPECT_EQ(all_of(parse_urlencoded("a=1&b=x+y%20z&c&=d&&e=f=g")), "a=1;b=x y z;c=;=d;e=f=g;");
    EXPECT_EQ(all_of(parse_urlencoded("caf%C3%A9=%E2%82%AC")), "café=€;");
    EXPECT_EQ(all_of(parse_urlencoded("a=100%&b=%zz&c=%4")), "a=100%;b=%zz;c=%4;");
    EXPECT_EQ(all_of(parse_urlencoded("")), "");
}

TEST(Form, TheFirstOfSeveralFieldsCounts) {
    auto form = parse_urlencoded("topic=a&topic=b");
    EXPECT_EQ(form->value("topic"), "a");
    EXPECT_EQ(form->all("topic"), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(form->first("absent"), std::nullopt);
}

TEST(Form, TooManyFieldsAreAnError) {
    std::string text;
    for (std::size_t i = 0; i <= max_fields; ++i) text += "a&";
    EXPECT_EQ(all_of(parse_urlencoded(text)), "error: more than 200 fields");
}

TEST(Form, MultipartFieldsAreReadWithoutTouchingTheirBytes) {
    EXPECT_EQ(all_of(parse_multipart(browser_form, "xyz")), "email=ada@example.org;a \"b\"=line\r\n--xy\r\n;empty=;");
    EXPECT_EQ(all_of(parse_multipart("preamble\r\n" + browser_form + "epilogue", "xyz")),
              "email=ada@example.org;a \"b\"=line\r\n--xy\r\n;empty=;");
    EXPECT_EQ(all_of(parse_multipart("--xyz--", "xyz")), "");
}

TEST(Form, BrokenMultipartIsAnErrorNeverHalfAForm) {
    for (std::size_t size = 0; size + 4 < browser_form.size(); ++size)
        EXPECT_FALSE(parse_multipart(browser_form.substr(0, size), "xyz")) << size;
    EXPECT_FALSE(parse_multipart(browser_form, ""));
    EXPECT_FALSE(parse_multipart(browser_form, std::string(71, 'x')));
    EXPECT_FALSE(parse_multipart("--xyz\r\nContent-Disposition: form-data\r\n\r\nx\r\n--xyz--", "xyz"));
    EXPECT_FALSE(parse_multipart("--xyz\r\n\r\nx\r\n--xyz--", "xyz"));
}

TEST(Form, TheContentTypeDecidesHowABodyIsRead) {
    Request request;
    request.headers.set("Content-Type", "Application/X-WWW-Form-Urlencoded; charset=UTF-8");
    request.body = "a=b";
    EXPECT_EQ(all_of(parse_form(request)), "a=b;");
    request.headers.set("content-type", "multipart/form-data; charset=utf-8; boundary=\"xyz\"");
    request.body = browser_form;
    EXPECT_EQ(parse_form(request)->value("email"), "ada@example.org");
    request.headers.set("Content-Type", "text/plain");
    EXPECT_EQ(all_of(parse_form(request)), "error: a form cannot be of type \"text/plain\"");
    EXPECT_EQ(all_of(parse_form(Request{})), "");
}

TEST(Form, ParametersAreReadWithAndWithoutQuotes) {
    EXPECT_EQ(parameter("a/b; x=1; boundary=abc", "boundary"), "abc");
    EXPECT_EQ(parameter("a/b; x=\"; boundary=no\"; Boundary=\"a\\\"b\"", "boundary"), "a\"b");
    EXPECT_EQ(parameter("a/b; flag; boundary=abc", "boundary"), "abc");
    EXPECT_EQ(parameter("a/b;boundary", "boundary"), "");
    EXPECT_EQ(parameter("a/b", "boundary"), "");
}

TEST(Form, JsonIsGivenOnlyToThoseWhoPreferIt) {
    for (const char* accept :
         {"application/json", "application/json, text/html;q=0.9", "application/json, */*;q=0.5", "application/*",
          "text/html;q=0, */*", "APPLICATION/JSON", "text/html;q=0.2,application/json;q=0.3"})
        EXPECT_EQ(preferred_format(accept), Format::json) << accept;
    for (const char* accept :
         {"", "*/*", "text/html", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
          "text/html, application/json", "application/json;q=0", "image/png", "application/json;q=x", ",;,",
          "application/json;q=2"})
        EXPECT_EQ(preferred_format(accept), Format::html) << accept;
}

TEST(Form, PercentCodingGoesThereAndBack) {
    std::string every_byte;
    for (int i = 0; i < 256; ++i) every_byte += char(i);
    EXPECT_EQ(percent_decode(percent_encode(every_byte)), every_byte);
    EXPECT_EQ(percent_encode("a b/c?~"), "a%20b%2Fc%3F~");
    EXPECT_EQ(percent_decode("%"), std::nullopt);
    EXPECT_EQ(percent_decode("a%4"), std::nullopt);
    EXPECT_EQ(percent_decode("%4g"), std::nullopt);
}

TEST(HttpDate, AllThreeFormsOfTheStandardAreRead) {
    auto now = *parse_rfc3339("2026-11-24T00:00:00Z");
    for (const char* text :
         {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
        auto time = parse_http_date(text, now);
        ASSERT_TRUE(time) << text;
        EXPECT_EQ(rfc3339(*time), "1994-11-06T08:49:37Z");
        EXPECT_EQ(http_date(*time), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
    for (const char* text : {"", "soon", "120", "Sun, 31 Feb 1994 08:49:37 GMT", "Sun, 06 Nov 1994 24:49:37 GMT",
                             "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Foo 1994 08:49:37 GMT"})
        EXPECT_FALSE(parse_http_date(text, now)) << text;
}
