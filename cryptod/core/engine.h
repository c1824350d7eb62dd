// cryptod's core: events in, actions out. No clock, socket, file or global; all randomness comes
// from the Random it is given. One thread. Every event function appends to `out` and never clears
// it. The driver's loop (cryptod/io):
//   read a batch -> out.clear() -> engine.datagrams(...) or frames(...) -> perform out
//   when next_deadline() has come: engine.tick(...)
// next_deadline() may change with every event. Nothing a foreign datagram holds makes an event
// fail: what is wrong is dropped and counted (counters.h).
#pragma once

#include <memory>
#include <span>

#include "common/base/parse_rate.h"
#include "common/base/random.h"
#include "common/base/time.h"
#include "common/ipc/key_link.h"
#include "common/ipc/meta_link.h"
#include "common/net/endpoint.h"
#include "cryptod/core/actions.h"
#include "cryptod/core/counters.h"
#include "cryptod/core/path.h"

namespace wattle::cryptod {

// The two clocks, read once per event by the driver.
struct Moment {
  Instant now;
  UnixTime unix_now;
};

// How a datagram came: straight (as far as its hop byte tells), through a relay, or over its
// sender's meta link. A hint, nothing of it is authenticated but what a path confirms.
struct Arrival {
  PathKind kind = PathKind::Direct;
  // Slot of the member from whose confirmed path, or over whose link, it came; UINT32_MAX: unknown.
  std::uint32_t hop = UINT32_MAX;
};

// A datagram as recvmmsg gave it. `bytes` is opened in place: the engine may overwrite all of it.
struct Received {
  Endpoint source;
  IpAddress local;              // the address it was sent to (packet info); unspecified if unknown
  std::uint32_t interface = 0;  // on which it came in
  MutableBytes bytes;           // at most 65535; GRO trains are split by the driver
  Arrival via{};                // the engine fills it in
};

// From genesis, read before the seal.
struct EngineConfig {
  NetworkId network{};
  crypto::PublicKey credential_key{};
  crypto::PublicKey document_key{};
  IpPrefix prefix6;  // the network's blocks: endpoints inside them are never used
  IpPrefix prefix4;
  // From wattle.conf. Bytes per second that each member may have relayed here; 0: relays nothing.
  std::uint64_t relay_rate = kRelayYes;
  Offloads offloads;
};

// What tapd has handed over. The driver gives the whole state whenever any of it changes.
struct DeviceState {
  bool present = false;  // the TAP is here
  std::uint16_t mtu = 1500;
  MacAddress mac;
  std::uint16_t port4 = 0, port6 = 0;  // UDP ports really bound; 0: no such socket
  std::vector<IpAddress> addresses;    // this host's own
  bool takes_udp_rows = true;          // the TAP's kernel knows rows of UDP datagrams
};

class Engine {
 public:
  Engine(const EngineConfig& config, Random& random);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Foreign bytes. At most kMaxBatch at a time.
  static constexpr std::size_t kMaxBatch = 256;
  void datagrams(const Moment& moment, std::span<Received> batch, Actions& out);
  // Ethernet frames read from the TAP, super-frames among them; their bytes may be changed.
  void frames(const Moment& moment, std::span<const TapFrame> batch, Actions& out);

  // tapd: after DeviceEnd, after each LocalAddresses, and with present=false when its lane ended
  // and the descriptors are gone too (while they live, nothing needs to be said).
  void device(const Moment& moment, const DeviceState& state, Actions& out);

  // keyd's lane. Identity is its first message; key_lost() when it ends (the key in use stays).
  void key_message(const Moment& moment, const key_link::ToCryptod::Message& message, Actions& out);
  void key_lost(const Moment& moment);

  // metad's lane. meta_connected() yields Ready and the snapshot; messages for metad appear in
  // Actions only between meta_connected() and meta_lost().
  void meta_connected(const Moment& moment, Actions& out);
  void meta_message(const Moment& moment, const meta_link::ToCryptod::Message& message,
                    Actions& out);
  void meta_lost(const Moment& moment);

  // io: a datagram of so many bytes did not fit on the link that leads there (EMSGSIZE).
  void too_big(const Moment& moment, const Endpoint& destination, std::size_t bytes);

  // Does whatever is due. Calling it early or late is harmless.
  void tick(const Moment& moment, Actions& out);
  Instant next_deadline() const;  // kNever: nothing to wait for

  Counters& counters();  // the driver adds its own (Counter::Io...)
  // For the driver's log: true once own credential and own signed packet key are there.
  bool ready() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wattle::cryptod
