#include "http/fetch_now.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include <exception>

namespace postrider::http {
namespace asio = boost::asio;

FetchResult fetch_now(FetchRequest request, const ClientSettings& settings) {
    asio::io_context context(1);
    system::CurlLoop curl(context.get_executor());
    Client client(curl, settings);
    FetchResult fetched;
    std::exception_ptr failure;
    asio::co_spawn(context, client.get(std::move(request)), [&](std::exception_ptr failed, FetchResult result) {
        failure = failed;
        fetched = std::move(result);
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
    return fetched;
}

}
