#include "metad/ctl/views.h"

#include <algorithm>

namespace wattle::ctl {

namespace {

constexpr std::uint64_t kDay = 86400;

std::string process_hint(const std::string& process, const std::string& network) {
  const std::string program = "wattle-" + process;
  std::string what;
  if (process == "cryptod") what = "no packet can travel";
  if (process == "tapd") what = "the network device is not there";
  if (process == "keyd") what = "no new packet key can be signed";
  std::string out = program + " is down";
  if (!what.empty()) out += ": " + what;
  return out + ". It is restarted by itself; if this stays, look at its log (journalctl -u " +
         program + "@" + network + ", or the output of wattle up " + network + " --foreground).";
}

}  // namespace

PingSummary summarize(const std::vector<ProbeReply>& probes) {
  PingSummary out;
  std::uint64_t sum = 0;
  out.sent = probes.size();
  for (const ProbeReply& probe : probes) {
    if (!probe.answered) continue;
    const std::uint64_t rtt = probe.rtt_us.value_or(0);
    out.min_us = out.received == 0 ? rtt : std::min(out.min_us, rtt);
    out.max_us = std::max(out.max_us, rtt);
    sum += rtt;
    ++out.received;
  }
  if (out.received > 0) out.avg_us = sum / out.received;
  return out;
}

std::vector<std::string> hints_of(const StatusView& view) {
  std::vector<std::string> out;
  if (!view.running) {
    out.push_back("The daemons are not running. Start them: sudo wattle up " + view.network);
    return out;
  }
  for (const ProcessState& process : view.reply.processes)
    if (!process.up) out.push_back(process_hint(process.name, view.network));
  for (std::string trouble : view.reply.troubles) {
    if (!trouble.empty() && trouble[0] >= 'a' && trouble[0] <= 'z')
      trouble[0] = static_cast<char>(trouble[0] - 'a' + 'A');
    out.push_back(trouble + ".");
  }
  if (const auto expires = view.reply.expires; expires && view.reply.troubles.empty()) {
    if (*expires > view.now.seconds && *expires - view.now.seconds < 3 * kDay)
      out.push_back(
          "The membership ends within three days and was not renewed: is the registry reachable?");
  }
  const bool connected = view.reply.links.value_or(0) > 0;
  if (!view.peers.empty() && !connected)
    out.push_back(
        "No link to any member. Can UDP and TCP get out of this host, and is a member up?");
  return out;
}

}  // namespace wattle::ctl
