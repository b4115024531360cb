#include "http/request_parser.hpp"

#include "http/form.hpp"

#include <boost/beast/http/basic_parser.hpp>

#include <algorithm>
#include <array>

namespace postrider::http {

namespace beast = boost::beast;
using beast::error_code;
using BeastText = beast::string_view;

namespace {

constexpr std::size_t max_header_fields = 100;
constexpr std::size_t max_chunk_line = 4096;

std::string_view view(BeastText text) { return {text.data(), text.size()}; }

bool is_known_method(std::string_view method) {
    static constexpr std::array<std::string_view, 7> known{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"};
    return std::find(known.begin(), known.end(), method) != known.end();
}

// What Beast would take kindly: a folded line, a bare CR or LF, NUL and other controls.
bool has_forbidden_bytes(std::string_view header) {
    for (std::size_t i = 0; i < header.size(); ++i) {
        auto c = (unsigned char)header[i];
        if (c >= 0x20 && c != 0x7f) continue;
        if (c == '\t') continue;
        if (c != '\r' || i + 1 >= header.size() || header[i + 1] != '\n') return true;
        ++i;
        if (i + 1 < header.size() && (header[i + 1] == ' ' || header[i + 1] == '\t')) return true;
    }
    return false;
}

bool has_bare_line_feed(std::string_view text, std::size_t from) {
    for (auto at = text.find('\n', from); at != text.npos; at = text.find('\n', at + 1))
        if (at == 0 || text[at - 1] != '\r') return true;
    return false;
}

// "GET / HTTP/2.0": well formed, but not ours.
bool asks_for_another_version(std::string_view header) {
    auto line = header.substr(0, header.find("\r\n"));
    if (line.size() < 9) return false;
    auto version = line.substr(line.size() - 9);
    auto digit = [](char c) { return c >= '0' && c <= '9'; };
    if (!version.starts_with(" HTTP/") || !digit(version[6]) || version[7] != '.' || !digit(version[8])) return false;
    return version[6] != '1' || version[8] > '1';
}

}

class RequestParser::Grammar final : public beast::http::basic_parser<true> {
public:
    explicit Grammar(const RequestLimits& limits) : limits_(limits) {
        eager(true);
        header_limit(std::uint32_t(limits.header + 4));
        body_limit(boost::none); // ours differs from request to request
        request.headers.reserve(16);
    }

    Request request;
    std::optional<Refusal> refusal;
    std::size_t body_limit_of_request = 0;
    bool http_1_0 = false;
    bool head = false;
    bool expects_continue = false;

private:
    void refuse(error_code& ec, int status, std::string reason) {
        refusal = Refusal{status, std::move(reason)};
        ec = beast::http::error::bad_value;
    }

    void on_request_impl(beast::http::verb, BeastText method, BeastText target, int version, error_code& ec) override {
        request.method = view(method);
        request.target = view(target);
        http_1_0 = version == 10;
        if (!is_known_method(request.method)) return refuse(ec, 501, "This method is not implemented.");
        if (!split_target()) return refuse(ec, 400, "The request target is malformed.");
        head = request.method == "HEAD";
        if (head) request.method = "GET";
    }

    void on_response_impl(int, BeastText, int, error_code&) override {} // never: this grammar reads requests

    // Origin form, absolute form and "*", RFC 9112 section 3.2.
    bool split_target() {
        std::string_view target = request.target;
        if (target == "*") {
            request.path = "*";
            return request.method == "OPTIONS";
        }
        for (std::string_view scheme : {"http://", "https://"}) {
            if (!equal_without_case(target.substr(0, scheme.size()), scheme)) continue;
            target.remove_prefix(scheme.size());
            auto end = std::min(target.find_first_of("/?#"), target.size());
            if (end == 0) return false;
            target.remove_prefix(end);
            break;
        }
        if (target.find('#') != std::string_view::npos) return false;
        auto question = target.find('?');
        auto raw_path = target.substr(0, question);
        auto path = normal_path(raw_path.empty() ? "/" : raw_path);
        if (!path) return false;
        request.path = std::move(*path);
        if (question != std::string_view::npos) request.query = target.substr(question + 1);
        return true;
    }

    void on_field_impl(beast::http::field, BeastText name, BeastText value, error_code& ec) override {
        if (is_header_done())
            return; // a trailer: may be ignored, and must not change what the header said (RFC 9110 section 6.5.1)
        if (request.headers.size() == max_header_fields)
            return refuse(ec, 431, "The request has too many header fields.");
        request.headers.add(std::string(view(name)), std::string(view(value)));
    }

    void on_header_impl(error_code& ec) override {
        const Headers& headers = request.headers;
        auto hosts = headers.count("Host");
        if (hosts > 1 || (hosts == 0 && !http_1_0)) return refuse(ec, 400, "The request needs exactly one Host field.");
        if (headers.count("Content-Length") > 1)
            return refuse(ec, 400, "The request has more than one Content-Length.");
        if (headers.value("Content-Length").find(',') != std::string_view::npos)
            return refuse(ec, 400, "The request has more than one Content-Length.");

        auto codings = headers.count("Transfer-Encoding");
        bool chunked_only = codings == 1 && equal_without_case(trimmed(headers.value("Transfer-Encoding")), "chunked");
        if (codings > 0 && (http_1_0 || headers.has("Content-Length")))
            return refuse(ec, 400, "The length of the request is ambiguous.");
        if (codings > 0 && !chunked_only) return refuse(ec, 501, "This transfer coding is not implemented.");

        body_limit_of_request = limits_.body_of ? limits_.body_of(request) : limits_.body;
        auto length = content_length();
        if (length && *length > body_limit_of_request) return refuse(ec, 413, "The request is too large.");

        if (!headers.has("Expect")) return;
        if (!equal_without_case(headers.value("Expect"), "100-continue"))
            return refuse(ec, 417, "This expectation cannot be met.");
        expects_continue = !http_1_0;
    }

    void on_body_init_impl(const boost::optional<std::uint64_t>& length, error_code&) override {
        if (length) request.body.reserve(std::size_t(std::min<std::uint64_t>(*length, 64 * 1024)));
    }

    std::size_t append(BeastText piece, error_code& ec) {
        if (piece.size() > body_limit_of_request - request.body.size()) {
            refuse(ec, 413, "The request is too large.");
            return 0;
        }
        request.body.append(piece.data(), piece.size());
        return piece.size();
    }

    std::size_t on_body_impl(BeastText piece, error_code& ec) override { return append(piece, ec); }
    std::size_t on_chunk_body_impl(std::uint64_t, BeastText piece, error_code& ec) override {
        return append(piece, ec);
    }
    void on_chunk_header_impl(std::uint64_t size, BeastText, error_code& ec) override {
        if (size > body_limit_of_request - request.body.size()) refuse(ec, 413, "The request is too large.");
    }
    void on_finish_impl(error_code&) override {}

    const RequestLimits& limits_;
};

RequestParser::RequestParser(const RequestLimits& limits) : limits_(limits) { reset(); }

RequestParser::~RequestParser() = default;

void RequestParser::reset() {
    grammar_ = std::make_unique<Grammar>(limits_);
    searched_ = 0;
    body_bytes_ = 0;
    refusal_.reset();
}

std::size_t RequestParser::feed(std::string_view arrived) {
    if (refusal_ || done()) return 0;

    std::size_t skipped = 0;
    if (!header_done()) {
        // An empty line or two before a request line is left over from old clients' bodies (RFC 9112 section 2.2).
        while (skipped < 4 && arrived.starts_with("\r\n")) {
            arrived.remove_prefix(2);
            skipped += 2;
            searched_ = 0;
        }
        auto end = arrived.find("\r\n\r\n", searched_);
        auto size = end == std::string_view::npos ? arrived.size() : end + 4;
        if (size > limits_.header) {
            refusal_ = Refusal{431, "The header of the request is too large."};
            return skipped;
        }
        if (end == std::string_view::npos) {
            // Some readers take a bare LF for the end of a line, others do not: nobody is to be of two minds.
            if (has_bare_line_feed(arrived, searched_)) refusal_ = Refusal{400, "The request is malformed."};
            searched_ = arrived.size() - std::min<std::size_t>(arrived.size(), 3);
            // Not HTTP at all, such as a TLS hello: no need to wait for the end of a header that will not come.
            if (!arrived.empty() && arrived != "\r" && (arrived[0] < 'A' || arrived[0] > 'Z'))
                refusal_ = Refusal{400, "The request is malformed."};
            return skipped;
        }
        auto header = arrived.substr(0, size);
        if (has_forbidden_bytes(header)) {
            refusal_ = Refusal{400, "The header of the request is malformed."};
            return skipped;
        }
        if (asks_for_another_version(header)) {
            refusal_ = Refusal{505, "This version of HTTP is not supported."};
            return skipped;
        }
    }

    error_code failure;
    bool header_was_done = header_done();
    auto used = grammar_->put(boost::asio::const_buffer(arrived.data(), arrived.size()), failure);
    if (grammar_->refusal) {
        refusal_ = std::move(grammar_->refusal);
        return skipped + used;
    }
    if (failure && failure != beast::http::error::need_more) {
        refusal_ = Refusal{400, "The request is malformed."};
        return skipped + used;
    }
    if (!header_done()) { // the whole header was there: nothing more could make it complete
        refusal_ = Refusal{400, "The header of the request is malformed."};
        return skipped + used;
    }
    if (header_was_done) body_bytes_ += used;
    // Chunks of one byte with long extensions would let a small body cost endless traffic.
    if (body_bytes_ > 8 * grammar_->body_limit_of_request + 16 * 1024 ||
        (!done() && arrived.size() - used > max_chunk_line))
        refusal_ = Refusal{400, "The body of the request is malformed."};
    return skipped + used;
}

bool RequestParser::header_done() const { return grammar_->is_header_done(); }
bool RequestParser::done() const { return grammar_->is_done(); }
const std::optional<Refusal>& RequestParser::refusal() const { return refusal_; }
bool RequestParser::keep_alive() const { return grammar_->keep_alive(); }
bool RequestParser::is_http_1_0() const { return grammar_->http_1_0; }
bool RequestParser::is_head() const { return grammar_->head; }
bool RequestParser::expects_continue() const { return grammar_->expects_continue && !done(); }
const Request& RequestParser::request() const { return grammar_->request; }
Request RequestParser::take() { return std::move(grammar_->request); }

}
