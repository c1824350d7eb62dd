// The registry's HTTPS listener: libevent's evhttp over OpenSSL, TLS 1.3 only, one request a
// connection. Limits: header 8 KiB, body 16 KiB; TLS handshake within 5 s, the whole request within
// 10 s of the connection; the answer taken within 30 s (a held one: 10 s after its time);
// kMaxPerClient of one client (an IPv4 address or an IPv6 /64), more are closed at once;
// kMaxConnections in all: then the oldest one without a whole request of the client that has most
// of them gives way.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/net/endpoint.h"
#include "common/os/event_loop.h"
#include "common/os/fd.h"
#include "registry/io/desk.h"

namespace wattle::registry {

class HttpsServer {
 public:
  static constexpr std::size_t kMaxConnections = 512;
  static constexpr std::size_t kMaxPerClient = 96;
  using Handler = std::function<void(const Request& request, const Reply& reply)>;

  // `certificate` and `key` in PEM. Config with a sentence if they do not fit each other.
  static Result<std::unique_ptr<HttpsServer>> make(os::EventLoop& loop,
                                                   const std::string& certificate,
                                                   const std::string& key, Handler handler);
  ~HttpsServer();
  HttpsServer(const HttpsServer&) = delete;
  HttpsServer& operator=(const HttpsServer&) = delete;

  Result<void> listen(os::Fd listening_socket);
  std::size_t connections() const;

  struct State;  // https_server.cpp

 private:
  explicit HttpsServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace wattle::registry
