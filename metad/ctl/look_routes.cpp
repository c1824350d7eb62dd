// routes, why and trace: ask metad, render.
#include "metad/ctl/control_client.h"
#include "metad/ctl/look.h"
#include "metad/ctl/render_json.h"
#include "metad/ctl/render_routes.h"
#include "metad/ctl/target.h"

namespace wattle::ctl {

namespace {

Failure nonsense(const std::string& request) {
  return {Exit::General, "metad's answer to " + request +
                             " makes no sense: are wattle and its daemons of one version?"};
}

// The reply's lines; a refusal is a failure.
Outcome ask_lines(ControlClient& client, const std::string& request, const std::string& peer,
                  std::vector<std::string>& out) {
  ReplyCollector reply;
  if (const Outcome asked = client.ask(request, kLookLimit, reply); !asked.ok()) return asked;
  if (reply.refusal()) {
    if (reply.refusal()->code == 404 && !peer.empty())
      return Failure{Exit::Unreachable, reply.refusal()->sentence + ": see wattle peers"};
    return Failure{Exit::Denied, "metad refuses: " + reply.refusal()->sentence};
  }
  out = reply.lines();
  return {};
}

Outcome open_target(const Arguments& arguments, Target& target, ControlClient& client) {
  if (const Outcome found = find_target(arguments.second, target); !found.ok()) return found;
  if (arguments.first == target.member.name)
    return Failure{Exit::Usage, "'" + arguments.first + "' is this host"};
  return ControlClient::connect(target.network, target.paths, client);
}

}  // namespace

Outcome run_routes(const Arguments& arguments) {
  Target target;
  if (const Outcome found = find_target(arguments.first, target); !found.ok()) return found;
  ControlClient client;
  if (const Outcome up = ControlClient::connect(target.network, target.paths, client); !up.ok())
    return up;
  std::vector<std::string> lines;
  if (const Outcome asked = ask_lines(client, "DUMP ROUTES", {}, lines); !asked.ok()) return asked;
  auto routes = parse_routes(lines);
  if (!routes) return nonsense("DUMP ROUTES");
  const RoutesView view{target.network, std::move(*routes)};
  print_out(arguments.json ? json_routes(view) : render_routes(view));
  return {};
}

Outcome run_why(const Arguments& arguments) {
  Target target;
  ControlClient client;
  if (const Outcome up = open_target(arguments, target, client); !up.ok()) return up;
  std::vector<std::string> lines;
  const std::string request = "WHY " + arguments.first;
  if (const Outcome asked = ask_lines(client, request, arguments.first, lines); !asked.ok())
    return asked;
  auto why = parse_why(lines);
  if (!why) return nonsense("WHY");
  const WhyView view{target.network, arguments.first, std::move(*why)};
  print_out(arguments.json ? json_why(view) : render_why(view));
  return {};
}

Outcome run_trace(const Arguments& arguments) {
  Target target;
  ControlClient client;
  if (const Outcome up = open_target(arguments, target, client); !up.ok()) return up;
  TraceView view;
  view.network = target.network;
  view.peer = arguments.first;
  // The way over the meta links may fail where the encrypted path does not, and the other way
  // round: both are asked.
  ReplyCollector way;
  Outcome asked = client.ask("REQ_WAY wattle " + arguments.first + " 1", kLookLimit, way);
  if (!asked.ok()) return asked;
  if (way.refusal()) {
    view.way_failure = way.refusal()->sentence;
  } else {
    auto parsed = parse_way(way.lines());
    if (!parsed) return nonsense("REQ_WAY");
    view.way = std::move(*parsed);
  }
  if (asked = probe_once(client, arguments.first, view.probe); !asked.ok()) return asked;
  print_out(arguments.json ? json_trace(view) : render_trace(view));
  if (!view.probe.answered)
    return Failure{Exit::Unreachable, arguments.json ? "" : arguments.first + " does not answer"};
  return {};
}

}  // namespace wattle::ctl
