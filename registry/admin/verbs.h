// The verbs of wattle-registry; each prints what it did or one sentence, and returns the exit code.
#pragma once

#include "registry/admin/settings.h"

namespace wattle::registry {

int run_init(const Settings& settings);          // init NET
int run_invite(const Settings& settings);        // invite NAME
int run_node(Settings settings);                 // node [NET] list | show | rename | revoke | relay
                                                 // | approve | reject
int run_accept_clock(const Settings& settings);  // accept-clock
int run_network(Settings settings);              // network [NET] show | set
int run_key(Settings settings);                  // key [NET] list | rotate | retire
int run_audit(const Settings& settings);         // audit
int run_serve(Settings& settings);               // serve: the daemon
int run_backup(const Settings& settings);        // backup FOLDER
int run_restore(const Settings& settings);  // restore FOLDER [--journal-lost [--document FILE]]

std::string time_text(UnixTime time);  // in UTC, for people

int show_nodes(const Settings& settings);    // node list, node show NAME
int show_network(const Settings& settings);  // network show
int show_keys(const Settings& settings);     // key list

// An invite's URL, made by the signer; the error's code tells what was wrong.
struct InviteWish {
  std::string name;
  std::uint8_t prefix_length = 16;
  std::uint64_t life = 24 * 3600;
  bool relay = false;
  bool approved = false;  // its join need not wait
};
Result<std::string> make_invite(const os::Paths& paths, const std::string& network,
                                const std::string& url, const InviteWish& wish);

}  // namespace wattle::registry
