#pragma once

#include <filesystem>
#include <fstream>
#include <ostream>

// A file that a command writes for its operator, and for nobody else: mode 0600, whole or not at all.
//
// Always: what is there is left alone unless replacing it is asked for, and then until the new one is complete. What is
//         no regular file (a pipe, /dev/stdout) is written to as it is. Failures name the file.

namespace postrider::cli {

// Makes an empty file of mode 0600; Failure where there is one, or none can be made.
void make_private_file(const std::filesystem::path&);

class NewFile {
public:
    enum class Existing { refuse, replace };
    NewFile(std::filesystem::path path, Existing);
    ~NewFile(); // without finish() nothing remains
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;

    [[nodiscard]] std::ostream& stream() { return stream_; }
    void finish(); // gives it its name

private:
    const std::filesystem::path path_;
    const Existing existing_;
    std::filesystem::path part_; // what is being written; empty: the path itself
    std::ofstream stream_;
};

}
