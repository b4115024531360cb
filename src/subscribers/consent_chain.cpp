#include "subscribers/consent_chain.hpp"

#include "system/random.hpp"

namespace postrider::subscribers {
namespace {

// With its length before it, so that no two different contents are the same bytes.
void add(std::string& to, std::string_view piece) {
    to.append(std::to_string(piece.size())).append(":").append(piece).append(",");
}

void add(std::string& to, std::int64_t number) { add(to, std::to_string(number)); }

}

std::string person_seal(std::string_view salt, std::string_view address_key, std::string_view form,
                        std::string_view mail) {
    std::string content;
    add(content, system::hex(salt));
    for (auto piece : {address_key, form, mail}) add(content, piece);
    return system::sha256(content);
}

std::string client_seal(std::string_view salt, std::string_view client) {
    std::string content;
    add(content, system::hex(salt));
    add(content, client);
    return system::sha256(content);
}

std::string chained(std::string_view before, const ChainedContent& entry) {
    std::string content;
    content.reserve(512);
    add(content, system::hex(before));
    add(content, entry.list.number);
    add(content, entry.event);
    add(content, entry.at.time_since_epoch().count());
    add(content, entry.words);
    add(content, entry.language);
    add(content, entry.sign_up ? std::to_string(entry.sign_up->number) : std::string());
    add(content, system::hex(entry.person_seal));
    add(content, system::hex(entry.client_seal));
    return system::sha256(content);
}

}
