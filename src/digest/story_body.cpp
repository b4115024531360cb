#include "digest/story_body.hpp"

#include "stories/url.hpp"
#include "templates/escape.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <vector>

namespace postrider::digest {
namespace {

using std::string_view;
using stories::PictureSize;

constexpr int title_level = 2, deepest_level = 6;
constexpr int in_line = 64; // pictures of up to so many pixels stand in their line, as an emoji does

struct Tag {
    string_view name;
    string_view attributes; // as they stand there, without the blank before
    bool closes = false;
};

// The tag at the beginning of `html`, which begins with '<'; nothing: it is not one that safe_html writes.
std::optional<Tag> tag_at(string_view html, std::size_t& length) {
    Tag tag;
    std::size_t at = 1;
    if (at < html.size() && html[at] == '/') {
        tag.closes = true;
        ++at;
    }
    const auto name_begin = at;
    while (at < html.size() && ((html[at] >= 'a' && html[at] <= 'z') || (html[at] >= '0' && html[at] <= '9'))) ++at;
    tag.name = html.substr(name_begin, at - name_begin);
    const auto attributes_begin = at;
    // safe_html escapes quotes and angle brackets in values.
    const auto end = html.find('>', at);
    if (tag.name.empty() || end == html.npos) return std::nullopt;
    tag.attributes = html.substr(attributes_begin, end - attributes_begin);
    if (!tag.attributes.empty() && tag.attributes.front() != ' ') return std::nullopt;
    if (tag.attributes.find('<') != string_view::npos) return std::nullopt;
    length = end + 1;
    return tag;
}

// As written, escaped; empty when it is not there.
string_view attribute(string_view attributes, string_view name) {
    const auto wanted = fmt::format(" {}=\"", name);
    const auto begin = attributes.find(wanted);
    if (begin == attributes.npos) return {};
    const auto value = attributes.substr(begin + wanted.size());
    return value.substr(0, value.find('"'));
}

int number(string_view text) {
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

class Dresser {
public:
    Dresser(string_view shown, const stories::PictureSizes& sizes, const Look& look, string_view direction)
        : look_(look) {
        templates::append_escaped(shown_, shown);
        for (auto& [url, size] : sizes) {
            std::string escaped;
            templates::append_escaped(escaped, url);
            sizes_.emplace(std::move(escaped), size);
        }
        const auto* side = direction == "rtl" ? "right" : "left";
        styles_ = {
            {"p", "margin:0 0 18px"},
            {"ul", "margin:0 0 18px;padding:0 26px"},
            {"ol", "margin:0 0 18px;padding:0 26px"},
            {"dl", "margin:0 0 18px"},
            {"li", "margin:0 0 6px"},
            {"dt", "font-weight:bold"},
            {"dd", "margin:0 0 10px"},
            {"blockquote", fmt::format("margin:0 0 18px;padding:0 18px;border-{}:3px solid #ddc", side)},
            {"figure", "margin:0 0 18px"},
            {"figcaption", "padding-top:6px;font:14px/20px Arial,sans-serif;color:#665"},
            {"caption", "padding:6px 0;font:14px/20px Arial,sans-serif;color:#665"},
            {"pre", "margin:0 0 18px;padding:12px;background:#f4f2ec;font:14px/20px Consolas,Menlo,monospace;"
                    "white-space:pre-wrap;word-break:break-word"},
            {"code", "font-family:Consolas,Menlo,monospace;font-size:15px"},
            {"kbd", "font-family:Consolas,Menlo,monospace;font-size:15px"},
            {"samp", "font-family:Consolas,Menlo,monospace;font-size:15px"},
            {"small", "font-size:15px"},
            {"sub", "font-size:14px;line-height:0"},
            {"sup", "font-size:14px;line-height:0"},
            {"hr", "margin:26px 0;border:0;border-top:1px solid #ddc"},
            {"table", "margin:0 0 18px;border-collapse:collapse"},
            {"th", fmt::format("padding:6px 8px;border:1px solid #ddc;text-align:{};font:bold 15px/22px {};color:#332",
                               side, look.fonts)},
            {"td", fmt::format("padding:6px 8px;border:1px solid #ddc;font:15px/22px {};color:#332", look.fonts)},
            {"a", fmt::format("color:{}", templates::to_text(look.accent))},
        };
    }

    std::string run(string_view html) {
        while (!html.empty()) {
            const auto text = html.substr(0, html.find('<'));
            out_ += text;
            html.remove_prefix(text.size());
            if (html.empty()) break;
            std::size_t length = 1;
            if (const auto found = tag_at(html, length))
                tag(*found);
            else
                out_ += "&lt;";
            html.remove_prefix(length);
        }
        return std::move(out_);
    }

private:
    void tag(const Tag& tag) {
        if (tag.name.size() == 2 && tag.name[0] == 'h' && tag.name[1] >= '1' && tag.name[1] <= '6')
            return heading(tag, tag.name[1] - '0');
        if (tag.name == "img") return picture(tag);
        if (tag.closes) {
            out_ += fmt::format("</{}>", tag.name);
            return;
        }
        write(tag.name, tag.attributes);
    }

    void write(string_view name, string_view attributes) {
        out_ += fmt::format("<{}{}", name, attributes);
        // What has other colours in the dark says so.
        if (name == "a") out_ += " class=\"k\"";
        if (name == "blockquote" || name == "hr" || name == "td" || name == "th") out_ += " class=\"d\"";
        if (name == "pre") out_ += " class=\"c\"";
        if (name == "figcaption" || name == "caption") out_ += " class=\"q\"";
        if (const auto style = styles_.find(name); style != styles_.end())
            out_ += fmt::format(" style=\"{}\"", style->second);
        out_ += '>';
    }

    // Levels count the headings above that are still open, so that none is skipped: whoever listens to headings would
    // look for the one between.
    void heading(const Tag& tag, int written) {
        if (!tag.closes) {
            while (!open_.empty() && open_.back() >= written) open_.pop_back();
            open_.push_back(written);
        }
        const auto level = std::min(title_level + std::max(int(open_.size()), 1), deepest_level);
        if (tag.closes) {
            out_ += fmt::format("</h{}>", level);
            return;
        }
        const auto* size = open_.size() == 1 ? "22px/29px" : "18px/26px";
        out_ += fmt::format("<h{}{} class=\"n\" style=\"margin:28px 0 8px;font:bold {} {};color:#111\">", level,
                            tag.attributes, size, look_.fonts);
    }

    void picture(const Tag& tag) {
        const auto url = attribute(tag.attributes, "src");
        PictureSize size{number(attribute(tag.attributes, "width")), number(attribute(tag.attributes, "height"))};
        if (const auto read = sizes_.find(url); read != sizes_.end()) fill(size, read->second);
        if (is_counter(size) || url == shown_ || stories::scheme_of(url) != "https") return;
        const auto fits = shown_size(size, sheet_width);
        const bool small = size.width > 0 && size.width <= in_line;
        out_ += fmt::format("<img src=\"{}\" alt=\"{}\" width=\"{}\"", url, attribute(tag.attributes, "alt"),
                            fits.width > 0 ? fits.width : sheet_width);
        if (fits.height > 0) out_ += fmt::format(" height=\"{}\"", fits.height);
        // Without a known size the attribute is for Outlook alone, which would show the picture as wide as it is.
        out_ += fmt::format(" style=\"{}{}max-width:100%;height:auto;border:0\">", small ? "" : "display:block;",
                            fits.width > 0 ? "" : "width:auto;");
    }

    // What the HTML says is how large it wants the picture.
    static void fill(PictureSize& said, const PictureSize& read) {
        if (is_counter(read) || (said.width == 0 && said.height == 0)) said = read;
        if (said.height == 0) said.height = int(std::int64_t(said.width) * read.height / read.width);
        if (said.width == 0) said.width = int(std::int64_t(said.height) * read.width / read.height);
    }

    const Look& look_;
    std::string shown_; // escaped, as the addresses of sizes_
    stories::PictureSizes sizes_;
    std::map<string_view, std::string> styles_;
    std::vector<int> open_; // the levels, as written, of the headings that the text stands under
    std::string out_;
};

}

std::string story_body(string_view safe_html, string_view shown, const stories::PictureSizes& sizes, const Look& look,
                       string_view direction) {
    return Dresser(shown, sizes, look, direction).run(safe_html);
}

PictureSize shown_size(PictureSize size, int widest) {
    if (size.width <= widest || size.width <= 0) return size;
    // Rounded to a whole pixel, never to none.
    const auto height = (std::int64_t(size.height) * widest + size.width / 2) / size.width;
    return {widest, size.height > 0 ? std::max(1, int(height)) : 0};
}

}
