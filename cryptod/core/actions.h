// What the engine wants done, in a caller-owned object that is reused: clear() keeps all capacity,
// so a packet in the steady state allocates nothing. Everything here stays valid until the next
// clear(); datagrams and frames may also point into the buffers of the datagrams that were handed
// in.
#pragma once

#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/ipc/key_link.h"
#include "common/ipc/meta_link.h"
#include "common/net/endpoint.h"
#include "common/proto/node_address.h"
#include "cryptod/core/offload.h"

namespace wattle::cryptod {

// Writable bytes in front of every frame for the TAP: io puts the virtio-net header there and
// writes header and frame with one call.
inline constexpr std::size_t kFrameHeadroom = kVirtioHeader;

// The longest frame the engine takes or delivers, Ethernet header included (no FCS); super-frames
// (offload.h) are longer.
inline constexpr std::size_t kMaxFrame = 9000 + 18;

struct OutDatagram {
  Endpoint destination;
  IpAddress source;  // leave from this address (packet info); unspecified: kernel's choice
  std::uint32_t interface = 0;  // for link-local destinations; 0: kernel's choice
  ByteView bytes;
  std::uint8_t ttl = 0;  // hops it may go (the opener of a NAT): it leaves alone; 0: as usual
};

// A frame, or a super-frame whose bytes stand at several places: `frame`, then `count` of
// Actions::pieces from `first` on.
struct OutFrame {
  MutableBytes frame;  // kFrameHeadroom writable bytes precede it
  Offload offload{};
  std::size_t first = 0, count = 0;
};

// What metad or keyd said and was not believed or not done, for the log. The words are constants.
struct LaneRefusal {
  std::string_view lane;            // "meta" or "key"
  std::string_view message;         // its name (kName)
  std::string_view rule;            // wattle-ipc(7) lists them
  std::optional<NodeAddress> peer;  // whom it was about
};

class Actions {
 public:
  Actions();

  std::vector<OutDatagram> datagrams;  // in order; runs of one destination can share a call
  std::vector<OutFrame> frames;        // for the TAP, in order
  std::vector<ByteView> pieces;        // of super-frames
  std::vector<meta_link::ToMetad::Message> to_metad;
  std::vector<key_link::FromCryptod::Message> to_keyd;
  std::vector<LaneRefusal> refusals;

  // Empties the lists and gives all buffer space back; capacity stays.
  void clear();

  // For the engine: `size` writable bytes that live until clear(), kFrameHeadroom writable bytes in
  // front of them. Empty if the bound of kMaxChunks * kChunk bytes is reached.
  MutableBytes allocate(std::size_t size);

  static constexpr std::size_t kChunk = 64 * 1024;
  static constexpr std::size_t kMaxChunks = 64;

 private:
  std::vector<std::unique_ptr<std::uint8_t[]>> chunks_;
  std::size_t chunk_ = 0;  // the one being filled
  std::size_t used_ = 0;   // bytes of it
};

}  // namespace wattle::cryptod
