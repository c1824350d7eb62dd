// A connection that carries lines: TLS to a node (there packets, too, stream_cutter.h), or plain
// (unix socket, clear text on TCP). Owns its bufferevent and socket. Input over kMaxLine ends it;
// output over kMaxOutput, too: a receiver that stands still costs that much and no more.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "common/os/event_loop.h"
#include "common/os/fd.h"
#include "metad/core/stream_cutter.h"

struct bufferevent;
struct ssl_st;

namespace wattle::metad {

class LineStream {
 public:
  static constexpr std::size_t kMaxOutput = 1024 * 1024;
  // What is not sent yet: more than the first is congested, until it is less than the second.
  static constexpr std::size_t kCongested = 64 * 1024;
  static constexpr std::size_t kRelieved = 16 * 1024;

  // What on_end says if a TLS alert came that concerns the certificate that we showed.
  static constexpr std::string_view kRefused = "the other side refuses our certificate";

  struct Callbacks {
    std::function<void()> on_open;  // TLS only: the handshake is done
    std::function<void(std::string line)> on_line;
    std::function<void(Bytes packet)> on_packet;       // TLS only
    std::function<void(bool congested)> on_congested;  // when it changes; from send(), too
    // Plain only: nothing more will be read, but the other side may still listen (printf | nc). The
    // stream lives until finish(), which is called if this is empty.
    std::function<void()> on_input_end;
    std::function<void(std::string_view why)> on_end;  // once; destroy the stream later, not in it
  };

  // Plain, on a connected socket.
  LineStream(os::EventLoop& loop, os::Fd socket, Callbacks callbacks);
  // TLS on a connected or (dialled) connecting socket; takes ownership of `ssl`.
  LineStream(os::EventLoop& loop, os::Fd socket, ssl_st* ssl, bool dialled, Callbacks callbacks);
  ~LineStream();
  LineStream(const LineStream&) = delete;
  LineStream& operator=(const LineStream&) = delete;

  void send(std::string_view line);   // an LF is added
  void send_packet(ByteView packet);  // with its PACKET line; 1 to kMaxCarried bytes
  std::size_t waiting() const;        // bytes sent and not yet taken by the system
  // Ends when all that was sent has left, or after 2 s; on_end is called.
  void finish();
  const ssl_st* ssl() const;  // null on a plain stream
  bool is_ended() const { return ended_; }

 private:
  void start(Callbacks callbacks);
  void read();
  bool has_room(std::size_t size);
  void sent();
  void end(std::string_view why);
  static void on_read(bufferevent* event, void* self);
  static void on_written(bufferevent* event, void* self);
  static void on_event(bufferevent* event, short what, void* self);

  os::EventLoop& loop_;
  bufferevent* event_ = nullptr;
  Callbacks callbacks_;
  StreamCutter pieces_;
  os::Watch linger_;
  bool finishing_ = false;
  bool ended_ = false;
  bool congested_ = false;
};

}  // namespace wattle::metad
