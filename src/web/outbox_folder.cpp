#include "web/outbox_folder.hpp"

#include "smtp/outbox.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <algorithm>
#include <fstream>

namespace postrider::web {
namespace {

namespace asio = boost::asio;

constexpr std::size_t enough_for_a_list = 256 * 1024;
constexpr std::size_t largest_mail = 32 * 1024 * 1024;

bool is_kept_mail(const std::string& name) {
    return name.ends_with(".eml") && !name.starts_with('.') && name.size() <= 255 &&
           name.find_first_of(std::string_view("/\\\0", 3)) == name.npos;
}

std::optional<std::string> beginning_of(const std::filesystem::path& file, std::size_t limit) {
    std::ifstream in(file, std::ios::binary);
    if (!in) return std::nullopt;
    std::string bytes(limit, '\0');
    in.read(bytes.data(), std::streamsize(limit));
    bytes.resize(std::size_t(in.gcount()));
    return bytes;
}

asio::awaitable<std::vector<OutboxFolder::Entry>> list(std::filesystem::path folder, std::size_t limit) {
    std::vector<std::string> names;
    std::error_code failed; // a folder that is not there yet is an empty one
    for (auto& entry : std::filesystem::directory_iterator(folder, failed)) {
        auto name = entry.path().filename().string();
        if (is_kept_mail(name)) names.push_back(std::move(name));
    }
    // Names begin with the moment they were kept.
    std::ranges::sort(names, std::greater());
    if (names.size() > limit) names.resize(limit);

    std::vector<OutboxFolder::Entry> entries;
    for (auto& name : names)
        if (auto bytes = beginning_of(folder / name, enough_for_a_list)) entries.push_back({name, read_mail(*bytes)});
    co_return entries;
}

asio::awaitable<void> without(std::filesystem::path folder, mail::Address address) {
    smtp::Outbox::forget(folder, [&](std::string_view to) { return mail::is_same(to, address); });
    co_return;
}

asio::awaitable<std::optional<std::string>> whole(std::filesystem::path file) {
    std::error_code failed;
    auto size = std::filesystem::is_regular_file(file, failed) ? std::filesystem::file_size(file, failed) : 0;
    if (failed || size == 0) co_return std::nullopt;
    co_return beginning_of(file, std::min<std::size_t>(size, largest_mail));
}

}

asio::awaitable<std::vector<OutboxFolder::Entry>> OutboxFolder::newest(std::size_t limit) {
    auto work = list(folder_, limit);
    co_return co_await asio::co_spawn(thread_, std::move(work), asio::use_awaitable);
}

asio::awaitable<std::optional<std::string>> OutboxFolder::source(std::string file) {
    if (!is_kept_mail(file)) co_return std::nullopt;
    auto work = whole(folder_ / file);
    co_return co_await asio::co_spawn(thread_, std::move(work), asio::use_awaitable);
}

asio::awaitable<void> OutboxFolder::forget(mail::Address address) {
    auto work = without(folder_, std::move(address));
    co_await asio::co_spawn(thread_, std::move(work), asio::use_awaitable);
}

}
