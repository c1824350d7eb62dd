// One HTTPS exchange with the registry at a time: connect, send, read an answer of at most
// kMaxDocument bytes. Owns its socket; done is called once per start(), never from inside it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "common/net/endpoint.h"
#include "common/os/event_loop.h"

struct ssl_ctx_st;
struct bufferevent;

namespace wattle::metad {

class HttpsCall {
 public:
  // answered: an HTTP answer came whole; else it could not be reached, or not in time.
  using Done = std::function<void(bool answered, int status, std::string body)>;

  // context must outlive this; it says which key the server must have.
  HttpsCall(os::EventLoop& loop, ssl_ctx_st* context) : loop_(loop), context_(context) {}
  ~HttpsCall();
  HttpsCall(const HttpsCall&) = delete;
  HttpsCall& operator=(const HttpsCall&) = delete;

  bool is_busy() const { return done_ != nullptr; }
  // Only when it is not busy.
  void start(const Endpoint& to, const std::string& request, Duration limit, Done done);
  void cancel();  // done is not called

 private:
  void read();
  void finish(bool answered, int status, std::string body);
  void retire();
  static void on_read(bufferevent* event, void* self);
  static void on_event(bufferevent* event, short what, void* self);

  os::EventLoop& loop_;
  ssl_ctx_st* context_;
  Done done_;
  bufferevent* event_ = nullptr;
  std::vector<bufferevent*> ended_;  // to be freed by the loop: a callback may be running
  std::string received_;
  os::Watch deadline_, sweep_;
};

}  // namespace wattle::metad
