#include "daemon/kept_answers.hpp"

namespace postrider::daemon {
namespace {

constexpr std::size_t most_bytes = 4 << 20;
constexpr std::size_t longest_key = 1024;

}

std::string KeptAnswers::key_of(const http::Request& request) {
    auto& headers = request.headers;
    if (request.method != "GET") return {};
    std::string key = request.target;
    // What our answers vary by.
    for (auto* name : {"Accept", "Accept-Language", "Content-Type"}) key.append("\n").append(headers.value(name));
    if (key.size() > longest_key) key.clear();
    return key;
}

const http::Response* KeptAnswers::find(const std::string& key) const {
    auto found = answers_.find(key);
    return found == answers_.end() ? nullptr : &found->second;
}

void KeptAnswers::keep(const std::string& key, const http::Response& answer) {
    auto size = key.size() + answer.body.size() + longest_key;
    if (answer.status != 200 || bytes_ + size > most_bytes) return;
    if (answers_.emplace(key, answer).second) bytes_ += size;
}

}
