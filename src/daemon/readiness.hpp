#pragma once

#include <string_view>

// Tells systemd where the service stands (sd_notify(3)); does nothing when it was not started by systemd.

namespace postrider::daemon {

void tell_systemd(std::string_view state); // "READY=1", "STOPPING=1"

}
