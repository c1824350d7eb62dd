// A network's signer in memory: keys, genesis and a ledger that grows by entries. For tests.
#pragma once

#include <gtest/gtest.h>

#include "registry/signer/judge.h"
#include "registry/signer/ledger.h"
#include "registry/signer/notary.h"
#include "tests/support/joiner.h"

namespace wattle::test {

struct SignerBench {
  static constexpr UnixTime kNow{1790000000};

  signer::Keys keys{crypto::PrivateKey::generate(), crypto::PrivateKey::generate(),
                    crypto::PrivateKey::generate()};
  signer::Ledger ledger;
  std::vector<Bytes> stored;  // every entry, as the journal has it

  explicit SignerBench(const char* prefix = "fd12:3456:789a::/48",
                       const char* ipv4 = "10.91.4.0/22") {
    signer::NetworkPlan plan;
    plan.network = "home";
    plan.prefix = IpPrefix::parse(prefix).value();
    plan.ipv4 = IpPrefix::parse(ipv4).value();
    plan.urls = {"https://192.0.2.1:8443"};
    add(registry::GenesisEntry{signer::make_genesis(keys, plan, kNow).value()});
    add(registry::DocumentEntry{signer::make_document(keys, ledger.network(), plan, kNow)});
  }

  registry::Entry next(registry::EntryBody body) const {
    registry::Entry entry;
    entry.sequence = ledger.next_sequence();
    entry.time = kNow;
    entry.previous = ledger.last_hash();
    entry.body = std::move(body);
    return entry;
  }
  void add(registry::EntryBody body) {
    registry::Entry entry = next(std::move(body));
    stored.push_back(registry::build_entry(entry));
    const auto applied = ledger.apply(entry);
    EXPECT_TRUE(applied) << applied.error().text();
  }
  InviteKey invite(const std::string& name, std::uint8_t prefix_length = 16,
                   UnixTime expires = {kNow.seconds + 3600}) {
    InviteToken token{};
    token[0] = ++invites_;
    registry::InviteEntry e;
    e.key = invite_key(token);
    e.has_key = true;
    e.token = token_id(e.key);
    e.name = name;
    e.prefix_length = prefix_length;
    e.expires = expires;
    add(e);
    return e.key;
  }
  static IpPrefix prefix(const char* text) { return IpPrefix::parse(text).value(); }
  static IpAddress ip(const char* text) { return IpAddress::parse(text).value(); }

  sign_link::Issue request(const Joiner& joiner, const InviteKey& key,
                           const char* prefix6 = "fd12:3456:789a::/64",
                           const char* ipv4 = "10.91.4.1") const {
    return joiner.issue(ledger.network(), key, prefix(prefix6), ip(ipv4));
  }
  signer::Judgement judge(const sign_link::Issue& issue, UnixTime now = kNow) const {
    return signer::judge(ledger, issue, now);
  }
  registry::IssueEntry certify(const sign_link::Issue& issue,
                               std::uint64_t now_ms = kNow.seconds * 1000) const {
    const auto judgement = judge(issue);
    const auto* yes = std::get_if<signer::Approval>(&judgement);
    EXPECT_NE(yes, nullptr);
    return signer::certify(keys, ledger, *yes, issue, now_ms).value();
  }
  registry::RenewEntry certify(const sign_link::Renew& renew,
                               std::uint64_t now_ms = kNow.seconds * 1000) const {
    const auto judgement = signer::judge(ledger, renew, {now_ms / 1000});
    const auto* yes = std::get_if<signer::Renewal>(&judgement);
    EXPECT_NE(yes, nullptr);
    return signer::certify(keys, ledger, *yes, renew, now_ms).value();
  }
  void admit(const sign_link::Issue& issue) { add(certify(issue)); }

 private:
  std::uint8_t invites_ = 0;
};

}  // namespace wattle::test
