// One TLS link to a neighbour, after its certificate was verified. Pure state:
//
//   Fresh --ID--> Identified --ACK--> Exchange --END--> Active --+--> Closing
//     (both send ID at once, ACK after the other's ID, then hosts and subnets and END after its
//     ACK)
//
// Liveness: after 30 s without a byte PING; three unanswered ones, 5 s apart, and the link is dead.
// What is not Active 10 s after it came up is closed. Three malformed or illegal lines close it.
#pragma once

#include <map>
#include <set>
#include <string>

#include "common/base/token_bucket.h"
#include "common/net/endpoint.h"
#include "common/proto/node_address.h"
#include "metad/core/dial_policy.h"
#include "metad/core/ids.h"
#include "metad/core/requests.h"
#include "metad/core/router.h"

namespace wattle::metad {

// What the driver knows when TLS is up: all from the verified certificate but the remote endpoint.
struct LinkUp {
  bool dialled = false;
  DialId dial = 0;  // if dialled
  Endpoint remote;
  NodeAddress address;
  std::string name;
  std::uint64_t serial = 0;
  std::uint64_t own_serial = 0;  // of the certificate that we showed
  UnixTime expires;
  Bytes ca_der;  // of the CA that its certificate verifies against
};

class Link {
 public:
  static constexpr Duration kIdle = std::chrono::seconds(30);
  static constexpr Duration kPingGap = std::chrono::seconds(5);
  static constexpr int kPings = 3;
  static constexpr Duration kStartLimit = std::chrono::seconds(10);
  static constexpr int kStrikes = 3;

  Link(LinkUp up, const NodeAddress& own, Instant now);

  enum class Due { Nothing, Ping, Dead, TooSlow };
  Due tick(Instant now);
  Instant next_deadline() const;
  void heard(Instant now);
  // True if the link must be closed.
  bool strike() { return ++strikes_ >= kStrikes; }

  // The handshake's steps; false if out of order.
  bool on_id(std::uint64_t their_dial, std::uint64_t their_incarnation = 0);
  bool on_ack();
  bool on_end();
  void close() { stage_ = Stage::Closing; }

  Stage stage() const { return stage_; }
  bool is_talking() const { return stage_ == Stage::Exchange || stage_ == Stage::Active; }
  const LinkUp& up() const { return up_; }
  const NodeAddress& address() const { return up_.address; }
  Instant since() const { return since_; }
  const LinkOrigin& origin() const { return origin_; }  // who dialled; complete from Identified on
  std::uint64_t incarnation() const { return incarnation_; }  // theirs; 0: none
  void set_own_dial(std::uint64_t dial) { origin_.dial = dial; }

  TokenBucket lines{500, 20'000};                      // requests of any kind
  TokenBucket signatures{50, 4096};                    // origin records to verify
  TokenBucket keys{50, 100};                           // REQ_KEY to answer, ANS_KEY to verify
  TokenBucket truths{1, 3, std::chrono::seconds(10)};  // corrections of statements about ourselves
  TokenBucket carried_in{1'000'000, 256 * 1024, std::chrono::milliseconds(500)};   // PACKET bytes
  TokenBucket carried_out{1'000'000, 256 * 1024, std::chrono::milliseconds(500)};  // 2 MB/s each

  bool congested = false;
  bool told_end = false;               // our END has left
  std::set<NodeAddress> subnets_told;  // hosts whose subnets went over this link
  // Ways whose seqno no verified record has proven yet; taken up when it comes. Bounded.
  std::map<NodeAddress, Distance> unproven;
  static constexpr std::size_t kMaxUnproven = 256;

 private:
  LinkUp up_;
  Stage stage_ = Stage::Fresh;
  Instant since_, heard_, asked_{};
  int pings_ = 0;
  int strikes_ = 0;
  std::uint64_t incarnation_ = 0;
  LinkOrigin origin_;
};

}  // namespace wattle::metad
