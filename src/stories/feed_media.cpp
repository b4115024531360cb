#include "stories/characters.hpp"
#include "stories/feed_item.hpp"
#include "stories/feed_xml.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace postrider::stories {

namespace {

// Wide enough for a mail on a screen of high resolution, not wider than needed.
constexpr int wanted_width = 600;

int pixels(std::string_view text) {
    text = trim(text);
    int value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return std::max(value, 0);
}

bool looks_like_image(std::string_view url) {
    const auto path = lower(url.substr(0, url.find_first_of("?#")));
    constexpr std::array<std::string_view, 6> endings = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".avif"};
    return std::ranges::any_of(endings, [&](auto ending) { return path.ends_with(ending); });
}

bool is_image(const Element& element) {
    const auto medium = lower(element.attribute("medium")), type = lower(trim(element.attribute("type")));
    if (medium == "image" || type.starts_with("image/")) return true;
    return medium.empty() && type.empty() && looks_like_image(element.attribute("url"));
}

// The smaller of two that are wide enough, else the wider one. A width that is not given counts as just enough.
bool is_better(const Image& candidate, const Image& best) {
    const int a = candidate.width ? candidate.width : wanted_width, b = best.width ? best.width : wanted_width;
    if (a >= wanted_width && b >= wanted_width) return a < b;
    return a > b;
}

class Chooser {
public:
    void look_at(const Element& element) {
        for (const auto& child : element.children)
            if (!child->name.empty()) take(*child);
    }

    Image best() {
        for (auto& image : images_)
            if (!image.url.empty()) {
                if (image.alt.empty()) image.alt = description_;
                return std::move(image);
            }
        return {};
    }

private:
    enum Kind { enclosure, own, content, thumbnail, itunes, kinds };

    void take(const Element& element) {
        const auto& name = element.name;
        if (name == "enclosure" && is_image(element)) offer(enclosure, element, element.attribute("url"));
        if (name == "link" && element.attribute("rel") == "enclosure" && is_image(element))
            offer(enclosure, element, element.attribute("href"));
        if (name == "image" && is_core(element)) {
            const auto* url = element.child("url");
            offer(own, element, url ? url->all_text() : element.all_text());
        }
        if (element.vocabulary == Vocabulary::itunes && (name == "image" || element.attribute("rel") == "image"))
            offer(itunes, element, element.attribute(element.attribute("href").empty() ? "url" : "href"));
        if (element.vocabulary != Vocabulary::media) return;
        if (name == "group") look_at(element);
        if (name == "thumbnail") offer(thumbnail, element, element.attribute("url"));
        if (name == "description" && description_.empty()) description_ = plain_line(element);
        if (name != "content") return;
        if (is_image(element)) offer(content, element, element.attribute("url"));
        look_at(element); // a video has its thumbnail inside
    }

    void offer(Kind kind, const Element& element, std::string_view url) {
        Image image{web_address(element.base, url),
                    pixels(element.attribute("width")),
                    pixels(element.attribute("height")),
                    {}};
        if (image.url.empty() || image.url.contains("gravatar.com/avatar/"))
            return; // the author's face, on WordPress.com
        if (element.vocabulary == Vocabulary::media)
            for (const auto* about : {"description", "title"})
                if (const auto* text = element.child(about); text && image.alt.empty()) image.alt = plain_line(*text);
        auto& best = images_[kind];
        if (best.url.empty() || is_better(image, best)) best = std::move(image);
    }

    std::array<Image, kinds> images_;
    std::string description_;
};

}

Image declared_image(const Element& item) {
    Chooser chooser;
    chooser.look_at(item);
    return chooser.best();
}

}
