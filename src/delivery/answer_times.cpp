#include "delivery/answer_times.hpp"

#include <algorithm>
#include <numeric>

namespace postrider::delivery {

std::int64_t AnswerHistogram::total() const { return std::accumulate(counts.begin(), counts.end(), std::int64_t(0)); }

std::optional<Duration> AnswerHistogram::half_within() const {
    auto half = (total() + 1) / 2;
    std::int64_t seen = 0;
    for (std::size_t i = 0; i < answer_bounds.size(); ++i)
        if (seen += counts[i]; seen >= half) return answer_bounds[i];
    return std::nullopt;
}

void AnswerTimes::count(MailingId mailing, std::string_view relay, Duration time) {
    auto same = [&](const Gathered& one) { return one.mailing == mailing && one.histogram.relay == relay; };
    auto found = std::ranges::find_if(gathered_, same);
    if (found == gathered_.end())
        found = gathered_.insert(gathered_.end(), Gathered{mailing, {.relay = std::string(relay)}});
    auto bucket = std::ranges::lower_bound(answer_bounds, time) - answer_bounds.begin();
    ++found->histogram.counts[std::size_t(bucket)];
}

void AnswerTimes::write(storage::Connection& connection) const {
    for (auto& [mailing, histogram] : gathered_) {
        auto& n = histogram.counts;
        connection.run(R"sql(
            INSERT INTO answer_times (mailing_id, relay, within_10ms, within_20ms, within_50ms, within_100ms, within_200ms,
                                      within_500ms, within_1s, within_2s, within_5s, within_10s, within_30s, within_60s, longer)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
            ON CONFLICT (mailing_id, relay) DO UPDATE SET
                within_10ms = answer_times.within_10ms + excluded.within_10ms,
                within_20ms = answer_times.within_20ms + excluded.within_20ms,
                within_50ms = answer_times.within_50ms + excluded.within_50ms,
                within_100ms = answer_times.within_100ms + excluded.within_100ms,
                within_200ms = answer_times.within_200ms + excluded.within_200ms,
                within_500ms = answer_times.within_500ms + excluded.within_500ms,
                within_1s = answer_times.within_1s + excluded.within_1s,
                within_2s = answer_times.within_2s + excluded.within_2s,
                within_5s = answer_times.within_5s + excluded.within_5s,
                within_10s = answer_times.within_10s + excluded.within_10s,
                within_30s = answer_times.within_30s + excluded.within_30s,
                within_60s = answer_times.within_60s + excluded.within_60s,
                longer = answer_times.longer + excluded.longer)sql",
                       mailing, histogram.relay, n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7], n[8], n[9], n[10],
                       n[11], n[12]);
    }
}

std::vector<AnswerHistogram> AnswerTimes::of(storage::Connection& connection, MailingId mailing) {
    auto read = [](const storage::Row& row) {
        AnswerHistogram histogram{.relay = row.get<std::string>(0)};
        for (std::size_t i = 0; i < histogram.counts.size(); ++i) histogram.counts[i] = row.integer(int(i) + 1);
        return histogram;
    };
    return connection.all(R"sql(
        SELECT relay, within_10ms, within_20ms, within_50ms, within_100ms, within_200ms, within_500ms, within_1s,
               within_2s, within_5s, within_10s, within_30s, within_60s, longer
        FROM answer_times WHERE mailing_id = $1 ORDER BY relay)sql",
                          read, mailing);
}

}
