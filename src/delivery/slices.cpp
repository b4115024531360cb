#include "delivery/slices.hpp"

#include <fmt/format.h>

namespace postrider::delivery {
namespace {

// Outcomes are counted while they are at hand: a report adds up slices instead of readers.
std::string with_its_outcomes(std::string_view changes) {
    return fmt::format(R"sql(
        UPDATE slice SET {}, worker = NULL, (readers, first_at, last_at) =
            (SELECT count(*), min(CASE WHEN state = 'accepted' AND tries = 1 THEN at END),
                    max(CASE WHEN state = 'accepted' AND tries = 1 THEN at END)
             FROM delivery WHERE mailing_id = $1 AND subscription_id BETWEEN $2 AND $3)
        WHERE mailing_id = $1 AND first_id = $2)sql",
                       changes);
}

Slice slice_in(const storage::Row& row) { return {row.integer(0), row.integer(1), row.get<int>(2)}; }

}

std::int64_t Slices::cut_to() {
    return connection_
        .value<std::optional<std::int64_t>>("SELECT max(last_id) FROM slice WHERE mailing_id = $1", mailing_)
        .value()
        .value_or(0);
}

std::vector<Slice> Slices::under_way() {
    return connection_.all(
        R"sql(SELECT first_id, last_id, wave FROM slice
              WHERE mailing_id = $1 AND finished_at IS NULL AND not_before IS NULL ORDER BY first_id)sql",
        slice_in, mailing_);
}

bool Slices::any_at_rest() {
    return connection_
        .value<std::int64_t>("SELECT 1 FROM slice WHERE mailing_id = $1 AND not_before IS NOT NULL LIMIT 1", mailing_)
        .has_value();
}

void Slices::add(const Slice& slice, std::string_view worker, Time lease_until) {
    connection_.run(
        "INSERT INTO slice (mailing_id, first_id, last_id, worker, lease_until) VALUES ($1, $2, $3, $4, $5)", mailing_,
        slice.first, slice.last, worker, lease_until);
}

void Slices::rest(const Slice& slice, int wave, Time not_before) {
    static const auto sql = with_its_outcomes("wave = $4, not_before = $5, lease_until = NULL");
    connection_.run(sql, mailing_, slice.first, slice.last, wave, not_before);
}

std::optional<Slice> Slices::wake(std::int64_t waves_due, std::string_view worker, Time lease_until) {
    // By the number of the wave, as the index has it: while none is due none is looked at.
    auto slice = connection_.first(
        R"sql(SELECT first_id, last_id, wave FROM slice
              WHERE mailing_id = $1 AND not_before IS NOT NULL AND wave < $2 ORDER BY wave, first_id LIMIT 1)sql",
        slice_in, mailing_, waves_due);
    if (slice)
        connection_.run(R"sql(UPDATE slice SET not_before = NULL, worker = $3, lease_until = $4, readers = NULL
                              WHERE mailing_id = $1 AND first_id = $2)sql",
                        mailing_, slice->first, worker, lease_until);
    return slice;
}

void Slices::finish(const Slice& slice, Time now) {
    static const auto sql = with_its_outcomes("finished_at = $4");
    connection_.run(sql, mailing_, slice.first, slice.last, now);
}

}
