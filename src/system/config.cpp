#include "system/config.hpp"

#include "system/nearest.hpp"

#include <fmt/format.h>

#define TOML_EXCEPTIONS 1
#include <toml++/toml.h>

#include <charconv>
#include <fstream>
#include <set>
#include <sstream>
#include <unistd.h>

extern char** environ;

namespace postrider::system {

struct Config::Table::State {
    std::string file; // as shown
    toml::table root;
    std::map<std::string, std::string> environment; // "http.listen" -> value
    std::set<std::string> known;                    // "http.listen", "relay.url"
    std::set<std::string> known_tables;
};

struct Config::Table::Found {
    const toml::node* node;     // null: from the environment
    const std::string* written; // the environment's text
};

namespace {

std::string upper(std::string_view text) {
    std::string result(text);
    for (char& c : result) c = char(std::toupper(static_cast<unsigned char>(c)));
    return result;
}

const toml::table* table_of(const toml::table& root, const std::string& name, int index) {
    auto* node = root.get(name);
    if (!node) return nullptr;
    if (index < 0) return node->as_table();
    auto* array = node->as_array();
    return array && std::size_t(index) < array->size() ? array->get(std::size_t(index))->as_table() : nullptr;
}

std::string suggestion(std::string_view word, const std::set<std::string>& known) {
    std::vector<std::string> words(known.begin(), known.end());
    auto close = nearest(word, words);
    return close ? fmt::format("; did you mean {}?", *close) : "; config/postrider.toml shows every key";
}

}

std::map<std::string, std::string> Config::process_environment() {
    std::map<std::string, std::string> found;
    for (char** entry = environ; *entry; ++entry) {
        std::string_view text(*entry);
        auto equals = text.find('=');
        if (text.starts_with("POSTRIDER_") && equals != text.npos)
            found.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return found;
}

Config Config::load(const std::filesystem::path& file, const std::map<std::string, std::string>& environment) {
    auto state = std::make_shared<Table::State>();
    state->file = file.filename().string();
    std::ifstream stream(file);
    if (!stream)
        throw ConfigError(
            fmt::format("{}: cannot be read ({}); `postrider init` makes a site", file.string(), std::strerror(errno)));
    std::stringstream text;
    text << stream.rdbuf();
    try {
        state->root = toml::parse(text.str());
    } catch (const toml::parse_error& error) {
        auto where = error.source().begin;
        throw ConfigError(fmt::format("{}:{}:{}: {}", state->file, where.line, where.column, error.description()));
    }
    for (auto& [name, value] : environment) {
        auto middle = name.find("__");
        if (!name.starts_with("POSTRIDER_") || middle == name.npos) continue;
        auto key = name.substr(10, middle - 10) + "." + name.substr(middle + 2);
        for (char& c : key) c = char(std::tolower(static_cast<unsigned char>(c)));
        state->environment[key] = value;
    }
    return Config(state);
}

Config::Table Config::table(std::string_view name) {
    state_->known_tables.emplace(name);
    if (auto* node = state_->root.get(name); node && !node->is_table())
        throw ConfigError(
            fmt::format("{}:{}: {} must be a table: write [{}]", state_->file, node->source().begin.line, name, name));
    return Table(state_, std::string(name), -1);
}

std::vector<Config::Table> Config::tables(std::string_view name) {
    state_->known_tables.emplace(name);
    std::vector<Table> found;
    auto* node = state_->root.get(name);
    if (!node) return found;
    auto* array = node->as_array();
    if (!array || !array->is_homogeneous<toml::table>())
        throw ConfigError(fmt::format("{}:{}: {} may come several times: write [[{}]]", state_->file,
                                      node->source().begin.line, name, name));
    for (int i = 0; i < int(array->size()); ++i) found.push_back(Table(state_, std::string(name), i));
    return found;
}

bool Config::has(std::string_view table) const { return state_->root.contains(table); }

void Config::finish() const {
    auto& state = *state_;
    auto check = [&](const std::string& name, const toml::table& table, const char* brackets) {
        for (auto& [key, node] : table) {
            auto full = fmt::format("{}.{}", name, key.str());
            if (state.known.contains(full)) continue;
            std::set<std::string> siblings;
            for (auto& known : state.known)
                if (known.starts_with(name + ".")) siblings.insert(known.substr(name.size() + 1));
            throw ConfigError(fmt::format("{}:{}: {} of {} is no key{}", state.file, node.source().begin.line,
                                          key.str(), fmt::format(fmt::runtime(brackets), name),
                                          suggestion(key.str(), siblings)));
        }
    };
    for (auto& [key, node] : state.root) {
        std::string name(key.str());
        if (!state.known_tables.contains(name))
            throw ConfigError(fmt::format("{}:{}: [{}] is no table{}", state.file, node.source().begin.line, name,
                                          suggestion(name, state.known_tables)));
        if (auto* table = node.as_table()) check(name, *table, "[{}]");
        if (auto* array = node.as_array())
            for (auto& element : *array)
                if (auto* table = element.as_table()) check(name, *table, "[[{}]]");
    }
    for (auto& [key, value] : state.environment)
        if (!state.known.contains(key)) {
            auto name = "POSTRIDER_" + upper(key).replace(key.find('.'), 1, "__");
            throw ConfigError(
                fmt::format("the environment has {}, but {} is no key{}", name, key, suggestion(key, state.known)));
        }
}

std::optional<Config::Table::Found> Config::Table::find(std::string_view key) {
    auto full = fmt::format("{}.{}", name_, key);
    state_->known.insert(full);
    if (index_ <= 0)
        if (auto written = state_->environment.find(full); written != state_->environment.end())
            return Found{nullptr, &written->second};
    auto* table = table_of(state_->root, name_, index_);
    auto* node = table ? table->get(key) : nullptr;
    if (!node) return std::nullopt;
    return Found{node, nullptr};
}

std::string Config::Table::place(std::string_view key) const {
    auto full = fmt::format("{}.{}", name_, key);
    if (index_ <= 0 && state_->environment.contains(full))
        return "POSTRIDER_" + upper(full).replace(full.find('.'), 1, "__");
    auto* table = table_of(state_->root, name_, index_);
    auto* node = table ? table->get(key) : nullptr;
    auto line = node ? node->source().begin.line : table ? table->source().begin.line : 0;
    auto shown = index_ < 0 ? fmt::format("{} of [{}]", key, name_) : fmt::format("{} of [[{}]]", key, name_);
    return line ? fmt::format("{}:{}: {}", state_->file, line, shown) : fmt::format("{}: {}", state_->file, shown);
}

ConfigError Config::Table::error(std::string_view key, std::string_view complaint) const {
    return ConfigError(fmt::format("{}: {}", place(key), complaint));
}

bool Config::Table::has(std::string_view key) const { return const_cast<Table*>(this)->find(key).has_value(); }

std::optional<std::string> Config::Table::text_if(std::string_view key) {
    auto found = find(key);
    if (!found) return std::nullopt;
    if (found->written) return *found->written;
    if (auto value = found->node->value_exact<std::string>()) return value;
    throw error(key, "must be text in quotes");
}

std::string Config::Table::text(std::string_view key, std::string_view otherwise) {
    return text_if(key).value_or(std::string(otherwise));
}

std::string Config::Table::required(std::string_view key, std::string_view example) {
    auto value = text_if(key);
    if (value && !value->empty()) return *value;
    throw error(key, fmt::format("is missing; write {} = \"{}\"", key, example));
}

bool Config::Table::flag(std::string_view key, bool otherwise) {
    auto found = find(key);
    if (!found) return otherwise;
    if (found->written && (*found->written == "true" || *found->written == "false")) return *found->written == "true";
    if (found->node)
        if (auto value = found->node->value_exact<bool>()) return *value;
    throw error(key, "must be true or false, without quotes");
}

std::int64_t Config::Table::number(std::string_view key, std::int64_t otherwise, std::int64_t least,
                                   std::int64_t most) {
    auto found = find(key);
    if (!found) return otherwise;
    std::optional<std::int64_t> value;
    if (found->written) {
        std::int64_t parsed = 0;
        auto [end, problem] =
            std::from_chars(found->written->data(), found->written->data() + found->written->size(), parsed);
        if (problem == std::errc() && end == found->written->data() + found->written->size()) value = parsed;
    } else
        value = found->node->value_exact<std::int64_t>();
    if (!value) throw error(key, "must be a whole number, without quotes");
    if (*value < least || *value > most)
        throw error(key, fmt::format("{} is not between {} and {}", *value, least, most));
    return *value;
}

Duration Config::Table::duration(std::string_view key, Duration otherwise, Duration least) {
    auto written = text_if(key);
    if (!written) return otherwise;
    auto value = parse_duration(*written);
    if (!value) throw error(key, value.error());
    if (*value < least) throw error(key, fmt::format("\"{}\" is too short; at least {}", *written, to_text(least)));
    return *value;
}

std::optional<Rate> Config::Table::rate(std::string_view key, std::optional<Rate> otherwise) {
    auto written = text_if(key);
    if (!written) return otherwise;
    auto value = parse_rate(*written);
    if (!value) throw error(key, value.error());
    return *value;
}

std::int64_t Config::Table::size(std::string_view key, std::int64_t otherwise) {
    auto written = text_if(key);
    if (!written) return otherwise;
    std::int64_t count = 0;
    auto [end, problem] = std::from_chars(written->data(), written->data() + written->size(), count);
    std::string_view unit(end, written->data() + written->size() - end);
    std::int64_t scale = unit == "MB"   ? 1'000'000
                         : unit == "kB" ? 1'000
                         : unit == "GB" ? 1'000'000'000
                         : unit == "B"  ? 1
                                        : 0;
    if (problem != std::errc() || scale == 0 || count <= 0 || count > 1'000'000'000'000 / scale)
        throw error(key, fmt::format("\"{}\" is no size; write it like 64kB or 10MB", *written));
    return count * scale;
}

std::vector<std::string> Config::Table::texts(std::string_view key) {
    std::vector<std::string> values;
    auto found = find(key);
    if (!found) return values;
    if (found->written) {
        std::stringstream list(*found->written);
        for (std::string one; std::getline(list, one, ',');)
            if (!one.empty()) values.push_back(one);
        return values;
    }
    auto* array = found->node->as_array();
    if (!array) throw error(key, "must be a list: [\"one\", \"two\"]");
    for (auto& element : *array) {
        auto value = element.value_exact<std::string>();
        if (!value) throw error(key, "must hold only texts in quotes");
        values.push_back(*value);
    }
    return values;
}

}
