#pragma once

#include "smtp/server.hpp"
#include "system/clock.hpp"

#include <boost/asio/any_io_executor.hpp>

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

// The built-in test relay, for url = "outbox:": an SMTP server on loopback that keeps every mail as a file.
//
// In:     mails over SMTP, to url().
// Out:    FOLDER/20261124T075400-0001-ada@example.org.eml: exactly the bytes of the message, nothing added. The
// envelope is a line of
//         JSON in FOLDER/.envelopes: {"file":..., "from":..., "to":[...]}.
// Always: a file appears whole, under a name of its own; nothing the sender says can leave the folder.

namespace postrider::smtp {

class Outbox {
public:
    // Makes the folder. The clock must outlive the outbox.
    Outbox(boost::asio::any_io_executor, std::filesystem::path folder, const system::Clock&);

    [[nodiscard]] std::string url() const; // "smtp://127.0.0.1:PORT"
    [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
    void run() { receiver_.run(); }
    void stop() { receiver_.stop(); }

    // Removes every mail that was kept in this folder for such an address, and its envelope; gives how many there were.
    static std::int64_t forget(const std::filesystem::path& folder,
                               const std::function<bool(std::string_view address)>& is_theirs);

private:
    Reply keep(const ReceivedMail&);

    std::filesystem::path folder_;
    const system::Clock& clock_;
    std::size_t count_ = 0;
    Receiver receiver_;
};

// "ada@example.org" with everything but letters, digits and "@._+-" replaced by "_", never beginning with a dot, at
// most 80 bytes; UTF-8 letters stay.
[[nodiscard]] std::string file_name_part(std::string_view address);

}
