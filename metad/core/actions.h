// What the engine wants done, in order. A closed list: the driver's visit is the only code that
// touches the loop for it. What cryptod is told does not stand here but in the engine's LaneFeed.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "common/ipc/key_link.h"
#include "metad/core/ids.h"

namespace wattle::metad {

struct SendLine {  // without LF
  LinkId link = 0;
  std::string line;
};
struct SendPacket {  // its PACKET line and these bytes, 1 to kMaxCarried
  LinkId link = 0;
  Bytes packet;
};
struct CloseLink {  // after what was sent before has left; link_down() follows or not: it counts as
                    // down
  LinkId link = 0;
};
struct Dial {
  DialId dial = 0;
  Endpoint endpoint;
};
struct CancelDial {  // no answer is expected any more
  DialId dial = 0;
};
struct ControlLine {
  ControlId control = 0;
  std::string line;
};
struct CloseControl {
  ControlId control = 0;
};
struct TraceLine {  // a copy of a line of a link; may be dropped if the reader is slow
  ControlId control = 0;
  std::string neighbour;
  bool in = false;
  std::string line;
};
struct TraceEnd {  // how many lines were told and lost, and END
  ControlId control = 0;
};
struct ToKeyd {
  key_link::SignOrigin request;
};
struct SignRenewal {  // to keyd
  key_link::SignEnrolment request;
};
struct PostRenewal {  // to the registry; on_renewal_answer() follows
  std::string body;
};
struct UseCertificate {  // for every handshake from now on
  Bytes certificate;     // DER
  std::uint64_t serial = 0;
  std::string name;
  bool relay = false;  // what its credential says
};
struct UseCas {  // whose certificates others may show, from now on
  std::vector<Bytes> ca_ders;
};
struct StoreFile {  // in the state folder, whole or not at all
  std::string name;
  std::string text;
};
struct PublishOrigin {  // to the registry, when it can be reached
  Bytes body;
  crypto::Signature signature{};
};
struct Note {  // for the log; `peer` and `err` may be empty
  enum class Level : std::uint8_t { Debug, Info, Notice, Warning };
  Level level = Level::Info;
  std::string sentence;
  std::string peer;
  std::string err;
};

using Action = std::variant<SendLine, SendPacket, CloseLink, Dial, CancelDial, ControlLine,
                            CloseControl, TraceLine, TraceEnd, ToKeyd, SignRenewal, PostRenewal,
                            UseCertificate, UseCas, StoreFile, PublishOrigin, Note>;
using Actions = std::vector<Action>;

}  // namespace wattle::metad
