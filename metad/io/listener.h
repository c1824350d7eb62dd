// The one TCP port for all (DESIGN 5). Looks at the first bytes of a connection without taking
// them:
//   0x16            TLS: handed on, nothing consumed
//   0x00..0x0f      Anode's framing: closed (not carried here yet)
//   "POST ", "GET " HTTP: closed politely
//   else            clear text: greeting after the first line or 1 s of silence; PING, TERMREQ
// Strangers cost a bounded number of descriptors for a bounded time: kMaxStrangers in all,
// kMaxPerHost of one address (/64 for IPv6), handed-on connections count until release(). Where
// there are kMaxStrangers, the oldest one of the host that has most gives way: whoever holds
// connections open keeps nobody else out.
#pragma once

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "common/net/endpoint.h"
#include "common/os/event_loop.h"
#include "common/os/fd.h"
#include "common/os/log.h"
#include "metad/io/line_stream.h"

namespace wattle::metad {

// What the first bytes are. NeedMore: one byte does not decide.
enum class FirstBytes { NeedMore, Tls, Anode, Http, Text };
FirstBytes classify(std::string_view peeked);

class Listener {
 public:
  static constexpr std::size_t kMaxStrangers = 512;
  static constexpr std::size_t kMaxPerHost = 16;
  static constexpr Duration kSilence = std::chrono::seconds(1);
  static constexpr Duration kClearLimit = std::chrono::seconds(60);

  Listener(os::EventLoop& loop, std::vector<os::Fd> sockets,
           std::function<void(os::Fd socket, const Endpoint& remote)> on_tls,
           std::function<void(const IpAddress& host)> on_crowded);
  ~Listener();

  // Accepts from now on; before, connections wait in the kernel. More than once is no harm.
  void start();

  // A TLS connection of this remote has become a link, or is gone.
  void release(const Endpoint& remote);

 private:
  struct Stranger;
  void watch(std::size_t index);
  void on_acceptable(std::size_t index);
  void look(Stranger& stranger);
  void speak(Stranger& stranger, bool silent);
  void on_clear_line(Stranger& stranger, std::string line);
  void drop(Stranger& stranger);
  bool admit(const Endpoint& remote);
  void make_room();
  bool started_ = false;

  os::EventLoop& loop_;
  std::vector<os::Fd> sockets_;
  std::vector<os::Watch> watches_;
  os::Watch pause_;
  std::function<void(os::Fd, const Endpoint&)> on_tls_;
  // The oldest connection of this host (host_of) that was handed on is to end.
  std::function<void(const IpAddress&)> on_crowded_;
  std::list<std::unique_ptr<Stranger>> strangers_;
  std::list<std::unique_ptr<Stranger>> ended_;
  os::Watch sweep_;
  std::map<IpAddress, std::size_t> per_host_;
  std::size_t admitted_ = 0;
  os::log::Limited refused_;
};

}  // namespace wattle::metad
