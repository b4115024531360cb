#include "templates/check.hpp"

#include "system/nearest.hpp"
#include "templates/words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <optional>
#include <set>

namespace postrider::templates {
namespace {

using Kind = Token::Kind;
using Node = Vocabulary::Node;

constexpr std::string_view mail_words = R"(
site.name site.url site.postal_address site.privacy_url
list.title list.description list.language list.direction list.align_start list.archive_url
issue.number issue.subject issue.date issue.date_iso issue.story_count issue.rest_count issue.more_count issue.web_url issue.intro
look.accent look.accent_dark look.background look.background_dark look.fonts look.logo.url look.logo.width look.logo.height
topics[].name sections[].name
subscriber.name subscriber.first_name subscriber.address subscriber.*
unsubscribe_url preferences_url view_url why
sentence.issue_number sentence.more_stories
)";

// Of each story.
constexpr std::string_view story_words = R"(
title url summary brief byline source published published_iso credit topic first last number
image.url image.alt image.width image.height image.wide_width image.wide_height image.thumb_width image.thumb_height
)";
constexpr std::array<const char*, 4> stories = {"stories[].", "lead.", "topics[].stories[].", "sections[].stories[]."};

// Of those that a mail may show in full.
constexpr std::string_view body_words = "html text";
constexpr std::array<const char*, 2> bodies = {"stories[].", "lead."};

std::vector<std::string> split(std::string_view words, const std::string& prefix = "") {
    std::vector<std::string> names;
    std::size_t end = 0;
    for (auto begin = words.find_first_not_of(" \n"); begin != words.npos;
         begin = words.find_first_not_of(" \n", end)) {
        end = std::min(words.find_first_of(" \n", begin), words.size());
        names.push_back(prefix + std::string(words.substr(begin, end - begin)));
    }
    return names;
}

const Node any_value; // below an open node

void add(Node& root, std::string_view name) {
    Node* node = &root;
    while (!name.empty()) {
        std::size_t dot = name.find('.');
        std::string_view step = name.substr(0, dot);
        name = dot == name.npos ? std::string_view() : name.substr(dot + 1);
        if (step == "*") {
            node->open = true;
            return;
        }
        bool list = step.ends_with("[]");
        if (list) step.remove_suffix(2);
        node = &node->names[std::string(step)];
        node->list |= list;
    }
}

struct Found {
    const Node* node;
    std::string path; // from the root: "stories.title"
};

struct Scope {
    const Node* node;
    std::string path;
};

struct Section {
    std::string name; // as written
    std::string path; // empty: unknown
    bool opens_scope; // not of an inverted one
    bool always;      // an object that is always there: {{#site}}
};

// Goes through a template and its partials in the order of rendering, and resolves every name in its sections.
class Walk {
public:
    using Visit = std::function<void(const Template::Part&, const Token&, const std::optional<Found>&)>;

    Walk(const Template& source, const Vocabulary& vocabulary, Visit visit)
        : source_(source), visit_(std::move(visit)) {
        scopes_.push_back({&vocabulary.root(), ""});
    }

    void run() { part(0); }

    const std::vector<Section>& sections() const { return sections_; }

    // Everything that could be written here instead.
    std::vector<std::string> known() const {
        std::vector<std::string> names;
        for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) list(*scope->node, "", names);
        return names;
    }

private:
    void part(std::size_t number) {
        const Template::Part& part = source_.parts()[number];
        for (const Token& token : part.tokens) {
            if (token.kind == Kind::literal) continue;
            if (token.kind == Kind::partial) {
                visit_(part, token, std::nullopt);
                enter(token);
            } else if (token.kind == Kind::end) {
                if (sections_.back().opens_scope) scopes_.pop_back();
                sections_.pop_back();
            } else {
                auto found = find(token.text);
                visit_(part, token, found);
                if (token.kind == Kind::section || token.kind == Kind::inverted) open(token, found);
            }
        }
    }

    void enter(const Token& token) {
        if (token.partial == Token::no_partial) return;
        // A partial that includes itself would never end; it has nothing new to say in a scope where it was before.
        bool recursive = source_.parts()[token.partial].recursive;
        if (recursive && !been_.emplace(token.partial, scopes_.back().node).second) return;
        part(token.partial);
    }

    void open(const Token& token, const std::optional<Found>& found) {
        bool opens = token.kind == Kind::section;
        bool always = opens && found && !found->node->list && !found->node->names.empty();
        sections_.push_back({std::string(token.text), found ? found->path : "", opens, always});
        if (!opens) return;
        // Below an unknown name every name is unknown too; one fault is enough.
        static const Node unknown{false, true, {}}; // open
        scopes_.push_back(found ? Scope{found->node, found->path} : Scope{&unknown, "?"});
    }

    std::optional<Found> find(std::string_view name) const {
        if (name == ".") return Found{scopes_.back().node, scopes_.back().path};
        for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope) {
            auto [node, rest] = step(*scope->node, name);
            if (!node) continue;
            while (node && !rest.empty()) std::tie(node, rest) = step(*node, rest);
            if (!node) return std::nullopt; // as in rendering: the first part decides
            return Found{node, scope->path.empty() ? std::string(name) : scope->path + "." + std::string(name)};
        }
        return std::nullopt;
    }

    static std::pair<const Node*, std::string_view> step(const Node& node, std::string_view name) {
        std::size_t dot = name.find('.');
        std::string_view rest = dot == name.npos ? std::string_view() : name.substr(dot + 1);
        auto known = node.names.find(name.substr(0, dot));
        if (known != node.names.end()) return {&known->second, rest};
        return {node.open ? &any_value : nullptr, rest};
    }

    static void list(const Node& node, const std::string& prefix, std::vector<std::string>& names) {
        for (const auto& [name, below] : node.names) {
            names.push_back(prefix + name);
            if (!below.list) list(below, prefix + name + ".", names);
        }
    }

    const Template& source_;
    Visit visit_;
    std::vector<Scope> scopes_;
    std::vector<Section> sections_;
    std::set<std::pair<std::uint32_t, const Node*>> been_;
};

std::vector<Fault> tidy(std::vector<Fault> faults) {
    sort_by_place(faults);
    auto same = [](const Fault& a, const Fault& b) {
        return a.file == b.file && a.line == b.line && a.column == b.column && a.message == b.message;
    };
    auto [first, last] = std::ranges::unique(faults, same);
    faults.erase(first, last);
    return faults;
}

// The list whose items have this name: "stories" for "title".
std::optional<std::string> list_with(const Node& node, std::string_view name) {
    std::string_view first = name.substr(0, name.find('.'));
    for (const auto& [list, below] : node.names)
        if (below.list && below.names.contains(first)) return list;
    return std::nullopt;
}

std::string message_for(std::string_view name, const Vocabulary& vocabulary, const Walk& walk) {
    std::string message = fmt::format("there is no \"{}\" here", name);
    if (auto list = list_with(vocabulary.root(), name))
        return message + fmt::format("; it is known inside {{{{#{}}}}}", *list);
    if (auto near = system::nearest(name, walk.known())) return message + fmt::format("; did you mean \"{}\"?", *near);
    return message;
}

}

Vocabulary::Vocabulary(std::span<const std::string_view> names) {
    for (std::string_view name : names) add(root_, name);
}

Vocabulary Vocabulary::with(std::span<const std::string_view> more) const {
    Vocabulary larger = *this;
    for (std::string_view name : more) add(larger.root_, name);
    return larger;
}

const Vocabulary& mail_vocabulary() {
    static const Vocabulary vocabulary = [] {
        std::vector<std::string> names = split(mail_words);
        for (const char* list : stories)
            for (std::string& name : split(story_words, list)) names.push_back(std::move(name));
        for (const char* list : bodies)
            for (std::string& name : split(body_words, list)) names.push_back(std::move(name));
        for (auto& [key, entry] : Languages::english().entries)
            if (is_fixed(entry.text)) names.push_back("words." + key);
        return Vocabulary(std::vector<std::string_view>(names.begin(), names.end()));
    }();
    return vocabulary;
}

std::vector<Fault> unknown_names(const Template& source, const Vocabulary& vocabulary) {
    std::vector<Fault> faults;
    const Walk* walking = nullptr;
    Walk walk(
        source, vocabulary, [&](const Template::Part& part, const Token& token, const std::optional<Found>& found) {
            if (token.kind == Kind::partial) return;
            bool section = token.kind == Kind::section || token.kind == Kind::inverted;
            if (!found)
                faults.push_back(fault_at(part, token, message_for(token.text, vocabulary, *walking)));
            else if (section && found->node->open) // its names are known only once there is a reader
                faults.push_back(
                    fault_at(part, token,
                             fmt::format("\"{0}\" cannot be opened as a section: write {{{{{0}.name}}}}", token.text)));
        });
    walking = &walk;
    walk.run();
    return tidy(std::move(faults));
}

std::vector<Fault> unknown_words(const Template& source) {
    std::map<std::string, std::vector<std::string>, std::less<>> known; // by what stands before the dot
    for (auto& [key, entry] : Languages::english().entries) {
        auto group = is_fixed(entry.text) ? "words" : "sentence";
        known[group].push_back(fmt::format("{}.{}", group, key));
    }
    std::vector<Fault> faults;
    for (const Template::Part& part : source.parts()) {
        for (const Token& token : part.tokens) {
            if (token.kind == Kind::literal || token.kind == Kind::partial) continue;
            auto dot = token.text.find('.');
            auto names = dot == token.text.npos ? known.end() : known.find(token.text.substr(0, dot));
            if (names == known.end() || std::ranges::find(names->second, token.text) != names->second.end()) continue;
            auto message = fmt::format("there is no \"{}\"", token.text);
            if (auto near = system::nearest(token.text, names->second))
                message += fmt::format("; did you mean \"{}\"?", *near);
            faults.push_back(fault_at(part, token, message));
        }
    }
    return tidy(std::move(faults));
}

bool names(const Template& source, std::string_view member) {
    for (const Template::Part& part : source.parts())
        for (const Token& token : part.tokens) {
            const bool value = token.kind != Kind::literal && token.kind != Kind::partial;
            if (value && token.text.substr(token.text.rfind('.') + 1) == member) return true;
        }
    return false;
}

std::vector<Fault> missing_partials(const Template& source) {
    std::vector<Fault> faults;
    for (const Template::Part& part : source.parts())
        for (const Token& token : part.tokens)
            if (token.kind == Kind::partial && token.partial == Token::no_partial)
                faults.push_back(fault_at(part, token, fmt::format("there is no partial \"{}\"", token.text)));
    return tidy(std::move(faults));
}

std::vector<Fault> missing_footer(const Template& source) {
    constexpr std::array<std::string_view, 2> required = {"unsubscribe_url", "site.postal_address"};
    std::set<std::string_view> shown;
    std::map<std::string_view, Fault> conditional;
    const Walk* walking = nullptr;

    Walk walk(source, mail_vocabulary(),
              [&](const Template::Part& part, const Token& token, const std::optional<Found>& found) {
                  if (!found || (token.kind != Kind::escaped && token.kind != Kind::raw)) return;
                  auto name = std::ranges::find(required, found->path);
                  if (name == required.end()) return;
                  // {{#unsubscribe_url}}...{{/unsubscribe_url}} round the link is no real condition: it is always
                  // there.
                  auto real = [&](const Section& section) {
                      return !section.always && !(section.opens_scope && section.path == *name);
                  };
                  auto condition = std::ranges::find_if(walking->sections(), real);
                  if (condition == walking->sections().end())
                      shown.insert(*name);
                  else
                      conditional.emplace(
                          *name,
                          fault_at(part, token,
                                   fmt::format("{{{{{}}}}} depends on section \"{}\": a mail must always show it",
                                               *name, condition->name)));
              });
    walking = &walk;
    walk.run();

    std::vector<Fault> faults;
    for (std::string_view name : required) {
        if (shown.contains(name)) continue;
        auto at = conditional.find(name);
        if (at != conditional.end())
            faults.push_back(at->second);
        else
            faults.push_back(
                {source.source().file, 1, 1, fmt::format("{{{{{}}}}} is missing: a mail must always show it", name)});
    }
    return tidy(std::move(faults));
}

}
