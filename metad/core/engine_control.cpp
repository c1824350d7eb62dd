// The control socket: the same grammar, for people with nc and for the wattle command.
#include <algorithm>

#include "metad/core/engine.h"

namespace wattle::metad {
namespace {

constexpr std::size_t kMaxWaitingLines = 16;
constexpr Duration kPeersLimit = std::chrono::seconds(1);
constexpr Duration kProbeLimit = std::chrono::seconds(5);

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

}  // namespace

Actions Engine::on_control_open(ControlId id, bool may_act, Now) {
  controls_[id].may_act = may_act;
  say(id, info_line("wattle-meta", {{"protocol", std::to_string(kMetaVersion)},
                                    {"node", setup_.name},
                                    {"network", setup_.network_name},
                                    {"version", setup_.version},
                                    {"grade", may_act ? "act" : "look"},
                                    {"try", "HELP"}}));
  return take();
}

Actions Engine::on_control_line(ControlId id, std::string_view line, Now now) {
  const auto at = controls_.find(id);
  if (at == controls_.end()) return take();
  if (at->second.query) {
    if (at->second.waiting.size() >= kMaxWaitingLines)
      refuse(id, 429, "too many lines are waiting for an answer");
    else
      at->second.waiting.emplace_back(line);
    return take();
  }
  control_request(id, at->second, line, now);
  return take();
}

Actions Engine::on_control_end(ControlId id, Now now) {
  const auto at = controls_.find(id);
  if (at != controls_.end()) at->second.ended = true;
  serve_waiting_lines(now);
  return take();
}

Actions Engine::on_control_down(ControlId id) {
  controls_.erase(id);
  wants_.control_down(id);
  return take();
}

void Engine::control_request(ControlId id, Control& control, std::string_view line, Now now) {
  const auto request = parse_request(line);
  if (!request) {
    const bool unknown = request.error().code == Errc::NotFound;
    return refuse(id, unknown ? 404 : 400,
                  unknown ? "no such request, try HELP" : "that does not parse, try HELP");
  }
  if (!is_legal(request->verb, Stage::Control))
    return refuse(id, 405, "not on this socket, try HELP");
  switch (request->verb) {
    case Verb::Ping:
      return say(id, "PONG");
    case Verb::TermReq:
      out_.push_back(CloseControl{id});
      return;
    case Verb::Help:
      return help(id);
    case Verb::Dump:
      return dump(id, control, upper(request->text(0)), now);
    case Verb::Probe:
      return probe(id, control, request->text(0), now);
    case Verb::ReqKey:
      return control_key(id, control, *request, now);
    default:
      return refuse(id, 405, "not on this socket, try HELP");
  }
}

void Engine::refuse(ControlId id, std::uint64_t number, std::string text) {
  Request request;
  request.verb = Verb::Error;
  request.values = {Value(number), Value(std::move(text))};
  say(id, print_request(request));
}

void Engine::help(ControlId id) {
  for (const RequestRow& row : request_table()) {
    if ((row.legal & bit(Stage::Control)) == 0) continue;
    std::string line = std::string("INFO help ") + row.name;
    for (const Field& field : row.fields) line += std::string(" <") + field.name + ">";
    say(id, line + " : " + row.what);
  }
  say(id, "END");
}

void Engine::dump(ControlId id, Control& control, std::string_view what, Now now) {
  if (what == "STATUS" || what == "PEERS") {
    const Query::Kind kind = what == "STATUS" ? Query::Kind::Status : Query::Kind::Peers;
    ask_peers(control, kind, now);
    if (!cryptod_) finish_query(id, control, now);
    return;
  }
  if (what == "HOSTS" || what == "SUBNETS" || what == "LINKS" || what == "ROUTES" || what == "KEYS")
    return dump_table(id, what);
  refuse(id, 404, "DUMP takes STATUS, PEERS, HOSTS, SUBNETS, LINKS, ROUTES or KEYS");
}

// Fresh numbers come from cryptod; if it is down or stands still, the last ones are told.
void Engine::ask_peers(Control& control, Query::Kind kind, Now now) {
  Query query;
  query.kind = kind;
  query.id = next_query_++;
  query.deadline = now.mono + kPeersLimit;
  control.query = query;
  if (cryptod_) feed_.answer(meta_link::ListPeers{query.id});
}

void Engine::probe(ControlId id, Control& control, const std::string& name, Now now) {
  const Host* host = nodes_.find(name);
  if (host == nullptr) return refuse(id, 404, "no such member " + name);
  Query query;
  query.kind = Query::Kind::Probe;
  query.id = next_query_++;
  query.address = host->origin.record.address;
  query.deadline = now.mono + kProbeLimit;
  control.query = query;
  if (!cryptod_) return finish_query(id, control, now);
  // A probe needs a session, a session needs the key: it is fetched meanwhile.
  on_want_key({query.address.bytes, 0}, now);
  feed_.answer(meta_link::Probe{query.id, query.address.bytes});
}

void Engine::control_key(ControlId id, Control& control, const Request& request, Now now) {
  const std::string& requester = request.text(0);
  const auto answer = [&](const std::string& owner, const Bytes& key) {
    Request line;
    line.verb = Verb::AnsKey;
    line.values = {Value(owner), Value(requester), Value(key)};
    say(id, print_request(line));
  };
  if (is_own(request.text(1))) {
    if (own_answer_.empty()) return refuse(id, 404, "cryptod has given no record yet");
    return answer(setup_.name, own_answer_);
  }
  const Host* host = nodes_.find(request.text(1));
  if (host == nullptr) return refuse(id, 404, "no such member " + request.text(1));
  const NodeAddress owner = host->origin.record.address;
  const std::uint64_t epoch = request.find_number("epoch").value_or(0);
  if (const KeyBroker::Entry* entry = broker_.answer(owner, epoch, now))
    return answer(nodes_.label(owner), entry->answer);
  if (!want_key(owner, epoch, {Waiter::Kind::Control, id, requester}, now.mono, now))
    return refuse(id, 429, "too many keys are being fetched");
  Query query;
  query.kind = Query::Kind::Key;
  query.address = owner;
  query.deadline = now.mono + KeyWants::kGiveUp + std::chrono::seconds(1);
  control.query = query;
}

// Lines that came while an answer was awaited.
void Engine::serve_waiting_lines(Now now) {
  for (auto& [id, control] : controls_) {
    while (!control.query && !control.waiting.empty()) {
      const std::string line = std::move(control.waiting.front());
      control.waiting.pop_front();
      control_request(id, control, line, now);
    }
    if (control.ended && !control.query) {
      control.ended = false;
      out_.push_back(CloseControl{id});
    }
  }
}

// Answers with what there is.
void Engine::finish_query(ControlId id, Control& control, Now) {
  const Query query = *control.query;
  control.query.reset();
  switch (query.kind) {
    case Query::Kind::Status:
      return dump_status(id);
    case Query::Kind::Peers:
      return dump_peers(id);
    case Query::Kind::Probe:
      say(id, info_line("probe", {{"name", nodes_.label(query.address)}, {"answered", "no"}}));
      return say(id, "END");
    case Query::Kind::Key:
      return refuse(id, 404, "no key of " + nodes_.label(query.address));
  }
}

void Engine::control_deadlines(Now now) {
  for (auto& [id, control] : controls_)
    if (control.query && control.query->deadline <= now.mono) finish_query(id, control, now);
}

}  // namespace wattle::metad
