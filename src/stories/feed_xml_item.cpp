#include "stories/characters.hpp"
#include "stories/dates.hpp"
#include "stories/feed_item.hpp"
#include "stories/feed_text.hpp"
#include "stories/feed_xml.hpp"
#include "stories/html.hpp"
#include "stories/url.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace postrider::stories {

namespace {

// A value that several elements may give: the one of the lowest rank wins, among equals the first.
template <typename Value>
class Best {
public:
    void offer(int rank, Value value) {
        if (value == Value{} || (rank_ >= 0 && rank >= rank_)) return;
        value_ = std::move(value);
        rank_ = rank;
    }
    [[nodiscard]] const Value& value() const { return value_; }

private:
    Value value_{};
    int rank_ = -1;
};

bool is_dublin_core(const Element& element) {
    return element.vocabulary == Vocabulary::dublin_core || element.vocabulary == Vocabulary::dublin_core_terms;
}

// The rank of a date by what it dates: publishing, making, changing. Nothing: it is no date of ours.
std::optional<int> date_rank(const Element& element) {
    struct Known {
        std::string_view name;
        bool dublin_core;
        int rank;
    };
    constexpr auto known = std::to_array<Known>({
        {"pubdate", false, 0},
        {"published", false, 0},
        {"issued", false, 0},
        {"issued", true, 1},
        {"date", true, 1},
        {"date", false, 2},
        {"available", true, 2},
        {"created", false, 3},
        {"created", true, 3},
        {"updated", false, 4},
        {"modified", false, 4},
        {"modified", true, 5},
        {"lastbuilddate", false, 6},
    });
    if (!is_core(element) && !is_dublin_core(element)) return std::nullopt;
    const auto found = std::ranges::find_if(known, [&](const Known& each) {
        return each.name == element.name && each.dublin_core == is_dublin_core(element);
    });
    return found == known.end() ? std::nullopt : std::optional(found->rank);
}

class Reader {
public:
    explicit Reader(const Element& item) : item_(item) {}

    FeedItem read(std::string& html_base) {
        for (const auto& child : item_.children)
            if (!child->name.empty()) take(*child);
        attributes();

        FeedItem item;
        item.id = id_.value();
        item.title = title_.value();
        item.url = url();
        if (original_url_ != item.url) item.original_url = original_url_;
        item.byline = !authors_.empty() ? authors_ : !other_authors_.empty() ? other_authors_ : source_authors_;
        item.published = published_.value();
        texts(item, html_base);
        item.image = declared_image(item_);
        for (const auto& category : categories_) add_category(item, category);
        return item;
    }

private:
    void take(const Element& element) {
        if (const auto rank = date_rank(element))
            published_.offer(*rank, parse_date(element.all_text()));
        else if (is_core(element))
            core(element);
        else if (is_dublin_core(element))
            dublin_core(element);
        else if (element.vocabulary == Vocabulary::media)
            media(element);
        else if (element.vocabulary == Vocabulary::itunes)
            itunes(element);
        else if (element.is(Vocabulary::content, "encoded"))
            html_.offer(0, &element);
        else if (element.is(Vocabulary::xhtml, "body") || element.is(Vocabulary::xhtml, "div"))
            html_.offer(1, &element);
        else if (element.is(Vocabulary::feedburner, "origlink"))
            original_url_ = web_address(element.base, element.all_text());
    }

    void core(const Element& element) {
        const auto& name = element.name;
        if (name == "title")
            title_.offer(0, plain_line(element));
        else if (name == "link")
            link(element);
        else if (name == "guid")
            guid(element);
        else if (name == "id")
            id_.offer(0, std::string(trim(element.all_text())));
        else if (name == "description" || name == "summary" || name == "abstract")
            description_.offer(0, &element);
        else if (name == "content" || name == "encoded")
            content(element);
        else if (name == "body" || name == "fullitem")
            html_.offer(2, &element);
        else if (name == "author")
            add_name(is_atom(element) ? authors_ : other_authors_, person(element));
        else if (name == "category")
            category(element);
        else if (name == "enclosure")
            enclosure_ = web_address(element.base, element.attribute("url"));
        else if (name == "language")
            language_ = element.all_text();
        else if (name == "source")
            source(element);
    }

    void content(const Element& element) {
        const auto source = element.attribute("src");
        if (!source.empty())
            url_.offer(6, web_address(element.base, source));
        else if (!html_of(element).empty())
            html_.offer(1, &element);
    }

    void dublin_core(const Element& element) {
        const auto& name = element.name;
        if (name == "title") title_.offer(1, plain_line(element));
        if (name == "identifier") id_.offer(1, std::string(trim(element.all_text())));
        if (name == "creator" || name == "author") add_name(authors_, person(element));
        if (name == "description" || name == "abstract") description_.offer(1, &element);
        if (name == "subject") categories_.push_back(plain_line(element));
        if (name == "language") language_ = element.all_text();
    }

    // Titles and descriptions of media are those of a file: good where the item has none of its own.
    void media(const Element& element) {
        if (element.name == "group" || element.name == "content")
            for (const auto& child : element.children)
                if (child->vocabulary == Vocabulary::media) media(*child);
        if (element.name == "title") title_.offer(3, plain_line(element));
        if (element.name == "description") description_.offer(3, &element);
        if (element.name == "category") categories_.push_back(plain_line(element));
    }

    void itunes(const Element& element) {
        if (element.name == "title") title_.offer(2, plain_line(element));
        if (element.name == "author") add_name(podcast_author_, person(element));
        if (element.name == "summary") description_.offer(2, &element);
        if (element.name == "subtitle") description_.offer(4, &element);
        if (element.name == "category") categories_.emplace_back(element.attribute("text"));
        if (other_authors_.empty() && !podcast_author_.empty()) add_name(other_authors_, podcast_author_);
    }

    // The last word on what a page is has its type; a feed that lists a gemini: address first still has a web page.
    void link(const Element& element) {
        const auto type = lower(trim(element.attribute("type")));
        const auto relation = lower(trim(element.attribute("rel")));
        if (auto page = page_link(element); !page.empty()) {
            const bool html = type.empty() || type == "text/html" || type == "application/xhtml+xml";
            url_.offer((is_web_address(page) ? 0 : 2) + (html ? 0 : 1), std::move(page));
        } else if (relation == "related" || relation == "via") {
            url_.offer(7, web_address(element.base, element.attribute("href")));
        }
    }

    void guid(const Element& element) {
        const auto text = element.all_text();
        id_.offer(0, std::string(trim(text)));
        const auto permalink = lower(trim(element.attribute("isPermaLink")));
        if (permalink == "true" || (permalink != "false" && is_web_address(text)))
            url_.offer(4, web_address(element.base, text));
    }

    void category(const Element& element) {
        auto label = [&] { return std::string(trim(element.attribute("label"))); };
        if (!is_atom(element) && element.attribute("term").empty()) return categories_.push_back(plain_line(element));
        const auto term = std::string(trim(element.attribute("term")));
        categories_.push_back((term.empty() || is_web_address(term)) && !label().empty() ? label() : term);
    }

    // An entry taken over from another feed: its author is the one of that feed before ours.
    void source(const Element& element) {
        if (!is_atom(element)) return;
        for (const auto& child : element.children)
            if (child->name == "author") add_name(source_authors_, person(*child));
    }

    void attributes() {
        id_.offer(2, std::string(trim(item_.attribute("about")))); // RSS 1.0
        url_.offer(4,
                   is_web_address(item_.attribute("about")) ? web_address(item_.base, item_.attribute("about")) : "");
        url_.offer(0, web_address(item_.base, item_.attribute("href"))); // CDF
        published_.offer(6, parse_date(item_.attribute("lastmod")));
        if (is_atom(item_) && is_web_address(id_.value())) url_.offer(5, web_address("", id_.value()));
    }

    [[nodiscard]] std::string url() const {
        if (!url_.value().empty()) return url_.value();
        return original_url_.empty() ? enclosure_ : original_url_;
    }

    void texts(FeedItem& item, std::string& html_base) const {
        const auto* description = description_.value();
        const auto* html = html_.value() ? html_.value() : description;
        // Without an xml:base, links are relative to the article: that is where the words were written for.
        html_base = html && (html->own_base || item.url.empty()) ? html->base : item.url;
        if (html) item.html = html_of(*html);
        if (description && html != description) item.summary = plain_text(html_of(*description));
        item.language = language_;
        if (item.language.empty()) item.language = html ? html->language : item_.language;
        if (item.language.empty()) item.language = item_.language;
    }

    const Element& item_;
    Best<std::string> id_, title_, url_;
    Best<std::optional<Time>> published_;
    Best<const Element*> description_, html_;
    std::string original_url_, enclosure_, language_;
    std::string authors_, other_authors_, podcast_author_, source_authors_;
    std::vector<std::string> categories_;
};

}

FeedItem read_xml_item(const Element& item, std::string& html_base) { return Reader(item).read(html_base); }

}
