// `wattle`: one command for the administrator of a node. Each verb is a function; this file only
// chooses.
#include <csignal>
#include <cstdio>

#include "metad/ctl/check_verb.h"
#include "metad/ctl/join.h"
#include "metad/ctl/log_verb.h"
#include "metad/ctl/look.h"
#include "metad/ctl/networks.h"
#include "metad/ctl/render_json.h"
#include "metad/ctl/up.h"
#include "metad/ctl/verbs.h"

namespace {

using namespace wattle;
using namespace wattle::ctl;

Outcome run_version(const Arguments& arguments) {
  std::fputs(arguments.json ? json_version().c_str() : "wattle " WATTLE_VERSION "\n", stdout);
  return {};
}

Outcome run_help(const Arguments& arguments) {
  const VerbInfo* verb = find_verb(arguments.first);
  if (!arguments.first.empty() && verb == nullptr)
    return Failure{Exit::Usage, "there is no verb '" + arguments.first + "': see wattle help"};
  std::fputs(verb == nullptr ? usage().c_str() : usage_of(verb->verb).c_str(), stdout);
  return {};
}

// up and down print their own sentences; NET may be left out as everywhere.
Outcome run_supervisor(const Arguments& arguments) {
  std::vector<std::string> words(1);
  if (const Outcome chosen = choose_network(arguments.first, words[0]); !chosen.ok()) return chosen;
  if (arguments.foreground) words.emplace_back("--foreground");
  const int done = arguments.verb == Verb::Up ? run_up(words) : run_down(words);
  return done == 0 ? Outcome() : Outcome(Failure{static_cast<Exit>(done), {}});
}

Outcome run(const Arguments& arguments) {
  if (arguments.help) {
    std::fputs(usage_of(arguments.verb).c_str(), stdout);
    return {};
  }
  switch (arguments.verb) {
    case Verb::Status:
      return run_status(arguments);
    case Verb::Peers:
      return run_peers(arguments);
    case Verb::Ping:
      return run_ping(arguments);
    case Verb::Routes:
      return run_routes(arguments);
    case Verb::Why:
      return run_why(arguments);
    case Verb::Trace:
      return run_trace(arguments);
    case Verb::Log:
      return run_log(arguments);
    case Verb::Check:
      return run_check(arguments);
    case Verb::Join:
      return run_join(arguments);
    case Verb::Leave:
      return run_leave(arguments);
    case Verb::Up:
    case Verb::Down:
      return run_supervisor(arguments);
    case Verb::Version:
      return run_version(arguments);
    case Verb::Help:
      return run_help(arguments);
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> words(argv + (argc > 0 ? 1 : 0), argv + argc);
  const auto arguments = parse_arguments(words);
  if (!arguments) {
    std::fprintf(stderr, "wattle: %s\n", arguments.error().text().c_str());
    if (words.empty()) std::fputs(usage().c_str(), stderr);
    return code(Exit::Usage);
  }
  const Outcome done = run(*arguments);
  if (done.ok()) return 0;
  const Failure& failure = done.failure();
  if (!failure.sentence.empty()) {
    if (arguments->json) std::fputs(json_failure(failure).c_str(), stdout);
    std::fprintf(stderr, "wattle: %s\n", failure.sentence.c_str());
  }
  return code(failure.exit);
}
