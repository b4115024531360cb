#include "web/page_templates.hpp"

#include "system/log.hpp"
#include "system/random.hpp"

#include <boost/json.hpp>

#include <algorithm>
#include <sys/stat.h>

namespace postrider::web {
namespace {

// From the source and not from the page: what a value brings is in no hash.
void add_style_hashes(std::string& sources, std::string_view template_text) {
    constexpr std::string_view open = "<style>", close = "</style>";
    for (;;) {
        auto begin = template_text.find(open);
        if (begin == template_text.npos) return;
        template_text.remove_prefix(begin + open.size());
        auto end = template_text.find(close);
        if (end == template_text.npos) return;
        auto source = "'sha256-" + system::base64(system::sha256(template_text.substr(0, end))) + "'";
        if (sources.find(source) == sources.npos) sources += (sources.empty() ? "" : " ") + source;
        template_text.remove_prefix(end);
    }
}

// Within {{#words}} every name may be a word.
ShownWords words_in(std::initializer_list<const templates::Template*> all) {
    constexpr std::string_view group = "words";
    std::set<std::string, std::less<>> words;
    for (auto* one : all) {
        for (auto& part : one->parts()) {
            for (auto& token : part.tokens) {
                if (token.kind == templates::Token::Kind::literal || !token.text.starts_with(group)) continue;
                auto rest = token.text.substr(group.size());
                if (rest.empty()) return std::nullopt;
                if (rest.front() == '.') words.emplace(rest.substr(1, rest.find('.', 1) - 1));
            }
        }
    }
    return words;
}

}

boost::json::object words_of(const ShownWords& shown, const templates::Words& said) {
    if (!shown) return said.fixed();
    boost::json::object words;
    for (auto& key : *shown)
        if (auto* text = said.fixed().if_contains(key)) words[key] = *text;
    return words;
}

PageTemplates::Page PageTemplates::render(std::string_view name, boost::json::object data) {
    auto said = languages()->words({std::string_view(data.at("language").as_string())});
    auto& loaded = load(std::string(name));
    try {
        data["words"] = words_of(loaded.words, said);
        return {loaded.parsed.render(data), loaded.style_source};
    } catch (const templates::TemplateError& error) {
        log::error("template cannot be rendered; the built-in one is shown", {{"error", error.what()}});
    }
    Stamps stamps;
    auto built_in = parse(std::string(name), From::built_in, stamps);
    data["words"] = words_of(built_in.words, said);
    return {built_in.parsed.render(data), built_in.style_source};
}

LetterTemplates PageTemplates::letter(const std::string& name) {
    LetterTemplates letter{
        load(name + "_subject").parsed, load(name + ".txt").parsed, load(name + ".html").parsed, languages(), {}};
    letter.words = words_in({&letter.subject, &letter.text, &letter.html});
    return letter;
}

std::shared_ptr<const templates::Languages> PageTemplates::languages() {
    if (languages_ && is_fresh(catalogue_stamps_)) return languages_;
    // The folder's stamp tells of files that come and go.
    Stamps stamps{{library_.folder(), stamp_of(library_.folder())}};
    try {
        for (auto& entry : library_.catalogue_names()) {
            auto file = library_.folder() / entry.name;
            if (entry.origin != templates::Library::Origin::built_in) stamps.emplace_back(file, stamp_of(file));
        }
        languages_ = std::make_shared<const templates::Languages>(library_);
        for (auto& line : languages_->faults_in_short())
            log::warn("a catalogue has faults; the built-in words stand in", {{"fault", line}});
    } catch (const templates::TemplateError& error) {
        log::error("the catalogues cannot be read; the built-in ones are used", {{"error", error.what()}});
        languages_ = std::make_shared<const templates::Languages>();
    }
    catalogue_stamps_ = std::move(stamps);
    return languages_;
}

bool PageTemplates::is_fresh(const Stamps& stamps) {
    return std::ranges::all_of(stamps, [](const auto& one) { return stamp_of(one.first) == one.second; });
}

const PageTemplates::Loaded& PageTemplates::load(const std::string& name) {
    auto found = loaded_.find(name);
    if (found != loaded_.end() && is_fresh(found->second.stamps)) return found->second;

    Loaded loaded;
    Stamps stamps;
    try {
        loaded = parse(name, From::library, stamps);
    } catch (const templates::TemplateError& error) {
        log::error("template cannot be used; the built-in one is shown", {{"error", error.what()}});
        Stamps none;
        loaded = parse(name, From::built_in, none);
    }
    loaded.stamps = std::move(stamps);
    return loaded_.insert_or_assign(name, std::move(loaded)).first->second;
}

PageTemplates::Loaded PageTemplates::parse(const std::string& name, From from, Stamps& stamps) const {
    auto find = [&](std::string_view wanted) -> std::optional<templates::Source> {
        if (from == From::built_in) return templates::Library::built_in(wanted);
        // The stamp first: a file that changes while it is read is read again the next time.
        auto file = library_.folder() / (std::string(wanted) + ".mustache");
        stamps.emplace_back(file, stamp_of(file));
        return library_.find(wanted);
    };
    auto source = find(name);
    if (!source) throw templates::TemplateError("there is no template " + name);
    auto parsed = templates::parse(*source, find);
    if (!parsed) throw templates::TemplateError(parsed.error().front());

    Loaded loaded;
    for (auto& part : parsed->parts()) add_style_hashes(loaded.style_source, part.source.text);
    if (loaded.style_source.empty()) loaded.style_source = "'none'";
    loaded.words = words_in({&*parsed});
    loaded.parsed = std::move(*parsed);
    return loaded;
}

std::optional<PageTemplates::Stamp> PageTemplates::stamp_of(const std::filesystem::path& file) {
    struct ::stat found{};
    if (::stat(file.c_str(), &found) != 0) return std::nullopt;
    return Stamp{found.st_mtim.tv_sec, found.st_mtim.tv_nsec, found.st_size};
}

}
