#pragma once

namespace postrider::system {

// One more for as long as it lives, in a number that outlives it.
class Counted {
public:
    explicit Counted(int& number) : number_(number) { ++number_; }
    ~Counted() { --number_; }
    Counted(const Counted&) = delete;
    Counted& operator=(const Counted&) = delete;

private:
    int& number_;
};

}
