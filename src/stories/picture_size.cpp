#include "stories/picture_size.hpp"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace postrider::stories {
namespace {

using std::string_view;

constexpr std::uint32_t largest_side = 100'000;

enum class Order { big_endian, little_endian };

// Nothing where the bytes end before.
std::optional<std::uint32_t> number(string_view bytes, std::size_t at, std::size_t count, Order order) {
    if (at > bytes.size() || count > bytes.size() - at) return std::nullopt;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
        const auto byte = static_cast<unsigned char>(bytes[at + (order == Order::big_endian ? i : count - 1 - i)]);
        value = value << 8 | byte;
    }
    return value;
}

std::optional<PictureSize> sized(std::optional<std::uint32_t> width, std::optional<std::uint32_t> height) {
    if (!width || !height || *width == 0 || *height == 0) return std::nullopt;
    if (*width > largest_side || *height > largest_side) return std::nullopt;
    return PictureSize{int(*width), int(*height)};
}

// libpng.org/pub/png/spec/iso: the signature, then IHDR.
std::optional<PictureSize> png(string_view bytes) {
    if (bytes.substr(12, 4) != "IHDR") return std::nullopt;
    return sized(number(bytes, 16, 4, Order::big_endian), number(bytes, 20, 4, Order::big_endian));
}

std::optional<PictureSize> gif(string_view bytes) {
    return sized(number(bytes, 6, 2, Order::little_endian), number(bytes, 8, 2, Order::little_endian));
}

// Exif 2.32, section 4.6: a TIFF header, then the entries of the first directory; 0x0112 is the orientation. From 5 on
// the picture lies on its side.
bool lies_on_its_side(string_view segment) {
    constexpr string_view mark("Exif\0\0", 6);
    if (!segment.starts_with(mark)) return false;
    const auto tiff = segment.substr(mark.size());
    const auto order = tiff.starts_with("II") ? Order::little_endian : Order::big_endian;
    const auto directory = number(tiff, 4, 4, order);
    if (!directory) return false;
    const auto entries = number(tiff, *directory, 2, order);
    for (std::uint32_t i = 0; entries && i < *entries; ++i) {
        const auto at = std::size_t(*directory) + 2 + std::size_t(i) * 12;
        const auto tag = number(tiff, at, 2, order);
        if (!tag) return false;
        if (*tag != 0x0112) continue;
        const auto orientation = number(tiff, at + 8, 2, order).value_or(1);
        return orientation >= 5 && orientation <= 8;
    }
    return false;
}

// ITU T.81, annex B: segments of a marker and a length, until a frame begins.
std::optional<PictureSize> jpeg(string_view bytes) {
    bool turned = false;
    std::size_t at = 2;
    while (at + 1 < bytes.size()) {
        if (bytes[at] != '\xFF') return std::nullopt;
        const auto marker = static_cast<unsigned char>(bytes[at + 1]);
        if (marker == 0xFF) { // fill
            ++at;
            continue;
        }
        at += 2;
        if (marker == 0x01 || (marker >= 0xD0 && marker <= 0xD8)) continue; // these stand alone
        const auto length = number(bytes, at, 2, Order::big_endian);
        if (!length || *length < 2) return std::nullopt;
        const bool frame = marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
        if (frame) {
            auto size = sized(number(bytes, at + 5, 2, Order::big_endian), number(bytes, at + 3, 2, Order::big_endian));
            if (size && turned) std::swap(size->width, size->height);
            return size;
        }
        if (marker == 0xDA || marker == 0xD9) return std::nullopt; // pixels, or the end, without a frame
        if (marker == 0xE1 && at + 2 < bytes.size()) turned |= lies_on_its_side(bytes.substr(at + 2, *length - 2));
        at += *length;
    }
    return std::nullopt;
}

// developers.google.com/speed/webp/docs/riff_container, and RFC 6386 section 9.1 for VP8.
std::optional<PictureSize> webp(string_view bytes) {
    constexpr auto order = Order::little_endian;
    const auto kind = bytes.substr(12, 4);
    const auto one_more = [](std::optional<std::uint32_t> value) -> std::optional<std::uint32_t> {
        return value ? std::optional(*value + 1) : std::nullopt;
    };
    if (kind == "VP8X") return sized(one_more(number(bytes, 24, 3, order)), one_more(number(bytes, 27, 3, order)));
    if (kind == "VP8L") {
        const auto bits = number(bytes, 21, 4, order);
        if (!bits || bytes[20] != '\x2F') return std::nullopt;
        return sized((*bits & 0x3FFF) + 1, (*bits >> 14 & 0x3FFF) + 1);
    }
    if (kind != "VP8 " || bytes.size() < 30 || bytes.substr(23, 3) != "\x9D\x01\x2A") return std::nullopt;
    return sized(*number(bytes, 26, 2, order) & 0x3FFF, *number(bytes, 28, 2, order) & 0x3FFF);
}

}

std::optional<PictureSize> picture_size(string_view bytes) {
    if (bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a")) return gif(bytes);
    if (bytes.size() < 24) return std::nullopt;
    if (bytes.starts_with("\x89PNG\r\n\x1A\n")) return png(bytes);
    if (bytes.starts_with("\xFF\xD8")) return jpeg(bytes);
    if (bytes.starts_with("RIFF") && bytes.substr(8, 4) == "WEBP") return webp(bytes);
    return std::nullopt;
}

}
