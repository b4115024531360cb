#include "storage/database.hpp"

namespace postrider::storage {

Database::Database(const std::string& url) : writer_(url), reader_(url, Access::read_only) {}

Database::~Database() {
    writing_thread_.join();
    reading_thread_.join();
}

}
