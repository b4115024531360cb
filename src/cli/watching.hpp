#pragma once

#include "cli/call.hpp"
#include "cli/progress.hpp"
#include "delivery/waves.hpp"

// Watching an issue until it is sent or cancelled: `issue send --wait` and `issue report --follow`.
//
// In:     an issue that is scheduled, sending or paused; one that is over is reported at once.
// Out:    progress on standard error, at the end the report on standard output. On a terminal one line, redrawn in place
//         twice a second; elsewhere a plain line for every ten percent, for every change of what holds it up, and at
//         least every ten seconds.
// Always: reads only, at most two looks a second, of counts and indexed rows; none while nobody commits. Ctrl-C ends the
//         watching, never the issue. Without a daemon it is a Failure at once.

namespace postrider::cli {

// The exit status: 0 when it was sent and its account balances.
int watch(Call&, IssueId);

// What stands in the way of relays and domains, without relays that are no longer configured.
[[nodiscard]] delivery::Holds holds_of(Call&);
// "wave 3 of 7 at 12:00 UTC: America/New_York"; there must be a next one.
[[nodiscard]] std::string wave_text(const delivery::WavesNow&, Time now);
// What a scheduled issue waits for: "issue 11 (daily/2), which is paused"; or one that is between two waves; or nothing.
[[nodiscard]] std::string waits_for(Call&, const digest::Issue&, Time now);

}
