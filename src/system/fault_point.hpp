#pragma once

// A named place at which a test may end the process, as kill -9 or a power cut would.
//
// Always: in the program this does nothing at all, whatever the environment says. Only the tests' own binary is linked
//         with another definition: tests/support/killing_fault_points.cpp.

namespace postrider::system {

void fault_point(const char* name) noexcept;

}
