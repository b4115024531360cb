#include "mail/dkim_keys.hpp"

#include "mail/address.hpp"
#include "system/ascii.hpp"
#include "system/file.hpp"
#include "system/random.hpp"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace postrider::mail::dkim {
namespace {

namespace fs = std::filesystem;

constexpr int new_rsa_bits = 2048;
constexpr int least_rsa_bits = 1024, good_rsa_bits = 2048, most_rsa_bits = 4096;
constexpr off_t largest_file = 64 * 1024;
constexpr std::string_view between = "._domainkey.";
constexpr std::string_view ed25519_suffix = "-ed";
constexpr std::size_t longest_name = 253; // RFC 1035 section 2.3.4, without the root

struct Freed {
    void operator()(BIO* bio) const { BIO_free_all(bio); }
    void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
template <class T>
using Owned = std::unique_ptr<T, Freed>;

// A text that leaves no copy behind.
struct Secret {
    std::string text;
    Secret() = default;
    Secret(const Secret&) = delete;
    ~Secret() { OPENSSL_cleanse(text.data(), text.size()); }
};

void require(bool done, const char* what) {
    if (done) return;
    char reason[256];
    ERR_error_string_n(ERR_get_error(), reason, sizeof reason);
    ERR_clear_error();
    throw std::runtime_error(fmt::format("DKIM: OpenSSL cannot {}: {}", what, reason));
}

std::string_view as_text(std::span<const unsigned char> bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// One "-----BEGIN ...-----" of a PEM text. Read by hand, as OpenSSL's own reader of keys would ask for a password on the
// terminal, and does not tell the end of the text from a damaged key.
struct Block {
    char* name = nullptr;
    char* header = nullptr;
    unsigned char* data = nullptr;
    long size = 0;

    Block() = default;
    Block(const Block&) = delete;
    ~Block() {
        OPENSSL_free(name);
        OPENSSL_free(header);
        OPENSSL_clear_free(data, std::size_t(size));
    }
    // False at the end, and where the text is damaged: then `sound` becomes false too.
    bool read(BIO* bio, bool& sound) {
        if (PEM_read_bio(bio, &name, &header, &data, &size) == 1) return true;
        sound = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
        ERR_clear_error();
        return false;
    }
    [[nodiscard]] bool is_private() const { return std::string_view(name).ends_with("PRIVATE KEY"); }
    [[nodiscard]] bool has_password() const {
        return *header != '\0' || std::string_view(name).starts_with("ENCRYPTED");
    }
    [[nodiscard]] EVP_PKEY* key() const { // null: damaged
        const unsigned char* at = data;
        auto* key = d2i_AutoPrivateKey(nullptr, &at, size);
        ERR_clear_error();
        return key;
    }
};

std::optional<std::string> fault_of(const EVP_PKEY* key) {
    if (EVP_PKEY_is_a(key, "ED25519")) return {};
    if (!EVP_PKEY_is_a(key, "RSA"))
        return fmt::format("DKIM has no use for a key of the kind {}; it takes RSA and Ed25519",
                           EVP_PKEY_get0_type_name(key));
    int bits = EVP_PKEY_get_bits(key);
    if (bits >= least_rsa_bits && bits <= most_rsa_bits) return {};
    return fmt::format(
        "an RSA key of {} bits is not accepted by receivers (1024 to 4096 are; RFC 8301); make one of 2048 "
        "with `postrider dkim create`",
        bits);
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= 63 && label.front() != '-' && label.back() != '-' &&
           std::ranges::all_of(label,
                               [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
}

bool open_to_others(mode_t mode) { return (mode & (S_IRWXG | S_IRWXO)) != 0; }

std::unexpected<std::string> failed(const fs::path& path, std::string_view what, int code) {
    return std::unexpected(fmt::format("{}: {}: {}", path.string(), what, std::strerror(code)));
}

Secret& append_pem(Secret& to, EVP_PKEY* key) {
    require(key != nullptr, "make a key");
    Owned<BIO> bio(BIO_new(BIO_s_secmem()));
    require(bio && PEM_write_bio_PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) == 1, "write a key");
    char* bytes = nullptr;
    auto size = BIO_get_mem_data(bio.get(), &bytes);
    to.text.append(bytes, std::size_t(size));
    return to;
}

}

// --- Keys -----------------------------------------------------------------------------------------------------------

std::string_view to_text(Algorithm algorithm) {
    return algorithm == Algorithm::rsa_sha256 ? "rsa-sha256" : "ed25519-sha256";
}

void Key::Freed::operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }

Key::Key(Algorithm algorithm, std::unique_ptr<EVP_PKEY, Freed> key, std::string selector)
    : algorithm_(algorithm), bits_(EVP_PKEY_get_bits(key.get())), key_(std::move(key)), selector_(std::move(selector)) {
}

std::string Key::signature(std::string_view octets) const {
    auto hash = system::sha256(octets);
    auto* digest = reinterpret_cast<const unsigned char*>(hash.data());
    std::array<unsigned char, most_rsa_bits / 8> bytes;
    std::size_t size = bytes.size();
    if (algorithm_ == Algorithm::rsa_sha256) {
        Owned<EVP_PKEY_CTX> context(EVP_PKEY_CTX_new_from_pkey(nullptr, key_.get(), nullptr));
        require(context && EVP_PKEY_sign_init(context.get()) == 1 &&
                    EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_PADDING) == 1 &&
                    EVP_PKEY_CTX_set_signature_md(context.get(), EVP_sha256()) == 1 &&
                    EVP_PKEY_sign(context.get(), bytes.data(), &size, digest, hash.size()) == 1,
                "sign with the RSA key");
    } else {
        // PureEdDSA over the SHA-256 of the header (RFC 8463 section 3).
        Owned<EVP_MD_CTX> context(EVP_MD_CTX_new());
        require(context && EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key_.get()) == 1 &&
                    EVP_DigestSign(context.get(), bytes.data(), &size, digest, hash.size()) == 1,
                "sign with the Ed25519 key");
    }
    return system::base64(as_text({bytes.data(), size}));
}

std::string Key::record() const {
    if (algorithm_ == Algorithm::ed25519_sha256) { // the bare 32 octets (RFC 8463 section 4)
        std::array<unsigned char, 32> bytes;
        std::size_t size = bytes.size();
        require(EVP_PKEY_get_raw_public_key(key_.get(), bytes.data(), &size) == 1, "write the public key");
        return "v=DKIM1; k=ed25519; p=" + system::base64(as_text({bytes.data(), size}));
    }
    unsigned char* bytes = nullptr;
    int size = i2d_PUBKEY(key_.get(), &bytes);
    require(size > 0, "write the public key");
    auto text = "v=DKIM1; k=rsa; p=" + system::base64(as_text({bytes, std::size_t(size)}));
    OPENSSL_free(bytes);
    return text;
}

std::expected<std::vector<Key>, std::string> parse_keys(std::string_view pem, std::string_view selector) {
    constexpr auto damaged =
        "a key in it is damaged; bring the file back from a backup, or make a key under another selector "
        "with `postrider dkim create`";
    Owned<BIO> bio(BIO_new_mem_buf(pem.data(), int(pem.size())));
    require(bio != nullptr, "read a key");
    std::vector<Key> keys;
    for (bool sound = true;;) {
        Block block;
        if (!block.read(bio.get(), sound)) {
            if (!sound) return std::unexpected(damaged);
            break;
        }
        if (!block.is_private()) continue;
        if (block.has_password())
            return std::unexpected("the key has a password; take it off with `openssl pkey -in FILE -out FILE2`");
        std::unique_ptr<EVP_PKEY, Key::Freed> key(block.key());
        if (!key) return std::unexpected(damaged);
        if (auto fault = fault_of(key.get())) return std::unexpected(*fault);
        auto algorithm = EVP_PKEY_is_a(key.get(), "RSA") ? Algorithm::rsa_sha256 : Algorithm::ed25519_sha256;
        if (std::ranges::find(keys, algorithm, &Key::algorithm) != keys.end())
            return std::unexpected(
                fmt::format("it holds two keys for {}; one of each kind is used", to_text(algorithm)));
        keys.push_back(Key(algorithm, std::move(key), std::string(selector)));
    }
    if (keys.empty())
        return std::unexpected(
            "it holds no private key in PEM (\"-----BEGIN PRIVATE KEY-----\"); `postrider dkim create` "
            "makes one");
    std::ranges::sort(keys, {}, &Key::algorithm);
    if (keys.size() == 2) keys.back().selector_ += ed25519_suffix;
    return keys;
}

std::vector<std::string> weaknesses(std::span<const Key> keys) {
    std::vector<std::string> said;
    auto rsa = std::ranges::find(keys, Algorithm::rsa_sha256, &Key::algorithm);
    if (rsa == keys.end())
        said.push_back("there is no RSA key, and many receivers know no other");
    else if (rsa->bits() < good_rsa_bits)
        said.push_back(fmt::format("an RSA key of {} bits is short; some receivers refuse it. Make one of 2048 under "
                                   "another selector with `postrider dkim create`",
                                   rsa->bits()));
    return said;
}

// --- Names ----------------------------------------------------------------------------------------------------------

std::expected<std::string, std::string> domain_from(std::string_view text) {
    if (text.find_first_of("@\"()<>[]\\,;: ") == text.npos)
        if (auto address = parse_address(fmt::format("postmaster@{}", text)))
            return std::string(address->domain_ascii());
    return std::unexpected("is no domain; write the one behind the @ of your sender, as in courier.example");
}

std::expected<std::string, std::string> selector_from(std::string_view text) {
    auto name = system::lower(text);
    bool sound = name.size() <= 63;
    for (std::size_t at = 0; sound && at <= name.size();) {
        auto dot = std::min(name.find('.', at), name.size());
        sound = is_label(std::string_view(name).substr(at, dot - at));
        at = dot + 1;
    }
    if (!sound) return std::unexpected("is no selector; write letters, digits and -, as in n2026");
    if (name.ends_with(ed25519_suffix))
        return std::unexpected("is no selector here: names that end in -ed are those of Ed25519 keys");
    return name;
}

std::string record_name(std::string_view selector, std::string_view domain) {
    return fmt::format("{}{}{}", selector, between, domain);
}

std::vector<std::string> txt_strings(std::string_view record) {
    std::vector<std::string> strings;
    for (; !record.empty(); record.remove_prefix(strings.back().size())) strings.emplace_back(record.substr(0, 255));
    return strings;
}

// --- Files ----------------------------------------------------------------------------------------------------------

KeyFile key_file(const fs::path& folder, std::string_view domain, std::string_view selector) {
    return {folder / record_name(selector, domain), std::string(domain), std::string(selector)};
}

std::vector<KeyFile> key_files(const fs::path& folder) {
    std::vector<KeyFile> files;
    if (!fs::is_directory(folder)) return files;
    for (auto& entry : fs::directory_iterator(folder)) {
        auto name = entry.path().filename().string();
        auto at = name.find(between);
        if (at == name.npos || at == 0 || name.front() == '.') continue;
        files.push_back({entry.path(), name.substr(at + between.size()), name.substr(0, at)});
    }
    std::ranges::sort(files, {}, [](const KeyFile& file) { return std::tie(file.domain, file.selector); });
    return files;
}

std::optional<std::string> fault_of_folder(const fs::path& folder) {
    struct stat status;
    if (::stat(folder.c_str(), &status) != 0 || !open_to_others(status.st_mode)) return {};
    return fmt::format("{0} is open to others; chmod 700 {0}", folder.string());
}

std::expected<std::vector<Key>, std::string> read_keys(const KeyFile& file) {
    auto& path = file.path;
    system::Descriptor opened{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)}; // a pipe must not hold us up
    if (opened.number < 0 && errno == ENOENT)
        return std::unexpected(fmt::format("{}: there is no such key; `postrider dkim create {} {}` makes one",
                                           path.string(), file.domain, file.selector));
    if (opened.number < 0 && errno == EACCES)
        return std::unexpected(fmt::format("{}: this user may not read it; the file belongs to the user who runs the "
                                           "daemon: chown it, or run this as that user",
                                           path.string()));
    if (opened.number < 0) return failed(path, "cannot be opened", errno);
    struct stat status;
    if (::fstat(opened.number, &status) != 0) return failed(path, "cannot be read", errno);
    if (!S_ISREG(status.st_mode)) return std::unexpected(fmt::format("{}: is no file", path.string()));
    if (open_to_others(status.st_mode))
        return std::unexpected(fmt::format("{0}: others can read this key; chmod 600 {0}", path.string()));
    if (status.st_size > largest_file)
        return std::unexpected(fmt::format("{}: {} bytes are too many for a key", path.string(), status.st_size));

    Secret pem;
    pem.text.resize(std::size_t(largest_file));
    auto size = system::read_all(opened.number, pem.text);
    if (!size) return failed(path, "cannot be read", size.error());
    auto keys = parse_keys(std::string_view(pem.text).substr(0, *size), file.selector);
    if (!keys) return std::unexpected(fmt::format("{}: {}", path.string(), keys.error()));
    return keys;
}

std::expected<KeyFile, std::string> create_keys(const fs::path& folder, std::string_view domain,
                                                std::string_view selector) {
    auto file = key_file(folder, domain, selector);
    auto taken = [&] {
        return std::unexpected(
            fmt::format("{}: there is a key already, and it was left as it is; name another selector, "
                        "or see it with `postrider dkim show {}`",
                        file.path.string(), domain));
    };
    if (record_name(selector, domain).size() + ed25519_suffix.size() > longest_name)
        return std::unexpected(
            fmt::format("{}: is too long for a name in DNS; choose a shorter selector", file.path.string()));
    std::error_code error;
    if (fs::create_directories(folder, error)) fs::permissions(folder, fs::perms::owner_all, error);
    if (error) return failed(folder, "cannot be made", error.value());
    if (auto fault = fault_of_folder(folder)) return std::unexpected(*fault);
    if (fs::exists(fs::symlink_status(file.path))) return taken();

    Secret pem;
    append_pem(pem, Owned<EVP_PKEY>(EVP_RSA_gen(new_rsa_bits)).get());
    append_pem(pem, Owned<EVP_PKEY>(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")).get());

    // Whole under another name first. link() refuses to overwrite, whoever made the file meanwhile.
    auto part = folder / (".dkim-" + system::hex(system::random_bytes(8)));
    system::Descriptor opened{::open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (opened.number < 0) return failed(folder, "no file can be made in it", errno);
    int code = system::write_all(opened.number, pem.text);
    if (code == 0 && ::fsync(opened.number) != 0) code = errno;
    if (code == 0 && ::link(part.c_str(), file.path.c_str()) != 0) code = errno;
    ::unlink(part.c_str());
    if (code == EEXIST) return taken();
    if (code != 0) return failed(file.path, "cannot be written", code);
    if (code = system::sync_folder(folder); code != 0) return failed(folder, "cannot be written to the disk", code);
    return file;
}

}
