// keyd's judgement (DESIGN 2): what it signs, how often, with which epoch and seqno. Pure but for
// the store it is given: the clock is a parameter. Every answer is stored before it is returned, so
// no signature leaves with a counter that a crash could give out again.
#pragma once

#include <optional>
#include <variant>

#include "common/ipc/key_link.h"
#include "common/proto/node_address.h"
#include "cryptod/keys/counter_slot.h"

namespace wattle::keys {

class CounterStore {
 public:
  virtual ~CounterStore() = default;
  // Durable when it returns true; false: nothing of it counts.
  virtual bool store(const Counters& counters) = 0;
};

class Keeper {
 public:
  // `identity` and `store` must outlive the keeper. `stored`: what load_slots() gave.
  Keeper(const crypto::PrivateKey& identity, const NetworkId& network, const Counters& stored,
         CounterStore& store);

  key_link::Identity identity() const;
  // What a new cryptod is told after it: the record signed last, if there is one, and the highest
  // version of the network document (0: none).
  std::optional<key_link::LastRecord> last_record() const;
  key_link::DocumentVersion document_version() const { return {counters_.document}; }
  const NodeAddress& address() const { return address_; }
  const Counters& counters() const { return counters_; }

  using PacketKeyAnswer = std::variant<key_link::PacketKey, key_link::PacketKeyRefused>;
  using OriginAnswer = std::variant<key_link::Origin, key_link::Refused>;
  using EnrolmentAnswer = std::variant<key_link::Enrolment, key_link::Refused>;

  // Keeps the highest. False: it could not be stored, what is kept stays.
  bool saw(const key_link::DocumentSeen& document);

  // BadTime: begins more than 120 s from now, or lives 0 or more than 7800 s. BadField: no key.
  PacketKeyAnswer sign(const key_link::SignPacketKey& request, std::uint64_t unix_ms);
  // BadField: not a node name, more than kMaxEndpoints, or one nobody could dial.
  OriginAnswer sign(const key_link::SignOrigin& request, std::uint64_t unix_ms);
  EnrolmentAnswer sign(const key_link::SignEnrolment& request, std::uint64_t unix_ms);

 private:
  bool keep(Counters next);

  const crypto::PrivateKey& identity_;
  NetworkId network_;
  NodeAddress address_;
  Counters counters_;
  CounterStore& store_;
};

}  // namespace wattle::keys
