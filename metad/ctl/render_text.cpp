#include "metad/ctl/render_text.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "metad/ctl/text_table.h"

namespace wattle::ctl {

namespace {

// "12.3" with one or two digits after the point so that three digits show.
std::string short_decimal(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), value < 9.995 ? "%.2f" : "%.1f", value);
  return text.data();
}

std::string state_words(const PeerReply& peer) {
  if (peer.state == "direct") return "direct";
  if (peer.state == "relayed") return peer.via.empty() ? "relayed" : "through " + peer.via;
  if (peer.state == "carried") return "in the meta link";
  if (peer.state == "unreachable") return "not reachable";
  if (peer.state == "too-old") return "too old: it needs a newer wattle";
  if (peer.state == "too-new") return "too new for this wattle";
  if (peer.state == "handshake") return "connecting";
  return peer.link ? "linked, idle" : "idle";
}

std::string processes_line(const StatusView& view) {
  if (!view.running) return "not running";
  std::string out = "metad up";
  for (const ProcessState& process : view.reply.processes)
    out += ", " + process.name + (process.up ? " up" : " DOWN");
  return out;
}

std::string membership_line(const StatusView& view) {
  if (!view.reply.expires) return "-";
  const UnixTime end{*view.reply.expires};
  std::string out = "until " + format_time(end);
  if (end > view.now) out += " (" + format_span(end.seconds - view.now.seconds) + " left)";
  if (end <= view.now) out += " (ended)";
  return out;
}

std::string peers_line(const StatusView& view) {
  struct Kind {
    const char* state;
    const char* words;
  };
  static constexpr Kind kKinds[] = {{"direct", "direct"},
                                    {"relayed", "through others"},
                                    {"carried", "inside the meta link"},
                                    {"unreachable", "not reachable"}};
  std::string out = std::to_string(view.peers.size()) + " known";
  for (const Kind& kind : kKinds) {
    const auto count =
        std::count_if(view.peers.begin(), view.peers.end(),
                      [&](const PeerReply& peer) { return peer.state == kind.state; });
    if (count != 0) out += ", " + std::to_string(count) + " " + kind.words;
  }
  const std::uint64_t links = view.reply.links.value_or(0);
  return out + "; " + std::to_string(links) + (links == 1 ? " meta link" : " meta links");
}

std::string number_or_dash(const std::optional<std::uint64_t>& number) {
  return number ? std::to_string(*number) : "-";
}

}  // namespace

std::string format_bytes(std::uint64_t bytes) {
  if (bytes < 1024) return std::to_string(bytes) + " B";
  static constexpr std::array<const char*, 6> kUnits = {"KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
  double value = static_cast<double>(bytes) / 1024;
  std::size_t unit = 0;
  for (; value >= 1023.95 && unit + 1 < kUnits.size(); ++unit) value /= 1024;
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.1f %s", value, kUnits[unit]);
  return text.data();
}

std::string format_rtt(std::uint64_t micros) {
  const double value = static_cast<double>(micros);
  return micros < 1000000 ? short_decimal(value / 1000) + " ms"
                          : short_decimal(value / 1000000) + " s";
}

std::string format_span(std::uint64_t seconds) {
  if (seconds < 120) return std::to_string(seconds) + " s";
  if (seconds < 7200) return std::to_string(seconds / 60) + " min";
  if (seconds < 172800) return std::to_string(seconds / 3600) + " h";
  return std::to_string(seconds / 86400) + " days";
}

std::string format_time(UnixTime time) {
  // Civil date from days since 1970 (Gregorian, proleptic): years begin in March.
  const std::uint64_t seconds = std::min<std::uint64_t>(time.seconds, 253402300799U);
  const std::uint64_t z = seconds / 86400 + 719468;
  const std::uint64_t era = z / 146097;
  const std::uint64_t day_of_era = z % 146097;
  const std::uint64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  const std::uint64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const std::uint64_t shifted = (5 * day_of_year + 2) / 153;
  const unsigned day = static_cast<unsigned>(day_of_year - (153 * shifted + 2) / 5 + 1);
  const unsigned month = static_cast<unsigned>(shifted < 10 ? shifted + 3 : shifted - 9);
  const unsigned year = static_cast<unsigned>(year_of_era + era * 400 + (month <= 2 ? 1 : 0));
  const unsigned in_day = static_cast<unsigned>(seconds % 86400);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%04u-%02u-%02u %02u:%02u UTC", year, month, day,
                in_day / 3600, in_day / 60 % 60);
  return text.data();
}

std::string render_status(const StatusView& view) {
  std::vector<Row> rows = {
      {"network", view.network},
      {"name", view.member.name},
      {"IPv4", view.member.ipv4.text()},
      {"IPv6", view.member.ipv6.text()},
      {"prefix", view.member.prefix.text()},
      {"device", view.device + " (" + view.member.mac.text() + ")"},
      {"address", view.member.address.text()},
      {"processes", processes_line(view)},
  };
  if (view.running) {
    rows.push_back({"membership", membership_line(view)});
    rows.push_back({"document", "version " + number_or_dash(view.reply.document)});
    rows.push_back({"members", peers_line(view)});
  }
  std::string out = text_table(rows);
  for (const std::string& hint : hints_of(view)) out += "\n! " + hint + "\n";
  return out;
}

std::string render_peers(const PeersView& view) {
  if (view.peers.empty())
    return "No other member of " + view.network +
           " is known yet. Invite one: sudo wattle-registry invite NAME (on the registry's host)\n";
  std::vector<PeerReply> peers = view.peers;
  std::sort(peers.begin(), peers.end(),
            [](const PeerReply& a, const PeerReply& b) { return a.name < b.name; });
  std::vector<Row> rows = {
      {"NAME", "IPV4", "IPV6", "STATE", "RTT", "ENDPOINT", "SINCE", "RX", "TX", "ROLES"}};
  for (const PeerReply& peer : peers) {
    std::string roles;
    for (const std::string& role : peer.roles) roles += (roles.empty() ? "" : ",") + role;
    const bool has_since = peer.since && *peer.since <= view.now.seconds;
    rows.push_back({peer.name, or_dash(peer.ipv4), or_dash(peer.ipv6), state_words(peer),
                    peer.rtt_us ? format_rtt(*peer.rtt_us) : "-", or_dash(peer.endpoint),
                    has_since ? format_span(view.now.seconds - *peer.since) : "-",
                    peer.rx_bytes ? format_bytes(*peer.rx_bytes) : "-",
                    peer.tx_bytes ? format_bytes(*peer.tx_bytes) : "-", or_dash(roles)});
  }
  return text_table(rows);
}

std::string describe_way(const ProbeReply& probe) {
  if (probe.way == "relayed") return probe.via.empty() ? ", relayed" : ", through " + probe.via;
  if (probe.way == "carried") return ", inside the meta link";
  return probe.endpoint.empty() ? "" : ", direct over " + probe.endpoint;
}

std::string render_probe(std::size_t number, const ProbeReply& probe) {
  const std::string head = "probe " + std::to_string(number) + ": ";
  if (!probe.answered) return head + "no answer\n";
  return head + "answer from " + probe.name + " in " + format_rtt(probe.rtt_us.value_or(0)) +
         describe_way(probe) + "\n";
}

std::string render_ping_summary(const PingView& view) {
  const PingSummary s = summarize(view.probes);
  const std::size_t lost = s.sent - s.received;
  std::string out = std::to_string(s.sent) + " sent, " + std::to_string(s.received) +
                    " answered, " + std::to_string(s.sent == 0 ? 0 : lost * 100 / s.sent) +
                    " % lost";
  if (s.received > 0)
    out += "; round trip min " + format_rtt(s.min_us) + ", average " + format_rtt(s.avg_us) +
           ", max " + format_rtt(s.max_us);
  return out + "\n";
}

}  // namespace wattle::ctl
