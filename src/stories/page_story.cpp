#include "stories/page_story.hpp"

#include "stories/html.hpp"
#include "stories/limits.hpp"

namespace postrider::stories {

Story story_of_page(const Page& page, std::string_view url) {
    Story story;
    story.url = page.canonical_url.empty() ? std::string(url) : page.canonical_url;
    story.title = excerpt(page.title, longest_title);
    story.source = page.site;
    fill_from_page(story, page);
    return story;
}

void fill_from_page(Story& story, const Page& page) {
    story.summary = excerpt(page.summary, longest_summary);
    story.html = page.html;
    if (story.byline.empty()) story.byline = excerpt(page.byline.empty() ? page.agency : page.byline, longest_byline);
    if (story.image.url.empty()) story.image.url = page.image;
    if (story.categories.empty() && !page.section.empty()) story.categories.push_back(page.section);
    if (story.language.empty()) story.language = page.language;
    if (!story.published_at) story.published_at = page.published;
}

}
