#include "support/scripted_relay.hpp"

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <optional>
#include <set>
#include <stdexcept>
#include <unistd.h>

namespace postrider::test {

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;

namespace {

template <class T, void (*release)(T*)>
struct Release {
    void operator()(T* t) const { release(t); }
};
using Context = std::unique_ptr<SSL_CTX, Release<SSL_CTX, SSL_CTX_free>>;
using Key = std::unique_ptr<EVP_PKEY, Release<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Release<X509, X509_free>>;

// Signed by itself, good for one host; the PEM goes into a file that libcurl can be told to trust.
Context self_signed(const std::string& host, const std::string& pem_file, bool expired) {
    long from = expired ? -48L * 3600 : -3600L, days = 24L * 3600;
    Key key(EVP_EC_gen("P-256"));
    Certificate certificate(X509_new());
    X509_set_version(certificate.get(), 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), ::getpid());
    X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from);
    X509_gmtime_adj(X509_getm_notAfter(certificate.get()), from + days);
    X509_set_pubkey(certificate.get(), key.get());
    auto* name = X509_get_subject_name(certificate.get());
    X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, reinterpret_cast<const unsigned char*>("scripted relay"), -1,
                               -1, 0);
    X509_set_issuer_name(certificate.get(), name);
    bool address = host.find_first_not_of("0123456789.:") == std::string::npos;
    for (auto [id, value] : {std::pair{NID_subject_alt_name, (address ? "IP:" : "DNS:") + host},
                             std::pair{NID_basic_constraints, std::string("critical,CA:TRUE")}}) {
        auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, id, value.c_str());
        X509_add_ext(certificate.get(), extension, -1);
        X509_EXTENSION_free(extension);
    }
    X509_sign(certificate.get(), key.get(), EVP_sha256());

    std::FILE* file = std::fopen(pem_file.c_str(), "w");
    if (!file) throw std::runtime_error("cannot write " + pem_file);
    PEM_write_X509(file, certificate.get());
    std::fclose(file);

    Context context(SSL_CTX_new(TLS_server_method()));
    if (SSL_CTX_use_certificate(context.get(), certificate.get()) != 1 ||
        SSL_CTX_use_PrivateKey(context.get(), key.get()) != 1)
        throw std::runtime_error("the test's certificate does not work");
    return context;
}

// What a connection throws to end itself.
struct HungUp {};

// A socket that can become encrypted. OpenSSL works on memory, so that the socket stays Asio's.
class Channel {
public:
    explicit Channel(tcp::socket socket) : socket_(std::move(socket)) {}
    ~Channel() { SSL_free(ssl_); }
    Channel(const Channel&) = delete;

    awaitable<void> encrypt(SSL_CTX* context) {
        ssl_ = SSL_new(context);
        SSL_set_bio(ssl_, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
        for (;;) {
            int result = SSL_accept(ssl_);
            co_await flush();
            if (result == 1) co_return;
            if (SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ) throw HungUp{};
            co_await fill();
        }
    }

    awaitable<void> write(std::string bytes) {
        if (bytes.empty()) co_return;
        if (!ssl_) {
            co_await asio::async_write(socket_, asio::buffer(bytes), asio::use_awaitable);
            co_return;
        }
        SSL_write(ssl_, bytes.data(), static_cast<int>(bytes.size()));
        co_await flush();
    }

    awaitable<std::string> read() {
        if (!ssl_) {
            auto size = co_await socket_.async_read_some(asio::buffer(buffer_), asio::use_awaitable);
            co_return std::string(buffer_.data(), size);
        }
        for (;;) {
            int size = SSL_read(ssl_, buffer_.data(), static_cast<int>(buffer_.size()));
            if (size > 0) co_return std::string(buffer_.data(), static_cast<std::size_t>(size));
            if (SSL_get_error(ssl_, size) != SSL_ERROR_WANT_READ) throw HungUp{};
            co_await fill();
        }
    }

    [[nodiscard]] bool encrypted() const { return ssl_ != nullptr; }
    tcp::socket& socket() { return socket_; }

private:
    awaitable<void> flush() {
        std::string out(BIO_ctrl_pending(SSL_get_wbio(ssl_)), '\0');
        if (out.empty()) co_return;
        BIO_read(SSL_get_wbio(ssl_), out.data(), static_cast<int>(out.size()));
        co_await asio::async_write(socket_, asio::buffer(out), asio::use_awaitable);
    }

    awaitable<void> fill() {
        auto size = co_await socket_.async_read_some(asio::buffer(buffer_), asio::use_awaitable);
        BIO_write(SSL_get_rbio(ssl_), buffer_.data(), static_cast<int>(size));
    }

    tcp::socket socket_;
    SSL* ssl_ = nullptr;
    std::array<char, 65536> buffer_;
};

struct Rule {
    enum class Act { answer, say, hang_up, hang_up_inside, lose, silence };
    Stage stage;
    Act act;
    std::string bytes;
    int left = always;
    std::string address = {}; // empty: any
    int message = 0;          // 0: any
};

std::string in_brackets(const std::string& line) {
    auto open = line.find('<'), close = line.rfind('>');
    if (open == std::string::npos || close == std::string::npos || close < open) return {};
    return line.substr(open + 1, close - open - 1);
}

std::string after_brackets(const std::string& line) {
    auto close = line.rfind('>');
    return close == std::string::npos || close + 2 > line.size() ? std::string() : line.substr(close + 2);
}

std::string from_base64(const std::string& text) {
    std::string out(text.size(), '\0');
    int size = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                               reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    out.resize(static_cast<std::size_t>(std::max(size, 0)));
    for (auto i = text.size(); i > 0 && text[i - 1] == '=' && !out.empty(); --i) out.pop_back();
    return out;
}

}

struct ScriptedRelay::State {
    State(asio::any_io_executor executor, Encryption e)
        : acceptor(executor, tcp::endpoint(asio::ip::address_v4::loopback(), 0)), encryption(e) {}
    ~State() {
        if (!ca_file.empty()) ::unlink(ca_file.c_str());
    }

    tcp::acceptor acceptor;
    std::uint16_t port = 0;
    Encryption encryption;
    Context context;
    std::string ca_file;

    std::vector<std::string> keywords{"PIPELINING",    "8BITMIME", "SMTPUTF8",
                                      "SIZE 10000000", "DSN",      "ENHANCEDSTATUSCODES"};
    bool hides_starttls = false, takes_anything = false, silent = false, forgetful = false;
    std::string user, password;
    int limit = 0; // messages on a connection; 0: none
    std::vector<Rule> rules;

    std::vector<TakenMail> messages;
    std::map<std::string, int> tries;
    std::vector<std::string> commands;
    std::string clear;
    int mails = 0, bodies = 0, empty_messages = 0, connections = 0;
    std::set<Channel*> open;

    Rule* find(Stage stage, const std::string& address) {
        for (auto rule = rules.rbegin(); rule != rules.rend(); ++rule) {
            if (rule->stage != stage || rule->left == 0) continue;
            if (!rule->address.empty() && rule->address != address) continue;
            if (rule->message == 0 || rule->message == mails) return &*rule;
        }
        return nullptr;
    }

    // As it was before this use.
    std::optional<Rule> use(Rule* rule) {
        if (!rule) return std::nullopt;
        auto used = *rule;
        if (rule->left > 0) --rule->left;
        return used;
    }

    static awaitable<void> accept(std::shared_ptr<State> self);
};

// One connection.
struct ScriptedRelay::Client {
    Client(std::shared_ptr<State> s, tcp::socket socket)
        : relay(std::move(s)), channel(std::move(socket)), number(++relay->connections) {
        relay->open.insert(&channel);
    }
    ~Client() { relay->open.erase(&channel); }

    std::shared_ptr<State> relay;
    Channel channel;
    int number;
    std::string in, out;
    TakenMail mail;
    bool has_sender = false, logged_in = false;
    int taken = 0;

    static awaitable<void> run(std::shared_ptr<State> state, tcp::socket socket) {
        Client client(std::move(state), std::move(socket));
        co_await client.serve();
    }

    awaitable<void> serve() {
        if (relay->encryption == Encryption::from_the_start) co_await channel.encrypt(relay->context.get());
        bool greeted = co_await answer(Stage::greeting, "220 scripted relay");
        if (!greeted) co_return;
        for (;;) {
            auto line = co_await next_line();
            relay->commands.push_back(line);
            bool goes_on = co_await command(line);
            if (!goes_on) break;
        }
        co_await flush();
    }

    // Answers wait until the client has nothing more to say: it gets those of a group together.
    awaitable<void> read_more() {
        co_await flush();
        auto bytes = co_await channel.read();
        if (!channel.encrypted()) relay->clear += bytes;
        in += bytes;
    }

    awaitable<void> flush() {
        auto bytes = std::exchange(out, {});
        co_await channel.write(std::move(bytes));
    }

    awaitable<std::string> next_line() {
        std::size_t end;
        while ((end = in.find("\r\n")) == std::string::npos) co_await read_more();
        auto line = in.substr(0, end);
        in.erase(0, end + 2);
        if (relay->forgetful) in.clear();
        co_return line;
    }

    // The ordinary answer, or what was ordered for this stage. False: hang up.
    awaitable<bool> answer(Stage stage, std::string ordinary) {
        auto rule = relay->use(relay->find(stage, mail.to));
        if (!rule) {
            out += ordinary + "\r\n";
            co_return true;
        }
        switch (rule->act) {
        case Rule::Act::answer: out += rule->bytes + "\r\n"; break;
        case Rule::Act::say: out += rule->bytes; break;
        case Rule::Act::silence:
            out += rule->bytes;
            for (relay->silent = true;;) {
                co_await read_more();
                in.clear();
            }
        default:
            out += rule->bytes;
            co_await flush();
            co_return false;
        }
        if (!rule->bytes.starts_with("421")) co_return true;
        co_await flush();
        co_return false;
    }

    // Whether the last answer that was written for this stage was a refusal.
    [[nodiscard]] bool refused(std::size_t before) const {
        return out.size() > before && (out[before] == '4' || out[before] == '5');
    }

    awaitable<bool> command(const std::string& line) {
        auto word = line.substr(0, line.find(' '));
        if (word == "EHLO") co_return co_await answer(Stage::ehlo, offer());
        if (word == "HELO") co_return co_await answer(Stage::ehlo, "250 scripted relay");
        if (word == "STARTTLS") co_return co_await starttls();
        if (word == "AUTH") co_return co_await login(line);
        if (word == "MAIL") co_return co_await sender(line);
        if (word == "RCPT") co_return co_await recipient(line);
        if (word == "DATA") co_return co_await message();
        if (word == "RSET") {
            has_sender = false;
            mail = {};
            out += "250 2.0.0 Ok\r\n";
            co_return true;
        }
        if (word == "QUIT") {
            co_await answer(Stage::quit, "221 2.0.0 Bye");
            co_return false;
        }
        out += "500 5.5.1 Not a command\r\n";
        co_return true;
    }

    [[nodiscard]] std::string offer() const {
        auto lines = relay->keywords;
        bool may_encrypt = relay->encryption == Encryption::starttls && !relay->hides_starttls && !channel.encrypted();
        if (may_encrypt) lines.push_back("STARTTLS");
        if (!relay->user.empty() && !may_encrypt) lines.push_back("AUTH PLAIN LOGIN");
        std::string text = lines.empty() ? "250 scripted relay" : "250-scripted relay";
        for (std::size_t i = 0; i < lines.size(); ++i)
            text += fmt::format("\r\n250{}{}", i + 1 < lines.size() ? '-' : ' ', lines[i]);
        return text;
    }

    awaitable<bool> starttls() {
        auto before = out.size();
        bool goes_on = co_await answer(Stage::starttls, "220 2.0.0 Go ahead");
        if (!goes_on || refused(before)) co_return goes_on;
        co_await flush();
        in.clear();
        co_await channel.encrypt(relay->context.get());
        co_return true;
    }

    awaitable<bool> login(const std::string& line) {
        std::string user, password;
        if (line.starts_with("AUTH PLAIN ")) {
            auto text = from_base64(line.substr(11)); // authorisation NUL user NUL password
            auto second = text.rfind('\0'), first = text.find('\0');
            if (first != std::string::npos && second > first)
                user = text.substr(first + 1, second - first - 1), password = text.substr(second + 1);
        } else if (line.starts_with("AUTH LOGIN")) {
            std::string encoded_user;
            if (line.size() > 11) {
                encoded_user = line.substr(11);
            } else {
                out += "334 VXNlcm5hbWU6\r\n";
                encoded_user = co_await next_line();
            }
            out += "334 UGFzc3dvcmQ6\r\n";
            auto encoded_password = co_await next_line();
            user = from_base64(encoded_user);
            password = from_base64(encoded_password);
        }
        bool right = user == relay->user && password == relay->password;
        std::string ordinary = right ? "235 2.7.0 Welcome" : "535 5.7.8 Wrong user or password";
        auto before = out.size();
        bool goes_on = co_await answer(Stage::auth, std::move(ordinary));
        logged_in = right && goes_on && !refused(before);
        co_return goes_on;
    }

    awaitable<bool> sender(const std::string& line) {
        ++relay->mails;
        mail = {};
        mail.from = in_brackets(line);
        mail.mail_parameters = after_brackets(line);
        mail.connection = number;
        if (relay->limit && taken >= relay->limit) {
            out += "421 4.7.0 Enough for one connection\r\n";
            co_await flush();
            co_return false;
        }
        std::string ordinary = has_sender ? "503 5.5.1 A mail is under way" : "250 2.1.0 Ok";
        if (!relay->user.empty() && !logged_in) ordinary = "530 5.7.0 Log in first";
        auto before = out.size();
        bool goes_on = co_await answer(Stage::mail, std::move(ordinary));
        if (!refused(before)) has_sender = true;
        co_return goes_on;
    }

    awaitable<bool> recipient(const std::string& line) {
        auto address = in_brackets(line);
        ++relay->tries[address];
        mail.to = address; // a rule may be about this one
        mail.rcpt_parameters = after_brackets(line);
        std::string ordinary = has_sender ? "250 2.1.5 Ok" : "503 5.5.1 MAIL first";
        auto before = out.size();
        bool goes_on = co_await answer(Stage::rcpt, std::move(ordinary));
        if (refused(before)) mail.to.clear();
        co_return goes_on;
    }

    awaitable<bool> message() {
        std::string ordinary =
            mail.to.empty() && !relay->takes_anything ? "503 5.5.1 No valid recipients" : "354 Go on";
        auto before = out.size();
        bool goes_on = co_await answer(Stage::data, std::move(ordinary));
        if (!goes_on || refused(before)) co_return goes_on;
        co_return co_await body();
    }

    awaitable<bool> body() {
        auto* ordered = relay->find(Stage::body, mail.to);
        bool inside = ordered && ordered->act == Rule::Act::hang_up_inside;
        if (inside) relay->use(ordered);
        std::size_t end = 0;
        // A lone dot at the very beginning is an empty message.
        while (!in.starts_with(".\r\n") && (end = in.find("\r\n.\r\n")) == std::string::npos) {
            if (inside && !in.empty()) co_return false;
            co_await read_more();
        }
        if (inside) co_return false;
        bool empty = in.starts_with(".\r\n");
        mail.bytes = empty ? std::string() : in.substr(0, end + 2);
        in.erase(0, empty ? 3 : end + 5);
        unstuff(mail.bytes);
        mail.next_rode_along = in.starts_with("MAIL ");
        has_sender = false;
        if (mail.to.empty()) {
            ++relay->empty_messages;
            co_return co_await answer(Stage::body, "554 5.5.1 No valid recipients");
        }
        ++relay->bodies;
        if (ordered = relay->find(Stage::body, mail.to); ordered && ordered->act == Rule::Act::lose) {
            relay->use(ordered);
            relay->messages.push_back(mail);
            co_return false;
        }
        auto before = out.size();
        bool goes_on = co_await answer(Stage::body, fmt::format("250 2.0.0 Ok: queued as {}", relay->bodies));
        if (goes_on && out.size() > before && out[before] == '2') {
            relay->messages.push_back(mail);
            ++taken;
        }
        co_return goes_on;
    }

    static void unstuff(std::string& bytes) {
        if (bytes.starts_with("..")) bytes.erase(0, 1);
        for (std::size_t at = 0; (at = bytes.find("\r\n.", at)) != std::string::npos; at += 2) bytes.erase(at + 2, 1);
    }
};

awaitable<void> ScriptedRelay::State::accept(std::shared_ptr<State> self) {
    while (self->acceptor.is_open()) {
        auto socket = co_await self->acceptor.async_accept(asio::use_awaitable);
        socket.set_option(tcp::no_delay(true));
        // A client that leaves in the middle is part of the plan.
        asio::co_spawn(self->acceptor.get_executor(), Client::run(self, std::move(socket)), [](std::exception_ptr) {});
    }
}

ScriptedRelay::ScriptedRelay(asio::any_io_executor executor, Encryption encryption, const std::string& certificate_for,
                             Certificate certificate)
    : state_(std::make_shared<State>(executor, encryption)) {
    state_->port = state_->acceptor.local_endpoint().port();
    if (encryption != Encryption::none) {
        state_->ca_file = fmt::format("/tmp/postrider-test-{}-{}.pem", ::getpid(), state_->port);
        state_->context = self_signed(certificate_for, state_->ca_file, certificate == Certificate::expired);
    }
    asio::co_spawn(executor, State::accept(state_), [](std::exception_ptr) {});
}

ScriptedRelay::~ScriptedRelay() {
    stops_listening();
    hangs_up_on_everyone();
}

std::uint16_t ScriptedRelay::port() const { return state_->port; }

std::string ScriptedRelay::url() const {
    return fmt::format("{}://127.0.0.1:{}", state_->encryption == Encryption::from_the_start ? "smtps" : "smtp",
                       state_->port);
}

const std::string& ScriptedRelay::ca_file() const { return state_->ca_file; }

smtp::RelaySettings ScriptedRelay::settings() const {
    smtp::RelaySettings settings;
    settings.name = "test";
    settings.url = url();
    settings.tls = state_->encryption == Encryption::none ? smtp::Tls::never : smtp::Tls::required;
    settings.ca_file = ca_file();
    settings.user = state_->user;
    settings.password = state_->password;
    settings.hello_name = "postrider.test";
    return settings;
}

void ScriptedRelay::stops_listening() {
    boost::system::error_code ignored;
    state_->acceptor.close(ignored);
}

void ScriptedRelay::hangs_up_on_everyone() {
    boost::system::error_code ignored;
    for (auto* channel : state_->open) channel->socket().close(ignored);
}

void ScriptedRelay::says_goodbye_to_everyone(const std::string& words) {
    boost::system::error_code ignored;
    for (auto* channel : state_->open) asio::write(channel->socket(), asio::buffer(words), ignored);
    hangs_up_on_everyone();
}

void ScriptedRelay::offers(std::vector<std::string> keywords) { state_->keywords = std::move(keywords); }
void ScriptedRelay::offers_no_pipelining() { std::erase(state_->keywords, "PIPELINING"); }
void ScriptedRelay::forgets_what_came_with_a_command() { state_->forgetful = true; }
void ScriptedRelay::withdraws_starttls(bool hidden) { state_->hides_starttls = hidden; }
void ScriptedRelay::asks_for_the_message_even_without_recipients() { state_->takes_anything = true; }
void ScriptedRelay::says_421_after(int messages) { state_->limit = messages; }
void ScriptedRelay::wants_login(std::string user, std::string password) {
    state_->user = std::move(user);
    state_->password = std::move(password);
}

void ScriptedRelay::answers(Stage stage, std::string reply, int times) {
    state_->rules.push_back({stage, Rule::Act::answer, std::move(reply), times});
}
void ScriptedRelay::answers_for(const std::string& address, Stage stage, std::string reply, int times) {
    state_->rules.push_back({stage, Rule::Act::answer, std::move(reply), times, address});
}
void ScriptedRelay::answers_message(int number, Stage stage, std::string reply) {
    state_->rules.push_back({stage, Rule::Act::answer, std::move(reply), always, {}, number});
}
void ScriptedRelay::says(Stage stage, std::string bytes, int times) {
    state_->rules.push_back({stage, Rule::Act::say, std::move(bytes), times});
}
void ScriptedRelay::hangs_up(Stage stage, int times, std::string first) {
    state_->rules.push_back({stage, Rule::Act::hang_up, std::move(first), times});
}
void ScriptedRelay::hangs_up_inside_the_body(int times) {
    state_->rules.push_back({Stage::body, Rule::Act::hang_up_inside, {}, times});
}
void ScriptedRelay::loses_the_answer(int times) { state_->rules.push_back({Stage::body, Rule::Act::lose, {}, times}); }
void ScriptedRelay::falls_silent(Stage stage, int times, std::string first) {
    state_->rules.push_back({stage, Rule::Act::silence, std::move(first), times});
}
void ScriptedRelay::accepts_everything() { state_->rules.clear(); }

const std::vector<TakenMail>& ScriptedRelay::messages() const { return state_->messages; }
int ScriptedRelay::messages_for(const std::string& address) const {
    return static_cast<int>(std::ranges::count(state_->messages, address, &TakenMail::to));
}
int ScriptedRelay::tries_for(const std::string& address) const {
    auto found = state_->tries.find(address);
    return found == state_->tries.end() ? 0 : found->second;
}
int ScriptedRelay::bodies() const { return state_->bodies; }
int ScriptedRelay::empty_messages() const { return state_->empty_messages; }
int ScriptedRelay::connections() const { return state_->connections; }
bool ScriptedRelay::is_silent() const { return state_->silent; }
int ScriptedRelay::open_connections() const { return static_cast<int>(state_->open.size()); }
const std::vector<std::string>& ScriptedRelay::commands() const { return state_->commands; }
int ScriptedRelay::count(const std::string& command) const {
    return static_cast<int>(
        std::ranges::count_if(state_->commands, [&](const auto& line) { return line.starts_with(command); }));
}
bool ScriptedRelay::saw_in_the_clear(const std::string& text) const {
    return state_->clear.find(text) != std::string::npos;
}

}
