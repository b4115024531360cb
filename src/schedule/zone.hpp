#pragma once

#include "system/time.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace cctz {
class time_zone;
}

// A time zone of the IANA database, and what its clocks show.
//
// In:   a name such as "Europe/Berlin"; the data come from the system ($TZDIR, else /usr/share/zoneinfo) when a name is
// first
//       used, and stay as they were then until the program starts anew. "UTC" needs no data.
// Out:  conversions between instants (Time) and local clock readings (std::chrono::local_time), with gaps and overlaps
// named. Always: a name is looked up among the zones the system has before anything is opened, so any text may be
// passed in; a Zone in
//       hand is valid, cheap to copy, and may be used from any thread. Sub-second parts are cut off towards the past.

namespace postrider::schedule {

class Zone {
public:
    // Nothing for a name that is not in the database. Letter case matters, as everywhere else; unknown_zone() helps
    // out.
    [[nodiscard]] static std::optional<Zone> find(std::string_view name);
    [[nodiscard]] static Zone utc();

    [[nodiscard]] const std::string& name() const { return name_; }

    [[nodiscard]] std::chrono::local_seconds local(Time) const;
    [[nodiscard]] std::chrono::seconds offset(Time) const; // east of UTC
    [[nodiscard]] std::string abbreviation(Time) const;    // "CEST", or "+03" where a zone has no letters

    enum class Reading { once, skipped, repeated };
    struct Instants {
        Reading reading;
        Time first;  // skipped: the first instant after the gap
        Time second; // repeated: when clocks show it again; otherwise the same as first
    };
    [[nodiscard]] Instants at(std::chrono::local_seconds) const;

    // False for a date that was left out altogether, such as 30 December 2011 in Pacific/Apia.
    [[nodiscard]] bool has_day(std::chrono::local_days) const;

    // The first instant after `after` at which the rules of the zone change; nothing when they never do again.
    [[nodiscard]] std::optional<Time> next_change(Time after) const;

    friend bool operator==(const Zone& a, const Zone& b) { return a.name_ == b.name_; }

private:
    Zone(std::string name, const cctz::time_zone&);

    std::string name_;
    std::shared_ptr<const cctz::time_zone> zone_; // shared, so that a copy is cheap while cctz stays out of this header
};

// Those that a person may choose from: named after places, in order.
[[nodiscard]] std::vector<std::string_view> zones_of_places();

// The zone that was probably meant by a name that is none: "europe/berlin", "Berlin", "new york", "PST".
[[nodiscard]] std::optional<std::string> nearest_zone(std::string_view name);

// One line: `time zone "Europe/Berln" is not known; did you mean "Europe/Berlin"?`
[[nodiscard]] std::string unknown_zone(std::string_view name);

}
