// A copied SHA256_CTX makes signing a const function of values, which any thread may call at once; an EVP_MAC context
// changes with every use, so each thread would need its own. OpenSSL marks these functions as deprecated in favour of
// EVP.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "subscribers/link_tokens.hpp"

#include "system/file.hpp"
#include "system/random.hpp"

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <stdexcept>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

namespace postrider::subscribers {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t key_size = 32;
constexpr std::size_t site_size = 16;
constexpr std::size_t mac_size = 16;                          // 128 bits
constexpr std::size_t head_size = 3;                          // key id, purpose, lengths of the two ids
constexpr std::size_t largest = head_size + 2 * 8 + mac_size; // 35 bytes are 56 characters in base32

enum class Alphabet { base64url, base32 };

// Numbers are in mails that were sent: never renumber.
enum class Purpose : unsigned char {
    confirm = 1,
    ask_again = 2,
    leave = 3,
    leave_by_mail = 4,
    view = 5,
    preferences = 6,
    bounce = 7,
    message_id = 8,
    approve = 9,
    stop = 10,
    form = 11,
};

// HMAC (RFC 2104) with both padded keys already hashed.
class Mac {
public:
    Mac(std::string_view key, std::string_view prefix) {
        absorb(inner_, key, 0x36);
        absorb(outer_, key, 0x5c);
        SHA256_Update(&inner_, prefix.data(), prefix.size());
    }
    void operator()(const unsigned char* bytes, std::size_t size, unsigned char* digest) const {
        auto inner = inner_, outer = outer_;
        SHA256_Update(&inner, bytes, size);
        SHA256_Final(digest, &inner);
        SHA256_Update(&outer, digest, SHA256_DIGEST_LENGTH);
        SHA256_Final(digest, &outer);
    }

private:
    static void absorb(SHA256_CTX& context, std::string_view key, unsigned char pad) {
        unsigned char block[64];
        for (std::size_t i = 0; i < sizeof block; ++i) block[i] = (i < key.size() ? (unsigned char)key[i] : 0) ^ pad;
        SHA256_Init(&context);
        SHA256_Update(&context, block, sizeof block);
        OPENSSL_cleanse(block, sizeof block);
    }
    SHA256_CTX inner_, outer_;
};

// Digits of `bits` bits each, most significant first, the last one filled up with zeros.
void append_digits(std::string& to, const unsigned char* bytes, std::size_t size, const char* alphabet, unsigned bits) {
    char digits[64];
    std::size_t count = 0;
    unsigned held = 0, waiting = 0;
    for (std::size_t i = 0; i < size; ++i) {
        held = (held << 8 | bytes[i]) & 0xffff;
        for (waiting += 8; waiting >= bits;) {
            waiting -= bits;
            digits[count++] = alphabet[held >> waiting & ((1u << bits) - 1)];
        }
    }
    if (waiting > 0) digits[count++] = alphabet[held << (bits - waiting) & ((1u << bits) - 1)];
    to.append(digits, count);
}

unsigned char append_number(unsigned char* at, std::int64_t number) {
    unsigned char length = 0;
    for (auto rest = std::uint64_t(number); rest; rest >>= 8) ++length;
    for (unsigned char i = 0; i < length; ++i) at[i] = (unsigned char)(std::uint64_t(number) >> 8 * (length - 1 - i));
    return length;
}

std::int64_t number_of(std::string_view bytes) {
    std::uint64_t number = 0;
    for (unsigned char byte : bytes) number = number << 8 | byte;
    return std::int64_t(number);
}

[[noreturn]] void fail(const fs::path& file, std::string_view what, int code = 0) {
    throw std::runtime_error(
        fmt::format("{}: {}{}{}", file.string(), what, code ? ": " : "", code ? std::strerror(code) : ""));
}

// Which file it is: replacing it changes at least one of these, even where the number of the old file is used again.
struct Stamp {
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t seconds = 0, nanoseconds = 0;
    bool operator==(const Stamp&) const = default;
};

// What the key file says. One line each: "site HEX", "addresses HEX", "link NUMBER HEX" with rising numbers.
struct Contents {
    struct Link {
        KeyId id;
        std::string secret;
    };
    std::string site;
    std::string addresses;
    std::vector<Link> links;
};

Contents fresh() {
    return {
        system::random_bytes(site_size), system::random_bytes(key_size), {{KeyId{1}, system::random_bytes(key_size)}}};
}

std::string text_of(const Contents& contents) {
    std::string text =
        "# The secret keys of this site's links. Keep this file in your backups: without it every link mailed so far "
        "is dead,\n"
        "# and the suppression list no longer recognises anybody. The last key signs, all of them verify.\n";
    text += fmt::format("site {}\naddresses {}\n", system::hex(contents.site), system::hex(contents.addresses));
    for (auto& link : contents.links) text += fmt::format("link {} {}\n", link.id.number, system::hex(link.secret));
    return text;
}

void read_line(Contents& contents, std::string_view line, const fs::path& file) {
    if (line.empty() || line[0] == '#') return;
    auto word = line.substr(0, line.find(' '));
    auto rest = word.size() < line.size() ? line.substr(word.size() + 1) : std::string_view();
    if (word == "site")
        contents.site = system::from_hex(rest);
    else if (word == "addresses")
        contents.addresses = system::from_hex(rest);
    else if (word == "link") {
        int number = 0;
        auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), number);
        int least = contents.links.empty() ? 1 : contents.links.back().id.number + 1;
        if (error != std::errc() || end == rest.data() + rest.size() || number < least || number > 255)
            fail(file, "a link key without a rising number from 1 to 255");
        auto secret = system::from_hex(rest.substr(std::size_t(end - rest.data()) + 1));
        if (secret.size() != key_size) fail(file, fmt::format("link key {} is not 64 hexadecimal digits", number));
        contents.links.push_back({KeyId{std::uint8_t(number)}, std::move(secret)});
    } else
        fail(file, fmt::format("a line that begins with \"{}\"", word));
}

// Nothing when there is no such file.
std::optional<Contents> load(const fs::path& file) {
    system::Descriptor descriptor{open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (descriptor.number < 0) {
        if (errno == ENOENT) return std::nullopt;
        fail(file, "cannot be read", errno);
    }
    struct stat status{};
    if (fstat(descriptor.number, &status) != 0) fail(file, "cannot be examined", errno);
    if (status.st_mode & 077) fail(file, "others may read or write it; chmod 600 it");
    if (status.st_size > 64 * 1024) fail(file, "too long for a key file");
    std::string text(std::size_t(status.st_size), '\0');
    auto size = system::read_all(descriptor.number, text);
    if (!size || *size < text.size()) fail(file, "cannot be read to its end", size ? 0 : size.error());
    Contents contents;
    for (std::size_t at = 0; at < text.size();) {
        auto end = std::min(text.find('\n', at), text.size());
        read_line(contents, std::string_view(text).substr(at, end - at), file);
        at = end + 1;
    }
    OPENSSL_cleanse(text.data(), text.size());
    if (contents.site.size() != site_size || contents.addresses.size() != key_size || contents.links.empty())
        fail(file, "is incomplete; restore it from a backup");
    return contents;
}

// A complete, synced file of mode 0600 beside `file`; gives its name.
fs::path write_beside(const fs::path& file, std::string_view text) {
    auto name = file;
    name += ".new-" + system::hex(system::random_bytes(8));
    system::Descriptor descriptor{open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)};
    if (descriptor.number < 0) fail(name, "cannot be made", errno);
    if (int code = system::write_all(descriptor.number, text)) fail(name, "cannot be written", code);
    // Rotated by root, the file still belongs to whom it belonged before.
    struct stat before{};
    if (stat(file.c_str(), &before) == 0 && fchown(descriptor.number, before.st_uid, before.st_gid) != 0 &&
        errno != EPERM)
        fail(name, "cannot be given to the key file's owner", errno);
    if (fsync(descriptor.number) != 0) fail(name, "cannot be synced", errno);
    return name;
}

fs::path folder_of(const fs::path& file) { return file.parent_path().empty() ? fs::path(".") : file.parent_path(); }

void create(const fs::path& file) {
    auto folder = file.parent_path();
    if (!folder.empty() && fs::create_directories(folder)) fs::permissions(folder, fs::perms::owner_all);
    auto made = write_beside(file, text_of(fresh()));
    // link() refuses to replace: whoever comes second uses the keys of the first.
    int code = link(made.c_str(), file.c_str()) == 0 ? 0 : errno;
    unlink(made.c_str());
    if (code != 0 && code != EEXIST) fail(file, "cannot be made", code);
    (void)system::sync_folder(folder_of(file)); // where a folder cannot be synced, the file itself is
}

}

struct LinkSigner::Key {
    KeyId id;
    Mac mac;

    void sign(std::string& to, Alphabet alphabet, Purpose purpose, std::int64_t first, std::int64_t second = 0) const {
        unsigned char token[head_size + 2 * 8 + SHA256_DIGEST_LENGTH];
        token[0] = id.number;
        token[1] = (unsigned char)purpose;
        auto one = append_number(token + head_size, first);
        auto two = append_number(token + head_size + one, second);
        token[2] = (unsigned char)(one << 4 | two);
        std::size_t size = head_size + one + two;
        mac(token, size, token + size);
        if (alphabet == Alphabet::base32)
            append_digits(to, token, size + mac_size, "abcdefghijklmnopqrstuvwxyz234567", 5);
        else
            append_digits(to, token, size + mac_size,
                          "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", 6);
    }
};

struct LinkSigner::Keys {
    Mac addresses;
    std::vector<Key> links; // newest last
    Stamp stamp;            // of the file they came from
    std::string fingerprint;

    explicit Keys(const Contents& contents)
        : addresses(contents.addresses, {}),
          fingerprint(system::hex(system::sha256(contents.site + contents.addresses)).substr(0, 32)) {
        for (auto& link : contents.links) links.push_back({link.id, Mac(link.secret, contents.site)});
    }
    const Key* find(KeyId id) const {
        for (auto& key : links)
            if (key.id == id) return &key;
        return nullptr;
    }

    // The two numbers of a token, when it is one of ours for this purpose.
    std::optional<std::pair<std::int64_t, std::int64_t>> open(std::string_view text, Alphabet alphabet,
                                                              Purpose purpose) const {
        if (text.size() > 64) return std::nullopt;
        auto bytes = alphabet == Alphabet::base32 ? system::from_base32(text) : system::from_base64url(text);
        if (bytes.size() < head_size + mac_size || bytes.size() > largest) return std::nullopt;
        std::size_t one = (unsigned char)bytes[2] >> 4, two = (unsigned char)bytes[2] & 15;
        auto size = head_size + one + two;
        if (bytes.size() != size + mac_size || bytes[1] != char(purpose)) return std::nullopt;
        auto* key = find(KeyId{(std::uint8_t)bytes[0]});
        if (!key) return std::nullopt;
        unsigned char digest[SHA256_DIGEST_LENGTH];
        key->mac(reinterpret_cast<const unsigned char*>(bytes.data()), size, digest);
        if (CRYPTO_memcmp(digest, bytes.data() + size, mac_size) != 0) return std::nullopt;
        std::string_view view(bytes);
        return std::pair(number_of(view.substr(head_size, one)), number_of(view.substr(head_size + one, two)));
    }
    template <class Id>
    std::optional<Id> one(std::string_view text, Alphabet alphabet, Purpose purpose) const {
        auto numbers = open(text, alphabet, purpose);
        if (!numbers) return std::nullopt;
        return Id{numbers->first};
    }
    std::optional<LinkTokens::DeliveryOf> delivery(std::string_view text, Alphabet alphabet, Purpose purpose) const {
        auto numbers = open(text, alphabet, purpose);
        if (!numbers) return std::nullopt;
        return LinkTokens::DeliveryOf{{numbers->first}, {numbers->second}};
    }
};

void LinkSigner::leave(std::string& to, SubscriptionId id) const {
    key_->sign(to, Alphabet::base64url, Purpose::leave, id.number);
}
void LinkSigner::view(std::string& to, MailingId mailing, SubscriptionId id) const {
    key_->sign(to, Alphabet::base64url, Purpose::view, mailing.number, id.number);
}
void LinkSigner::preferences(std::string& to, SubscriberId id) const {
    key_->sign(to, Alphabet::base64url, Purpose::preferences, id.number);
}
void LinkSigner::bounce(std::string& to, MailingId mailing, SubscriptionId id) const {
    key_->sign(to, Alphabet::base32, Purpose::bounce, mailing.number, id.number);
}
void LinkSigner::leave_by_mail(std::string& to, SubscriptionId id) const {
    key_->sign(to, Alphabet::base32, Purpose::leave_by_mail, id.number);
}
void LinkSigner::message_id(std::string& to, MailingId mailing, SubscriptionId id) const {
    key_->sign(to, Alphabet::base32, Purpose::message_id, mailing.number, id.number);
}

LinkTokens::LinkTokens(fs::path file) : file_(std::move(file)) {
    if (!fs::exists(file_)) create(file_);
    refresh();
}

KeyId LinkTokens::rotate(const fs::path& file) {
    auto folder_name = folder_of(file);
    system::Descriptor folder{open(folder_name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (folder.number < 0) fail(folder_name, "cannot be opened", errno);
    if (flock(folder.number, LOCK_EX) != 0) fail(folder_name, "cannot be locked", errno);
    auto contents = load(file);
    if (!contents) fail(file, "there is no key to rotate yet");
    if (contents->links.back().id.number == 255)
        fail(file, "holds 255 keys; remove the oldest lines and number the rest anew");
    KeyId id{std::uint8_t(contents->links.back().id.number + 1)};
    contents->links.push_back({id, system::random_bytes(key_size)});
    auto made = write_beside(file, text_of(*contents));
    if (rename(made.c_str(), file.c_str()) != 0) fail(file, "cannot be replaced", errno);
    fsync(folder.number);
    return id;
}

void LinkTokens::refresh() {
    struct stat status{};
    if (stat(file_.c_str(), &status) != 0) fail(file_, "cannot be read", errno);
    Stamp stamp{status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
    if (auto now = keys(); now && now->stamp == stamp) return;
    auto contents = load(file_);
    if (!contents) fail(file_, "is gone");
    auto fresh = std::make_shared<LinkSigner::Keys>(*contents);
    fresh->stamp = stamp;
    if (auto now = keys(); now && now->fingerprint != fresh->fingerprint)
        fail(file_, "holds the keys of another site; put the old file back");
    std::lock_guard lock(mutex_);
    keys_ = std::move(fresh);
}

std::shared_ptr<const LinkSigner::Keys> LinkTokens::keys() const {
    std::lock_guard lock(mutex_);
    return keys_;
}

std::string LinkTokens::fingerprint() const { return keys()->fingerprint; }

std::vector<KeyId> LinkTokens::all() const {
    std::vector<KeyId> ids;
    for (auto& link : keys()->links) ids.push_back(link.id);
    return ids;
}

KeyId LinkTokens::newest() const { return keys()->links.back().id; }

std::optional<LinkSigner> LinkTokens::signer(KeyId id) const {
    LinkSigner signer;
    signer.keys_ = keys();
    signer.key_ = signer.keys_->find(id);
    if (!signer.key_) return std::nullopt;
    return signer;
}

LinkSigner LinkTokens::signer() const { return signer(newest()).value(); }

std::string LinkTokens::confirm(SignUpId id) const {
    std::string token;
    keys()->links.back().sign(token, Alphabet::base64url, Purpose::confirm, id.number);
    return token;
}
std::string LinkTokens::form(ListId list, Time made) const {
    std::string token;
    keys()->links.back().sign(token, Alphabet::base64url, Purpose::form, list.number, made.time_since_epoch().count());
    return token;
}
std::string LinkTokens::ask_again(SignUpId id) const {
    std::string token;
    keys()->links.back().sign(token, Alphabet::base64url, Purpose::ask_again, id.number);
    return token;
}

std::string LinkTokens::approve(IssueId id) const {
    std::string token;
    keys()->links.back().sign(token, Alphabet::base64url, Purpose::approve, id.number);
    return token;
}

std::string LinkTokens::stop(IssueId id) const {
    std::string token;
    keys()->links.back().sign(token, Alphabet::base64url, Purpose::stop, id.number);
    return token;
}

std::optional<IssueId> LinkTokens::read_approve(std::string_view token) const {
    return keys()->one<IssueId>(token, Alphabet::base64url, Purpose::approve);
}

std::optional<IssueId> LinkTokens::read_stop(std::string_view token) const {
    return keys()->one<IssueId>(token, Alphabet::base64url, Purpose::stop);
}

std::optional<SignUpId> LinkTokens::read_confirm(std::string_view token) const {
    return keys()->one<SignUpId>(token, Alphabet::base64url, Purpose::confirm);
}
std::optional<Time> LinkTokens::read_form(std::string_view token, ListId list) const {
    auto numbers = keys()->open(token, Alphabet::base64url, Purpose::form);
    if (!numbers || numbers->first != list.number) return std::nullopt;
    return Time(Duration(numbers->second));
}
std::optional<SignUpId> LinkTokens::read_ask_again(std::string_view token) const {
    return keys()->one<SignUpId>(token, Alphabet::base64url, Purpose::ask_again);
}
std::optional<SubscriptionId> LinkTokens::read_leave(std::string_view token) const {
    return keys()->one<SubscriptionId>(token, Alphabet::base64url, Purpose::leave);
}
std::optional<SubscriptionId> LinkTokens::read_leave_by_mail(std::string_view token) const {
    return keys()->one<SubscriptionId>(token, Alphabet::base32, Purpose::leave_by_mail);
}
std::optional<LinkTokens::DeliveryOf> LinkTokens::read_view(std::string_view token) const {
    return keys()->delivery(token, Alphabet::base64url, Purpose::view);
}
std::optional<SubscriberId> LinkTokens::read_preferences(std::string_view token) const {
    return keys()->one<SubscriberId>(token, Alphabet::base64url, Purpose::preferences);
}
std::optional<LinkTokens::DeliveryOf> LinkTokens::read_bounce(std::string_view token) const {
    return keys()->delivery(token, Alphabet::base32, Purpose::bounce);
}
std::optional<LinkTokens::DeliveryOf> LinkTokens::read_message_id(std::string_view token) const {
    return keys()->delivery(token, Alphabet::base32, Purpose::message_id);
}

std::string LinkTokens::address_hash(std::string_view address_key) const {
    std::string hash(SHA256_DIGEST_LENGTH, '\0');
    keys()->addresses(reinterpret_cast<const unsigned char*>(address_key.data()), address_key.size(),
                      reinterpret_cast<unsigned char*>(hash.data()));
    return hash;
}

}
