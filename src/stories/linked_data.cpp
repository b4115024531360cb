#include "stories/linked_data.hpp"

#include "stories/characters.hpp"

#include <boost/json.hpp>

#include <array>

namespace postrider::stories {

namespace {

namespace json = boost::json;
using std::string_view;

constexpr std::size_t most_nodes = 500; // looked at in one page

const json::value* member(const json::object& object, string_view key) {
    const auto* found = object.if_contains(key);
    return found && !found->is_null() ? found : nullptr;
}

std::string text_of(const json::value* value) {
    return value && value->is_string() ? collapse(value->get_string()) : std::string{};
}

std::string text_at(const json::object& object, string_view key) { return text_of(member(object, key)); }

// "name" of a Person, or a plain string, or several of either.
std::string names_of(const json::value* value) {
    if (!value) return {};
    if (value->is_string()) return text_of(value);
    if (const auto* object = value->if_object()) return names_of(member(*object, "name"));
    std::string names;
    if (const auto* list = value->if_array())
        for (const auto& item : *list) {
            if (item.is_array()) continue;
            const auto name = names_of(&item);
            if (!name.empty() && names.size() < 500) names += (names.empty() ? "" : ", ") + name;
        }
    return names;
}

std::string url_of(const json::value* value) {
    if (!value) return {};
    if (value->is_string()) return text_of(value);
    if (const auto* object = value->if_object()) return text_at(*object, "url");
    const auto* list = value->if_array();
    return list && !list->empty() && !list->front().is_array() ? url_of(&list->front()) : std::string{};
}

bool is_article_type(string_view type) {
    if (const auto slash = type.rfind('/'); slash != string_view::npos) type.remove_prefix(slash + 1);
    return type.ends_with("Article") || type.ends_with("NewsArticle") || type.ends_with("Posting") ||
           type == "Report" || type == "Blog" || type == "LiveBlogPosting";
}

bool is_article(const json::object& object) {
    const auto* type = member(object, "@type");
    if (!type) return false;
    if (type->is_string()) return is_article_type(string_view(type->get_string()));
    if (const auto* list = type->if_array())
        for (const auto& item : *list)
            if (item.is_string() && is_article_type(string_view(item.get_string()))) return true;
    return false;
}

const json::object* find_article(const json::value& value, std::size_t& room) {
    if (room == 0) return nullptr;
    --room;
    if (const auto* list = value.if_array()) {
        for (const auto& item : *list)
            if (const auto* found = find_article(item, room)) return found;
        return nullptr;
    }
    const auto* object = value.if_object();
    if (!object) return nullptr;
    if (is_article(*object)) return object;
    for (const auto* key : {"@graph", "mainEntity", "mainEntityOfPage"})
        if (const auto* below = member(*object, key))
            if (const auto* found = find_article(*below, room)) return found;
    return nullptr;
}

LinkedData read(const json::object& article) {
    LinkedData data;
    data.headline = text_at(article, "headline");
    data.name = text_at(article, "name");
    data.byline = names_of(member(article, "author"));
    data.section = names_of(member(article, "articleSection"));
    data.summary = text_at(article, "description");
    data.image = url_of(member(article, "image"));
    data.site = names_of(member(article, "publisher"));
    data.language = text_at(article, "inLanguage");
    data.published = text_at(article, "datePublished");
    data.updated = text_at(article, "dateModified");
    return data;
}

// Publishers wrap it in CDATA or comments, and break lines inside strings, which JSON forbids.
std::string unwrapped(string_view script) {
    if (const auto data = script.find("CDATA["); data < 100) {
        script.remove_prefix(data + 6);
        script = script.substr(0, script.rfind("]]"));
    }
    const auto begin = script.find_first_of("{[");
    if (begin == string_view::npos) return {};
    const auto end = script.rfind(script[begin] == '{' ? '}' : ']');
    if (end == string_view::npos || end < begin) return {};
    std::string plain(script.substr(begin, end - begin + 1));
    for (char& c : plain)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    return plain;
}

}

LinkedData read_linked_data(const std::vector<std::string>& scripts) {
    std::size_t room = most_nodes;
    for (const auto& script : scripts) {
        boost::system::error_code broken;
        const auto value = json::parse(unwrapped(script), broken);
        if (broken) continue;
        if (const auto* article = find_article(value, room)) return read(*article);
    }
    return {};
}

}
