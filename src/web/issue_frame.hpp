#pragma once

#include <string>
#include <string_view>

// The page of a frozen issue is its mail. A browser also wants to be told what the main part is, and a way on from it.

namespace postrider::web {

// `top` at the beginning of the body and `end` at its end, with the issue as the main part between them. What has no
// body stays as it is. Pure, linear time.
[[nodiscard]] std::string framed(std::string_view html, std::string_view top, std::string_view end);

}
