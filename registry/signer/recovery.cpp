#include "registry/signer/recovery.h"

#include <algorithm>

namespace wattle::signer {
namespace {

IpAddress last_address(const IpPrefix& prefix) {
  IpAddress out = prefix.network().address;
  for (std::size_t bit = prefix.length; bit < out.size() * 8; ++bit)
    out.bytes[bit / 8] |= static_cast<std::uint8_t>(0x80u >> bit % 8);
  return out;
}

// Half-way, downwards; both of one family.
IpAddress middle(const IpAddress& one, const IpAddress& other) {
  IpAddress out = one;
  unsigned carry = 0;
  ByteArray<17> sum{};
  for (std::size_t i = 16; i-- > 0;) {
    const unsigned byte = unsigned{one.bytes[i]} + other.bytes[i] + carry;
    sum[i + 1] = static_cast<std::uint8_t>(byte);
    carry = byte >> 8;
  }
  sum[0] = static_cast<std::uint8_t>(carry);
  for (std::size_t i = 0; i < 16; ++i)
    out.bytes[i] = static_cast<std::uint8_t>((sum[i] << 8 | sum[i + 1]) >> 1);
  // IPv4: what was shifted below its four bytes.
  for (std::size_t i = out.size(); i < 16; ++i) out.bytes[i] = 0;
  return out;
}

struct Highest {
  std::uint64_t version = 0, serial = 0;
  IpAddress last6, last4;

  void see(const IpPrefix& prefix6, const IpAddress& ipv4) {
    last6 = std::max(last6, last_address(prefix6));
    last4 = std::max(last4, ipv4);
  }
};

void see_entry(Highest& highest, const registry::Entry& entry) {
  if (const auto* e = std::get_if<registry::IssueEntry>(&entry.body)) {
    highest.serial = std::max(highest.serial, e->serial);
    highest.see(e->prefix6, e->ipv4);
  } else if (const auto* r = std::get_if<registry::RenewEntry>(&entry.body)) {
    highest.serial = std::max(highest.serial, r->serial);
  } else if (const auto* a = std::get_if<registry::AdoptEntry>(&entry.body)) {
    highest.serial = std::max(highest.serial, a->serial);
    if (const auto before = decode_credential(a->before))
      highest.see(before->ipv6, before->ipv4.address);
  }
}

std::string line(const std::string& text) { return "  " + text + "\n"; }

std::string joined(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ", ") + name;
  return out;
}

}  // namespace

registry::LostEntry plan_loss(const Ledger& ledger, const Traces& traces, std::uint64_t now_ms) {
  const Genesis& genesis = ledger.genesis();
  Highest highest{ledger.last_version(), std::max(ledger.last_serial(), now_ms),
                  genesis.prefix.address, genesis.ipv4.address};
  if (const registry::LostEntry* lost = ledger.lost()) {
    highest.last6 = lost->last6;
    highest.last4 = lost->last4;
  }
  for (const auto& [address, member] : ledger.members()) highest.see(member.prefix6, member.ipv4);
  for (const registry::Entry& entry : traces.entries) see_entry(highest, entry);
  if (traces.document) {
    const NetworkDocument& d = *traces.document;
    highest.version = std::max(highest.version, d.version);
    if (!d.reissue.empty()) highest.serial = std::max(highest.serial, d.reissue.back());
    if (!d.revoked.empty()) highest.serial = std::max(highest.serial, d.revoked.back().serial);
  }
  registry::LostEntry out;
  out.version = highest.version + kVersionGap - 1;
  out.serial = highest.serial + kSerialGap;
  out.last6 = middle(highest.last6, last_address(genesis.prefix));
  out.last4 = middle(highest.last4, last_address(genesis.ipv4));
  return out;
}

std::vector<NodeAddress> revoked_since(const Ledger& ledger, const Traces& traces) {
  std::vector<NodeAddress> out;
  for (const auto& [address, member] : ledger.members()) {
    if (member.revoked) continue;
    const auto is_named = [&](const registry::Entry& entry) {
      const auto* e = std::get_if<registry::RevokeEntry>(&entry.body);
      return e != nullptr && e->address == member.address;
    };
    const auto is_listed = [&](const Held& held) {
      const auto& revoked = traces.document->revoked;
      return std::any_of(revoked.begin(), revoked.end(),
                         [&](const Revocation& r) { return r.serial == held.serial; });
    };
    if (std::any_of(traces.entries.begin(), traces.entries.end(), is_named) ||
        (traces.document && std::any_of(member.held.begin(), member.held.end(), is_listed)))
      out.push_back(address);
  }
  return out;
}

NetworkDocument wish_document(const Ledger& ledger, const Traces& traces) {
  NetworkDocument out = ledger.document();
  if (!traces.document) return out;
  if (traces.document->version > out.version) out = *traces.document;
  const auto& more = traces.document->revoked;
  out.revoked.insert(out.revoked.end(), more.begin(), more.end());
  return out;
}

std::string describe_loss(const Ledger& before, const Ledger& after, const Traces& traces,
                          UnixTime now) {
  std::string out;
  out += line("what was decided after entry " + std::to_string(before.next_sequence()) +
              " of the journal is lost");
  if (traces.document)
    out += line("the newest network document found is of version " +
                std::to_string(traces.document->version) +
                (traces.document->version > before.document().version
                     ? ": its parameters and revocations are kept"
                     : ", no newer than the journal's"));
  else
    out += line(
        "no newer network document was found: revocations and parameters of that time are lost; "
        "give one that a member holds (/var/lib/wattle/NET/meta/document) with --document");
  std::vector<std::string> thrown_out, came;
  for (const auto& [address, member] : before.members())
    if (!member.revoked && after.find_member(address)->revoked) thrown_out.push_back(member.name);
  for (const registry::Entry& entry : traces.entries)
    if (const auto* e = std::get_if<registry::IssueEntry>(&entry.body)) came.push_back(e->name);
  if (!thrown_out.empty()) out += line("revoked again: " + joined(thrown_out));
  if (!came.empty())
    out += line("joined in the lost time, as far as the damaged journal shows: " + joined(came));
  out += line("members that the journal does not know come back by themselves when they renew");
  if (const std::size_t invites = after.void_invites(now); invites != 0)
    out += line(std::to_string(invites) + " open " + (invites == 1 ? "invite is" : "invites are") +
                " void, because of uses that may be lost: make new ones");
  out += line("the network document goes on with version " +
              std::to_string(after.document().version) + ", prefixes above " +
              after.lost()->last6.text() + ", IPv4 addresses above " + after.lost()->last4.text());
  return out;
}

}  // namespace wattle::signer
