#include "storage/database.hpp"

namespace postrider::storage {

Database::Database(const std::string& url) : writer_(url, Access::read_write), reader_(url, Access::read_only) {
    // Readers of pages wait in their browsers meanwhile, and whoever sends mail tries again by itself.
    writer_.wait_for_others(10s);
    reader_.wait_for_others(10s);
}

boost::asio::awaitable<std::int64_t> Database::data_version() {
    auto look = [](Connection& connection) { return connection.data_version(); };
    std::string not_noted;
    auto version = co_await noted(on(reading_thread_, reader_, look), not_noted, under_way_);
    co_return version;
}

void Database::stop_waiting() {
    writer_.stop_waiting();
    reader_.stop_waiting();
}

Database::~Database() {
    writing_thread_.join();
    reading_thread_.join();
}

}
