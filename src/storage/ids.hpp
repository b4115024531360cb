#pragma once

#include "storage/connection.hpp"

// The identifiers that several rooms pass to each other. An identifier that one room keeps to itself stays in that
// room.

namespace postrider {

using ListId = storage::Id<struct ListTag>;
using SubscriberId = storage::Id<struct SubscriberTag>;
using SubscriptionId = storage::Id<struct SubscriptionTag>;
using FeedId = storage::Id<struct FeedTag>;
using StoryId = storage::Id<struct StoryTag>;
using IssueId = storage::Id<struct IssueTag>;
using MailingId = storage::Id<struct MailingTag>;
using LetterId = storage::Id<struct LetterTag>;

}
