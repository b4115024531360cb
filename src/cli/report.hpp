#pragma once

#include "cli/call.hpp"
#include "delivery/mailings.hpp"

// What became of an issue: its account, the reasons of those who did not get it, and how quickly the relays answered.

namespace postrider::cli {

int report(Call&); // `issue report`

[[nodiscard]] delivery::Balance balance_of(Call&, const digest::Issue&);
// To standard output, in words or as JSON.
void print_report(Call&, const digest::Issue&, const delivery::Balance&);

}
