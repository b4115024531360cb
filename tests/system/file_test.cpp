#include "system/file.hpp"
#include "system/random.hpp"

#include <gtest/gtest.h>

#include <cerrno>
#include <fcntl.h>
#include <string>
#include <thread>
#include <unistd.h>

namespace postrider::system {
namespace {

namespace fs = std::filesystem;

struct Pipe {
    Pipe() { EXPECT_EQ(::pipe(ends), 0); }
    int ends[2];
};

TEST(Files, WhatIsLongerThanAPipeIsWrittenAndReadToItsEnd) {
    Pipe pipe;
    Descriptor out{pipe.ends[0]};
    auto sent = random_bytes(1 << 20);
    std::jthread writer([&] {
        Descriptor in{pipe.ends[1]};
        EXPECT_EQ(write_all(in.number, sent), 0);
    });
    std::string got(sent.size() + 1, '\0');
    EXPECT_EQ(read_all(out.number, got), sent.size());
    got.pop_back();
    EXPECT_TRUE(got == sent);
}

TEST(Files, ReadingStopsWhereThereIsNoMoreRoom) {
    Pipe pipe;
    Descriptor out{pipe.ends[0]}, in{pipe.ends[1]};
    EXPECT_EQ(write_all(in.number, "eleven bits"), 0);
    std::string got(6, '\0');
    EXPECT_EQ(read_all(out.number, got), 6u);
    EXPECT_EQ(got, "eleven");
}

TEST(Files, WhatFailsSaysWhy) {
    std::string room(1, '\0');
    EXPECT_EQ(write_all(-1, "x"), EBADF);
    EXPECT_EQ(read_all(-1, room).error(), EBADF);
    EXPECT_EQ(sync_folder(fs::temp_directory_path() / ("none-" + hex(random_bytes(8)))), ENOENT);
    EXPECT_EQ(sync_folder(fs::temp_directory_path()), 0);
}

TEST(Files, ADescriptorClosesWhatItHolds) {
    Pipe pipe;
    ::close(pipe.ends[0]);
    {
        Descriptor in{pipe.ends[1]};
    }
    EXPECT_EQ(::fcntl(pipe.ends[1], F_GETFD), -1);
    EXPECT_EQ(errno, EBADF);
}

}
}
