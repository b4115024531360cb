#include "stories/robots.hpp"

#include "stories/characters.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

namespace postrider::stories {
namespace {

constexpr std::size_t longest_file = 500 * 1024, most_rules = 2'000, longest_pattern = 2'000;

// `*` stands for any characters, a `$` at the end for the end. Greedy with one place to go back to: linear times linear.
bool matches(std::string_view pattern, std::string_view path) {
    const bool anchored = pattern.ends_with('$');
    if (anchored) pattern.remove_suffix(1);
    std::size_t p = 0, at = 0, star = pattern.npos, retry = 0;
    while (true) {
        if (p == pattern.size() && (!anchored || at == path.size())) return true;
        if (p < pattern.size() && pattern[p] == '*') {
            star = p++;
            retry = at;
        } else if (p < pattern.size() && at < path.size() && pattern[p] == path[at]) {
            ++p;
            ++at;
        } else if (star != pattern.npos && retry < path.size()) {
            p = star + 1;
            at = ++retry;
        } else {
            return false;
        }
    }
}

// "10", "0.5"; what is no number asks for nothing.
Duration seconds_in(std::string_view text) {
    double seconds = 0;
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds, std::chars_format::fixed);
    if (error == std::errc::result_out_of_range) return RobotsRules::longest_pause;
    if (error != std::errc() || !(seconds > 0)) return {};
    constexpr double most = double(RobotsRules::longest_pause / 1ms);
    return Duration(std::int64_t(std::min(seconds * 1000, most)));
}

}

// Lines of the file, one by one, into the group for us and the group for everybody.
class RobotsRules::File {
public:
    explicit File(std::string_view product) : product_(product) {}

    void read(std::string_view line) {
        line = trim(line.substr(0, line.find('#')));
        const auto colon = line.find(':');
        if (colon == line.npos) return;
        const auto key = trim(line.substr(0, colon));
        const auto value = trim(line.substr(colon + 1));
        if (same_letters(key, "user-agent")) return agent(value);
        if (same_letters(key, "crawl-delay")) return pause(seconds_in(value));
        const bool allow = same_letters(key, "allow");
        if (!allow && !same_letters(key, "disallow")) return;
        in_rules_ = true;
        if (value.empty() || value.size() > longest_pattern) return;
        if (ours_ && own_.size() < most_rules) own_.push_back({allow, std::string(value)});
        if (everybodys_ && general_.size() < most_rules) general_.push_back({allow, std::string(value)});
    }

    std::vector<Rule> rules() && { return std::move(named_ ? own_ : general_); }
    [[nodiscard]] Duration pause() const { return named_ ? own_pause_ : general_pause_; }

private:
    void agent(std::string_view name) {
        if (in_rules_) ours_ = everybodys_ = in_rules_ = false;
        everybodys_ = everybodys_ || name == "*";
        ours_ = ours_ || same_letters(name.substr(0, name.find('/')), product_);
        named_ = named_ || ours_;
    }

    void pause(Duration asked) {
        in_rules_ = true;
        if (ours_) own_pause_ = asked;
        if (everybodys_) general_pause_ = asked;
    }

    std::string_view product_;
    std::vector<Rule> own_, general_;
    Duration own_pause_{}, general_pause_{};
    bool ours_ = false, everybodys_ = false, in_rules_ = false, named_ = false;
};

RobotsRules::RobotsRules(std::string_view text, std::string_view product) {
    text = text.substr(0, longest_file);
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    File file(product);
    while (!text.empty()) {
        const auto end = std::min(text.find_first_of("\r\n"), text.size());
        file.read(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    pause_ = file.pause();
    rules_ = std::move(file).rules();
}

bool RobotsRules::allow(std::string_view path) const {
    path = path.substr(0, longest_pattern);
    const Rule* best = nullptr;
    for (const auto& rule : rules_) {
        if (!matches(rule.pattern, path)) continue;
        const bool longer = !best || rule.pattern.size() > best->pattern.size();
        const bool milder = best && rule.pattern.size() == best->pattern.size() && rule.allow;
        if (longer || milder) best = &rule;
    }
    return !best || best->allow;
}

}
