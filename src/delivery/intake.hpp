#pragma once

#include "delivery/answer_times.hpp"
#include "delivery/holds.hpp"
#include "delivery/letters.hpp"
#include "delivery/mailings.hpp"
#include "delivery/message.hpp"
#include "delivery/retry.hpp"
#include "delivery/slices.hpp"
#include "delivery/warm_ups.hpp"
#include "delivery/waves.hpp"
#include "subscribers/audience.hpp"

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

// The database's side of sending: it records what happened and says what to send next, both in one transaction.
//
// In:     the outcomes and give-backs of one group, and how many parcels are wanted.
// Out:    parcels: letters first, then readers whose next try is due, then readers of the open slices, in order of id.
// Always: within a slice nobody is read twice while on its way; a reader given back without an outcome is read again
//         once nobody of the slice is on its way; a slice is finished when each of its readers has a row in delivery.
//         After a crash the slices that are not finished are read again, without those who have a row: nobody is lost,
//         and nobody recorded is sent twice.
// Threads: used only inside the writing thread's work; the dispatcher has at most one group under way.

namespace postrider::delivery {

// A mailing as a connection needs it; shared by all its parcels.
struct OpenMailing {
    MailingId id;
    ListId list;
    Time started_at;
    Message message;
    subscribers::LinkSigner signer; // with the key the message was frozen with
    Time due_at;                    // when its readers were to get it; started_at, or the hour of a later wave
};

struct Parcel {
    std::shared_ptr<const OpenMailing> mailing; // null: a letter
    subscribers::Reader reader;
    std::optional<mail::Address> address; // the reader's or the letter's, parsed; never empty in the queue
    std::int64_t slice = 0;               // its first id; 0: a reader whose earlier try was deferred, or a letter
    std::unique_ptr<Letter> letter;
    int number = 1; // of this try
    bool was_unknown = false;
    Time read_at; // when the reader's state was read
};

// "A reader's state is read at most one second before the message leaves."
constexpr Duration fresh_for = 1s;
// Why somebody planned gets nothing.
constexpr std::string_view left_since = "left since the issue began";
constexpr std::string_view no_story = "no story of the topics that the reader chose";
constexpr std::string_view paused_by_reader = "paused by the reader";
// One of them, or empty: this reader is to get the mailing now.
[[nodiscard]] std::string_view why_nothing(const OpenMailing&, const subscribers::Reader&, Time now);

struct Record {
    MailingId mailing;
    SubscriptionId subscription;
    std::int64_t slice = 0; // 0: not the first outcome of this reader
    Outcome outcome;
    int tries = 1;
    std::optional<Time> next_try_at;
    bool was_unknown = false;
    std::string reason; // empty: none
};

struct LetterRecord {
    LetterId id;
    Outcome outcome;
    int tries;
    std::optional<Time> next_try_at;
    std::string reason;
};

struct GiveBack { // a reader that was read but not tried; comes again
    MailingId mailing;
    SubscriptionId subscription;
    std::int64_t slice;
    Time not_before;
};

// What one transaction brings in and takes out.
struct Group {
    std::vector<Record> records;
    std::vector<LetterRecord> letters;
    std::vector<GiveBack> given_back;
    std::vector<HoldNote> relays, domains; // for commands to show
    std::vector<WarmUpDay> days;           // as they stand now
    AnswerTimes answers;
    int wanted = 0; // parcels
    std::vector<std::unique_ptr<Parcel>> parcels;
    std::vector<std::unique_ptr<Parcel>> spare; // done with: their memory serves the next ones
    std::vector<MailingId> halted;              // nothing more of these may leave: paused, cancelled
    std::vector<std::string> broken;            // mailings that cannot be sent, each with its reason
    bool more = false;                          // there may be more at once
    std::optional<Time> next_due;               // when something that waits now will be due

    [[nodiscard]] bool empty() const {
        return records.empty() && letters.empty() && given_back.empty() && relays.empty() && domains.empty() &&
               answers.empty();
    }
};

class Intake {
public:
    Intake(RetrySettings settings, const subscribers::LinkTokens& tokens, std::string worker)
        : settings_(settings), tokens_(tokens), worker_(std::move(worker)) {}

    // One transaction. Throws storage::Error and then has changed nothing, neither in the database nor in itself. A
    // mailing that cannot be sent (its key is gone, its message is damaged) is in group.broken and leaves the others
    // alone; it is looked at again every ten seconds.
    void exchange(storage::Connection& connection, Group& group, Time now);

private:
    struct OpenSlice : Slice {
        std::int64_t read_to = first - 1; // every reader up to here was read
        int on_their_way = 0;             // read, and neither recorded nor given back
        bool resumed = false;             // some of its readers may have outcomes from before
        bool again = false;               // somebody was given back
    };
    struct Waves {
        std::vector<Wave> all;
        std::string zones;                                        // of all of them
        std::vector<std::shared_ptr<const OpenMailing>> mailings; // with the dates of the waves
    };
    struct Open {
        std::shared_ptr<const OpenMailing> mailing;
        MailingState state = MailingState::sending;
        std::int64_t ceiling = 0, cut_to = 0;     // slices exist up to here
        std::map<std::int64_t, OpenSlice> slices; // those that are being sent, by first id
        std::shared_ptr<const Waves> waves;       // null: everybody at once

        [[nodiscard]] const std::shared_ptr<const OpenMailing>& of_wave(int number) const {
            return waves ? waves->mailings[std::size_t(number)] : mailing;
        }
        [[nodiscard]] int wave_of(const subscribers::Reader&) const;
        [[nodiscard]] int last_wave() const { return waves ? int(waves->all.size()) - 1 : 0; }
        [[nodiscard]] Time last_due() const { return of_wave(last_wave())->due_at; }
    };

    [[nodiscard]] std::optional<Time> next_due(storage::Connection&, Time now);
    void open(storage::Connection&, const Mailing&, Time now);
    void follow_second_tries(const Group&);
    void take_records(storage::Connection&, const Group&, Time now);
    void take_back(storage::Connection&, const Group&);
    [[nodiscard]] static std::optional<int> wave_after(storage::Connection&, const Open&, const Slice&);
    void finish_slices(storage::Connection&, Group&, Time now);
    void follow_states(storage::Connection&, Group&, Time now);
    void load(storage::Connection&, const Mailing&);
    void give_letters(storage::Connection&, Group&, Time now);
    void give_second_tries(storage::Connection&, Open&, Group&, Time now);
    void give_readers(storage::Connection&, Open&, Group&, Time now);
    void expire_readers(storage::Connection&, Open&, Group&, Time now);
    OpenSlice* next_slice(storage::Connection&, Open&, Time now); // null: there is none, or not yet
    OpenSlice* cut_slice(storage::Connection&, Open&, Time now);
    OpenSlice* wake_slice(storage::Connection&, Open&, Time now);
    int read_readers(storage::Connection&, const Open&, const OpenSlice&, int limit,
                     const std::function<subscribers::Reader&()>& place);
    static bool has_address(storage::Connection&, Parcel&, Time now);
    [[nodiscard]] std::unique_ptr<Parcel> fresh_parcel();
    void read_slice(storage::Connection&, Open&, OpenSlice&, Group&, Time now);
    void finish_mailings(storage::Connection&, Time now);

    RetrySettings settings_;
    const subscribers::LinkTokens& tokens_;
    std::map<MailingId, Open> open_;
    std::set<std::pair<MailingId, SubscriptionId>> second_tries_; // deferred readers who are on their way again
    struct Broken {
        std::string reason;
        Time look_again;
    };
    std::map<MailingId, Broken> broken_;
    std::vector<std::unique_ptr<Parcel>> spare_;
    std::string worker_;
    bool began_ = false; // an exchange has succeeded
};

}
