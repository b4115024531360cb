#include "delivery/warm_ups.hpp"

namespace postrider::delivery {

std::optional<DayCount> read_day(storage::Connection& connection, std::string_view relay) {
    return connection.first(
        "SELECT date, day, sent FROM relay_day WHERE name = $1",
        [](const storage::Row& row) { return DayCount{row.integer(0), row.get<int>(1), row.integer(2)}; }, relay);
}

void write(storage::Connection& connection, const WarmUpDay& day) {
    connection.run(R"sql(
        INSERT INTO relay_day (name, date, day, sent) VALUES ($1, $2, $3, $4)
        ON CONFLICT (name) DO UPDATE SET date = excluded.date, day = excluded.day, sent = excluded.sent)sql",
                   day.relay, day.count.date, std::int64_t(day.count.day), day.count.sent);
}

}
