#include "cli/call.hpp"
#include "cli/command.hpp"
#include "daemon/lock.hpp"
#include "schedule/schedule.hpp"
#include "smtp/connect.hpp"
#include "storage/migrations.hpp"
#include "subscribers/address_rules.hpp"
#include "subscribers/consent.hpp"
#include "system/random.hpp"
#include "templates/copies.hpp"
#include "templates/designs.hpp"
#include "templates/review.hpp"
#include "templates/words.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <span>

namespace postrider::cli {
namespace {

namespace asio = boost::asio;
namespace fs = std::filesystem;
namespace json = boost::json;

enum class Level { ok, warn, fail };
constexpr std::string_view level_words[] = {"ok", "warn", "fail"};

struct Finding {
    Level level;
    std::string about, text; // "database": "sound, schema up to date"
};

class Doctor {
public:
    explicit Doctor(Call& call) : call_(call) {}

    int run() {
        if (look("config", [&] { return config(); })) {
            look("keys", [&] { return keys(); });
            if (call_.site().dkim) look("dkim", [&] { return dkim(); });
            auto& disposable = call_.site().sign_up.disposable_domains;
            if (!disposable.empty()) look("disposable domains", [&] { return domains_in(disposable); });
            if (look("database", [&] { return database(); })) {
                look_at_lists();
                look("consent", [&] { return consent(); });
            }
            look_at_templates();
            for (auto& relay : call_.site().relays)
                look("relay " + relay.lane.relay.name, [&] { return reach(relay); });
            look("daemon", [&] { return daemon_state(); });
        }
        return summary();
    }

private:
    // What a look throws is its finding. False when it failed.
    template <class Look>
    bool look(std::string about, Look look) {
        try {
            note({about, look()});
        } catch (const std::exception& error) {
            note({about, {Level::fail, error.what()}});
        }
        return findings_.back().level != Level::fail;
    }

    using Said = std::pair<Level, std::string>;

    void note(std::pair<std::string, Said> one) {
        findings_.push_back({one.second.first, std::move(one.first), std::move(one.second.second)});
        constexpr Colour colours[] = {Colour::green, Colour::yellow, Colour::red};
        auto& finding = findings_.back();
        auto word = painted(fmt::format("{:<4}", level_words[int(finding.level)]), colours[int(finding.level)],
                            call_.terminal.err && call_.terminal.colour);
        if (!call_.json()) call_.note(fmt::format("{}  {}: {}", word, finding.about, finding.text));
    }

    Said config() {
        auto& site = call_.site();
        if (site.operator_address.empty())
            return {Level::warn,
                    fmt::format("{} is read, but nobody gets notices; write operator = \"you@...\" into [site]",
                                (site.folder / "postrider.toml").string())};
        return {Level::ok, (site.folder / "postrider.toml").string()};
    }

    Said keys() {
        auto& folder = call_.site().keys;
        if (!fs::is_directory(folder))
            return {Level::warn, fmt::format("{} is not there yet; `postrider serve` makes it", folder.string())};
        constexpr auto others = fs::perms::group_all | fs::perms::others_all;
        if ((fs::status(folder).permissions() & others) != fs::perms::none)
            return {Level::fail, fmt::format("{0} is open to others; chmod 700 {0}", folder.string())};
        for (auto& entry : fs::directory_iterator(folder))
            if (entry.is_regular_file() && (entry.status().permissions() & others) != fs::perms::none)
                return {Level::fail, fmt::format("{0} is open to others; chmod 600 {0}", entry.path().string())};
        (void)call_.tokens();
        return {Level::ok, fmt::format("{}, for their owner only", folder.string())};
    }

    Said dkim() {
        auto signers = mail::dkim::load_signers(*call_.site().dkim, call_.site().keys);
        if (!signers) return {Level::fail, signers.error()};
        std::vector<std::string> domains;
        for (auto& signer : *signers) domains.push_back(signer.domain());
        return {Level::ok, fmt::format("mail of {} is signed", fmt::join(domains, ", "))};
    }

    Said domains_in(const fs::path& file) {
        auto count = std::int64_t(subscribers::DisposableDomains(file).size());
        return {Level::ok, fmt::format("{} in {}", counted(count, "domain"), file.string())};
    }

    Said database() {
        auto& file = call_.site().database_file;
        storage::Connection connection(call_.site().database_url, storage::Access::read_only);
        storage::require_current(connection, embedded::schema());
        auto verdict = connection.value<std::string>("PRAGMA integrity_check(1)").value_or("no answer");
        if (verdict != "ok")
            return {Level::fail, fmt::format("{} is damaged: {}; restore a backup", file.string(), verdict)};
        if (auto table = connection.value<std::string>("PRAGMA foreign_key_check"))
            return {Level::fail, fmt::format("{}: rows of {} point nowhere; restore a backup", file.string(), *table)};
        return {Level::ok, fmt::format("{} is sound, its schema up to date", file.string())};
    }

    Said consent() {
        auto check = subscribers::check_consent(call_.database());
        if (check.broken)
            return {Level::fail,
                    fmt::format("entry {} does not follow from the one before it: it was changed, or entries before it "
                                "were changed or taken out behind the program's back; compare with a backup",
                                *check.broken)};
        if (check.cut_off)
            return {Level::fail, fmt::format("entries after the {}th were taken out behind the program's back; compare "
                                             "with a backup",
                                             check.entries)};
        if (check.entries == 0) return {Level::ok, "nobody has agreed to anything yet"};
        return {Level::ok, fmt::format("{} in an unbroken chain, the last with hash {}",
                                       counted(check.entries, "entry", "entries"), system::hex(check.head))};
    }

    void look_at_lists() {
        auto lists = subscribers::Lists(call_.database()).all();
        if (lists.empty())
            note({"lists", {Level::warn, "there is none; `postrider list add SLUG --title T` makes one"}});
        for (auto& list : lists) {
            designs_.insert(list.template_name);
            if (list.state != subscribers::ListState::archived)
                look("list " + list.slug, [&] { return schedule_of(list); });
        }
    }

    Said schedule_of(const subscribers::List& list) {
        if (auto sender = mail::parse_sender(list.sender); !sender)
            return {Level::fail,
                    fmt::format("its sender \"{}\" is no address: {}; `postrider list edit {} --from` mends it",
                                list.sender, sender.error().reason, list.slug)};
        if (!schedule::Zone::find(list.timezone)) return {Level::fail, schedule::unknown_zone(list.timezone)};
        if (!list.schedule)
            return {Level::warn,
                    fmt::format("it has no schedule; `postrider schedule set {} ...` gives it one", list.slug)};
        auto schedule = schedule::parse(*list.schedule);
        if (!schedule) return {Level::fail, schedule::explain(*list.schedule, schedule.error())};
        auto next = digest::Publishing::next_slot(list, call_.now);
        if (!next) return {Level::fail, fmt::format("its schedule \"{}\" never falls due", *list.schedule)};
        return {Level::ok, fmt::format("{}, next at {}", schedule::in_words(*schedule), shown(next))};
    }

    void look_at_templates() {
        std::size_t sound = 0;
        auto entries = call_.library().names();
        std::vector<std::string> designs(designs_.begin(), designs_.end());
        for (auto& design : templates::designs(call_.library())) designs.push_back(design.name);
        for (auto& entry : entries) {
            try {
                sound += is_sound(entry.name, designs);
            } catch (const std::exception& error) {
                note({"template " + entry.name, {Level::fail, error.what()}});
            }
        }
        for (auto& entry : entries)
            if (templates::built_in_has_changed(call_.library(), entry.name))
                note({"template " + entry.name,
                      {Level::warn, fmt::format("the built-in one has changed since you copied it; `postrider template "
                                                "diff {} --built-in` shows how",
                                                entry.name)}});
        for (auto& line : templates::Languages(call_.library()).faults_in_short()) note({"words", {Level::warn, line}});
        for (auto& design : designs_)
            for (auto part : {".html", ".txt"})
                if (!call_.library().find(design + part))
                    note({"template " + design + part, {Level::fail, "a list uses it, and there is none"}});
        note({"templates", {Level::ok, fmt::format("{} sound", sound)}});
    }

    bool is_sound(const std::string& name, std::span<const std::string> designs) {
        auto partials = [this](std::string_view partial) { return call_.library().find(partial); };
        auto faults = templates::review(call_.library().get(name), partials, designs).faults;
        if (faults.empty()) return true;
        auto* error = templates::first_error(faults);
        auto line = (error ? error : &faults.front())->text();
        if (faults.size() > 1)
            line += fmt::format(" (and {} more; `postrider template check {}`)", faults.size() - 1, name);
        note({"template " + name, {error ? Level::fail : Level::warn, line}});
        return false;
    }

    Said reach(const daemon::Relay& relay) {
        auto settings = relay.lane.relay;
        if (relay.outbox)
            return {Level::warn,
                    fmt::format("keeps all mail in {}; nothing is sent to anybody", call_.site().outbox.string())};
        settings.timeouts.connect = 10s;
        settings.timeouts.opening = 15s;
        asio::io_context context(1);
        system::SystemClock clock;
        system::CurlLoop curl(context.get_executor());
        std::optional<smtp::ConnectError> error;
        bool encrypted = false;
        auto connect = [&]() -> asio::awaitable<void> {
            auto line = co_await smtp::connect(curl, clock, settings);
            if (line)
                encrypted = line->encrypted;
            else
                error = line.error();
        };
        std::exception_ptr failure;
        asio::co_spawn(context, connect(), [&](std::exception_ptr failed) { failure = failed; });
        context.run();
        if (failure) std::rethrow_exception(failure);
        if (error) return {Level::fail, fmt::format("{}: {}", settings.url, error->text)};
        return {Level::ok, fmt::format("{} answers, {}{}", settings.url, encrypted ? "encrypted" : "not encrypted",
                                       settings.user.empty() ? "" : ", logged in")};
    }

    Said daemon_state() {
        if (daemon::daemon_running(call_.site())) return {Level::ok, "running"};
        return {Level::warn, "not running; `postrider serve` starts it"};
    }

    int summary() {
        std::int64_t counts[3] = {};
        json::array rows;
        for (auto& finding : findings_) {
            ++counts[int(finding.level)];
            rows.push_back(json::object{
                {"level", level_words[int(finding.level)]}, {"about", finding.about}, {"text", finding.text}});
        }
        bool well = counts[int(Level::fail)] == 0;
        if (call_.json())
            print_json(call_.out, json::object{{"ok", well}, {"findings", std::move(rows)}});
        else
            call_.say(fmt::format("{} ok, {} to think about, {} wrong", counts[0], counts[1], counts[2]));
        return well ? 0 : 1;
    }

    Call& call_;
    std::vector<Finding> findings_;
    std::set<std::string> designs_{"digest"};
};

}

void add_doctor(Commands& commands) {
    commands.push_back({"doctor",
                        "",
                        "Look at everything a site needs: ok, warn or fail, and what to do.",
                        "doctor",
                        {},
                        {json_option},
                        [](Call& call) { return Doctor(call).run(); }});
}

}
