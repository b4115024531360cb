#include "system/curl_loop.hpp"

#include "system/log.hpp"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <curl/curl.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <unordered_map>

namespace postrider::system {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

// A socket of curl's: curl opens and closes it, Asio only watches it.
struct Watched {
    Watched(const asio::any_io_executor& executor, curl_socket_t s) : descriptor(executor), socket(s) {}
    ~Watched() {
        if (descriptor.is_open()) descriptor.release();
    }

    asio::posix::stream_descriptor descriptor;
    curl_socket_t socket;
    int wanted = 0; // CURL_POLL_IN, CURL_POLL_OUT or both
    bool waiting_to_read = false;
    bool waiting_to_write = false;
};

// One perform() under way. The timer never expires: it is the bell that wakes the coroutine.
struct Transfer {
    explicit Transfer(const asio::any_io_executor& executor) : bell(executor) {
        bell.expires_at(asio::steady_timer::time_point::max());
    }

    asio::steady_timer bell;
    std::optional<int> result;
    bool keep = false;
};

void initialise_curl_once() {
    static const CURLcode done = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (done != CURLE_OK) throw std::runtime_error("libcurl cannot be initialised");
}

}

struct CurlLoop::State : std::enable_shared_from_this<CurlLoop::State> {
    explicit State(asio::any_io_executor e) : executor(std::move(e)), timer(executor) {
        initialise_curl_once();
        multi = curl_multi_init();
        if (!multi) throw std::bad_alloc();
        curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &State::socket_changed);
        curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
        curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &State::timer_changed);
        curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    }

    // Handlers already queued find the state gone or closed; a coroutine still inside perform() wakes with
    // operation_aborted.
    void close() {
        for (auto& [easy, transfer] : inside) {
            curl_multi_remove_handle(multi, easy);
            transfer->bell.cancel();
        }
        inside.clear();
        curl_multi_cleanup(multi);
        multi = nullptr;
        while (!sockets.empty()) forget(sockets.begin()->first);
        timer.cancel();
    }

    std::shared_ptr<Transfer> add(CURL* easy, bool keep) {
        if (!multi) throw std::logic_error("perform() on a closed CurlLoop");
        auto transfer = std::make_shared<Transfer>(executor);
        transfer->keep = keep;
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L); // signals and threads do not mix, and the resolver is a thread
#if LIBCURL_VERSION_NUM >= 0x075700
        curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); // or giving up a slow name would wait for the resolver's thread
#endif
        inside[easy] = transfer;
        if (auto code = curl_multi_add_handle(multi, easy); code != CURLM_OK) {
            inside.erase(easy);
            throw std::logic_error(std::string("curl_multi_add_handle: ") + curl_multi_strerror(code));
        }
        return transfer;
    }

    void remove(CURL* easy) {
        auto found = inside.find(easy);
        if (found == inside.end()) return;
        auto transfer = std::move(found->second);
        inside.erase(found);
        curl_multi_remove_handle(multi, easy);
        transfer->bell.cancel();
    }

    static int socket_changed(CURL*, curl_socket_t socket, int what, void* self, void*) noexcept {
        return static_cast<State*>(self)->watch(socket, what);
    }

    static int timer_changed(CURLM*, long milliseconds, void* self) noexcept {
        static_cast<State*>(self)->set_timer(milliseconds);
        return 0;
    }

    int watch(curl_socket_t socket, int what) {
        if (what == CURL_POLL_REMOVE) {
            forget(socket);
            return 0;
        }
        auto& watched = sockets[socket];
        if (!watched) {
            auto fresh = std::make_shared<Watched>(executor, socket);
            error_code failure;
            fresh->descriptor.assign(socket, failure);
            if (failure) {
                log::error("a socket of libcurl cannot be watched", {{"error", failure.message()}});
                sockets.erase(socket);
                return -1;
            }
            watched = std::move(fresh);
        }
        watched->wanted = what;
        wait(watched);
        return 0;
    }

    // At once, not when the last wait lets go of it: a wait that is not told never ends, and curl may have opened another
    // socket under the same number by then, which would be unwatched in its place.
    void forget(curl_socket_t socket) {
        auto found = sockets.find(socket);
        if (found == sockets.end()) return;
        found->second->descriptor.release();
        sockets.erase(found);
    }

    void wait(const std::shared_ptr<Watched>& watched) {
        using Direction = asio::posix::descriptor_base;
        if ((watched->wanted & CURL_POLL_IN) && !watched->waiting_to_read) {
            watched->waiting_to_read = true;
            watched->descriptor.async_wait(Direction::wait_read,
                                           [weak = weak_from_this(), watched](const error_code& failure) {
                                               watched->waiting_to_read = false;
                                               ready(weak, watched, failure, CURL_POLL_IN, CURL_CSELECT_IN);
                                           });
        }
        if ((watched->wanted & CURL_POLL_OUT) && !watched->waiting_to_write) {
            watched->waiting_to_write = true;
            watched->descriptor.async_wait(Direction::wait_write,
                                           [weak = weak_from_this(), watched](const error_code& failure) {
                                               watched->waiting_to_write = false;
                                               ready(weak, watched, failure, CURL_POLL_OUT, CURL_CSELECT_OUT);
                                           });
        }
    }

    // A number may have been closed and given out again since the wait began: the object, not the number, says whose
    // event it is.
    [[nodiscard]] bool watches(const std::shared_ptr<Watched>& watched) const {
        auto found = sockets.find(watched->socket);
        return found != sockets.end() && found->second == watched;
    }

    static void ready(const std::weak_ptr<State>& weak, const std::shared_ptr<Watched>& watched,
                      const error_code& failure, int direction, int event) {
        auto self = weak.lock();
        if (!self || !self->multi || !self->watches(watched)) return;
        if (watched->wanted & direction) self->act(watched->socket, failure ? CURL_CSELECT_ERR : event);
        if (self->multi && self->watches(watched)) self->wait(watched);
    }

    // Called from inside curl: only arms the timer, never acts.
    void set_timer(long milliseconds) {
        if (milliseconds < 0) {
            timer.cancel();
            return;
        }
        timer.expires_after(std::chrono::milliseconds(milliseconds));
        timer.async_wait([weak = weak_from_this()](const error_code& failure) {
            auto self = weak.lock();
            if (failure || !self || !self->multi) return;
            self->act(CURL_SOCKET_TIMEOUT, 0);
        });
    }

    void act(curl_socket_t socket, int events) {
        int running = 0;
        if (auto code = curl_multi_socket_action(multi, socket, events, &running); code != CURLM_OK)
            log::error("libcurl's loop failed", {{"error", curl_multi_strerror(code)}});
        int left = 0;
        while (CURLMsg* message = curl_multi_info_read(multi, &left))
            if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
    }

    void finish(CURL* easy, int result) {
        auto found = inside.find(easy);
        if (found == inside.end()) return;
        auto transfer = found->second;
        if (!transfer->keep) {
            inside.erase(found);
            curl_multi_remove_handle(multi, easy);
        }
        transfer->result = result;
        transfer->bell.cancel();
    }

    asio::any_io_executor executor;
    CURLM* multi = nullptr;
    asio::steady_timer timer;
    std::unordered_map<curl_socket_t, std::shared_ptr<Watched>> sockets;
    std::unordered_map<CURL*, std::shared_ptr<Transfer>> inside;
};

namespace {

// Takes the handle out however the coroutine ends: cancelled before or in the wait, or its frame destroyed with the
// loop.
template <class State>
struct Withdrawal {
    std::shared_ptr<State> state;
    CURL* easy;
    std::shared_ptr<Transfer> transfer;

    ~Withdrawal() {
        if (!transfer->result) state->remove(easy);
    }
};

}

CurlLoop::CurlLoop(asio::any_io_executor executor) : state_(std::make_shared<State>(std::move(executor))) {}

CurlLoop::~CurlLoop() { state_->close(); }

asio::awaitable<int> CurlLoop::perform(CURL* easy, Afterwards afterwards) {
    auto transfer = state_->add(easy, afterwards == Afterwards::keep);
    Withdrawal<State> withdrawal{state_, easy, transfer};
    error_code ignored; // the bell always rings as operation_aborted; whether there is a result tells why
    co_await transfer->bell.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (!transfer->result) throw boost::system::system_error(asio::error::operation_aborted);
    co_return *transfer->result;
}

void CurlLoop::release(CURL* easy) { state_->remove(easy); }

}
