#include "metad/io/https_call.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/ssl.h>

#include <array>
#include <utility>

#include "common/base/check.h"
#include "common/proto/genesis.h"
#include "metad/core/http_answer.h"
#include "metad/io/tcp.h"

namespace wattle::metad {

HttpsCall::~HttpsCall() {
  cancel();
  for (bufferevent* event : ended_) bufferevent_free(event);
}

void HttpsCall::start(const Endpoint& to, const std::string& request, Duration limit, Done done) {
  WATTLE_CHECK(!is_busy());
  done_ = std::move(done);
  received_.clear();
  auto socket = connect_tcp(to);
  deadline_ = loop_.after(socket ? limit : Duration::zero(), [this] { finish(false, 0, {}); });
  if (!socket) return;
  SSL* ssl = SSL_new(context_);
  WATTLE_CHECK(ssl != nullptr);
  event_ = bufferevent_openssl_socket_new(loop_.base(), socket->release(), ssl,
                                          BUFFEREVENT_SSL_CONNECTING,
                                          BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
  WATTLE_CHECK(event_ != nullptr);
  bufferevent_openssl_set_allow_dirty_shutdown(event_, 1);
  bufferevent_setcb(event_, on_read, nullptr, on_event, this);
  bufferevent_enable(event_, EV_READ | EV_WRITE);
  evbuffer_add(bufferevent_get_output(event_), request.data(), request.size());
}

void HttpsCall::cancel() {
  done_ = nullptr;
  retire();
}

void HttpsCall::on_read(bufferevent*, void* self) { static_cast<HttpsCall*>(self)->read(); }

void HttpsCall::on_event(bufferevent*, short what, void* self) {
  auto* call = static_cast<HttpsCall*>(self);
  if ((what & BEV_EVENT_CONNECTED) != 0) return;
  call->read();
  if (!call->is_busy()) return;
  auto answer = parse_http_answer(call->received_, (what & BEV_EVENT_EOF) != 0, kMaxDocument);
  if (answer)
    call->finish(true, answer->status, std::move(answer->body));
  else
    call->finish(false, 0, {});
}

void HttpsCall::read() {
  evbuffer* input = bufferevent_get_input(event_);
  std::array<char, 4096> chunk{};
  for (;;) {
    const int size = evbuffer_remove(input, chunk.data(), chunk.size());
    if (size <= 0) break;
    received_.append(chunk.data(), static_cast<std::size_t>(size));
    if (received_.size() > kMaxDocument + kMaxHttpHead) return finish(false, 0, {});
  }
  auto answer = parse_http_answer(received_, false, kMaxDocument);
  if (answer) return finish(true, answer->status, std::move(answer->body));
  if (answer.error().code != Errc::Again) finish(false, 0, {});
}

void HttpsCall::finish(bool answered, int status, std::string body) {
  retire();
  const Done done = std::exchange(done_, nullptr);
  if (done) done(answered, status, std::move(body));
}

void HttpsCall::retire() {
  deadline_.reset();
  if (event_ == nullptr) return;
  bufferevent_setcb(event_, nullptr, nullptr, nullptr, nullptr);
  bufferevent_disable(event_, EV_READ | EV_WRITE);
  ended_.push_back(std::exchange(event_, nullptr));
  sweep_ = loop_.after(Duration::zero(), [this] {
    for (bufferevent* event : std::exchange(ended_, {})) bufferevent_free(event);
  });
}

}  // namespace wattle::metad
