#include "delivery/whole_record.hpp"

#include "delivery/letters.hpp"
#include "storage/wiping.hpp"

#include <boost/json.hpp>

namespace postrider::delivery {
namespace {

namespace json = boost::json;

// To whom they went is known still; what was said is deleted with the sending.
json::array letters_to(storage::Connection& connection, const mail::Address& address) {
    json::array rows;
    connection.each(
        "SELECT purpose, created_at, state, finished_at FROM letter WHERE address_key = $1 ORDER BY id",
        [&](const storage::Row& row) {
            auto finished_at = row.get<std::optional<Time>>(3);
            rows.push_back(json::object{
                {"purpose", row.text(0)}, {"written_at", rfc3339(row.get<Time>(1))}, {"state", row.text(2)}});
            rows.back().as_object()["finished_at"] = finished_at ? json::value(rfc3339(*finished_at)) : json::value();
        },
        address.key());
    return rows;
}

json::array deliveries_to(storage::Connection& connection, const mail::Address& address) {
    json::array rows;
    connection.each(
        R"sql(SELECT l.slug, d.state, d.at, d.tries, d.reason
              FROM subscriber p JOIN subscription s ON s.subscriber_id = p.id
              JOIN mailing m ON m.list_id = s.list_id
              JOIN delivery d ON d.mailing_id = m.id AND d.subscription_id = s.id
              JOIN list l ON l.id = s.list_id
              WHERE p.address_key = $1 ORDER BY d.at, m.id)sql",
        [&](const storage::Row& row) {
            bool has_reason = !row.null(4) && !row.text(4).empty();
            rows.push_back(json::object{{"list", row.text(0)},
                                        {"state", row.text(1)},
                                        {"at", rfc3339(row.get<Time>(2))},
                                        {"tries", row.integer(3)}});
            rows.back().as_object()["reason"] = has_reason ? json::value(row.text(4)) : json::value();
        },
        address.key());
    return rows;
}

}

std::string whole_record(storage::Connection& connection, const subscribers::LinkTokens& tokens,
                         const mail::Address& address, Time now) {
    storage::Snapshot moment(connection);
    auto record = json::parse(subscribers::known_about(connection, tokens, address, now)).as_object();
    record["letters"] = letters_to(connection, address);
    record["deliveries"] = deliveries_to(connection, address);
    return json::serialize(record);
}

subscribers::Erased erase_record(storage::Connection& connection, const subscribers::LinkTokens& tokens,
                                 const mail::Address& address, Time now) {
    storage::Wiping wiping(connection);
    storage::Transaction transaction(connection);
    Letters(connection).erase(address.key());
    auto erased = subscribers::erase(connection, tokens, address, now);
    transaction.commit();
    return erased;
}

}
