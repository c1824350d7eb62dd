#include "metad/ctl/control_reply.h"

#include "common/base/parse.h"
#include "metad/ctl/framing.h"

namespace wattle::ctl {

namespace {

constexpr std::size_t kMaxReply = 16 * 1024 * 1024;
constexpr std::string_view kTrouble = "INFO trouble : ";

// The parsed line if it is `INFO kind …`.
Result<Line> parse_info(const std::string& text) {
  Line line = WATTLE_TRY(parse_line(text));
  if (line.words.size() < 2 || line.words[0] != "INFO") return Errc::BadValue;
  return line;
}

std::string text_of(const Line& line, std::string_view key) {
  return std::string(line.find(key).value_or(std::string_view{}));
}

// Absent is fine, malformed is not.
Result<void> read_number(const Line& line, std::string_view key,
                         std::optional<std::uint64_t>& out) {
  if (const auto text = line.find(key)) out = WATTLE_TRY(parse_decimal(*text));
  return {};
}

Result<void> read_status_line(const Line& line, StatusReply& out) {
  const std::string_view kind = line.words[1];
  if (kind == "node") {
    out.name = text_of(line, "name");
    out.address = text_of(line, "address");
    out.version = text_of(line, "version");
    WATTLE_TRY(read_number(line, "serial", out.serial));
    WATTLE_TRY(read_number(line, "expires", out.expires));
  } else if (kind == "network") {
    out.network = text_of(line, "name");
    out.network_id = text_of(line, "id");
    WATTLE_TRY(read_number(line, "document", out.document));
  } else if (kind == "process") {
    out.processes.push_back({text_of(line, "name"), text_of(line, "state") == "up"});
  } else if (kind == "links") {
    WATTLE_TRY(read_number(line, "count", out.links));
  } else if (kind == "counter") {
    std::optional<std::uint64_t> value;
    WATTLE_TRY(read_number(line, "value", value));
    out.counters.emplace_back(text_of(line, "name"), value.value_or(0));
  }
  return {};
}

}  // namespace

ReplyCollector::State ReplyCollector::feed(std::string_view bytes) {
  if (state_ != State::More) return state_;
  taken_ += bytes.size();
  buffer_.feed(bytes);
  while (auto line = buffer_.next()) {
    if (line->starts_with("INFO ") || line->starts_with("ANS_WAY ")) {
      lines_.push_back(std::move(*line));
    } else if (*line == "END") {
      return state_ = State::Done;
    } else if (line->starts_with("ERROR ")) {
      const std::string_view rest = std::string_view(*line).substr(6);
      const std::size_t blank = rest.find(' ');
      const auto number = parse_decimal(rest.substr(0, blank), 65535);
      refusal_ =
          Refusal{number ? static_cast<unsigned>(*number) : 0,
                  blank == std::string_view::npos ? "" : std::string(rest.substr(blank + 1))};
      return state_ = State::Done;
    }
  }
  if (buffer_.overlong() || taken_ > kMaxReply) state_ = State::Broken;
  return state_;
}

Result<StatusReply> parse_status(const std::vector<std::string>& lines) {
  StatusReply out;
  for (const std::string& text : lines) {
    if (text.starts_with(kTrouble)) {
      out.troubles.push_back(printable(text.substr(kTrouble.size()), 1000));
      continue;
    }
    const Line line = WATTLE_TRY(parse_info(text));
    WATTLE_TRY(read_status_line(line, out));
  }
  if (!is_node_name(out.name)) return Errc::BadValue;
  return out;
}

Result<std::vector<PeerReply>> parse_peers(const std::vector<std::string>& lines) {
  std::vector<PeerReply> out;
  for (const std::string& text : lines) {
    const Line line = WATTLE_TRY(parse_info(text));
    if (line.words[1] != "peer") continue;
    PeerReply peer;
    peer.name = text_of(line, "name");
    peer.address = text_of(line, "address");
    peer.ipv4 = text_of(line, "ipv4");
    peer.ipv6 = text_of(line, "ipv6");
    peer.state = text_of(line, "state");
    peer.endpoint = text_of(line, "endpoint");
    peer.via = text_of(line, "via");
    peer.link = text_of(line, "link") == "yes";
    WATTLE_TRY(read_number(line, "rtt_us", peer.rtt_us));
    WATTLE_TRY(read_number(line, "since", peer.since));
    WATTLE_TRY(read_number(line, "rx_bytes", peer.rx_bytes));
    WATTLE_TRY(read_number(line, "tx_bytes", peer.tx_bytes));
    if (const auto roles = line.find("roles"))
      for (const std::string_view role : split(*roles, ','))
        if (!role.empty()) peer.roles.emplace_back(role);
    // Who claims a name that is not its own is called by its address.
    if (!is_node_name(peer.name) && (peer.name.empty() || peer.name != peer.address))
      return Errc::BadValue;
    out.push_back(std::move(peer));
  }
  return out;
}

Result<ProbeReply> parse_probe(const std::vector<std::string>& lines) {
  for (const std::string& text : lines) {
    const Line line = WATTLE_TRY(parse_info(text));
    if (line.words[1] != "probe") continue;
    ProbeReply out;
    out.name = text_of(line, "name");
    out.endpoint = text_of(line, "endpoint");
    out.way = text_of(line, "way");
    out.via = text_of(line, "via");
    out.answered = text_of(line, "answered") == "yes";
    WATTLE_TRY(read_number(line, "rtt_us", out.rtt_us));
    return out;
  }
  return Errc::BadValue;
}

}  // namespace wattle::ctl
