#include "metad/io/control_server.h"

#include "common/os/unix_socket.h"
#include "metad/core/trace_gate.h"

namespace wattle::metad {
namespace {

constexpr int kBatch = 8;
constexpr Duration kAcceptPause = std::chrono::milliseconds(500);

}  // namespace

struct ControlServer::Session {
  ControlId id = 0;
  uid_t uid = 0;
  bool ended = false;
  TraceGate gate;
  std::unique_ptr<LineStream> stream;
};

ControlServer::ControlServer(os::EventLoop& loop, os::Fd listener, Callbacks callbacks)
    : loop_(loop), listener_(std::move(listener)), callbacks_(std::move(callbacks)) {
  watch();
}

ControlServer::~ControlServer() = default;

void ControlServer::watch() {
  watch_ = loop_.on_readable(listener_.raw(), [this] { on_acceptable(); });
}

void ControlServer::on_acceptable() {
  for (int i = 0; i < kBatch; ++i) {
    auto socket = os::accept_unix(listener_.raw());
    if (!socket) {
      if (socket.error().code == Errc::Again) return;
      refused_.write(os::log::Level::Warning, socket.error().text());
      watch_.reset();
      pause_ = loop_.after(kAcceptPause, [this] { watch(); });
      return;
    }
    const auto who = os::peer_credentials(socket->raw());
    if (!who) continue;
    std::size_t& count = per_uid_[who->uid];
    auto owned = std::make_unique<Session>();
    Session& session = *owned;
    session.id = next_id_++;
    session.uid = who->uid;
    const bool full = count >= kMaxPerUid || sessions_.size() >= kMaxAll;
    LineStream::Callbacks callbacks;
    callbacks.on_line = [this, &session](std::string line) {
      if (line.ends_with('\r')) line.pop_back();
      if (!session.ended) callbacks_.on_line(session.id, line);
    };
    callbacks.on_input_end = [this, &session] { callbacks_.on_input_end(session.id); };
    callbacks.on_end = [this, &session](std::string_view) { ended(session); };
    ++count;
    session.stream = std::make_unique<LineStream>(loop_, std::move(*socket), std::move(callbacks));
    sessions_.emplace(session.id, std::move(owned));
    if (full) {
      refused_.write(os::log::Level::Warning, "too many connections on the control socket",
                     {{os::log::Key::Uid, std::to_string(who->uid)}});
      session.stream->send("ERROR 429 too many connections of this user");
      session.stream->finish();
      continue;
    }
    callbacks_.on_open(session.id, who->uid == 0);
  }
}

void ControlServer::ended(Session& session) {
  if (session.ended) return;
  session.ended = true;
  const ControlId id = session.id;
  const auto count = per_uid_.find(session.uid);
  if (--count->second == 0) per_uid_.erase(count);
  const auto at = sessions_.find(id);
  ended_.push_back(std::move(at->second));
  sessions_.erase(at);
  sweep_ = loop_.after(Duration::zero(), [this] { ended_.clear(); });
  callbacks_.on_down(id);
}

void ControlServer::send(ControlId id, std::string_view line) {
  const auto at = sessions_.find(id);
  if (at != sessions_.end()) at->second->stream->send(line);
}

void ControlServer::trace(ControlId id, std::string line) {
  const auto at = sessions_.find(id);
  if (at == sessions_.end()) return;
  Session& session = *at->second;
  for (const std::string& passed : session.gate.pass(std::move(line), session.stream->waiting()))
    session.stream->send(passed);
}

void ControlServer::end_trace(ControlId id) {
  const auto at = sessions_.find(id);
  if (at == sessions_.end()) return;
  at->second->stream->send(at->second->gate.end());
  at->second->stream->send("END");
}

void ControlServer::close(ControlId id) {
  const auto at = sessions_.find(id);
  if (at != sessions_.end()) at->second->stream->finish();
}

}  // namespace wattle::metad
