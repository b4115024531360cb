#pragma once

#include "mail/dkim.hpp"
#include "system/signal.hpp"
#include "system/time.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

// DKIM while messages leave: an RSA signature costs ten times what all the rest of a message does, so it is made on
// threads of its own while the relay works on the message before.
//
// In:     a message as it goes over the wire, the domain of its From.
// Out:    the same message with its signatures in front; as it was where no key covers the domain.
// Always: the same message gives the same octets, also after a restart: the time of the signature is the message's.
// Errors: std::runtime_error out of end() when OpenSSL cannot sign; nothing goes out unsigned then.
// Threads: used on the loop; messages are signed on one thread for each core.

namespace postrider::delivery {

class Signing {
public:
    // Without signers every message goes as it is.
    Signing(boost::asio::any_io_executor loop, std::shared_ptr<const std::vector<mail::dkim::Signer>> signers);
    ~Signing(); // waits for what is being signed

    // One message at a time: what a connection keeps.
    class Work {
    private:
        friend class Signing;
        struct State {
            std::string message, fields;
            std::exception_ptr failure;
            system::Signal done;
        };
        std::shared_ptr<State> state_ = std::make_shared<State>(); // outlives a connection that ends meanwhile
        bool under_way_ = false;
    };

    // Takes the message out of `message` until end(); leaves it where it need not be signed.
    void begin(Work& work, std::string& message, std::string_view from_domain, Time at);
    // Puts it back, signed.
    boost::asio::awaitable<void> end(Work& work, std::string& message);

private:
    boost::asio::any_io_executor loop_;
    std::shared_ptr<const std::vector<mail::dkim::Signer>> signers_;
    std::optional<boost::asio::thread_pool> threads_; // none: without signers
};

}
