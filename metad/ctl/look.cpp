#include "metad/ctl/look.h"

#include <unistd.h>

#include "common/os/clock.h"
#include "metad/ctl/control_client.h"
#include "metad/ctl/networks.h"
#include "metad/ctl/render_json.h"
#include "metad/ctl/render_text.h"
#include "metad/ctl/target.h"

namespace wattle::ctl {

namespace {

constexpr Duration kProbeLimit = std::chrono::seconds(10);  // metad gives up earlier
constexpr useconds_t kProbePause = 1000000;

}  // namespace

Outcome probe_once(ControlClient& client, const std::string& peer, ProbeReply& out) {
  ReplyCollector reply;
  if (const Outcome asked = client.ask("PROBE " + peer, kProbeLimit, reply); !asked.ok())
    return asked;
  if (reply.refusal()) {
    if (reply.refusal()->code == 404)
      return Failure{Exit::Unreachable,
                     "no member named " + peer + " is known here: see wattle peers"};
    return Failure{Exit::Denied, "metad refuses: " + reply.refusal()->sentence};
  }
  auto probe = parse_probe(reply.lines());
  if (!probe) return Failure{Exit::General, "metad's answer to PROBE makes no sense"};
  out = std::move(*probe);
  return {};
}

Outcome run_status(const Arguments& arguments) {
  Target target;
  if (const Outcome found = find_target(arguments.first, target); !found.ok()) return found;
  StatusView view;
  view.network = target.network;
  view.member = target.member;
  view.device = device_of(target.network, target.paths);
  view.now = os::unix_now();
  ControlClient client;
  Outcome asked = ControlClient::connect(target.network, target.paths, client);
  if (asked.ok()) asked = ask_status(client, view.reply);
  // A rename reaches metad first.
  if (asked.ok() && !view.reply.name.empty()) view.member.name = view.reply.name;
  if (asked.ok()) asked = ask_peers(client, view.peers);
  view.running = asked.ok();
  if (!asked.ok() && asked.failure().exit != Exit::NotRunning) return asked;
  print_out(arguments.json ? json_status(view) : render_status(view));
  // The rendering has said it all.
  return asked.ok() ? asked : Outcome(Failure{Exit::NotRunning, {}});
}

Outcome run_peers(const Arguments& arguments) {
  Target target;
  if (const Outcome found = find_target(arguments.first, target); !found.ok()) return found;
  PeersView view;
  view.network = target.network;
  view.now = os::unix_now();
  ControlClient client;
  if (const Outcome up = ControlClient::connect(target.network, target.paths, client); !up.ok())
    return up;
  if (const Outcome asked = ask_peers(client, view.peers); !asked.ok()) return asked;
  print_out(arguments.json ? json_peers(view) : render_peers(view));
  return {};
}

Outcome run_ping(const Arguments& arguments) {
  Target target;
  if (const Outcome found = find_target(arguments.second, target); !found.ok()) return found;
  if (arguments.first == target.member.name)
    return Failure{Exit::Usage, "'" + arguments.first + "' is this host"};
  ControlClient client;
  if (const Outcome up = ControlClient::connect(target.network, target.paths, client); !up.ok())
    return up;
  PingView view;
  view.network = target.network;
  view.peer = arguments.first;
  Outcome last;
  for (std::uint32_t number = 1; number <= arguments.count; ++number) {
    ProbeReply probe;
    last = probe_once(client, arguments.first, probe);
    if (!last.ok()) break;
    view.probes.push_back(probe);
    if (!arguments.json) print_out(render_probe(number, probe));
    if (number < arguments.count) usleep(kProbePause);
  }
  // A member that cannot be asked at all is told by the failure alone.
  if (view.probes.empty()) return last;
  print_out(arguments.json ? json_ping(view) : render_ping_summary(view));
  if (!last.ok()) return last;
  if (summarize(view.probes).received == 0)
    return Failure{Exit::Unreachable, arguments.json ? "" : arguments.first + " does not answer"};
  return {};
}

}  // namespace wattle::ctl
