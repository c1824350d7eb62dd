// One member with the real wattle-cryptod, sealed under an unprivileged uid in a network namespace
// that holds nothing, and this process as its supervisor, tapd, keyd and metad. The members of a
// World share an underlay; each has its TAP in a namespace of its own.
#pragma once

#include <gtest/gtest.h>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/ipc/key_link.h"
#include "common/ipc/meta_link.h"
#include "common/ipc/tap_link.h"
#include "common/os/channel.h"
#include "common/proto/credential.h"
#include "common/proto/packet_key.h"
#include "tests/proc/cryptod/net_space.h"
#include "tests/unit/common/os/child.h"

namespace wattle::test {

class Node;

struct World {
  World();

  os::EventLoop loop;
  TempFolder folder;
  crypto::PrivateKey signer = crypto::PrivateKey::generate();
  std::string genesis_text;
  NetworkId network{};
  NetSpace underlay;
  std::vector<Node*> nodes;

  std::string genesis_path() const { return folder.file("genesis"); }
  // Runs the loop until the condition holds; false after the limit.
  bool until(const std::function<bool()>& condition, Duration limit = std::chrono::seconds(20));
  // Output of a command in a namespace, with the loop running meanwhile.
  std::string shell(const NetSpace& space, const std::string& command);
};

class Node {
 public:
  // Number 1..250: 192.0.2.N in the underlay, 10.77.0.N and fd77:0:0:N::1 in the network.
  Node(World& world, std::uint8_t number);
  ~Node();

  // The process: started and READY; connected to all three lanes; with its record signed.
  void start();
  void spawn(const std::vector<std::string>& arguments, bool as_root = false, bool sockets = true);
  std::vector<std::string> arguments() const;
  bool wait_ready();
  Ending stop(int signal);
  Ending finish();
  std::string log_text() const;

  void make_tap();  // instead of the one before, if any
  void connect_tap(bool welcome = true);
  void connect_key();
  void connect_meta();
  void close_lanes();

  std::string ipv4() const { return credential.ipv4.address.text(); }
  std::string ipv6() const { return credential.address6().text(); }
  std::string local6() const { return IpAddress::link_local(credential.mac).text(); }
  Endpoint endpoint() const;
  bool live_with(const Node& other) const;
  // Fresh counters of cryptod; empty if it did not answer.
  std::map<std::string, std::uint64_t> counters();
  meta_link::Member as_member() const;

  World& world;
  std::uint8_t number;
  crypto::PrivateKey identity = crypto::PrivateKey::generate();
  NodeAddress address;
  Credential credential;
  CredentialBytes credential_bytes{};
  NetSpace space;
  os::Fd tap, udp;
  pid_t pid = 0;

  std::vector<std::string> more;  // arguments of the next start
  std::uint32_t options = 0;      // that its origin record tells the others
  bool had_session = false;       // what metad tells of the others at the next connect
  std::optional<ByteArray<200>> record;
  std::map<ByteArray<40>, meta_link::PeerState> peers;
  std::optional<meta_link::PeersEnd> peers_end;
  std::optional<meta_link::ProbeAnswer> probe;
  std::map<ByteArray<40>, meta_link::LinkState> links;
  std::vector<meta_link::HeldRoute> held;
  std::vector<std::uint64_t> acks;
  int questions = 0;                                     // WantOwner
  std::function<bool(const meta_link::WantOwner&)> lie;  // answers instead, if it says true
  std::vector<Bytes>* said = nullptr;                    // what metad says is noted here, too
  std::uint64_t incarnation = 0;

  template <typename M>
  bool tell(const M& message) {
    if (said != nullptr) said->push_back(meta_link::ToCryptod::pack(message));
    return meta_ && meta_->send(message);
  }
  void neighbour(const Node& other);  // there is a meta link
  void route(const Node& to, const Node& next, std::uint64_t ticket = 1);
  std::string socket_path(const char* lane) const;

 private:
  void on_meta(meta_link::ToMetad::Message& message);
  void on_owner(const meta_link::WantOwner& asked);
  void sign(const key_link::SignPacketKey& asked);
  void snapshot();

  os::Fd tap_listener_, meta_listener_, key_listener_, notify_;
  std::uint64_t epoch_ = 0;
  std::unique_ptr<os::Channel<tap_link::ToCryptod, tap_link::ToTapd>> tap_;
  std::unique_ptr<os::Channel<key_link::ToCryptod, key_link::FromCryptod>> key_;
  std::unique_ptr<os::Channel<meta_link::ToCryptod, meta_link::ToMetad>> meta_;
};

}  // namespace wattle::test
