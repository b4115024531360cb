#pragma once

#include <cstddef>
#include <string_view>

// What the names of elements, classes and roles say about where the article is. The lists are those of Mozilla's
// Readability, with what newsletters and consent banners have added since.
//
// In:  labels in lower case: the class and the id of an element, with a blank between them. Pure.

namespace postrider::stories {

[[nodiscard]] bool sounds_unlikely(std::string_view label); // to be in an article
[[nodiscard]] bool may_be_article(std::string_view label);  // in spite of that
[[nodiscard]] bool sounds_good(std::string_view label);
[[nodiscard]] bool sounds_bad(std::string_view label);
[[nodiscard]] bool sounds_like_byline(std::string_view label);
[[nodiscard]] bool is_share_bar(std::string_view label);
[[nodiscard]] bool is_for_screen_readers(std::string_view label); // not shown: "Skip to content"
[[nodiscard]] bool sounds_like_caption(std::string_view label);
[[nodiscard]] bool sounds_like_lead(std::string_view label);

[[nodiscard]] bool is_scored(std::string_view element);        // its text counts for its parent
[[nodiscard]] bool is_never_text(std::string_view element);    // nor is what stands below it
[[nodiscard]] bool is_surrounding_role(std::string_view role); // WAI-ARIA: a menu, a dialog
[[nodiscard]] double base_score(std::string_view element);     // before anything is known of its text

[[nodiscard]] std::size_t count_commas(std::string_view text); // of all scripts
[[nodiscard]] std::size_t count_words(std::string_view text);
// Most words of the heading are words of the title.
[[nodiscard]] bool says_the_same(std::string_view title, std::string_view heading);

// What lines say, in the languages that most news sites are written in.
[[nodiscard]] bool calls_to_act(std::string_view line);      // the page speaks, not the story: "Join the mailing list"
[[nodiscard]] bool names_rest(std::string_view heading);     // of what follows a story: "Related articles"
[[nodiscard]] bool is_picture_credit(std::string_view line); // "Photo: Ada Smith"
[[nodiscard]] bool asks_for_consent(std::string_view text);  // in the place of something from another site

}
