#pragma once

#include "http/message.hpp"
#include "system/time.hpp"

// "Send it only if it is not what I have": RFC 9110 section 13.

namespace postrider::http {

// Gives an answer with status 200 a strong ETag, made of its body.
void tag(Response&);

// Makes a tagged answer a 304 where the request says that the visitor has it already: by If-None-Match, or where there
// is none, by If-Modified-Since against the answer's Last-Modified. For GET only.
void answer_conditionally(const Request&, Response&, Time now);

}
