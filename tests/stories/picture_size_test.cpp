#include "stories/picture_size.hpp"

#include <gtest/gtest.h>

#include <string>

namespace postrider::stories {
namespace {

using namespace std::string_literals;

std::string big(int value) { return {char(value >> 8), char(value & 0xFF)}; }
std::string little(int value) { return {char(value & 0xFF), char(value >> 8)}; }

std::string png(int width, int height) {
    return "\x89PNG\r\n\x1A\n\0\0\0\rIHDR\0\0"s + big(width) + "\0\0"s + big(height) + "\x08\x02\0\0\0"s;
}

std::string segment(char marker, const std::string& data) {
    return "\xFF"s + marker + big(int(data.size()) + 2) + data;
}

std::string frame(int width, int height, char marker = '\xC0') {
    return segment(marker, "\x08" + big(height) + big(width) + "\x03");
}

std::string exif(int orientation, bool little_endian) {
    auto two = little_endian ? little : big;
    std::string head = little_endian ? "II*\0\x08\0\0\0"s : "MM\0*\0\0\0\x08"s;
    std::string count = little_endian ? "\x01\0\0\0"s : "\0\0\0\x01"s;
    return segment('\xE1',
                   "Exif\0\0"s + head + two(1) + two(0x0112) + two(3) + count + two(orientation) + "\0\0\0\0\0\0"s);
}

std::string webp(const std::string& kind, const std::string& data) {
    return "RIFF\x40\0\0\0WEBP"s + kind + "\x20\0\0\0"s + data;
}

using Size = PictureSize;

TEST(PictureSize, IsReadFromThePlainKinds) {
    EXPECT_EQ(picture_size(png(1200, 675)), (Size{1200, 675}));
    EXPECT_EQ(picture_size("GIF89a" + little(1) + little(2)), (Size{1, 2}));
    EXPECT_EQ(picture_size("GIF87a" + little(640) + little(480) + "\xF7"), (Size{640, 480}));
}

TEST(PictureSize, OfAJpegStandsInItsFrameWhateverComesBefore) {
    auto padding = segment('\xE0', "JFIF") + segment('\xE2', std::string(60'000, 'x')) + "\xFF\xFF\xFF"s.substr(0, 2);
    for (char marker : {'\xC0', '\xC1', '\xC2', '\xCA'})
        EXPECT_EQ(picture_size("\xFF\xD8" + padding + frame(800, 600, marker)), (Size{800, 600}));
    EXPECT_EQ(picture_size("\xFF\xD8" + segment('\xC4', std::string(20, 'x')) + frame(80, 60)), (Size{80, 60}));
    EXPECT_FALSE(picture_size("\xFF\xD8" + segment('\xE0', "JFIF") + segment('\xDA', "xx") + frame(8, 6)));
    EXPECT_FALSE(picture_size("\xFF\xD8" + padding + "no marker here"));
}

TEST(PictureSize, APhotographTakenUprightIsTurned) {
    for (bool little_endian : {false, true}) {
        EXPECT_EQ(picture_size("\xFF\xD8" + exif(6, little_endian) + frame(800, 600)), (Size{600, 800}));
        EXPECT_EQ(picture_size("\xFF\xD8" + exif(3, little_endian) + frame(800, 600)), (Size{800, 600}));
        EXPECT_EQ(picture_size("\xFF\xD8" + exif(9, little_endian) + frame(800, 600)), (Size{800, 600}));
    }
}

TEST(PictureSize, OfWebPIsReadInItsThreeForms) {
    EXPECT_EQ(picture_size(webp("VP8X", "\x10\0\0\0"s + "\xAF\x04\0\xA2\x02\0"s)), (Size{1200, 675}));
    // 14 bits each, less one: 1199 and 674
    const unsigned bits = 1199u | 674u << 14;
    std::string packed;
    for (int i = 0; i < 4; ++i) packed += char(bits >> (8 * i) & 0xFF);
    EXPECT_EQ(picture_size(webp("VP8L", "\x2F" + packed + "\0\0\0"s)), (Size{1200, 675}));
    EXPECT_EQ(picture_size(webp("VP8 ", "\x30\x01\0\x9D\x01\x2A"s + little(1200 | 0x4000) + little(675))),
              (Size{1200, 675}));
    EXPECT_FALSE(picture_size(webp("VP8 ", std::string(20, 'x'))));
}

TEST(PictureSize, IsNotKnownOfAnythingElse) {
    for (const auto& bytes : {""s, "<svg width='1' height='1'>"s, "<!DOCTYPE html><title>404</title>"s,
                              std::string(1000, '\0'), std::string(1000, '\xFF'), "BM"s + std::string(60, 'x')})
        EXPECT_FALSE(picture_size(bytes));
    EXPECT_FALSE(picture_size(png(0, 5)));
    auto huge = png(1, 1);
    huge[16] = '\x7F';
    EXPECT_FALSE(picture_size(huge));
}

TEST(PictureSize, NoCutMakesItReadBeyondTheEnd) {
    for (const auto& whole : {png(1200, 675), "\xFF\xD8" + exif(6, true) + frame(800, 600),
                              webp("VP8X", "\x10\0\0\0\xAF\x04\0\xA2\x02\0"s), "GIF89a" + little(3) + little(4)}) {
        ASSERT_TRUE(picture_size(whole));
        for (std::size_t length = 0; length < whole.size(); ++length) {
            const std::string cut = whole.substr(0, length);
            if (auto size = picture_size(cut)) EXPECT_EQ(size, picture_size(whole)) << length;
        }
    }
}

TEST(PictureSize, ACounterIsUpToTwoPixelsEachWay) {
    EXPECT_TRUE(is_counter({1, 1}));
    EXPECT_TRUE(is_counter({2, 2}));
    EXPECT_FALSE(is_counter({3, 1}));
    EXPECT_FALSE(is_counter({0, 0}));
}

}
}
