// What status, peers and ping show, put together from member.conf, the control socket and the
// clock; rendered by render_text.h for people and by render_json.h for programs. Plain data.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/time.h"
#include "metad/ctl/control_reply.h"
#include "metad/ctl/member_conf.h"
#include "metad/ctl/route_reply.h"

namespace wattle::ctl {

struct StatusView {
  std::string network;
  std::string device;
  MemberConf member;
  bool running = false;  // metad answers; else reply and peers are empty
  StatusReply reply;
  std::vector<PeerReply> peers;
  UnixTime now;
};

struct PeersView {
  std::string network;
  std::vector<PeerReply> peers;
  UnixTime now;
};

struct PingView {
  std::string network;
  std::string peer;
  std::vector<ProbeReply> probes;  // in order
};

struct RoutesView {
  std::string network;
  std::vector<RouteReply> routes;
};

struct WhyView {
  std::string network;
  std::string peer;
  std::vector<WhyLine> lines;
};

struct TraceView {
  std::string network;
  std::string peer;
  WayReply way;
  std::string way_failure;  // metad's word if there is no way at all
  ProbeReply probe;         // end to end, over the encrypted path
};

struct LevelView {
  std::string network;
  std::string level;                   // debug or configured
  std::vector<std::string> processes;  // that were told
};

struct PingSummary {
  std::size_t sent = 0, received = 0;
  std::uint64_t min_us = 0, avg_us = 0, max_us = 0;  // 0 if nothing was received
};
PingSummary summarize(const std::vector<ProbeReply>& probes);

// What is wrong and what to do about it, most important first; empty if all is well.
std::vector<std::string> hints_of(const StatusView& view);

}  // namespace wattle::ctl
