#include "web/entry.hpp"

#include "mail/utf8.hpp"

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace postrider::web {
namespace {

namespace json = boost::json;

// Keeps the texts of the outermost object; a tree would have lost which names came twice.
class Members {
public:
    static constexpr std::size_t max_object_size = -1, max_array_size = -1, max_key_size = -1, max_string_size = -1;
    using Error = json::error_code;

    using Member = std::pair<std::string, std::string>;
    std::vector<Member> texts;                      // by name; what is no text is kept as ""
    std::optional<std::vector<std::string>> topics; // the texts of the member of this name
    std::string fault;                              // one sentence

    bool on_document_begin(Error&) { return true; }
    bool on_document_end(Error&) { return true; }
    bool on_object_begin(Error&) { return ++depth_ > 0; }
    bool on_object_end(std::size_t, Error&) { return closed(); }
    bool on_array_begin(Error& error) { return (depth_ > 0 || refuse(no_object, error)) && ++depth_ > 0; }
    bool on_array_end(std::size_t, Error&) { return closed(); }
    bool on_key_part(std::string_view piece, std::size_t, Error&) { return add(piece); }
    bool on_key(std::string_view piece, std::size_t, Error& error) {
        add(piece);
        auto name = std::exchange(text_, {});
        if (depth_ != 1) return true;
        if (std::ranges::find(texts, name, &Member::first) != texts.end())
            return refuse(fmt::format("The JSON has \"{}\" twice.", mail::valid_utf8(name.substr(0, longest_echo))),
                          error);
        if (name == "topics") topics.emplace();
        texts.emplace_back(std::move(name), "");
        return true;
    }
    bool on_string_part(std::string_view piece, std::size_t, Error&) { return add(piece); }
    bool on_string(std::string_view piece, std::size_t, Error& error) {
        add(piece);
        auto value = std::exchange(text_, {});
        if (depth_ == 0) return refuse(no_object, error);
        if (texts.back().first == "topics")
            topics->push_back(std::move(value));
        else if (depth_ == 1)
            texts.back().second = std::move(value);
        return true;
    }
    bool on_number_part(std::string_view, Error&) { return true; }
    bool on_int64(std::int64_t, std::string_view, Error& error) { return other(error); }
    bool on_uint64(std::uint64_t, std::string_view, Error& error) { return other(error); }
    bool on_double(double, std::string_view, Error& error) { return other(error); }
    bool on_bool(bool, Error& error) { return other(error); }
    bool on_null(Error& error) { return other(error); }
    bool on_comment_part(std::string_view, Error&) { return true; }
    bool on_comment(std::string_view, Error&) { return true; }

private:
    static constexpr std::size_t longest_echo = 64;
    static constexpr std::string_view no_object = "The JSON must be an object, as in {\"email\": \"ada@example.org\"}.";

    bool add(std::string_view piece) {
        text_ += piece;
        return true;
    }
    bool closed() {
        --depth_;
        return true;
    }
    bool other(Error& error) { return depth_ > 0 || refuse(no_object, error); }
    bool refuse(std::string_view sentence, Error& error) {
        fault = sentence;
        error = json::error::exception; // any: the sentence is what counts
        return false;
    }

    int depth_ = 0;
    std::string text_;
};

// "line 2, column 7", in characters.
std::string place_of(std::string_view text, std::size_t at) {
    auto before = text.substr(0, at);
    auto line = 1 + std::ranges::count(before, '\n');
    auto start = before.rfind('\n');
    auto column = 1 + std::ranges::count_if(before.substr(start == before.npos ? 0 : start + 1),
                                            [](unsigned char c) { return (c & 0xc0) != 0x80; });
    return fmt::format("line {}, column {}", line, column);
}

}

std::expected<Entry, std::string> entry_in_json(std::string_view body) {
    json::parse_options options;
    options.max_depth = 8;
    json::basic_parser<Members> parser(options);
    json::error_code failed;
    auto read = parser.write_some(false, body.data(), body.size(), failed);
    auto& members = parser.handler();
    if (!members.fault.empty()) return std::unexpected(members.fault);
    if (!failed && read < body.size()) failed = json::error::extra_data;
    if (failed)
        return std::unexpected(
            fmt::format("The JSON cannot be read: {} at {}.", failed.message(), place_of(body, read)));
    auto text = [&](std::string_view name) {
        auto found = std::ranges::find(members.texts, name, &Members::Member::first);
        return found == members.texts.end() ? std::string() : found->second;
    };
    return Entry{text("email"), text("name"),  text("language"), !text("website").empty(), std::move(members.topics),
                 text("form"),  text("altcha")};
}

}
