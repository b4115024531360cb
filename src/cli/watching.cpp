#include "cli/watching.hpp"

#include "cli/report.hpp"
#include "cli/sending.hpp"
#include "daemon/lock.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <csignal>
#include <ostream>
#include <unistd.h>

namespace postrider::cli {
namespace {

using delivery::MailingState;
using digest::Issue;
using digest::Issues;
using std::chrono::steady_clock;

constexpr Duration between_looks = 500ms;
constexpr Duration between_lines = 10s;
constexpr int percent_of_a_line = 10;

Time time_of_day() { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }

// Ctrl-C as an answer to a question instead of the end of the process.
class Interrupt {
public:
    Interrupt() {
        sigemptyset(&signals_);
        sigaddset(&signals_, SIGINT);
        pthread_sigmask(SIG_BLOCK, &signals_, &before_);
    }
    ~Interrupt() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
    Interrupt(const Interrupt&) = delete;
    Interrupt& operator=(const Interrupt&) = delete;

    // Waits so long; true as soon as somebody pressed it.
    [[nodiscard]] bool within(Duration length) const {
        timespec wait{length / 1s, long(length % 1s / 1ms) * 1'000'000};
        return sigtimedwait(&signals_, nullptr, &wait) == SIGINT;
    }

private:
    sigset_t signals_{}, before_{};
};

// Where progress is shown.
class Display {
public:
    Display(Call& call, const Issue& issue)
        : call_(call), name_(name_of(issue)), short_name_(fmt::format("{}/{}", issue.list_slug, issue.number.value())) {
    }
    ~Display() { clear(); }

    void show(const Sight& sight, steady_clock::time_point now) {
        rate_.add(now, sight.balance.settled());
        if (call_.terminal.err)
            redraw(sight);
        else
            log(sight, now);
    }

    void clear() {
        if (shown_ > 0) call_.err << '\r' << std::string(shown_, ' ') << '\r' << std::flush;
        shown_ = 0;
    }

private:
    void redraw(const Sight& sight) {
        // The last column stays free: a terminal that is written full begins a new line.
        auto line = progress_line(short_name_, sight, rate_.per_second(), time_of_day(), columns_of(STDERR_FILENO) - 1);
        auto width = width_of(line);
        call_.err << '\r' << line << std::string(shown_ > width ? shown_ - width : 0, ' ') << std::flush;
        shown_ = width;
    }

    void log(const Sight& sight, steady_clock::time_point now) {
        auto subject = standstill_subject(sight, time_of_day());
        auto tenth = percent(sight.balance) / percent_of_a_line;
        if (tenth == tenth_ && subject == subject_ && now - logged_ < between_lines) return;
        tenth_ = tenth;
        subject_ = subject;
        logged_ = now;
        call_.note(fmt::format("{}: {}", name_, progress_text(sight, rate_.per_second(), time_of_day())));
        call_.err.flush();
    }

    Call& call_;
    const std::string name_, short_name_;
    RecentRate rate_;
    std::size_t shown_ = 0; // columns of the line that stands on the terminal
    int tenth_ = -1;
    std::string subject_;
    steady_clock::time_point logged_{};
};

Sight look(Call& call, const Issue& issue) {
    Sight sight;
    sight.balance = delivery::Mailings(call.database()).progress(*issue.mailing);
    sight.holds = holds_of(call);
    sight.waits_for = waits_for(call, issue, time_of_day());
    return sight;
}

bool over(MailingState state) { return state == MailingState::sent || state == MailingState::cancelled; }

// False when nobody sends it any more, and it is not over.
bool served(Call& call, const Issue& issue) {
    if (daemon::daemon_running(call.site())) return true;
    // It may have finished the issue just before it left.
    return over(delivery::Mailings(call.database()).find(*issue.mailing).value().state);
}

void follow(Call& call, const Issue& issue) {
    Interrupt interrupt;
    Display display(call, issue);
    std::optional<std::int64_t> version;
    Sight sight;
    for (Duration pause = 50ms;; pause = std::min(2 * pause, between_looks)) {
        if (auto changed = call.database().data_version(); changed != version) {
            version = changed;
            sight = look(call, issue);
        }
        if (over(sight.balance.state)) return;
        if (!served(call, issue)) {
            display.clear();
            throw Failure(fmt::format(
                "no daemon serves this site, and {} is not sent; start one with `postrider serve`", name_of(issue)));
        }
        display.show(sight, steady_clock::now());
        if (!interrupt.within(pause)) continue;
        display.clear();
        throw Failure(
            fmt::format("no longer watched, the issue goes on; `postrider issue report {} --follow` shows it again",
                        issue.id.number));
    }
}

}

delivery::Holds holds_of(Call& call) {
    auto holds = delivery::read_holds(call.database(), time_of_day());
    std::erase_if(holds.relays, [&](auto& hold) {
        return std::ranges::none_of(call.site().relays, [&](auto& one) { return one.lane.relay.name == hold.name; });
    });
    return holds;
}

std::string wave_text(const delivery::WavesNow& waves, Time now) {
    auto zones = fmt::format("{}", fmt::join(waves.next->names(), ", "));
    return fmt::format("wave {} of {} at {}: {}", waves.next->number + 1, waves.waves.size(),
                       moment(waves.next->not_before, now), shortened(zones, 60));
}

std::string waits_for(Call& call, const Issue& issue, Time now) {
    if (!issue.mailing) return "";
    auto state = delivery::Mailings(call.database()).find(*issue.mailing).value().state;
    if (state == MailingState::sending) {
        auto waves = delivery::waves_now(call.database(), *issue.mailing, now);
        return waves.resting ? wave_text(waves, now) : "";
    }
    if (state != MailingState::scheduled) return "";
    for (auto& other : delivery::Mailings(call.database()).open()) {
        if (other.list != issue.list || other.id == *issue.mailing || other.state == MailingState::scheduled) continue;
        auto ahead = Issues(call.database()).of_mailing(other.id);
        return fmt::format("{}, which is {}", ahead ? name_of(*ahead) : "an earlier issue", to_text(other.state));
    }
    return "";
}

int watch(Call& call, IssueId id) {
    auto issue = Issues(call.database()).find(id).value();
    if (!issue.mailing)
        throw Failure(fmt::format("{} is {}{}; there is nothing to follow", name_of(issue), to_text(issue.state),
                                  issue.reason.empty() ? "" : ": " + issue.reason));
    follow(call, issue);
    issue = Issues(call.database()).find(id).value();
    auto balance = balance_of(call, issue);
    print_report(call, issue, balance);
    return issue.state == digest::IssueState::sent && balance.balanced() ? 0 : 1;
}

}
