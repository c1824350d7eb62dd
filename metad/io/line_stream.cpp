#include "metad/io/line_stream.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <array>

#include "common/base/check.h"

namespace wattle::metad {
namespace {

constexpr Duration kLinger = std::chrono::seconds(2);
constexpr std::size_t kReadAhead = 64 * 1024;

bool is_about_our_certificate(unsigned long error) {
  switch (ERR_GET_REASON(error)) {
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return true;
    default:
      return false;
  }
}

}  // namespace

LineStream::LineStream(os::EventLoop& loop, os::Fd socket, Callbacks callbacks)
    : loop_(loop), pieces_(false) {
  event_ = bufferevent_socket_new(loop.base(), socket.release(),
                                  BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
  start(std::move(callbacks));
}

LineStream::LineStream(os::EventLoop& loop, os::Fd socket, ssl_st* ssl, bool dialled,
                       Callbacks callbacks)
    : loop_(loop), pieces_(true) {
  event_ = bufferevent_openssl_socket_new(
      loop.base(), socket.release(), ssl,
      dialled ? BUFFEREVENT_SSL_CONNECTING : BUFFEREVENT_SSL_ACCEPTING,
      BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
  start(std::move(callbacks));
  bufferevent_openssl_set_allow_dirty_shutdown(event_, 1);  // lines have their own end
}

LineStream::~LineStream() {
  if (event_ == nullptr) return;
  bufferevent_setcb(event_, nullptr, nullptr, nullptr, nullptr);
  bufferevent_free(event_);
}

void LineStream::start(Callbacks callbacks) {
  WATTLE_CHECK(event_ != nullptr);
  callbacks_ = std::move(callbacks);
  bufferevent_setcb(event_, on_read, on_written, on_event, this);
  bufferevent_setwatermark(event_, EV_READ, 0, kReadAhead);
  bufferevent_setwatermark(event_, EV_WRITE, kRelieved - 1, 0);
  bufferevent_enable(event_, EV_READ | EV_WRITE);
}

void LineStream::send(std::string_view line) {
  if (ended_ || finishing_ || !has_room(line.size() + 1)) return;
  evbuffer* output = bufferevent_get_output(event_);
  evbuffer_add(output, line.data(), line.size());
  evbuffer_add(output, "\n", 1);
  sent();
}

void LineStream::send_packet(ByteView packet) {
  WATTLE_CHECK(!packet.empty() && packet.size() <= kMaxCarried);
  const std::string line = "PACKET " + std::to_string(packet.size()) + "\n";
  if (ended_ || finishing_ || !has_room(line.size() + packet.size())) return;
  evbuffer* output = bufferevent_get_output(event_);
  evbuffer_add(output, line.data(), line.size());
  evbuffer_add(output, packet.data(), packet.size());
  sent();
}

bool LineStream::has_room(std::size_t size) {
  if (evbuffer_get_length(bufferevent_get_output(event_)) + size <= kMaxOutput) return true;
  end("it does not read what is sent");
  return false;
}

// Congested as soon as too much waits; relieved only when little does.
void LineStream::sent() {
  const std::size_t waiting = evbuffer_get_length(bufferevent_get_output(event_));
  const bool congested = congested_ ? waiting >= kRelieved : waiting > kCongested;
  if (congested == congested_ || ended_) return;
  congested_ = congested;
  if (callbacks_.on_congested) callbacks_.on_congested(congested);
}

std::size_t LineStream::waiting() const {
  return evbuffer_get_length(bufferevent_get_output(event_));
}

void LineStream::finish() {
  if (ended_ || finishing_) return;
  finishing_ = true;
  bufferevent_disable(event_, EV_READ);
  const bool empty = evbuffer_get_length(bufferevent_get_output(event_)) == 0;
  linger_ = loop_.after(empty ? Duration::zero() : kLinger, [this] { end("closed"); });
}

const ssl_st* LineStream::ssl() const { return bufferevent_openssl_get_ssl(event_); }

void LineStream::read() {
  evbuffer* input = bufferevent_get_input(event_);
  std::array<char, 4096> chunk{};
  while (!ended_ && !finishing_) {
    const int size = evbuffer_remove(input, chunk.data(), chunk.size());
    if (size <= 0) return;
    pieces_.feed({chunk.data(), static_cast<std::size_t>(size)});
    while (!ended_ && !finishing_) {
      auto piece = pieces_.next();
      if (!piece) break;
      if (piece->packet.empty())
        callbacks_.on_line(std::move(piece->line));
      else if (callbacks_.on_packet)
        callbacks_.on_packet(std::move(piece->packet));
    }
    if (pieces_.overlong()) return end("a line is too long");
  }
}

void LineStream::end(std::string_view why) {
  if (ended_) return;
  ended_ = true;
  bufferevent_disable(event_, EV_READ | EV_WRITE);
  if (callbacks_.on_end) callbacks_.on_end(why);
}

void LineStream::on_read(bufferevent*, void* self) { static_cast<LineStream*>(self)->read(); }

// libevent calls it also once at the beginning, when nothing was sent yet.
void LineStream::on_written(bufferevent* event, void* self) {
  auto* stream = static_cast<LineStream*>(self);
  const bool all = evbuffer_get_length(bufferevent_get_output(event)) == 0;
  if (stream->finishing_ && all) return stream->end("closed");
  stream->sent();
}

void LineStream::on_event(bufferevent*, short what, void* self) {
  auto* stream = static_cast<LineStream*>(self);
  if ((what & BEV_EVENT_CONNECTED) != 0) {
    if (stream->callbacks_.on_open) stream->callbacks_.on_open();
    return;
  }
  if ((what & BEV_EVENT_EOF) != 0) {
    stream->read();  // the last lines
    if (stream->ended_ || stream->finishing_) return;
    if (stream->ssl() != nullptr) return stream->end("the other side closed it");
    if (stream->callbacks_.on_input_end) return stream->callbacks_.on_input_end();
    return stream->finish();
  }
  const bool refused = stream->ssl() != nullptr &&
                       is_about_our_certificate(bufferevent_get_openssl_error(stream->event_));
  stream->end(refused ? kRefused : "connection or TLS error");
}

}  // namespace wattle::metad
