// Talks to metad's control socket: one command, one reply (control_reply.h).
#pragma once

#include <string>
#include <string_view>

#include "common/base/time.h"
#include "common/os/fd.h"
#include "common/os/paths.h"
#include "metad/ctl/control_reply.h"
#include "metad/ctl/failure.h"

namespace wattle::ctl {

class ControlClient {
 public:
  // NotRunning if nobody listens, Denied if the caller may not; each a sentence.
  static Outcome connect(std::string_view network, const os::Paths& paths, ControlClient& out);

  // Sends the command and collects its reply. Timeout, or NotRunning when metad goes away.
  Outcome ask(std::string_view command, Duration limit, ReplyCollector& out);

 private:
  std::string network_;
  os::Fd socket_;
};

inline constexpr Duration kLookLimit = std::chrono::seconds(5);

// DUMP STATUS and DUMP PEERS, parsed.
Outcome ask_status(ControlClient& client, StatusReply& out);
Outcome ask_peers(ControlClient& client, std::vector<PeerReply>& out);

}  // namespace wattle::ctl
