// Which daemons a network has on this host, as which user each runs, with which sockets and powers:
// the table of DESIGN 1 (and of wattle-privsep(7); the units under systemd/ say the same). Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/os/unix_socket.h"

namespace wattle::ctl {

struct SocketPlan {
  std::string_view file;  // in the run folder
  std::string_view name;  // in LISTEN_FDNAMES
  os::SocketKind kind;
  std::string_view caller;  // part whose group may connect; "look": group wattle; "root": only root
};

struct DaemonPlan {
  std::string_view program;  // beside the `wattle` program
  std::string_view verb;     // first argument, or empty
  std::string_view part;     // of the user's name
  bool of_member;            // runs where member.conf is; else where registry.conf is
  bool own_network;          // no interface at all: a network namespace of its own
  bool net_admin;            // CAP_NET_ADMIN, and an open /dev/net/tun
  bool https;                // listening TCP sockets named https, where registry.conf says
  std::span<const SocketPlan> sockets;
};

std::span<const DaemonPlan> all_daemons();

// The descriptors' names joined for LISTEN_FDNAMES, and the clean environment of a daemon. `pid` is
// the daemon's own.
struct EnvironmentPlan {
  std::vector<std::string> descriptor_names;
  std::string notify_path;
  std::uint64_t watchdog_us = 0;
};
std::vector<std::string> make_environment(const EnvironmentPlan& plan, int pid);

}  // namespace wattle::ctl
