// Between the engine and the loop: feeds events, performs actions, owns the one timer.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "metad/core/engine.h"
#include "metad/io/control_server.h"
#include "metad/io/lane_client.h"
#include "metad/io/listener.h"
#include "metad/io/peer_links.h"
#include "metad/io/registry_client.h"
#include "metad/io/state_files.h"

namespace wattle::metad {

struct DriverSetup {
  Setup engine;
  TlsContext::Material tls;
  std::vector<os::Fd> listeners;  // TCP
  os::Fd control;                 // listening unix stream socket
  std::string crypto_lane;        // path of crypto.meta
  std::string key_lane;           // path of key
  std::string state_folder;
  ByteArray<32> https_key{};  // from genesis
  std::vector<Endpoint> registry;
};

class Driver {
 public:
  // loop and random must outlive it.
  Driver(os::EventLoop& loop, Random& random, DriverSetup setup);

  // SIGTERM: a word to the neighbours; the loop stops within half a second.
  void stop();

 private:
  void perform(Actions actions);
  void perform(const Action& action);
  void use(const UseCertificate& renewed);
  void use_tls();  // what tls_ says now
  void pump();
  void arm();
  void tell_counted();
  Now now() const;

  os::EventLoop& loop_;
  TlsContext::Material tls_;
  StateFiles files_;
  Engine engine_;
  os::EventLoop::Timer timer_;
  PeerLinks links_;
  RegistryClient registry_;
  ControlServer control_;
  Listener listener_;
  LaneClient<meta_link::ToCryptod, meta_link::ToMetad> crypto_;
  LaneClient<key_link::FromMetad, key_link::ToMetad> key_;
  os::Watch stopping_;
  std::uint64_t document_version_ = 0;
  bool relay_ = false;
  os::log::Limited notes_{60}, details_{600}, refusals_;
  std::map<std::string, std::uint64_t, std::less<>> counted_;
  Instant counted_at_{};
};

}  // namespace wattle::metad
