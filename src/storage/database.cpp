#include "storage/database.hpp"

namespace postrider::storage {

Database::Database(const std::string& url) : writer_(url), reader_(url, Access::read_only) {
    // A daemon that is told to stop has eight seconds; whoever sends mail tries again by itself.
    writer_.wait_for_others(4s);
    reader_.wait_for_others(4s);
}

Database::~Database() {
    writing_thread_.join();
    reading_thread_.join();
}

}
