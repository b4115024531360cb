#include "smtp/outbox.hpp"

#include "system/time.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <fstream>
#include <stdexcept>
#include <system_error>
#include <unistd.h>

namespace postrider::smtp {

namespace {

// "20261124T075400"
std::string stamp(Time now) {
    auto text = rfc3339(now).substr(0, 19);
    std::erase_if(text, [](char c) { return c == '-' || c == ':'; });
    return text;
}

void write(const std::filesystem::path& file, std::string_view bytes, std::ios::openmode mode) {
    std::ofstream out(file, std::ios::binary | mode);
    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    out.close();
    if (!out) throw std::runtime_error(fmt::format("{} cannot be written", file.string()));
}

}

std::string file_name_part(std::string_view address) {
    auto out = fit_to_show(address, 80);
    for (char& c : out) {
        auto byte = static_cast<unsigned char>(c);
        if (byte < 0x80 && !std::isalnum(byte) && std::string_view("@._+-").find(c) == std::string_view::npos) c = '_';
    }
    if (out.empty() || out.front() == '.') out.insert(0, "_");
    return out;
}

Outbox::Outbox(boost::asio::any_io_executor executor, std::filesystem::path folder, const system::Clock& clock)
    : folder_(std::move(folder)), clock_(clock),
      receiver_(std::move(executor), [this](const ReceivedMail& mail) { return keep(mail); }) {
    std::filesystem::create_directories(folder_);
}

std::string Outbox::url() const { return fmt::format("smtp://127.0.0.1:{}", receiver_.port()); }

Reply Outbox::keep(const ReceivedMail& mail) {
    auto now = stamp(clock_.now());
    auto hidden = folder_ / fmt::format(".{}.part", ::getpid());
    write(hidden, mail.bytes, std::ios::trunc);
    std::string name;
    for (;;) {
        name = fmt::format("{}-{:04}-{}.eml", now, ++count_, file_name_part(mail.to.front()));
        // A hard link fails where the name is taken, by an earlier run in the same second perhaps; rename() would
        // replace it.
        if (::link(hidden.c_str(), (folder_ / name).c_str()) == 0) break;
        if (errno != EEXIST) throw std::system_error(errno, std::generic_category(), (folder_ / name).string());
    }
    ::unlink(hidden.c_str());

    boost::json::array to;
    for (const auto& address : mail.to) to.emplace_back(fit_to_show(address, 1000));
    boost::json::object envelope{{"file", name}, {"from", fit_to_show(mail.from, 1000)}, {"to", std::move(to)}};
    write(folder_ / ".envelopes", boost::json::serialize(envelope) + "\n", std::ios::app);
    return {250, "2.0.0", fmt::format("kept as {}", name)};
}

std::int64_t Outbox::forget(const std::filesystem::path& folder,
                            const std::function<bool(std::string_view address)>& is_theirs) {
    std::ifstream envelopes(folder / ".envelopes", std::ios::binary);
    if (!envelopes) return 0; // nothing was ever kept
    std::int64_t count = 0;
    std::string kept;
    for (std::string line; std::getline(envelopes, line);) {
        boost::system::error_code failed;
        auto envelope = boost::json::parse(line, failed);
        auto* fields = failed ? nullptr : envelope.if_object();
        auto* file = fields ? fields->if_contains("file") : nullptr;
        auto* to = fields ? fields->if_contains("to") : nullptr;
        bool readable = file && file->is_string() && to && to->is_array();
        bool theirs = readable && std::ranges::any_of(to->get_array(), [&](const boost::json::value& address) {
                          return address.is_string() && is_theirs(std::string_view(address.get_string()));
                      });
        if (!theirs) {
            kept += line + "\n";
            continue;
        }
        std::filesystem::remove(folder / std::filesystem::path(std::string(file->get_string())).filename());
        ++count;
    }
    if (count == 0) return 0;
    auto fresh = folder / fmt::format(".envelopes.{}", ::getpid());
    write(fresh, kept, std::ios::trunc);
    std::filesystem::rename(fresh, folder / ".envelopes");
    return count;
}

}
