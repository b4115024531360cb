#include "templates/line_diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <vector>

namespace postrider::templates {
namespace {

constexpr int most_changes = 2'000;
constexpr std::size_t around = 3; // lines

using Lines = std::vector<std::string_view>;

// With their ends, so that a missing last one shows.
Lines lines_of(std::string_view text) {
    Lines lines;
    while (!text.empty()) {
        auto end = text.find('\n');
        lines.push_back(text.substr(0, end == text.npos ? end : end + 1));
        text.remove_prefix(lines.back().size());
    }
    return lines;
}

struct Step {
    char sign; // ' ' both have it, '-' only before, '+' only after
    std::string_view line;
};

class Comparison {
public:
    Comparison(Lines before, Lines after) : before_(std::move(before)), after_(std::move(after)) {}

    std::vector<Step> run() {
        while (first_ < before_.size() && first_ < after_.size() && before_[first_] == after_[first_]) ++first_;
        a_ = before_.size() - first_;
        b_ = after_.size() - first_;
        std::size_t last = 0;
        for (; a_ > 0 && b_ > 0 && a(a_ - 1) == b(b_ - 1); --a_, --b_) ++last;
        std::vector<Step> steps;
        for (std::size_t i = 0; i < first_; ++i) steps.push_back({' ', before_[i]});
        middle(steps);
        for (std::size_t i = before_.size() - last; i < before_.size(); ++i) steps.push_back({' ', before_[i]});
        return steps;
    }

private:
    std::string_view a(std::size_t i) const { return before_[first_ + i]; }
    std::string_view b(std::size_t i) const { return after_[first_ + i]; }

    void middle(std::vector<Step>& steps) {
        auto found = shortest();
        if (!found) {
            for (std::size_t i = 0; i < a_; ++i) steps.push_back({'-', a(i)});
            for (std::size_t i = 0; i < b_; ++i) steps.push_back({'+', b(i)});
            return;
        }
        steps.insert(steps.end(), found->rbegin(), found->rend());
    }

    // Backwards; nothing when the texts differ in more than most_changes lines.
    std::optional<std::vector<Step>> shortest() {
        auto n = int(a_), m = int(b_);
        int bound = std::min(n + m, most_changes);
        std::vector<int> reach(std::size_t(2 * bound + 3), 0); // on each diagonal, how far into `before`
        auto at = [&](std::vector<int>& all, int diagonal) -> int& { return all[std::size_t(diagonal + bound + 1)]; };
        std::vector<std::vector<int>> history;
        for (int d = 0; d <= bound; ++d) {
            std::vector<int> slice; // what this round may still look at: diagonals -d-1 to d+1
            for (int k = -d - 1; k <= d + 1; ++k) slice.push_back(std::abs(k) <= bound + 1 ? at(reach, k) : 0);
            history.push_back(std::move(slice));
            for (int k = -d; k <= d; k += 2) {
                bool down = k == -d || (k != d && at(reach, k - 1) < at(reach, k + 1));
                int x = down ? at(reach, k + 1) : at(reach, k - 1) + 1;
                while (x < n && x - k < m && x - k >= 0 && a(std::size_t(x)) == b(std::size_t(x - k))) ++x;
                at(reach, k) = x;
                if (x >= n && x - k >= m) return walked_back(history, d);
            }
        }
        return std::nullopt;
    }

    std::vector<Step> walked_back(const std::vector<std::vector<int>>& history, int d) {
        std::vector<Step> steps;
        auto x = int(a_), y = int(b_);
        for (; d > 0; --d) {
            auto& reach = history[std::size_t(d)];
            auto at = [&](int diagonal) { return reach[std::size_t(diagonal + d + 1)]; };
            int k = x - y;
            bool down = k == -d || (k != d && at(k - 1) < at(k + 1));
            int from = down ? k + 1 : k - 1, from_x = at(from), from_y = from_x - from;
            for (int begin = down ? from_x : from_x + 1; x > begin; --x, --y)
                steps.push_back({' ', a(std::size_t(x - 1))});
            steps.push_back(down ? Step{'+', b(std::size_t(from_y))} : Step{'-', a(std::size_t(from_x))});
            x = from_x;
            y = from_y;
        }
        for (; x > 0; --x) steps.push_back({' ', a(std::size_t(x - 1))});
        return steps;
    }

    Lines before_, after_;
    std::size_t first_ = 0, a_ = 0, b_ = 0; // same lines at the begin; what is left of both
};

struct Hunk {
    std::size_t first, last; // half open, into the steps
};

std::vector<Hunk> hunks_in(const std::vector<Step>& steps) {
    std::vector<Hunk> hunks;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (steps[i].sign == ' ') continue;
        auto first = i - std::min(i, around), last = std::min(i + around + 1, steps.size());
        if (!hunks.empty() && first <= hunks.back().last)
            hunks.back().last = last;
        else
            hunks.push_back({first, last});
    }
    return hunks;
}

}

std::string unified_diff(std::string_view before, std::string_view after, std::string_view name_before,
                         std::string_view name_after) {
    if (before == after) return "";
    auto steps = Comparison(lines_of(before), lines_of(after)).run();
    auto out = fmt::format("--- {}\n+++ {}\n", name_before, name_after);
    std::size_t done = 0, old_line = 1, new_line = 1;
    auto pass = [&](std::size_t end) {
        for (; done < end; ++done) {
            old_line += steps[done].sign != '+';
            new_line += steps[done].sign != '-';
        }
    };
    for (auto& hunk : hunks_in(steps)) {
        pass(hunk.first);
        auto old_first = old_line, new_first = new_line;
        pass(hunk.last);
        auto old_count = old_line - old_first, new_count = new_line - new_first;
        out += fmt::format("@@ -{},{} +{},{} @@\n", old_first - (old_count == 0), old_count,
                           new_first - (new_count == 0), new_count);
        for (auto i = hunk.first; i < hunk.last; ++i) {
            out.append(1, steps[i].sign).append(steps[i].line);
            if (!steps[i].line.ends_with('\n')) out += "\n\\ No newline at end of file\n";
        }
    }
    return out;
}

}
