#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

#include <memory>

typedef void CURL;

// libcurl's multi-socket interface driven by one Asio executor: transfers that never block the loop.
//
// In:     a configured easy handle, owned by the caller, who keeps it alive until perform() has returned and release()
// was called. Out:    its CURLcode (as int, so that this header needs no curl). Always: one CurlLoop belongs to one
// single-threaded executor. A CONNECT_ONLY handle stays inside the multi after perform(), as
//         curl demands (curl #9244), until release(). libcurl's known traps are handled here: CURLOPT_NOSIGNAL, sockets
//         that are reused under the same number, a timer callback from inside an action.

namespace postrider::system {

class CurlLoop {
public:
    explicit CurlLoop(boost::asio::any_io_executor executor);
    ~CurlLoop();
    CurlLoop(const CurlLoop&) = delete;
    CurlLoop& operator=(const CurlLoop&) = delete;

    enum class Afterwards { remove, keep }; // keep: for CONNECT_ONLY sessions

    // Asio's per-operation cancellation takes the handle out and throws operation_aborted.
    boost::asio::awaitable<int> perform(CURL* easy, Afterwards afterwards = Afterwards::remove);
    void release(CURL* easy); // harmless when it is not inside

private:
    struct State;
    std::shared_ptr<State> state_;
};

}
