#pragma once

#include "templates/fault.hpp"
#include "templates/flat.hpp"

#include <vector>

// What an HTML mail should not have: what no mail program runs, what some do not know, what a reader cannot read.
//
// In:     a template laid out flat.
// Out:    findings with their places, each saying what is wrong and what to do. Errors: script, forms, event handlers,
//         links that lead nowhere from an inbox. Warnings: pictures without alt, http, missing lang, contrast below
//         4.5, letters below 14 px, CSS that one of the large mail programs does not know (client_support.hpp).
// Always: pure, linear, at most 100 findings. Colours and sizes are those that style rules and attributes give together;
//         what depends on a value is not judged. What stands in comments for Outlook is not looked at.
// Source: standards J1 to J8; WCAG 2.2, 1.1.1, 1.4.3, 3.1.1.

namespace postrider::templates {

enum class Document { whole, fragment }; // a fragment need not say its language

[[nodiscard]] std::vector<Fault> mail_faults(const FlatTemplate&, Document);

// Of a page in a browser, which may have forms and relative links: script and event handlers, which the policy under
// which pages are sent does not run; alt and lang.
[[nodiscard]] std::vector<Fault> page_faults(const FlatTemplate&, Document);

// {{{ }}} and {{& }}: only what the program itself has made safe may come in as HTML. That are sentence.*, words.*, names
// that end in "html", and the reader's links.
[[nodiscard]] std::vector<Fault> raw_values(const FlatTemplate&);

}
