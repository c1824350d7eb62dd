// keyd's two lanes. keyd connects to cryptod at /run/wattle/NET/crypto.key before its seal and
// exits when that lane ends; it accepts metad (its uid only) on /run/wattle/NET/key. There is no
// "sign these bytes": keyd builds each body itself with its own address, network id, epoch and
// seqno.
#pragma once

#include "common/ipc/lane.h"
#include "common/proto/node_address.h"

namespace wattle::key_link {

enum class Refusal : std::uint8_t { TooFast = 0, BadTime = 1, BadField = 2, Storage = 3 };
constexpr bool is_valid(Refusal r) { return r <= Refusal::Storage; }

// keyd -> cryptod, first message: who this node is.
struct Identity {
  NetworkId network{};
  ByteArray<40> address{};
  static constexpr std::string_view kName = "Identity";
  static constexpr auto fields() { return std::tuple(&Identity::network, &Identity::address); }
};

// cryptod -> keyd: sign a packet-key record for this public key. keyd sets network, address, epoch
// (max(stored + 1, its clock in ms)); not_before must be within 120 s of its clock, life <= 7800 s.
struct SignPacketKey {
  ByteArray<33> key{};
  UnixTime not_before, not_after;
  std::uint64_t serial = 0;
  static constexpr std::string_view kName = "SignPacketKey";
  static constexpr auto fields() {
    return std::tuple(&SignPacketKey::key, &SignPacketKey::not_before, &SignPacketKey::not_after,
                      &SignPacketKey::serial);
  }
};
struct PacketKey {  // keyd -> cryptod: the whole signed record, 200 bytes
  ByteArray<200> record{};
  static constexpr std::string_view kName = "PacketKey";
  static constexpr auto fields() { return std::tuple(&PacketKey::record); }
};
struct PacketKeyRefused {
  Refusal why = Refusal::TooFast;
  std::uint32_t retry_ms = 0;  // when it makes sense to ask again
  static constexpr std::string_view kName = "PacketKeyRefused";
  static constexpr auto fields() {
    return std::tuple(&PacketKeyRefused::why, &PacketKeyRefused::retry_ms);
  }
};

// keyd -> cryptod, after Identity: what it keeps for a cryptod that forgets everything at its end.
// metad gets the version, too, to tell its administrator of a document that was put back.
struct LastRecord {  // the record signed before this lane; a message 1 made with it is told stale
  ByteArray<200> record{};
  static constexpr std::string_view kName = "LastRecord";
  static constexpr auto fields() { return std::tuple(&LastRecord::record); }
};
struct DocumentVersion {  // of the newest network document that this node has verified; 0: none
  std::uint64_t version = 0;
  static constexpr std::string_view kName = "DocumentVersion";
  static constexpr auto fields() { return std::tuple(&DocumentVersion::version); }
};
// cryptod -> keyd: it has verified the document of this version. keyd only ever raises what it
// keeps.
struct DocumentSeen {
  std::uint64_t version = 0;
  static constexpr std::string_view kName = "DocumentSeen";
  static constexpr auto fields() { return std::tuple(&DocumentSeen::version); }
};

// metad -> keyd. keyd sets network, address and seqno of the origin record.
struct SignOrigin {
  std::uint32_t options = 0;
  std::uint64_t serial = 0;
  std::string name;
  std::vector<Endpoint> endpoints;
  static constexpr std::string_view kName = "SignOrigin";
  static constexpr auto fields() {
    return std::tuple(&SignOrigin::options, &SignOrigin::serial, &SignOrigin::name,
                      &SignOrigin::endpoints);
  }
};
struct Origin {  // keyd -> metad: the signed body (origin_record.h) and its signature
  Bytes body;
  ByteArray<64> signature{};
  static constexpr std::string_view kName = "Origin";
  static constexpr auto fields() { return std::tuple(&Origin::body, &Origin::signature); }
};
// metad -> keyd: a renewal (token id zero inside keyd's message). See common/proto/enrolment.h.
struct SignEnrolment {
  ByteArray<32> csr_hash{};
  ByteArray<16> nonce{};
  static constexpr std::string_view kName = "SignEnrolment";
  static constexpr auto fields() {
    return std::tuple(&SignEnrolment::csr_hash, &SignEnrolment::nonce);
  }
};
struct Enrolment {
  ByteArray<64> signature{};
  static constexpr std::string_view kName = "Enrolment";
  static constexpr auto fields() { return std::tuple(&Enrolment::signature); }
};
struct Refused {             // keyd -> metad: the request named is refused
  std::uint8_t request = 0;  // 0 SignOrigin, 1 SignEnrolment
  Refusal why = Refusal::TooFast;
  std::uint32_t retry_ms = 0;
  static constexpr std::string_view kName = "Refused";
  static constexpr auto fields() {
    return std::tuple(&Refused::request, &Refused::why, &Refused::retry_ms);
  }
};

using ToCryptod = ipc::Lane<Identity, PacketKey, PacketKeyRefused, LastRecord, DocumentVersion>;
using FromCryptod = ipc::Lane<SignPacketKey, DocumentSeen>;
using ToMetad =
    ipc::Lane<Identity, Origin, Enrolment, Refused, DocumentVersion>;  // Identity first, here too
using FromMetad = ipc::Lane<SignOrigin, SignEnrolment>;

}  // namespace wattle::key_link
