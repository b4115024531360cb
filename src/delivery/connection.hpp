#pragma once

#include "delivery/dispatcher.hpp"

#include <boost/asio/cancellation_signal.hpp>

// What one connection of the dispatcher keeps between two messages. Private to delivery/dispatcher.cpp and
// conversation.cpp.

namespace postrider::delivery {

struct Dispatcher::Connection {
    explicit Connection(Lane& l) : lane(l) {}

    Lane& lane;
    boost::asio::cancellation_signal opening; // ends the wait for a relay that does not answer
    std::unique_ptr<smtp::Session> session;
    std::unique_ptr<Parcel> now, next; // on their way; next: its envelope rides with the body of now
    std::string body;                  // of the message that leaves next
    std::string sender;                // the envelope's view looks here
    Signing::Work signature;           // of body
    ReaderLinks links;
    Message::Scratch scratch;
    system::Signal durable; // set when the outcome is committed
    system::Signal work;    // set when there may be something to take
    int messages = 0;       // taken for this connection
    Time opening_since;
    bool starting = false; // counts as about to take something
    bool idle = false;     // waits for work
    bool rested = false;   // was idle, and nothing has been heard since: what it meets is no news about the relay
    Time idle_since;
};

}
