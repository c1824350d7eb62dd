// Questions about who has an address: answered into the TAP from verified credentials, at once or
// the moment the owner's credential verifies; until then metad is asked (DESIGN 8). Nobody known:
// silence.
#pragma once

#include "cryptod/core/engine_context.h"

namespace wattle::cryptod {

class NeighbourDesk {
 public:
  static constexpr std::size_t kQuestions = 256;
  static constexpr Duration kLife = std::chrono::seconds(5);
  static constexpr Duration kAskAgain = std::chrono::milliseconds(900);

  explicit NeighbourDesk(EngineContext& context) : ctx_(context) {}

  // An ARP request or neighbour solicitation of our kernel.
  void resolve(const EtherQuery& query);
  // A frame for a MAC that nobody verified has: only metad is asked.
  void unknown_mac(const MacAddress& mac);
  // A member's credential has been verified (or replaced).
  void verified(const Credential& credential);
  // Nobody has it, says metad: the question ends early, and quietly; the next one is asked anew.
  void unknown(std::uint8_t kind, const ByteArray<16>& value);
  // metad's lane is new: what waits is asked again.
  void ask_all();

 private:
  struct Question {
    std::uint8_t kind = 0;  // 4, 6 or 2 as in WantOwner; 0: free
    ByteArray<16> value{};
    EtherQuery query;  // kinds 4 and 6
    Instant expires, asked;
  };
  Question* find_or_make(std::uint8_t kind, const ByteArray<16>& value);
  void ask(Question& question);
  void answer(const EtherQuery& query, const Credential& owner);

  EngineContext& ctx_;
  std::vector<Question> questions_;
};

}  // namespace wattle::cryptod
