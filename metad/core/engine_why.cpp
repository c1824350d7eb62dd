// WHY: how a member is reached now, and the decisions that led there: the router's and cryptod's.
#include "common/proto/origin_record.h"
#include "metad/core/engine.h"
#include "metad/core/route_words.h"

namespace wattle::metad {
namespace {

constexpr Duration kWhyLimit = std::chrono::seconds(1);

std::string milliseconds_text(std::uint32_t micros) {
  std::string digits = std::to_string(micros % 1000);
  digits.insert(0, 3 - digits.size(), '0');
  return std::to_string(micros / 1000) + "." + digits.substr(0, 2) + " ms";
}

std::string describe_session(const meta_link::PeerState& state, bool silent, const Label& label) {
  using meta_link::PeerWay;
  using meta_link::SessionState;
  if (state.state == SessionState::Handshake) return "a session is being made";
  if (state.state != SessionState::Live)
    return "there is no session; one is made when there is something to send";
  if (!has_way(state)) return "there is a session, and no way for its packets now";
  if (silent)
    return "there is a session, and its last way, directly to " + state.endpoint.text() +
           ", does not answer any more";
  NodeAddress hop;
  hop.bytes = state.first_hop;
  std::string out;
  switch (state.way) {
    case PeerWay::Direct:
      out = "frames go directly to " + state.endpoint.text();
      break;
    case PeerWay::Routed:
      out = "frames go through " + label(hop);
      break;
    case PeerWay::Carried:
      out = "frames go inside the meta link, as PACKET";
      break;
    case PeerWay::None:
      break;
  }
  if (state.rtt_us != 0) out += ", round trip " + milliseconds_text(state.rtt_us);
  return out;
}

// cryptod knows addresses only: in what it says each is replaced by a name.
std::string with_names(std::string_view text, const Label& label) {
  constexpr std::size_t kAddress = 64;  // characters
  const auto is_digit = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '2' && c <= '7'); };
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at;
    while (end < text.size() && is_digit(text[end])) ++end;
    if (end == at) end = at + 1;
    NodeAddress address;
    const std::string_view word = text.substr(at, end - at);
    if (word.size() == kAddress && parse_address(word, address) == AddressFault::None)
      out += label(address);
    else
      out += word;
    at = end;
  }
  return out;
}

}  // namespace

void Engine::why(ControlId id, Control& control, const std::string& name, Now now) {
  if (is_own(name)) return refuse(id, 404, "that is this node");
  const Host* host = nodes_.find(name);
  if (host == nullptr) return refuse(id, 404, "no such member " + name);
  Query query;
  query.kind = Query::Kind::Why;
  query.id = next_query_++;
  query.address = host->origin.record.address;
  query.deadline = now.mono + kWhyLimit;
  control.query = query;
  if (!cryptod_) return finish_query(id, control, now);
  // The numbers first: their answer comes first, too.
  feed_.answer(meta_link::ListPeers{0});
  feed_.answer(meta_link::AskWhy{query.id, query.address.bytes});
}

void Engine::on_why(const meta_link::Why& message, Now now) {
  for (auto& [id, control] : controls_) {
    if (!control.query || control.query->kind != Query::Kind::Why ||
        control.query->id != message.id)
      continue;
    const NodeAddress address = control.query->address;
    control.query.reset();
    tell_why(id, address, &message, now);
  }
}

bool Engine::is_silent(const NodeAddress& address, const meta_link::PeerState& state) const {
  const auto at = health_.find(address);
  return state.way == meta_link::PeerWay::Direct && at != health_.end() && at->second.confirmed &&
         at->second.state.way == meta_link::LinkWay::Down;
}

// `paths`: cryptod's answer; null if there is none.
void Engine::tell_why(ControlId id, const NodeAddress& address, const meta_link::Why* paths,
                      Now now) {
  const Label label = [this](const NodeAddress& a) {
    return a == setup_.address ? setup_.name : nodes_.label(a);
  };
  const auto sentence = [&](std::string_view kind, std::optional<std::uint64_t> age_ms,
                            std::string_view text) {
    std::string line = "INFO why " + std::string(kind);
    if (age_ms) line += " age_ms=" + std::to_string(*age_ms);
    line += " : ";
    for (const char c : text.substr(0, 1500)) line += c >= 0x20 && c < 0x7f ? c : '?';
    say(id, std::move(line));
  };
  const auto session = sessions_.find(address);
  const auto state = session == sessions_.end() ? meta_link::PeerState{} : session->second;
  if (!cryptod_)
    sentence("now", {}, "cryptod is away: what it does with packets now is not known");
  else
    sentence("now", {}, describe_session(state, is_silent(address, state), label));
  const TableEntry entry = router_.entry(address);
  sentence("now", {}, describe_route(entry, address, label));
  if (const Host* host = nodes_.find(address)) {
    if ((host->origin.record.options & kOptionIndirect) != 0)
      sentence("now", {}, "it wishes to be reached through others only (INDIRECT)");
    if ((host->origin.record.options & kOptionTcpOnly) != 0)
      sentence("now", {}, "it takes no UDP (TCPONLY)");
    if (host->origin.record.endpoints.empty()) sentence("now", {}, "it has told no endpoint");
  }
  for (const Candidate& candidate : router_.candidates(address))
    sentence("way", {}, describe_candidate(candidate, entry, address, label));
  for (const RouteEvent& event : router_.history(address)) {
    const auto age = std::chrono::duration_cast<std::chrono::milliseconds>(now.mono - event.at);
    sentence("route", age.count() < 0 ? 0 : static_cast<std::uint64_t>(age.count()),
             describe_event(event, address, label));
  }
  if (paths != nullptr) {
    const std::uint64_t unix_ms = now.unix.seconds * 1000;
    for (const meta_link::Decision& decision : paths->decisions)
      sentence("path", decision.at < unix_ms ? unix_ms - decision.at : 0,
               with_names(decision.sentence, label));
  } else if (cryptod_) {
    sentence("path", {}, "cryptod did not answer in time");
  }
  say(id, "END");
}

}  // namespace wattle::metad
