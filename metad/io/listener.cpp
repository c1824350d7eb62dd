#include "metad/io/listener.h"

#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "metad/core/grammar.h"
#include "metad/io/tcp.h"

namespace wattle::metad {
namespace {

constexpr int kBatch = 16;
constexpr Duration kAcceptPause = std::chrono::milliseconds(500);
constexpr int kClearStrikes = 3;

std::string greeting() {
  return info_line("wattle-meta",
                   {{"protocol", std::to_string(kMetaVersion)}, {"try", "PING,TERMREQ"}});
}

}  // namespace

FirstBytes classify(std::string_view peeked) {
  if (peeked.empty()) return FirstBytes::NeedMore;
  const auto first = static_cast<unsigned char>(peeked.front());
  if (first == 0x16) return FirstBytes::Tls;
  if (first <= 0x0f && first != '\n' && first != '\r') return FirstBytes::Anode;
  for (const std::string_view method : {"POST ", "GET "}) {
    if (peeked.starts_with(method)) return FirstBytes::Http;
    if (method.starts_with(peeked)) return FirstBytes::NeedMore;
  }
  return FirstBytes::Text;
}

struct Listener::Stranger {
  os::Fd socket;
  Endpoint remote;
  os::Watch readable, deadline;
  std::unique_ptr<LineStream> stream;
  bool greeted = false;
  int strikes = 0;
  int lowat = 1;
  std::list<std::unique_ptr<Stranger>>::iterator self;
};

Listener::Listener(os::EventLoop& loop, std::vector<os::Fd> sockets,
                   std::function<void(os::Fd, const Endpoint&)> on_tls,
                   std::function<void(const IpAddress&)> on_crowded)
    : loop_(loop),
      sockets_(std::move(sockets)),
      on_tls_(std::move(on_tls)),
      on_crowded_(std::move(on_crowded)) {
  watches_.resize(sockets_.size());
}

void Listener::start() {
  if (std::exchange(started_, true)) return;
  for (std::size_t i = 0; i < sockets_.size(); ++i) watch(i);
}

Listener::~Listener() = default;

void Listener::watch(std::size_t index) {
  watches_[index] =
      loop_.on_readable(sockets_[index].raw(), [this, index] { on_acceptable(index); });
}

void Listener::on_acceptable(std::size_t index) {
  for (int i = 0; i < kBatch; ++i) {
    auto accepted = accept_tcp(sockets_[index].raw());
    if (!accepted) {
      if (accepted.error().code == Errc::Again) return;
      // Out of descriptors: the socket stays readable, so rest before the next try.
      refused_.write(os::log::Level::Warning, accepted.error().text());
      for (os::Watch& each : watches_) each.reset();
      pause_ = loop_.after(kAcceptPause, [this] {
        for (std::size_t at = 0; at < sockets_.size(); ++at) watch(at);
      });
      return;
    }
    if (!admit(accepted->remote)) {
      refused_.write(os::log::Level::Info, "too many connections of strangers",
                     {{os::log::Key::Ep, accepted->remote.text()}});
      continue;
    }
    auto owned = std::make_unique<Stranger>();
    Stranger& stranger = *owned;
    stranger.socket = std::move(accepted->socket);
    stranger.remote = accepted->remote;
    stranger.self = strangers_.insert(strangers_.end(), std::move(owned));
    stranger.readable =
        loop_.on_readable(stranger.socket.raw(), [this, &stranger] { look(stranger); });
    stranger.deadline = loop_.after(kSilence, [this, &stranger] { speak(stranger, true); });
  }
}

bool Listener::admit(const Endpoint& remote) {
  const auto held = per_host_.find(host_of(remote));
  if (held != per_host_.end() && held->second >= kMaxPerHost) return false;
  if (admitted_ >= kMaxStrangers) make_room();
  if (admitted_ >= kMaxStrangers) return false;
  std::size_t& count = per_host_[host_of(remote)];
  ++count;
  ++admitted_;
  return true;
}

void Listener::make_room() {
  const auto most =
      std::max_element(per_host_.begin(), per_host_.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  const IpAddress host = most->first;
  const auto oldest = std::find_if(strangers_.begin(), strangers_.end(),
                                   [&](const auto& each) { return host_of(each->remote) == host; });
  if (oldest == strangers_.end()) return on_crowded_(host);
  drop(**oldest);
}

void Listener::release(const Endpoint& remote) {
  const auto at = per_host_.find(host_of(remote));
  if (at == per_host_.end()) return;
  --admitted_;
  if (--at->second == 0) per_host_.erase(at);
}

void Listener::look(Stranger& stranger) {
  std::array<char, 5> peeked{};
  const ssize_t size = ::recv(stranger.socket.raw(), peeked.data(), peeked.size(), MSG_PEEK);
  if (size <= 0) return drop(stranger);
  const FirstBytes kind = classify({peeked.data(), static_cast<std::size_t>(size)});
  if (kind == FirstBytes::NeedMore) {
    const int wanted = static_cast<int>(size) + 1;
    if (wanted == stranger.lowat) return drop(stranger);  // woken without more: half closed
    stranger.lowat = wanted;
    ::setsockopt(stranger.socket.raw(), SOL_SOCKET, SO_RCVLOWAT, &wanted, sizeof wanted);
    return;
  }
  if (kind == FirstBytes::Text) return speak(stranger, false);
  if (kind == FirstBytes::Tls) {
    stranger.readable.reset();
    stranger.deadline.reset();
    on_tls_(std::move(stranger.socket), stranger.remote);  // stays admitted until release()
    ended_.splice(ended_.end(), strangers_, stranger.self);
    sweep_ = loop_.after(Duration::zero(), [this] { ended_.clear(); });
    return;
  }
  if (kind == FirstBytes::Http) {
    static constexpr std::string_view kAnswer =
        "HTTP/1.1 501 Not Implemented\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    // What it has sent is taken: a close over unread bytes would take the answer back.
    std::array<char, 4096> request{};
    ::recv(stranger.socket.raw(), request.data(), request.size(), MSG_DONTWAIT);
    ::send(stranger.socket.raw(), kAnswer.data(), kAnswer.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  drop(stranger);
}

// Clear text from now on. After silence the greeting comes first, else after the first line.
void Listener::speak(Stranger& stranger, bool silent) {
  const int one = 1;
  ::setsockopt(stranger.socket.raw(), SOL_SOCKET, SO_RCVLOWAT, &one, sizeof one);
  stranger.readable.reset();
  LineStream::Callbacks callbacks;
  callbacks.on_line = [this, &stranger](std::string line) {
    on_clear_line(stranger, std::move(line));
  };
  callbacks.on_end = [this, &stranger](std::string_view) { drop(stranger); };
  stranger.stream =
      std::make_unique<LineStream>(loop_, std::move(stranger.socket), std::move(callbacks));
  stranger.deadline = loop_.after(kClearLimit, [&stranger] { stranger.stream->finish(); });
  if (!silent) return;
  stranger.greeted = true;
  stranger.stream->send(greeting());
}

void Listener::on_clear_line(Stranger& stranger, std::string line) {
  if (line.ends_with('\r')) line.pop_back();
  if (!stranger.greeted) {
    stranger.greeted = true;
    stranger.stream->send(greeting());
  }
  const auto request = parse_request(line);
  if (request && is_legal(request->verb, Stage::Clear)) {
    if (request->verb == Verb::Ping) return stranger.stream->send("PONG");
    return stranger.stream->finish();  // TERMREQ
  }
  stranger.stream->send("ERROR 403 only PING and TERMREQ in clear text");
  if (++stranger.strikes >= kClearStrikes) stranger.stream->finish();
}

void Listener::drop(Stranger& stranger) {
  stranger.readable.reset();
  stranger.deadline.reset();
  release(stranger.remote);
  // Its own callback may be running: destroyed by the loop.
  ended_.splice(ended_.end(), strangers_, stranger.self);
  sweep_ = loop_.after(Duration::zero(), [this] { ended_.clear(); });
}

}  // namespace wattle::metad
