// Small frames that wait at the same time for the same session share a datagram (inner type Pack):
// per frame a word (bit 15: unsummed; below it the length) and the frame as in Frame and Unsummed.
// A datagram leaves when the next frame does not fit, before anything else goes to that peer, and
// at the end of each event: no frame waits for another that is not there yet.
#pragma once

#include <array>

#include "cryptod/core/session_keeper.h"

namespace wattle::cryptod {

class Packer {
 public:
  static constexpr std::size_t kOpen = 16;    // peers packed for at the same time
  static constexpr std::size_t kSmall = 640;  // longer frames go alone
  static constexpr std::size_t kMostFrames =
      64;  // in a datagram; more of a foreign one are dropped

  Packer(EngineContext& context, SessionKeeper& sessions) : ctx_(context), sessions_(sessions) {}

  // Room for a frame (ethertype on) that is to leave with others, to be written at once; empty if
  // it is to go alone: too long, no session, or the other side does not take packs.
  MutableBytes reserve(Peer& peer, bool unsummed, std::size_t size);
  // Before anything else is sent to this peer.
  void send(const Peer& peer);
  void send_all();

 private:
  struct Open {
    Peer* peer = nullptr;
    MutableBytes datagram;  // all of its room
    std::size_t used = 0;   // of its body
    std::size_t frames = 0;
  };
  void close(std::size_t at);

  EngineContext& ctx_;
  SessionKeeper& sessions_;
  std::array<Open, kOpen> open_;
  std::size_t count_ = 0;
};

// One frame out of a pack's body, which it takes from the front; nullopt: malformed.
struct Packed {
  bool unsummed = false;
  ByteView frame;  // ethertype on
};
std::optional<Packed> take_packed(ByteView& body);

}  // namespace wattle::cryptod
