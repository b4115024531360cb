#include "mail/dkim.hpp"

#include "system/random.hpp"

#include <fmt/format.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

// How many mails of 14 kB and of 39 kB a core signs in a second, and what that costs beyond the bare arithmetic.
//
// Out:    medians of alternating rounds, in processor time: the RSA operation alone (as `openssl speed rsa2048` has it), a mail signed with
//         RSA, a mail signed with RSA and Ed25519, and the hash of its body alone.

using namespace postrider;
using namespace postrider::mail;

namespace {

constexpr int rounds = 7;
constexpr auto round_length = 300ms;

struct Measured {
    std::string name;
    std::function<void()> work;
    std::vector<double> per_second = {};

    [[nodiscard]] double median() {
        std::ranges::sort(per_second);
        return per_second[per_second.size() / 2];
    }
};

// Of this thread: others on the same core do not count.
std::chrono::duration<double> processor_time() {
    timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::duration<double>(std::chrono::nanoseconds(time.tv_nsec));
}

void run(Measured& one) {
    int count = 0;
    auto begin = processor_time();
    while (processor_time() - begin < round_length) {
        for (int i = 0; i < 16; ++i) one.work();
        count += 16;
    }
    one.per_second.push_back(count / (processor_time() - begin).count());
}

// A newsletter in quoted-printable: prose, soft breaks, and indented HTML.
std::string body_of(std::size_t size) {
    constexpr std::string_view lines[] = {
        "The harbour board met on Monday evening and heard fishermen, bakers and the=\r\n",
        " master of the night ferry before it decided to put off the decision until =\r\n",
        "the ice has gone, as it has done every winter since the old pier burnt down.\r\n",
        "\r\n",
        "      <td style=3D\"padding:0 0 16px\"><a href=3D\"https://courier.example/2026/1=\r\n",
        "1/harbour\" style=3D\"color:#123456\">The harbour caf=C3=A9</a></td>\r\n",
        "    </tr>\r\n",
    };
    std::string body;
    for (std::size_t i = 0; body.size() < size; ++i) body += lines[i % std::size(lines)];
    return body;
}

constexpr std::string_view header =
    "Date: Tue, 24 Nov 2026 07:54:00 +0000\r\nFrom: The Courier <news@courier.example>\r\n"
    "To: Ada Lovelace <ada@example.org>\r\nSubject: The Courier, issue 12\r\n"
    "Message-ID: <m7x2k4q5n3v6c8z1b9d0f2g4h6j8l0p2r4t6v8x0@courier.example>\r\n"
    "List-Id: The Daily <daily.courier.example>\r\n"
    "List-Unsubscribe: <https://mail.courier.example/leave/AQMCAQEkT2Z2bV9hc2RmamtsOzEyMzQ1Njc4OTA>,\r\n"
    " <mailto:leave+m7x2k4q5n3v6c8z1b9d0f2g4h6j8l0p2r4t6v8x0@courier.example>\r\n"
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nList-Help: <mailto:desk@courier.example>\r\n"
    "Feedback-ID: 12:daily:news:courier\r\nPrecedence: list\r\nMIME-Version: 1.0\r\n"
    "Content-Type: multipart/alternative;\r\n boundary=\"=_m7x2k4q5n3v6c8z1b9d0f2g4\"\r\n";

struct Folder {
    std::filesystem::path path = [] {
        auto pattern = (std::filesystem::temp_directory_path() / "postrider-dkim-XXXXXX").string();
        return std::filesystem::path(mkdtemp(pattern.data()));
    }();
    ~Folder() { std::filesystem::remove_all(path); }
};

dkim::Signer signer(const dkim::KeyFile& file, std::size_t keys) {
    auto read = dkim::read_keys(file).value();
    read.erase(read.begin() + std::ptrdiff_t(keys), read.end());
    return {file.domain, std::move(read)};
}

// The RSA operation and nothing else.
std::function<void()> bare_rsa() {
    auto* key = EVP_RSA_gen(2048);
    auto* context = EVP_PKEY_CTX_new(key, nullptr);
    EVP_PKEY_sign_init(context);
    EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PADDING);
    EVP_PKEY_CTX_set_signature_md(context, EVP_sha256());
    return [context] { // lives as long as the program
        unsigned char digest[32] = {1}, bytes[256];
        std::size_t size = sizeof bytes;
        EVP_PKEY_sign(context, bytes, &size, digest, sizeof digest);
    };
}

void measure(const dkim::Signer& rsa, const dkim::Signer& both, std::size_t size) {
    auto body = body_of(size);
    std::string_view piece = body;
    const Time now{1795507200s};
    auto sign = [&](const dkim::Signer& signer) { return [&, piece] { (void)signer.sign(header, {&piece, 1}, now); }; };
    std::vector<Measured> all;
    all.push_back({"RSA alone", bare_rsa()});
    all.push_back({"signed, RSA", sign(rsa)});
    all.push_back({"signed, RSA and Ed25519", sign(both)});
    all.push_back({"body hash, relaxed", [piece] {
                       dkim::RelaxedBody relaxed;
                       relaxed.add(piece);
                       (void)relaxed.finish();
                   }});
    all.push_back({"body hash, SHA-256 alone", [piece] { (void)system::sha256(piece); }});
    for (int round = 0; round < rounds; ++round)
        for (auto& one : all) run(one);
    fmt::print("a mail of {} bytes, one core\n", header.size() + 2 + body.size());
    auto bare = all[0].median();
    for (auto& one : all)
        fmt::print("  {:<26}{:>9.0f} /s{:>9.1f} us{:>+8.1f} % against RSA alone\n", one.name, one.median(),
                   1e6 / one.median(), (bare / one.median() - 1) * 100);
}

void measure_threads(const dkim::Signer& both) {
    auto body = body_of(14'000);
    std::string_view piece = body;
    const Time now{1795507200s};
    fmt::print("threads with one signer, mails of 14 kB\n");
    for (unsigned count = 1; count <= std::max(2u, std::thread::hardware_concurrency()); count *= 2) {
        std::vector<Measured> workers(count, {"", [&] { (void)both.sign(header, {&piece, 1}, now); }});
        {
            std::vector<std::jthread> threads;
            for (auto& worker : workers)
                threads.emplace_back([&worker] {
                    for (int round = 0; round < rounds; ++round) run(worker);
                });
        }
        double sum = 0;
        for (auto& worker : workers) sum += worker.median();
        fmt::print("  {:<26}{:>9.0f} /s\n", count, sum);
    }
}

}

int main() {
    Folder folder;
    auto file = dkim::create_keys(folder.path, "courier.example", "n2026").value();
    auto rsa = signer(file, 1), both = signer(file, 2);
    for (std::size_t size : {14'000, 39'000}) measure(rsa, both, size);
    measure_threads(both);
}
