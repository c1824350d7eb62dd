// The signer's two lanes: the registry (its uid only) on /run/wattle/NET/sign, and the
// administrator's command (uid 0 only) on /run/wattle/NET/sign.admin. The signer judges each
// request against its journal, never against the asker's word (DESIGN 2).
#pragma once

#include "common/ipc/lane.h"
#include "common/proto/node_address.h"
#include "common/proto/trust_chain.h"

namespace wattle::sign_link {

// registry -> signer: make certificate and credential for a joiner, or neither.
struct Issue {
  std::uint32_t id = 0;  // echoed in the answer
  ByteArray<16> token{};
  ByteArray<32> proof{};
  ByteArray<16> nonce{};
  ByteArray<40> address{};
  Bytes csr;                  // DER
  ByteArray<64> signature{};  // of the enrolment, by the identity key
  IpPrefix prefix6;           // proposed by the registry; refused if taken or outside
  IpAddress ipv4;
  static constexpr std::string_view kName = "Issue";
  static constexpr auto fields() {
    return std::tuple(&Issue::id, &Issue::token, &Issue::proof, &Issue::nonce, &Issue::address,
                      &Issue::csr, &Issue::signature, &Issue::prefix6, &Issue::ipv4);
  }
};
// registry -> signer: make both anew for a member (its TLS key in `csr`), or neither.
struct Renew {
  std::uint32_t id = 0;
  ByteArray<16> nonce{};  // never one that this member used before
  ByteArray<40> address{};
  Bytes csr;                  // DER
  ByteArray<64> signature{};  // of the enrolment with a zero token id, by the identity key
  Bytes credential;           // that it holds, and its name: empty from an old node; counts only
  std::string name;           // where the journal has lost them
  static constexpr std::string_view kName = "Renew";
  static constexpr auto fields() {
    return std::tuple(&Renew::id, &Renew::nonce, &Renew::address, &Renew::csr, &Renew::signature,
                      &Renew::credential, &Renew::name);
  }
};
struct ReadJournal {  // entries from this sequence number on, oldest first; answered by Entries
  std::uint64_t from = 0;
  static constexpr std::string_view kName = "ReadJournal";
  static constexpr auto fields() { return std::tuple(&ReadJournal::from); }
};
// administrator -> signer
struct MakeInvite {
  ByteArray<32> key{};  // K; the token itself stays in the command's memory and on the screen
  std::string name;
  std::uint8_t prefix_length = 16;  // bits of the member inside the network
  std::uint8_t flags = 0;           // credential flags: relay only, for now
  UnixTime expires;
  bool approved = false;  // its join need not wait, where others must
  static constexpr std::string_view kName = "MakeInvite";
  static constexpr auto fields() {
    return std::tuple(&MakeInvite::key, &MakeInvite::name, &MakeInvite::prefix_length,
                      &MakeInvite::flags, &MakeInvite::expires, &MakeInvite::approved);
  }
};
// administrator -> signer: each is judged against the journal; what the members must know of it is
// in the next network document, made at once.
struct Rename {
  std::string name;
  std::string to;
  static constexpr std::string_view kName = "Rename";
  static constexpr auto fields() { return std::tuple(&Rename::name, &Rename::to); }
};
struct Revoke {
  std::string name;
  static constexpr std::string_view kName = "Revoke";
  static constexpr auto fields() { return std::tuple(&Revoke::name); }
};
struct SetFlags {  // the member's credential flags from its next certificate on
  std::string name;
  std::uint8_t flags = 0;  // all of them, not a difference: relay only, for now
  static constexpr std::string_view kName = "SetFlags";
  static constexpr auto fields() { return std::tuple(&SetFlags::name, &SetFlags::flags); }
};
struct SetDocument {  // mtu, broadcast, min-protocol, ttl
  std::string key;
  std::string value;
  static constexpr std::string_view kName = "SetDocument";
  static constexpr auto fields() { return std::tuple(&SetDocument::key, &SetDocument::value); }
};
struct AcceptClock {  // the host's clock, which says this, is right, whatever the journal says
  UnixTime time;
  static constexpr std::string_view kName = "AcceptClock";
  static constexpr auto fields() { return std::tuple(&AcceptClock::time); }
};
struct RotateKey {  // the signer makes a new one, which signs from now on
  KeyKind kind{};
  static constexpr std::string_view kName = "RotateKey";
  static constexpr auto fields() { return std::tuple(&RotateKey::kind); }
};
struct RetireKey {     // the older one of the two in force: nothing that it signed is good any more
  KeyKind kind{};      // not Document
  bool force = false;  // though members have nothing newer yet
  static constexpr std::string_view kName = "RetireKey";
  static constexpr auto fields() { return std::tuple(&RetireKey::kind, &RetireKey::force); }
};

// What becomes of a join that waits (approval = yes in registry.conf).
struct Approve {
  std::string name;
  bool approved = false;  // false: rejected
  static constexpr std::string_view kName = "Approve";
  static constexpr auto fields() { return std::tuple(&Approve::name, &Approve::approved); }
};

// signer -> registry
struct Issued {  // answers Issue and Renew
  std::uint32_t id = 0;
  Bytes certificate;  // DER
  ByteArray<216> credential{};
  std::string name;
  static constexpr std::string_view kName = "Issued";
  static constexpr auto fields() {
    return std::tuple(&Issued::id, &Issued::certificate, &Issued::credential, &Issued::name);
  }
};
enum class Rule : std::uint8_t {
  UnknownToken = 0,
  TokenUsed = 1,
  TokenExpired = 2,
  BadProof = 3,
  BadSignature = 4,
  BadRequest = 5,
  PrefixTaken = 6,
  AddressTaken = 7,
  IdClash = 8,
  NameTaken = 9,
  Revoked = 10,
  Limit = 11,
  Storage = 12,
  UnknownMember = 13,
  Expired = 14,    // longer ago than the grace period allows
  Replayed = 15,   // the nonce was used before
  KeysFull = 16,   // there is an older key that must be retired first
  KeyNeeded = 17,  // members have nothing newer yet
  KeyNone = 18,    // no older key is in force
  Pending = 20,    // no refusal yet: the administrator must approve the join
  Rejected = 21,   // and did not
  ClockOff = 24,   // the host's clock cannot be right
  Void = 25,       // the invite is from before the loss of the journal
};
// For the log: "prefix_taken"; empty: no such rule.
constexpr std::string_view rule_name(Rule r) {
  switch (r) {
    case Rule::UnknownToken:
      return "unknown_token";
    case Rule::TokenUsed:
      return "token_used";
    case Rule::TokenExpired:
      return "token_expired";
    case Rule::BadProof:
      return "bad_proof";
    case Rule::BadSignature:
      return "bad_signature";
    case Rule::BadRequest:
      return "bad_request";
    case Rule::PrefixTaken:
      return "prefix_taken";
    case Rule::AddressTaken:
      return "address_taken";
    case Rule::IdClash:
      return "id_clash";
    case Rule::NameTaken:
      return "name_taken";
    case Rule::Revoked:
      return "revoked";
    case Rule::Limit:
      return "limit";
    case Rule::Storage:
      return "storage";
    case Rule::UnknownMember:
      return "unknown_member";
    case Rule::Expired:
      return "expired";
    case Rule::Replayed:
      return "replayed";
    case Rule::KeysFull:
      return "keys_full";
    case Rule::KeyNeeded:
      return "key_needed";
    case Rule::KeyNone:
      return "key_none";
    case Rule::Pending:
      return "pending";
    case Rule::Rejected:
      return "rejected";
    case Rule::ClockOff:
      return "clock_off";
    case Rule::Void:
      return "void";
  }
  return {};
}
constexpr bool is_valid(Rule r) { return !rule_name(r).empty(); }
struct Refused {
  std::uint32_t id = 0;
  Rule rule = Rule::BadRequest;
  std::string sentence;  // for a person
  static constexpr std::string_view kName = "Refused";
  static constexpr auto fields() {
    return std::tuple(&Refused::id, &Refused::rule, &Refused::sentence);
  }
};
struct Entries {  // at most 64 a message; `more` says that another ReadJournal is worthwhile
  std::uint64_t next = 0;  // sequence number after the last one here
  bool more = false;
  std::vector<Bytes> entries;  // registry/core/journal_entry.h, without invite keys
  static constexpr std::string_view kName = "Entries";
  static constexpr auto fields() {
    return std::tuple(&Entries::next, &Entries::more, &Entries::entries);
  }
};
// The journal has grown by another's request or by itself: it is worthwhile to read on.
struct NewEntries {
  std::uint64_t next = 0;  // sequence number after the newest entry
  static constexpr std::string_view kName = "NewEntries";
  static constexpr auto fields() { return std::tuple(&NewEntries::next); }
};
// signer -> administrator
struct Done {
  std::uint64_t sequence = 0;  // of the journal entry that was written
  static constexpr std::string_view kName = "Done";
  static constexpr auto fields() { return std::tuple(&Done::sequence); }
};

using FromRegistry = ipc::Lane<Issue, Renew, ReadJournal>;
using ToRegistry = ipc::Lane<Issued, Refused, Entries, NewEntries>;
using FromAdmin = ipc::Lane<MakeInvite, Rename, Revoke, SetFlags, SetDocument, ReadJournal,
                            AcceptClock, RotateKey, RetireKey, Approve>;
using ToAdmin = ipc::Lane<Done, Refused, Entries>;

}  // namespace wattle::sign_link
