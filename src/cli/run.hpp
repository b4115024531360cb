#pragma once

#include <iosfwd>
#include <span>
#include <string>

// One command, from its words to its exit status.
//
// In:     the arguments without the program's name; three streams, and which of them are a terminal.
// Out:    0: done; 1: it could not be done, or a check says no; 2: wrong usage.
// Always: an error is one line on `err`: what, where, the next thing to do. No exception leaves.

namespace postrider::cli {

struct Terminal {
    bool in = false, out = false, err = false;
    bool colour = false; // out is a terminal and NO_COLOR is not set
};

int run(std::span<const std::string> arguments, std::istream& in, std::ostream& out, std::ostream& err,
        const Terminal& terminal = {});

}
