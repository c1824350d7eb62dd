// One member with the real wattle-metad, sealed under an unprivileged uid, on loopback; this
// process is its supervisor, cryptod and keyd. The members of a MetaLab share genesis and CA.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/crypto/certificate.h"
#include "common/ipc/key_link.h"
#include "common/ipc/meta_link.h"
#include "common/os/channel.h"
#include "common/proto/credential.h"
#include "common/proto/genesis.h"
#include "common/proto/origin_record.h"
#include "tests/support/routing_cryptod.h"
#include "tests/unit/common/os/child.h"

namespace wattle::test {

struct MetaLab {
  MetaLab();

  os::EventLoop loop;
  TempFolder folder;
  crypto::PrivateKey ca = crypto::PrivateKey::generate();
  crypto::PrivateKey signer = crypto::PrivateKey::generate();
  Genesis genesis;
  NetworkId network{};

  // Runs the loop until the condition holds; false after the limit.
  bool until(const std::function<bool()>& condition, Duration limit = std::chrono::seconds(20));
  // Output of a shell command, with the loop running meanwhile.
  std::string shell(const std::string& command);
};

class MetaNode {
 public:
  // Number 1..250, named node<N>; listens on a free port of loopback.
  MetaNode(MetaLab& lab, std::uint8_t number);
  ~MetaNode();

  void start(const std::vector<std::string>& more = {});
  void spawn(const std::vector<std::string>& arguments, bool as_root = false);
  std::vector<std::string> arguments() const;
  Ending stop(int signal);
  std::string log_text() const;
  // One line on the control socket, the lines that come back up to END, ERROR, PONG or ANS_KEY.
  std::vector<std::string> ask(const std::string& line);
  bool has_active_link(const std::string& name);
  std::string socket_path(const char* name) const;
  std::string file(const char* name) const;  // in the state folder

  template <typename M>
  bool tell(const M& message) {
    return meta_ && meta_->send(message);
  }
  void rotate();  // a new packet-key record
  // Whoever takes metad's next connections instead of the honest cryptod and keyd.
  std::function<void(os::Fd)> take_meta, take_key;
  void end_lanes();  // metad connects anew at once

  MetaLab& lab;
  std::uint8_t number;
  std::string name;
  crypto::PrivateKey identity = crypto::PrivateKey::generate();
  NodeAddress address;
  Credential credential;
  std::uint16_t port = 0;
  std::string log_level = "debug";
  pid_t pid = 0;

  metad::test::RoutingCryptod routing;  // what it keeps for metad
  Instant last_route{};                 // when its table changed last
  bool snapshot = false;
  std::map<ByteArray<40>, meta_link::Member> members;
  std::map<ByteArray<40>, meta_link::Endpoints> endpoints;
  std::optional<meta_link::Owner> owner;
  std::uint64_t signed_origins = 0;

 private:
  void write_state();
  void accept_meta();
  void tell_all(const metad::test::RoutingCryptod::ToMetad& messages);
  void accept_key();

  os::Fd control_, meta_listener_, key_listener_, notify_;
  os::Watch meta_watch_, key_watch_;
  std::unique_ptr<os::Channel<meta_link::ToMetad, meta_link::ToCryptod>> meta_;
  std::unique_ptr<os::Channel<key_link::ToMetad, key_link::FromMetad>> key_;
  std::uint64_t epoch_ = 0, seqno_ = 0;
};

// A TCP port of loopback that is free now.
std::uint16_t free_port();

}  // namespace wattle::test
