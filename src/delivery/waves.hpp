#pragma once

#include "storage/ids.hpp"

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

// The hours at which a mailing leaves, where each reader is to get it at the same reading of their own clock.
//
// In:     the moment it is for, the zone of its list, the zones of the readers.
// Out:    waves: each a time not to start before, and the zones whose readers it is for.
// Always: at most 24, within a day from that moment, in the order of their times. The first is the list's own: it is
//         for everybody who is in no other, so for those whose zone is not known too. None at all where no reader lives by
//         another clock. A reader's hour is the first at or after the moment: who lives east of the list gets the mail
//         on the next morning.

namespace postrider::schedule {
class Zone;
}

namespace postrider::delivery {

struct Wave {
    int number;
    Time not_before;
    std::string zones; // "\nAsia/Tokyo\nAsia/Seoul\n"; of the first one empty

    [[nodiscard]] bool has(std::string_view zone) const;
    [[nodiscard]] std::vector<std::string> names() const;
};

// Pure. Names that are no zones are left out. With more than 24 different times each is rounded down to the hour.
[[nodiscard]] std::vector<Wave> waves_at(Time slot, const schedule::Zone& of_list, std::span<const std::string> zones);

void keep_waves(storage::Connection&, MailingId, std::span<const Wave>);
[[nodiscard]] std::vector<Wave> waves_of(storage::Connection&, MailingId);

// Where a mailing is that leaves in waves, for whoever watches it.
struct WavesNow {
    std::vector<Wave> waves;
    std::optional<Wave> next; // the first that has not begun
    bool resting = false;     // nothing is to be sent before that one
};
[[nodiscard]] WavesNow waves_now(storage::Connection&, MailingId, Time now);

}
