#include "stories/feed_tree.hpp"

#include "stories/characters.hpp"
#include "stories/feed_text.hpp"
#include "stories/url.hpp"

#include <libxml/parser.h>
#include <libxml/xmlerror.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <exception>
#include <stdexcept>
#include <utility>

namespace postrider::stories {

namespace {

constexpr std::size_t most_elements = 30'000;         // of one child
constexpr std::size_t most_text = 16 * 1024 * 1024;   // bytes, of one child
constexpr std::size_t longest_text = 2 * 1024 * 1024; // bytes, between two tags
constexpr std::size_t longest_base = 1000;

struct Namespace {
    std::string_view begins; // in lower case, behind http:// or https://
    Vocabulary vocabulary;
};

constexpr std::array namespaces = std::to_array<Namespace>({
    {"www.w3.org/2005/atom", Vocabulary::atom},
    {"purl.org/atom/", Vocabulary::atom_03},
    {"example.com/newformat", Vocabulary::atom_03},
    {"purl.org/dc/terms", Vocabulary::dublin_core_terms},
    {"purl.org/dc/elements", Vocabulary::dublin_core},
    {"purl.org/rss/1.0/modules/content", Vocabulary::content},
    {"purl.org/rss/1.0/modules/syndication", Vocabulary::syndication},
    {"purl.org/rss/1.0/modules", Vocabulary::other},
    {"purl.org/rss", Vocabulary::rss},
    {"my.netscape.com/", Vocabulary::rss},
    {"channel.netscape.com/", Vocabulary::rss},
    {"backend.userland.com/", Vocabulary::rss},
    {"blogs.law.harvard.edu/tech/rss", Vocabulary::rss},
    {"www.rssboard.org/", Vocabulary::rss},
    {"search.yahoo.com/mrss", Vocabulary::media},
    {"www.itunes.com/", Vocabulary::itunes},
    {"example.com/dtds/podcast", Vocabulary::itunes},
    {"rssnamespace.org/feedburner", Vocabulary::feedburner},
    {"www.w3.org/1999/xhtml", Vocabulary::xhtml},
    {"www.w3.org/tr/rec-html", Vocabulary::xhtml},
});

// What a prefix means that nobody declared.
constexpr auto prefixes = std::to_array<std::pair<std::string_view, Vocabulary>>({
    {"atom", Vocabulary::atom},
    {"a10", Vocabulary::atom},
    {"dc", Vocabulary::dublin_core},
    {"dcterms", Vocabulary::dublin_core_terms},
    {"content", Vocabulary::content},
    {"media", Vocabulary::media},
    {"itunes", Vocabulary::itunes},
    {"sy", Vocabulary::syndication},
    {"feedburner", Vocabulary::feedburner},
    {"xhtml", Vocabulary::xhtml},
    {"rss", Vocabulary::rss},
});

Vocabulary vocabulary_of(std::string_view uri, std::string_view prefix) {
    auto address = lower(uri);
    for (const std::string_view scheme : {"http://", "https://"})
        if (address.starts_with(scheme)) address.erase(0, scheme.size());
    if (!address.empty())
        for (const auto& [begins, vocabulary] : namespaces)
            if (address.starts_with(begins)) return vocabulary;
    if (prefix.empty()) return Vocabulary::rss; // a default namespace of the publisher's own: the names still speak
    const auto known = std::ranges::find(prefixes, lower(prefix), &std::pair<std::string_view, Vocabulary>::first);
    return known == prefixes.end() ? Vocabulary::other : known->second;
}

bool is_container(std::string_view name) {
    return name == "rss" || name == "rdf" || name == "channel" || name == "feed";
}

bool is_void(std::string_view name) {
    constexpr std::array<std::string_view, 14> names = {"area",  "base", "br",   "col",   "embed",  "hr",    "img",
                                                        "input", "link", "meta", "param", "source", "track", "wbr"};
    return std::ranges::find(names, name) != names.end();
}

void append_markup(std::string& out, const Element& element) {
    if (element.name.empty()) {
        append_escaped(out, element.text);
        return;
    }
    out.append("<").append(element.name);
    for (const auto& [name, value] : element.attributes) {
        out.append(" ").append(name).append("=\"");
        append_escaped(out, value);
        out += '"';
    }
    out += '>';
    if (is_void(element.name) && element.children.empty()) return;
    for (const auto& child : element.children) append_markup(out, *child);
    out.append("</").append(element.name).append(">");
}

void append_text(std::string& out, const Element& element) {
    out += element.text;
    for (const auto& child : element.children) append_text(out, *child);
}

std::string_view view(const xmlChar* text) {
    return text ? std::string_view(reinterpret_cast<const char*>(text)) : std::string_view();
}

class Builder {
public:
    Builder(const RepairedWords& words, std::string_view base_url, const OnContainer& on_container,
            const OnChild& on_child)
        : words_(words), on_container_(on_container), on_child_(on_child) {
        if (base_url.size() <= longest_base) outside_.base = base_url;
    }

    Root parse(const std::string& xml) {
        static const int initialised = (xmlInitParser(), 0);
        (void)initialised;
        const std::unique_ptr<xmlParserCtxt, void (*)(xmlParserCtxtPtr)> context(xmlNewParserCtxt(), xmlFreeParserCtxt);
        if (!context) throw std::bad_alloc();
        context_ = context.get();
        xmlSAXHandler handlers{};
        handlers.initialized = XML_SAX2_MAGIC;
        handlers.startElementNs = on_start;
        handlers.endElementNs = on_end;
        handlers.characters = handlers.ignorableWhitespace = on_characters;
        *context->sax = handlers;
        context->userData = this;
        constexpr int options =
            XML_PARSE_RECOVER | XML_PARSE_NONET | XML_PARSE_NOCDATA | XML_PARSE_NOERROR | XML_PARSE_NOWARNING;
        xmlCtxtReadMemory(context.get(), xml.data(), static_cast<int>(xml.size()), nullptr, "UTF-8", options);
        if (problem_) std::rethrow_exception(problem_);
        return std::move(root_);
    }

private:
    // An exception must not pass through the frames of C: it waits here until the parser has returned.
    template <typename Work>
    static void guarded(void* data, Work work) {
        auto& self = *static_cast<Builder*>(data);
        if (self.problem_) return;
        try {
            work(self);
        } catch (...) {
            self.problem_ = std::current_exception();
            xmlStopParser(self.context_);
        }
    }

    static void on_start(void* data, const xmlChar* name, const xmlChar* prefix, const xmlChar* uri, int,
                         const xmlChar**, int count, int, const xmlChar** attributes) {
        guarded(data, [&](Builder& self) { self.start(view(name), view(prefix), view(uri), count, attributes); });
    }
    static void on_end(void* data, const xmlChar*, const xmlChar*, const xmlChar*) {
        guarded(data, [](Builder& self) { self.end(); });
    }
    static void on_characters(void* data, const xmlChar* text, int length) {
        guarded(data, [&](Builder& self) {
            self.characters({reinterpret_cast<const char*>(text), static_cast<std::size_t>(length)});
        });
    }

    // The piece of a number; empty for one that is none.
    [[nodiscard]] std::string_view piece(std::size_t number) const {
        if (number >= words_.pieces.size()) return {};
        return std::string_view(words_.text).substr(words_.pieces[number].begin, words_.pieces[number].length);
    }

    void start(std::string_view name, std::string_view prefix, std::string_view uri, int count,
               const xmlChar** attributes) {
        number_ = 0;
        if (skipped_ > 0 || (!path_.empty() && elements_ >= most_elements)) {
            ++skipped_; // and with it all that is inside, until its end
            return;
        }
        auto element = std::make_unique<Element>();
        element->name = lower(name);
        element->vocabulary = vocabulary_of(uri, prefix);
        const auto& parent = !path_.empty() ? *path_.back() : !containers_.empty() ? *containers_.back() : outside_;
        element->base = parent.base;
        element->own_base = parent.own_base;
        element->language = parent.language;
        for (int i = 0; i < count; ++i) take_attribute(*element, attributes + 5 * i);

        if (containers_.empty() && path_.empty()) {
            root_.name = prefix.empty() ? std::string(name) : std::string(prefix) + ":" + std::string(name);
            root_.lower = element->name;
            root_.is_feed = is_container(element->name);
            if (!root_.is_feed) return xmlStopParser(context_);
        }
        if (path_.empty() && is_container(element->name)) {
            on_container_(*element);
            containers_.push_back(std::move(element));
            return;
        }
        ++elements_;
        auto* added = element.get();
        if (path_.empty())
            tree_ = std::move(element);
        else
            path_.back()->children.push_back(std::move(element));
        path_.push_back(added);
    }

    // libxml2 gives name, prefix, namespace, begin and end of the value.
    void take_attribute(Element& element, const xmlChar** attribute) const {
        const auto name = view(attribute[0]), prefix = view(attribute[1]);
        std::size_t number = 0;
        std::from_chars(reinterpret_cast<const char*>(attribute[3]), reinterpret_cast<const char*>(attribute[4]),
                        number);
        const auto value = piece(number);
        if (prefix == "xml" && name == "base") {
            if (value.size() > longest_base) return; // each element below keeps a copy
            element.base = resolve(element.base, value);
            element.own_base = true;
        } else if (prefix == "xml" && name == "lang") {
            element.language = trim(value).substr(0, 35);
        } else if (prefix != "xml") {
            element.attributes.push_back({std::string(name), std::string(value)});
        }
    }

    void end() {
        number_ = 0;
        if (skipped_ > 0) {
            --skipped_;
            return;
        }
        if (path_.empty()) {
            if (!containers_.empty()) containers_.pop_back();
            return;
        }
        path_.pop_back();
        if (!path_.empty()) return;
        const auto complete = std::move(tree_);
        elements_ = text_ = 0;
        on_child_(*complete, *containers_.back());
    }

    // Numbers of pieces, which may come in parts.
    void characters(std::string_view numbers) {
        for (const char c : numbers)
            if (c == ';')
                words(piece(std::exchange(number_, 0)));
            else
                number_ = number_ * 10 + static_cast<std::size_t>(c - '0');
    }

    void words(std::string_view text) {
        if (text.empty() || path_.empty() || skipped_ > 0 || text_ > most_text) return;
        text_ += text.size();
        auto& children = path_.back()->children;
        if (children.empty() || !children.back()->name.empty()) {
            if (elements_ >= most_elements) return;
            ++elements_;
            children.push_back(std::make_unique<Element>());
        }
        auto& known = children.back()->text;
        if (known.size() < longest_text) known += shortened(text, longest_text);
    }

    const RepairedWords& words_;
    const OnContainer& on_container_;
    const OnChild& on_child_;
    std::size_t number_ = 0; // of the piece that is being named
    xmlParserCtxtPtr context_ = nullptr;
    std::exception_ptr problem_;
    Root root_;
    Element outside_;
    std::vector<std::unique_ptr<Element>> containers_; // those open, outermost first
    std::unique_ptr<Element> tree_;                    // the child that is being read
    std::vector<Element*> path_;                       // its open elements, outermost first
    std::size_t elements_ = 0, text_ = 0, skipped_ = 0;
};

}

bool Element::is(Vocabulary wanted, std::string_view wanted_name) const {
    return vocabulary == wanted && name == wanted_name;
}

std::string_view Element::attribute(std::string_view wanted) const {
    for (const auto& [name, value] : attributes)
        if (same_letters(name, wanted)) return value;
    return {};
}

const Element* Element::child(std::string_view wanted) const {
    const auto found =
        std::ranges::find(children, wanted, [](const auto& child) { return std::string_view(child->name); });
    return found == children.end() ? nullptr : found->get();
}

bool Element::has_elements() const {
    return std::ranges::any_of(children, [](const auto& child) { return !child->name.empty(); });
}

std::string Element::all_text() const {
    std::string out;
    append_text(out, *this);
    return out;
}

std::string Element::markup() const {
    if (!has_elements()) return all_text();
    std::string out;
    for (const auto& child : children) append_markup(out, *child);
    return out;
}

Root read_elements(const Repaired& feed, std::string_view base_url, const OnContainer& on_container,
                   const OnChild& on_child) {
    return Builder(feed.words, base_url, on_container, on_child).parse(feed.xml);
}

}
