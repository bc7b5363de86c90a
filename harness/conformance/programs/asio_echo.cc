// SPDX-License-Identifier: Apache-2.0
// asio_echo server PORT [CONNECTIONS] | asio_echo client ADDRESS PORT CONNECTIONS ROUNDS SIZE
// Boost.Asio coroutines on one loop, as the mixnet's programs are built. Ends when told (SIGTERM),
// the client when all its rounds are done.
#include <boost/asio.hpp>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;

namespace {

awaitable<void> echo(tcp::socket socket) {
  std::vector<char> buffer(65536);
  try {
    for (;;) {
      const std::size_t n = co_await socket.async_read_some(asio::buffer(buffer), use_awaitable);
      co_await asio::async_write(socket, asio::buffer(buffer.data(), n), use_awaitable);
    }
  } catch (const boost::system::system_error&) {
  }
}

awaitable<void> serve(tcp::acceptor acceptor, asio::io_context& loop, int connections) {
  int left = connections;
  for (;;) {
    tcp::socket socket = co_await acceptor.async_accept(use_awaitable);
    co_spawn(acceptor.get_executor(), echo(std::move(socket)), [&](std::exception_ptr) {
      if (connections > 0 && --left == 0) loop.stop();
    });
  }
}

awaitable<void> talk(tcp::endpoint to, int rounds, std::size_t size, int& done) {
  asio::steady_timer timer(co_await asio::this_coro::executor);
  tcp::socket socket(timer.get_executor());
  for (;;) {
    boost::system::error_code failed;
    co_await socket.async_connect(to, asio::redirect_error(use_awaitable, failed));
    if (!failed) break;
    socket.close();
    timer.expires_after(std::chrono::milliseconds(10));
    co_await timer.async_wait(use_awaitable);
  }
  socket.set_option(tcp::no_delay(true));
  std::string out(size, 'x'), in(size, ' ');
  for (int i = 0; i < rounds; ++i) {
    out[0] = static_cast<char>('a' + i % 26);
    co_await asio::async_write(socket, asio::buffer(out), use_awaitable);
    co_await asio::async_read(socket, asio::buffer(in), use_awaitable);
    done += in == out;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 64;
  asio::io_context loop(1);
  const std::string role = argv[1];
  int done = 0;
  asio::signal_set signals(loop, SIGTERM, SIGINT);
  signals.async_wait([&](auto, int signal) {
    std::printf("signal %d\n", signal);
    loop.stop();
  });
  if (role == "server") {
    const auto port = static_cast<unsigned short>(std::atoi(argv[2]));
    const int connections = argc > 3 ? std::atoi(argv[3]) : 0;
    co_spawn(loop, serve(tcp::acceptor(loop, {tcp::v4(), port}), loop, connections),
             asio::detached);
    loop.run();
    return 0;
  }
  if (argc < 7) return 64;
  const tcp::endpoint to(asio::ip::make_address(argv[2]),
                         static_cast<unsigned short>(std::atoi(argv[3])));
  const int connections = std::atoi(argv[4]), rounds = std::atoi(argv[5]);
  int left = connections;
  for (int i = 0; i < connections; ++i)
    co_spawn(loop, talk(to, rounds, static_cast<std::size_t>(std::atol(argv[6])), done),
             [&](std::exception_ptr) {
               if (--left == 0) loop.stop();
             });
  loop.run();
  std::printf("%d of %d rounds\n", done, connections * rounds);
}
