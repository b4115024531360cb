#pragma once

#include "mail/address.hpp"
#include "web/kept_mail.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

// The mails that the built-in test relay kept, read on a thread of their own: a disk may take its time.

namespace postrider::web {

class OutboxFolder {
public:
    explicit OutboxFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
    ~OutboxFolder() { thread_.join(); }
    OutboxFolder(const OutboxFolder&) = delete;
    OutboxFolder& operator=(const OutboxFolder&) = delete;

    struct Entry {
        std::string file;
        KeptMail mail; // its bodies perhaps cut short
    };
    boost::asio::awaitable<std::vector<Entry>> newest(std::size_t limit);
    // Nothing where the name is not one of a kept mail: no name leads out of the folder.
    boost::asio::awaitable<std::optional<std::string>> source(std::string file);

    // Of a person who is erased.
    boost::asio::awaitable<void> forget(mail::Address);

private:
    std::filesystem::path folder_;
    boost::asio::thread_pool thread_{1};
};

}
