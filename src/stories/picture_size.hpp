#pragma once

#include <optional>
#include <string_view>

// How large a picture is, read from its first bytes.
//
// In:     the beginning of a PNG, GIF, JPEG or WebP file; any bytes.
// Out:    its size as a browser shows it, a photograph turned as its camera says (Exif, orientation); nothing for what
//         is no such picture, ends too early or claims a size that no picture has.
// Always: pure; no byte is read twice.

namespace postrider::stories {

struct PictureSize {
    int width = 0, height = 0; // pixels
    friend bool operator==(const PictureSize&, const PictureSize&) = default;
};

[[nodiscard]] std::optional<PictureSize> picture_size(std::string_view first_bytes);

// Nobody can see it: it is there to be counted.
[[nodiscard]] constexpr bool is_counter(PictureSize size) {
    return size.width > 0 && size.height > 0 && size.width <= 2 && size.height <= 2;
}

}
