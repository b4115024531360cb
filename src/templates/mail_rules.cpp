#include "templates/mail_rules.hpp"

#include "system/ascii.hpp"
#include "templates/cascade.hpp"
#include "templates/client_support.hpp"
#include "templates/colour.hpp"
#include "templates/markup.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

namespace postrider::templates {
namespace {

using Kind = Unsupported::Kind;

constexpr std::size_t most_findings = 100;
constexpr double smallest_letters = 14, smallest_visible = 3; // px; what is smaller is meant to be unseen
constexpr char mark = FlatTemplate::value_mark;

template <std::size_t count>
bool is_one(std::string_view name, const std::array<std::string_view, count>& names) {
    return std::ranges::find(names, name) != names.end();
}

bool has_value(std::string_view text) { return text.find(mark) != text.npos; }

// px, pt, or nothing: em and % depend on what is around.
std::optional<double> pixels(std::string_view text) {
    double number = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    auto unit = text.substr(std::size_t(end - text.data()));
    if (unit.starts_with("px")) return number;
    if (unit.starts_with("pt")) return number * 4 / 3;
    return std::nullopt;
}

// The size in "font: italic 14px/20px Arial".
std::optional<double> size_in_font(std::string_view value) {
    while (!value.empty()) {
        auto word = value.substr(0, value.find_first_of(" /"));
        if (auto size = pixels(word)) return size;
        value.remove_prefix(std::min(word.size() + 1, value.size()));
    }
    return std::nullopt;
}

// What an element looks like, as far as it is known; taken from what is around it.
struct Look {
    std::optional<Colour> text = Colour{0, 0, 0}, ground = white; // nothing: not known
    bool hidden = false;
};

class MailRules {
public:
    explicit MailRules(const FlatTemplate& flat)
        : flat_(flat), text_(flat.text()), tags_(tags_in(text_)), elements_(elements_of(tags_, text_.size())) {}

    std::vector<Fault> of_a_mail(Document document) {
        for (auto& tag : tags_) {
            if (tag.kind != Tag::Kind::open) continue;
            if (!forbidden(tag)) not_known(tag);
            handlers(tag);
            addresses(tag);
            picture(tag);
            if (auto* style = tag.attribute("style")) block_of(style->value);
        }
        sheets();
        language(document);
        looks();
        return std::move(faults_);
    }

    std::vector<Fault> of_a_page(Document document) {
        for (auto& tag : tags_) {
            if (tag.kind != Tag::Kind::open) continue;
            if (tag.name == "script") error(tag.begin, "<script> is not run: pages work without");
            handlers(tag);
            picture(tag);
        }
        language(document);
        return std::move(faults_);
    }

private:
    void say(std::size_t at, std::string message, Severity severity) {
        if (faults_.size() < most_findings) faults_.push_back(flat_.fault_at(at, std::move(message), severity));
    }
    void error(std::size_t at, std::string message) { say(at, std::move(message), Severity::error); }
    void warn(std::size_t at, std::string message) { say(at, std::move(message), Severity::warning); }
    std::size_t place_of(std::string_view view) const { return std::size_t(view.data() - text_.data()); }

    bool forbidden(const Tag& tag) {
        constexpr std::array<std::string_view, 6> forms = {"form", "input", "button", "select", "textarea", "option"};
        constexpr std::array<std::string_view, 6> foreign = {"iframe", "frame", "object", "embed", "applet", "base"};
        if (tag.name == "script")
            error(tag.begin,
                  "<script>: no mail program runs it, and filters take the mail for an attack: leave it out");
        else if (is_one(tag.name, forms))
            error(tag.begin, fmt::format("<{}>: mail programs remove or distrust forms: link to a page", tag.name));
        else if (is_one(tag.name, foreign))
            error(tag.begin, fmt::format("<{}>: mail programs remove it: link to what it shows", tag.name));
        else
            return false;
        return true;
    }

    void not_known(const Tag& tag) {
        if (auto* thing = unsupported(Kind::element, tag.name)) warn(tag.begin, in_words(*thing));
        for (auto& attribute : tag.attributes)
            if (auto* thing = unsupported(Kind::attribute, attribute.name)) warn(attribute.begin, in_words(*thing));
    }

    void handlers(const Tag& tag) {
        for (auto& attribute : tag.attributes)
            if (attribute.name.size() > 3 && attribute.name.starts_with("on") && !has_value(attribute.name))
                error(attribute.begin, fmt::format("{}: nothing runs it: leave it out", attribute.name));
    }

    void addresses(const Tag& tag) {
        constexpr std::array<std::string_view, 4> names = {"href", "src", "background", "action"};
        for (auto& attribute : tag.attributes)
            if (is_one(attribute.name, names)) address(attribute);
    }

    void address(const Attribute& attribute) {
        auto value =
            attribute.value.substr(std::min(attribute.value.find_first_not_of(" \t\r\n"), attribute.value.size()));
        if (value.starts_with(mark)) return; // the program's own are absolute
        auto colon = value.find(':');
        auto scheme = colon < value.find_first_of("/?#") ? system::lower(value.substr(0, colon)) : "";
        bool picture = attribute.name != "href";
        if (scheme == "https" || (!picture && (scheme == "mailto" || scheme == "tel" || scheme == "sms"))) return;
        if (!picture && value.starts_with('#') && value.size() > 1) return;
        if (scheme == "http") {
            auto host = value.substr(std::min(value.size(), std::string_view("http://").size()));
            if (host.starts_with("localhost") || host.starts_with("127.") || host.starts_with("[::1]")) return;
            return warn(attribute.begin,
                        fmt::format("{} is http: write https, many mail programs warn or block", attribute.name));
        }
        if (scheme.empty())
            return error(attribute.begin,
                         fmt::format("{} \"{}\" leads nowhere from an inbox: write https:// and the whole address, or "
                                     "begin with {{{{site.url}}}}",
                                     attribute.name, shown(value)));
        error(attribute.begin, fmt::format("{} \"{}\": mail programs do not follow {}: links; write https://",
                                           attribute.name, shown(value), scheme));
    }

    static std::string shown(std::string_view value) {
        std::string text;
        for (char c : value.substr(0, 40)) {
            if (c == mark)
                text += "{{...}}";
            else if (static_cast<unsigned char>(c) < 0x80)
                text += c;
        }
        return text;
    }

    void picture(const Tag& tag) {
        if (tag.name == "img" && !tag.attribute("alt"))
            warn(tag.begin, "<img> has no alt: say what it shows, or alt=\"\" where it only decorates");
    }

    // The declarations between two braces, or in an attribute.
    void block_of(std::string_view block) {
        auto declarations = css::declarations_in(block);
        for (auto& touched : unsupported_in(declarations)) warn(place_of(block) + touched.at, in_words(*touched.what));
    }

    void sheets() {
        for (std::size_t i = 0; i + 1 < tags_.size(); ++i) {
            if (tags_[i].name != "style" || tags_[i].kind != Tag::Kind::open) continue;
            auto sheet = text_.substr(tags_[i].end, tags_[i + 1].begin - tags_[i].end);
            for (auto& rule : css::rules_in(sheet)) {
                auto at = tags_[i].end + rule.begin;
                if (rule.is_at_rule()) { // what stands inside is for those who know the outside
                    if (auto* thing = unsupported(Kind::at_rule, rule.at_word())) warn(at, in_words(*thing));
                    continue;
                }
                if (auto* thing = unsupported_in_selector(rule.prelude)) warn(at, in_words(*thing));
                block_of(rule.block);
            }
        }
    }

    void language(Document document) {
        auto html =
            std::ranges::find_if(tags_, [](auto& tag) { return tag.name == "html" && tag.kind == Tag::Kind::open; });
        constexpr auto advice = "write <html lang=\"{{list.language}}\">, for those who have it read aloud";
        if (html == tags_.end()) {
            if (document == Document::whole && !tags_.empty())
                warn(tags_.front().begin, fmt::format("there is no <html>: {}", advice));
        } else if (auto* lang = html->attribute("lang"); !lang || lang->value.empty())
            warn(html->begin, fmt::format("<html> has no lang: {}", advice));
    }

    void looks() {
        auto styles = cascade(text_, tags_, elements_).elements;
        std::vector<Look> looks;
        for (std::size_t i = 0; i < elements_.size(); ++i) {
            auto& tag = tags_[elements_[i].tag];
            auto around = elements_[i].parent == Element::none ? Look{} : looks[elements_[i].parent];
            auto style = effective_style(styles[i], tag);
            looks.push_back(look_of(tag, style, around));
            if (!looks[i].hidden && has_text(i)) contrast_of(tag, looks[i]);
        }
    }

    Look look_of(const Tag& tag, std::string_view style, Look look) {
        if (auto* ground = tag.attribute("bgcolor")) look.ground = colour_in(ground->value);
        if (tag.name == "font")
            if (auto* colour = tag.attribute("color")) look.text = colour_in(colour->value);
        if (tag.name == "a") look.text = Colour{0, 0, 238};
        std::optional<double> size;
        for (auto& one : css::declarations_in(style)) {
            auto value = system::lower(one.value);
            if (one.property == "color" && value != "inherit") look.text = colour_in(value);
            if (one.property == "background-color" || one.property == "background") take_ground(look, value);
            if (one.property == "background-image" && value != "none") look.ground.reset();
            if (one.property == "display") look.hidden |= value == "none";
            if (one.property == "font-size") size = pixels(value);
            if (one.property == "font") size = size_in_font(value);
        }
        constexpr std::array<std::string_view, 5> unseen = {"head", "style", "title", "script", "noscript"};
        look.hidden |= is_one(tag.name, unseen);
        if (size && !look.hidden && *size < smallest_letters && *size > smallest_visible)
            warn(tag.begin, fmt::format("letters of {:.4g} px are hard to read on a telephone: 14 px or more", *size));
        return look;
    }

    static void take_ground(Look& look, const std::string& value) {
        if (value == "none" || value == "transparent" || value == "inherit") return;
        bool certain = value.find("url(") == value.npos && value.find("gradient(") == value.npos && !has_value(value);
        look.ground = certain ? colour_in(value) : std::nullopt;
    }

    void contrast_of(const Tag& tag, const Look& look) {
        if (!look.text || !look.ground) return;
        auto ratio = contrast(*look.text, *look.ground);
        if (ratio >= readable) return;
        warn(tag.begin, fmt::format("text in {} on {} has a contrast of {:.1f}: 4.5 or more can be read by everybody",
                                    to_text(*look.text), to_text(*look.ground), ratio));
    }

    // Text of its own, not of an element inside.
    bool has_text(std::size_t number) const {
        auto& element = elements_[number];
        if (is_void(tags_[element.tag].name)) return false;
        auto at = tags_[element.tag].end;
        for (auto inner = number + 1; inner < elements_.size() && elements_[inner].end <= element.end; ++inner) {
            if (elements_[inner].parent != number) continue;
            auto& tag = tags_[elements_[inner].tag];
            if (has_letters(text_.substr(at, tag.begin - std::min(at, tag.begin)))) return true;
            at = std::max(at, elements_[inner].end);
            // Behind its own end tag, where it has one.
            if (text_.substr(at).starts_with("</")) at = std::min(text_.find('>', at), text_.size() - 1) + 1;
        }
        return at < element.end && has_letters(text_.substr(at, element.end - at));
    }

    static bool has_letters(std::string_view text) {
        while (!text.empty()) {
            if (text.front() == '<') { // a comment, or the end of what was not open
                auto end = text.starts_with("<!--") ? text.find("-->") : text.find('>');
                if (end == text.npos) return false;
                text.remove_prefix(end + 1);
            } else if (text.front() == '&') {
                text.remove_prefix(std::min(text.find(';'), text.size() - 1) + 1);
            } else if (static_cast<unsigned char>(text.front()) > ' ' || text.front() == mark) {
                return true;
            } else {
                text.remove_prefix(1);
            }
        }
        return false;
    }

    const FlatTemplate& flat_;
    std::string_view text_;
    std::vector<Tag> tags_;
    std::vector<Element> elements_;
    std::vector<Fault> faults_;
};

bool is_safe_html(std::string_view name) {
    constexpr std::array<std::string_view, 4> links = {"unsubscribe_url", "preferences_url", "view_url", "confirm_url"};
    if (name.starts_with("sentence.") || name.starts_with("words.") || is_one(name, links)) return true;
    return name.substr(name.rfind('.') + 1).ends_with("html"); // npos + 1 is 0
}

}

std::vector<Fault> mail_faults(const FlatTemplate& flat, Document document) {
    return MailRules(flat).of_a_mail(document);
}

std::vector<Fault> page_faults(const FlatTemplate& flat, Document document) {
    return MailRules(flat).of_a_page(document);
}

std::vector<Fault> raw_values(const FlatTemplate& flat) {
    std::vector<Fault> faults;
    for (auto& value : flat.values()) {
        if (!value.raw || is_safe_html(value.name)) continue;
        faults.push_back(value.place);
        faults.back().message =
            fmt::format("{{{{{{{0}}}}}}} lets whoever wrote it put HTML into the mail: write {{{{{0}}}}}", value.name);
    }
    return faults;
}

}
