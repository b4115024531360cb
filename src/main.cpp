#include "cli/run.hpp"

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <unistd.h>
#include <vector>

int main(int count, char** words) {
    // A reader that has seen enough (`| head`) is noticed by the write that fails.
    std::signal(SIGPIPE, SIG_IGN);
    std::ios::sync_with_stdio(false);
    std::vector<std::string> arguments(words + 1, words + count);
    postrider::cli::Terminal terminal{isatty(0) == 1, isatty(1) == 1, isatty(2) == 1};
    auto* no_colour = std::getenv("NO_COLOR");
    terminal.colour = terminal.out && (!no_colour || !*no_colour);
    return postrider::cli::run(arguments, std::cin, std::cout, std::cerr, terminal);
}
