// The control socket: the same grammar, for people with nc and for the wattle command.
#include <algorithm>

#include "common/base/mutant.h"
#include "metad/core/engine.h"
#include "metad/core/route_words.h"

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
                                    {"grade", may_act ? "act" : "rehearse"},
                                    {"try", "HELP"}}));
  return take();
}

Actions Engine::on_control_line(ControlId id, std::string_view line, Now now) {
  const auto at = controls_.find(id);
  if (at == controls_.end()) return take();
  if (trace_.stop(id)) {
    out_.push_back(TraceEnd{id});
    if (line.empty()) return take();
  }
  if (at->second.query) {
    if (WATTLE_CHECKED(control_waiting, at->second.waiting.size() >= kMaxWaitingLines))
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
  trace_.stop(id);
  wants_.control_down(id);
  return take();
}

void Engine::control_request(ControlId id, Control& control, std::string_view line, Now now) {
  // What a neighbour would say stands as it is: it need not be a good line.
  const std::size_t blank = line.find(' ');
  const std::string_view rest = blank == std::string_view::npos ? "" : line.substr(blank + 1);
  if (const RequestRow* row = find_request(line.substr(0, blank))) {
    if (row->verb == Verb::Rehearse) return rehearse(id, control, rest, now);
    if (row->verb == Verb::Act) return act_by_hand(id, control, rest, now);
    if (row->verb == Verb::Trace) return trace(id, rest);
  }
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
    case Verb::ReqWay:
      return control_way(id, control, *request, now);
    case Verb::Why:
      return why(id, control, request->text(0), now);
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

void Engine::trace(ControlId id, std::string_view whom) {
  std::optional<NodeAddress> only;
  if (!whom.empty() && upper(whom) != "ALL") {
    const auto link = link_named(whom);
    const Host* host = nodes_.find(whom);
    if (!link && host == nullptr) return refuse(id, 404, "no such member " + std::string(whom));
    only = link ? links_.at(*link).address() : host->origin.record.address;
  }
  if (!trace_.start(id, only)) refuse(id, 429, "too many trace already");
}

void Engine::know_names() {
  for (const auto& [id, link] : links_) trace_.know(id, link.address(), link.up().name);
}

void Engine::trace_in(LinkId id, const Link& link, std::string_view line) {
  trace_.know(id, link.address(), link.up().name);
  for (const ControlId control : trace_.listeners(id))
    out_.push_back(TraceLine{control, trace_.name(id), true, std::string(line)});
}

// What is traced is what is sent: take() calls this, and everything leaves by take().
void Engine::trace_out() {
  know_names();
  Actions out;
  for (Action& action : out_) {
    if (const auto* sent = std::get_if<SendLine>(&action))
      for (const ControlId control : trace_.listeners(sent->link))
        out.push_back(TraceLine{control, trace_.name(sent->link), false, sent->line});
    out.push_back(std::move(action));
  }
  trace_.keep_only(links_);
  out_ = std::move(out);
}

// The link that is talked over with this member.
std::optional<LinkId> Engine::link_named(std::string_view name_or_address) const {
  for (const auto& [id, link] : links_)
    if (link.up().name == name_or_address || link.address().text() == name_or_address)
      return talk_to(link.address());
  return std::nullopt;
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
    return dump_table(id, what, now);
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

void Engine::tell_probe(ControlId id, const NodeAddress& address,
                        const meta_link::ProbeAnswer& answer) {
  std::vector<std::pair<std::string_view, std::string>> keys = {
      {"name", nodes_.label(address)}, {"answered", answer.answered ? "yes" : "no"}};
  if (answer.answered) {
    keys.emplace_back("rtt_us", std::to_string(answer.rtt_us));
    if (answer.way != meta_link::PeerWay::None)
      keys.emplace_back("way", std::string(way_name(answer.way)));
    NodeAddress hop;
    hop.bytes = answer.first_hop;
    if (answer.way == meta_link::PeerWay::Routed) keys.emplace_back("via", nodes_.label(hop));
    if (answer.way == meta_link::PeerWay::Direct || answer.way == meta_link::PeerWay::None)
      keys.emplace_back("endpoint", answer.endpoint.text());
  }
  say(id, info_line("probe", keys));
  say(id, "END");
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
    if (control.ended && !control.query && !trace_.is_listening(id)) {
      control.ended = false;
      out_.push_back(CloseControl{id});
    }
  }
}

// Answers with what there is.
void Engine::finish_query(ControlId id, Control& control, Now now) {
  const Query query = *control.query;
  control.query.reset();
  switch (query.kind) {
    case Query::Kind::Status:
      return dump_status(id, now);
    case Query::Kind::Peers:
      return dump_peers(id);
    case Query::Kind::Probe:
      say(id, info_line("probe", {{"name", nodes_.label(query.address)}, {"answered", "no"}}));
      return say(id, "END");
    case Query::Kind::Key:
      return refuse(id, 404, "no key of " + nodes_.label(query.address));
    case Query::Kind::Why:
      return tell_why(id, query.address, nullptr, now);
    case Query::Kind::Way:
      return refuse(id, 408, "no answer: a hop on the way is silent, or does not know REQ_WAY");
    case Query::Kind::Act:
      return;
  }
}

void Engine::control_deadlines(Now now) {
  for (auto& [id, control] : controls_)
    if (control.query && control.query->deadline <= now.mono) finish_query(id, control, now);
}

}  // namespace wattle::metad
