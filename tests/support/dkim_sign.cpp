#include "mail/dkim.hpp"

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

// Signs mails as a mailing would, for the verifiers of tests/system.
//
//   dkim_sign KEYS DOMAIN SELECTOR FROM TO UNIX_TIME
//
// Every file of FROM is a message with CRLF; the signed one goes to TO under the same name. KEYS is the folder of
// `postrider dkim create`.

using namespace postrider;
namespace fs = std::filesystem;

int main(int count, char** words) {
    if (count != 7) {
        std::fputs("usage: dkim_sign KEYS DOMAIN SELECTOR FROM TO UNIX_TIME\n", stderr);
        return 2;
    }
    try {
        auto keys = mail::dkim::read_keys(mail::dkim::key_file(words[1], words[2], words[3]));
        if (!keys) throw std::runtime_error(keys.error());
        mail::dkim::Signer signer(words[2], std::move(*keys));
        Time now{std::chrono::seconds(std::stoll(words[6]))};
        for (auto& entry : fs::directory_iterator(words[4])) {
            std::ifstream in(entry.path(), std::ios::binary);
            std::string message{std::istreambuf_iterator(in), {}};
            std::ofstream out(fs::path(words[5]) / entry.path().filename(), std::ios::binary);
            out << signer.sign(message, now) << message;
            out.close();
            if (!in || !out) throw std::runtime_error(entry.path().string() + ": cannot be signed");
        }
    } catch (const std::exception& error) {
        std::fprintf(stderr, "dkim_sign: %s\n", error.what());
        return 1;
    }
}
