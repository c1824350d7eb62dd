// Thousands of members around one engine: each has papers of its own and makes real handshakes,
// but none has an engine. Time is the lab's; the engine is the lab's only node.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "cryptod/core/handshake_initiator.h"
#include "cryptod/core/session.h"
#include "engine_lab.h"

namespace wattle::cryptod::lab {

class Crowd {
 public:
  struct Member {
    std::shared_ptr<LocalKey> key;
    NodeAddress address;
    Credential credential;
    Endpoint endpoint;
    std::unique_ptr<Session> session;
  };

  // Around every call of the engine: what is measured begins and ends here.
  std::function<void()> enter = [] {}, leave = [] {};

  explicit Crowd(std::size_t members);

  std::size_t size() const { return members_.size(); }
  Member& member(std::size_t i) { return *members_[i]; }
  Node& node() { return lab.a(); }
  Lab lab{1, 1};
  Actions out;                       // of the last call of the engine
  std::uint8_t takes = kTakesPacks;  // the members

  // A handshake with the engine, begun by the member or by the engine, and confirmed. 4 ms go by,
  // so that the engine's budgets allow it. False: it has not become a session.
  bool connect(Member& member);
  bool be_connected(Member& member);
  // What metad says of it: endpoints alone, or its record as well.
  void hint(const NodeAddress& address, const Endpoint& endpoint);
  void introduce(Member& member);

  void frame(ByteView frame);  // from the TAP
  void datagram(const Endpoint& from, MutableBytes bytes);
  void tick();
  void say(const meta_link::ToCryptod::Message& message);

  // An address that nobody has, for members that are only known.
  static NodeAddress stranger(std::uint32_t number);
  static Endpoint endpoint_of(std::uint32_t number);
  // A frame of the member to the engine's node, and the other way round, `payload` bytes long.
  Bytes frame_of(const Member& member, std::size_t payload) const;
  Bytes frame_to(const Member& member, std::size_t payload) const;

 private:
  crypto::PrivateKey key();
  std::unique_ptr<Member> make(std::uint32_t number);
  void act(const std::function<void(Engine&)>& event);
  // The datagram of this type that the engine sent last; empty: none.
  Bytes sent(WireType type) const;
  void confirm(Member& member);

  std::vector<std::unique_ptr<Member>> members_;
  std::uint32_t index_ = 0;
};

}  // namespace wattle::cryptod::lab
