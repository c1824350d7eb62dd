// A network of engines in memory: virtual time, seeded randomness, a wire that can lose, repeat and
// delay, and plain models of keyd (signs with the node's identity) and metad (knows everyone).
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include "common/proto/credential.h"
#include "common/proto/network_document.h"
#include "common/proto/packet_key.h"
#include "cryptod/core/engine.h"
#include "cryptod/core/wire_header.h"
#include "nat_model.h"

namespace wattle::cryptod::lab {

class SeededRandom : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(MutableBytes out) override {
    for (std::uint8_t& byte : out) byte = static_cast<std::uint8_t>(next() >> 32);
  }
  std::uint64_t next();
  bool chance(double p) { return static_cast<double>(next() >> 11) * 0x1p-53 < p; }

 private:
  std::uint64_t state_;
};

struct Packet {  // on the wire
  Instant at;
  Endpoint from, to;  // as the world sees them
  Bytes bytes;
  std::uint8_t ttl = 0;  // if it was set: too small to arrive, it only opens the sender's NAT
};

class Lab;

class Node {
 public:
  Node(Lab& lab, std::uint8_t number);

  const std::uint8_t number;
  crypto::PrivateKey identity;
  NodeAddress address;
  Endpoint endpoint;  // where its datagrams come from; others may lead to it, too
  Credential credential;
  CredentialBytes credential_bytes{};
  std::optional<PacketKeyBytes> record;  // newest signed
  std::uint64_t epoch = 0;
  std::optional<PacketKeyBytes> last_signed;  // keyd's memory, over restarts
  std::uint64_t document_seen = 0;
  std::unique_ptr<Engine> engine;
  std::vector<Bytes> frames;                      // that reached its TAP
  std::vector<meta_link::ToMetad::Message> told;  // what its metad has heard
  bool keyd = true;                               // answers
  bool metad_answers = true;

  // A new engine with empty memory; what it had lives on only in metad (`had`: peers with a
  // session).
  void restart(const std::vector<Node*>& had = {});
  void remember();  // keyd tells a new cryptod what it keeps
  void issue(std::uint64_t serial, std::uint64_t life = 2592000);  // a credential, told to nobody
  void give_credential();
  void meta_again();  // metad's lane ends and another one connects
  void send(const Bytes& frame);
  void move(const Endpoint& to);  // another address of the host, told by tapd
  void say(const meta_link::ToCryptod::Message& message);
  void hear_of(const Node& other);  // Endpoints
  void give_member(const Node& other, bool had_session = false);
  std::uint64_t counter(Counter c) { return engine->counters().of(c); }
  meta_link::SessionState state_of(const Node& other) const;  // as metad heard it last
  std::optional<Endpoint> path_to(const Node& other) const;

 private:
  friend class Lab;
  Lab& lab_;
  Actions actions_;
  void perform();
  void metad(const meta_link::ToMetad::Message& message);
};

class Lab {
 public:
  explicit Lab(std::uint64_t seed = 1, std::size_t nodes = 2);

  Node& node(std::size_t i) { return *nodes_[i]; }
  Node& a() { return node(0); }
  Node& b() { return node(1); }
  Node& c() { return node(2); }
  Node& add();
  std::size_t size() const { return nodes_.size(); }
  // From now on nobody reaches this node but through its NAT.
  void put_behind(Node& node, Nat nat);
  Nat& nat(const Node& node) { return nats_.at(node.number); }

  // Everyone hears of everyone, and a little time passes.
  void introduce();
  // Lets time pass; everything due happens in its order.
  void run(Duration duration);
  // Until `done` or the time is over; true if done.
  bool run_until(Duration limit, const std::function<bool()>& done);
  // A meta link: both metads tell their cryptod of a Neighbour, and pass PACKETs if `carries`.
  void link(Node& one, Node& other);
  void unlink(Node& one, Node& other);
  // `at` reaches `to` by the neighbour `next`; says the ticket.
  std::uint64_t route(Node& at, const Node& to, const Node& next, const Node* alternate = nullptr);
  // Nodes in a row: each hears only its neighbours' datagrams, is linked with them, and reaches the
  // others through them.
  void line();
  // Hands a datagram over at once, with this source.
  void inject(Node& to, const Endpoint& from, Bytes bytes);
  std::string document(std::uint64_t version, const std::vector<std::uint64_t>& revoked = {},
                       bool broadcast = true) const;

  Moment moment{Instant(std::chrono::hours(1)), UnixTime{1800000000}};
  SeededRandom random;
  crypto::PrivateKey credential_key, document_key;
  EngineConfig config;

  Duration latency = std::chrono::milliseconds(5);
  Duration spread{};  // further random delay: reorders
  double loss = 0, duplicates = 0;
  std::function<bool(const Packet&)> pass;  // false: lost
  bool carries = false;
  std::map<Endpoint, Node*> places;  // who is where
  std::vector<Packet> seen;          // everything that was sent

 private:
  friend class Node;
  void put(const Node& from, const OutDatagram& datagram);
  void carry(const Node& from, const meta_link::Carry& m);
  void step(Instant until);

  Node* receiver(const Packet& packet);

  std::vector<std::unique_ptr<Node>> nodes_;
  std::map<std::uint8_t, Nat> nats_;  // by the node's number
  std::multimap<Instant, Packet> wire_;
  struct Piped {
    Node* to;
    meta_link::Carried message;
  };
  std::multimap<Instant, Piped> pipes_;
  std::set<std::pair<int, int>> links_;
  std::uint64_t tickets_ = 0;
};

// An IPv4 datagram from one node to another, `payload` inside.
Bytes ip_frame(const Node& from, const Node& to, ByteView payload);
Bytes numbered(std::uint32_t number);  // 64 bytes that hold it
Bytes arp_request(const Node& from, const IpAddress& target);
Bytes broadcast_frame(const Node& from, ByteView payload);
std::uint8_t type_of(const Packet& packet);

}  // namespace wattle::cryptod::lab
