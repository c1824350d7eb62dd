#include "registry/signer/notary.h"

#include "common/crypto/certificate.h"
#include "common/proto/acceptance.h"
#include "tests/unit/registry/signer_bench.h"

namespace wattle::test {
namespace {

constexpr std::uint64_t kNowMs = SignerBench::kNow.seconds * 1000;

TEST(notary, certificate_and_credential_say_the_same) {
  SignerBench bench;
  const Joiner alice;
  const auto issue = bench.certify(bench.request(alice, bench.invite("alice")), kNowMs);
  const auto verified = crypto::verify_certificate(issue.certificate, bench.ledger.genesis().ca_der,
                                                   SignerBench::kNow);
  ASSERT_TRUE(verified) << verified.error().text();
  Trust trust;
  trust.network = bench.ledger.network();
  trust.credential_keys = {bench.keys.credential.public_key()};
  Credential credential;
  ASSERT_EQ(
      accept_credential(trust, issue.credential, alice.address(), SignerBench::kNow, 0, credential),
      Check::Accept);
  EXPECT_EQ(verified->says.serial, kNowMs);
  EXPECT_EQ(credential.serial, kNowMs);
  EXPECT_EQ(verified->says.not_before.seconds, SignerBench::kNow.seconds - 300);
  EXPECT_EQ(credential.not_before, verified->says.not_before);
  EXPECT_EQ(verified->says.not_after.seconds, SignerBench::kNow.seconds + 30 * 24 * 3600);
  EXPECT_EQ(credential.not_after, verified->says.not_after);
  EXPECT_EQ(credential.mac, mac_of(trust.network, alice.address()));
  EXPECT_EQ(credential.name_hash, name_hash("alice"));
  EXPECT_EQ(credential.ipv6, verified->says.prefix6);
}

TEST(notary, serials_rise_even_when_the_clock_does_not) {
  SignerBench bench;
  bench.admit(bench.request(Joiner(), bench.invite("alice")));
  const InviteKey key = bench.invite("bob");
  const auto request = bench.request(Joiner(), key, "fd12:3456:789a:1::/64", "10.91.4.2");
  EXPECT_EQ(bench.certify(request, kNowMs - 3600000).serial, kNowMs + 1);
  EXPECT_EQ(bench.certify(request, kNowMs).serial, kNowMs + 1);
  EXPECT_EQ(bench.certify(request, kNowMs + 5000).serial, kNowMs + 5000);
}

TEST(notary, signs_the_document_anew_after_a_day_without_what_ran_out) {
  SignerBench bench;
  NetworkDocument document = bench.ledger.document();
  document.version = 7;
  document.revoked = {{1, {SignerBench::kNow.seconds + 10}},
                      {2, {SignerBench::kNow.seconds + 999999}}};
  bench.add(registry::DocumentEntry{build_network_document(document, bench.keys.document)});
  const UnixTime day{SignerBench::kNow.seconds + 24 * 3600};
  EXPECT_FALSE(signer::renew_document(bench.keys, bench.ledger, {day.seconds - 1}));
  const auto text = signer::renew_document(bench.keys, bench.ledger, day);
  ASSERT_TRUE(text);
  const auto next =
      parse_network_document(*text, bench.keys.document.public_key(), bench.ledger.network());
  ASSERT_TRUE(next);
  EXPECT_EQ(next->version, 8u);
  EXPECT_EQ(next->time, day);
  ASSERT_EQ(next->revoked.size(), 1u);
  EXPECT_EQ(next->revoked[0].serial, 2u);
  EXPECT_EQ(next->registries, document.registries);
}

NetworkDocument parsed(const SignerBench& bench, const std::string& text) {
  return parse_network_document(text, bench.keys.document.public_key(), bench.ledger.network())
      .value();
}

TEST(notary, a_renewal_keeps_addresses_and_takes_name_and_flags_as_they_are) {
  SignerBench bench;
  bench.add(registry::PolicyEntry{3600});
  Joiner alice;
  const auto first = bench.certify(bench.request(alice, bench.invite("alice")), kNowMs);
  bench.add(first);
  bench.add(registry::RenameEntry{alice.address(), "carol"});
  bench.add(registry::FlagsEntry{alice.address(), kFlagRelay});
  alice.csr = crypto::make_csr(alice.tls).value();
  const auto second = bench.certify(alice.renew(bench.ledger.network(), {1}), kNowMs + 1000);
  EXPECT_EQ(second.serial, kNowMs + 1000);
  EXPECT_EQ(second.name, "carol");
  const Credential before = decode_credential(first.credential).value();
  const Credential after = decode_credential(second.credential).value();
  EXPECT_EQ(after.ipv4, before.ipv4);
  EXPECT_EQ(after.ipv6, before.ipv6);
  EXPECT_EQ(after.mac, before.mac);
  EXPECT_EQ(after.flags, kFlagRelay);
  EXPECT_EQ(after.name_hash, name_hash("carol"));
  EXPECT_EQ(before.not_after.seconds, SignerBench::kNow.seconds + 3600);
  EXPECT_EQ(after.not_after.seconds, SignerBench::kNow.seconds + 3601);
  const auto verified = crypto::verify_certificate(
      second.certificate, bench.ledger.genesis().ca_der, SignerBench::kNow);
  ASSERT_TRUE(verified) << verified.error().text();
  EXPECT_EQ(verified->says.dns_name, "carol");
  EXPECT_EQ(verified->says.serial, second.serial);
  EXPECT_EQ(verified->public_key, alice.tls.public_key());
}

TEST(notary, makes_a_document_as_soon_as_somebody_must_renew_or_is_revoked) {
  SignerBench bench;
  Joiner alice;
  bench.admit(bench.request(alice, bench.invite("alice")));
  const std::uint64_t serial = bench.ledger.last_serial();
  const auto renewed = [&] {
    return signer::renew_document(bench.keys, bench.ledger, SignerBench::kNow);
  };
  EXPECT_FALSE(renewed());
  bench.add(registry::RenameEntry{alice.address(), "carol"});
  auto text = renewed();
  ASSERT_TRUE(text);
  EXPECT_EQ(parsed(bench, *text).reissue, std::vector<std::uint64_t>{serial});
  EXPECT_EQ(parsed(bench, *text).version, bench.ledger.document().version + 1);
  bench.add(registry::DocumentEntry{*text});
  EXPECT_FALSE(renewed());
  alice.csr = crypto::make_csr(alice.tls).value();
  bench.add(bench.certify(alice.renew(bench.ledger.network(), {1}), kNowMs + 1));
  text = renewed();
  ASSERT_TRUE(text);  // it has renewed
  EXPECT_TRUE(parsed(bench, *text).reissue.empty());
  bench.add(registry::DocumentEntry{*text});
  EXPECT_FALSE(renewed());
  bench.add(registry::RevokeEntry{alice.address()});
  text = renewed();
  ASSERT_TRUE(text);
  ASSERT_EQ(parsed(bench, *text).revoked.size(), 2u);  // both certificates still count
  EXPECT_EQ(parsed(bench, *text).revoked[0].serial, serial);
  bench.add(registry::DocumentEntry{*text});
  EXPECT_FALSE(renewed());
}

TEST(notary, a_rename_back_and_a_member_over_grace_need_no_renewal) {
  SignerBench bench;
  const Joiner alice;
  bench.admit(bench.request(alice, bench.invite("alice")));
  bench.add(registry::RenameEntry{alice.address(), "carol"});
  const UnixTime last{bench.ledger.find_member("carol")->newest().until.seconds + signer::kGrace};
  const auto at = [&](UnixTime now) {
    return parsed(bench,
                  signer::sign_document(bench.keys, bench.ledger, bench.ledger.document(), now))
        .reissue.size();
  };
  EXPECT_EQ(at({last.seconds - 1}), 1u);
  EXPECT_EQ(at(last), 0u);
  bench.add(registry::RenameEntry{alice.address(), "alice"});
  EXPECT_EQ(at(SignerBench::kNow), 0u);
}

TEST(notary, of_serials_to_renew_as_many_stand_in_the_document_as_fit) {
  SignerBench bench;
  std::vector<NodeAddress> who;
  for (int i = 0; i < 4; ++i) {
    const Joiner joiner;
    who.push_back(joiner.address());
    const std::string n = std::to_string(i + 1);
    bench.admit(bench.request(joiner, bench.invite("n" + n),
                              ("fd12:3456:789a:" + n + "::/64").c_str(), ("10.91.4." + n).c_str()));
  }
  NetworkDocument full = bench.ledger.document();
  ++full.version;
  full.others = {{"filler", "x"}};
  const std::size_t least = build_network_document(full, bench.keys.document).size();
  full.others[0].second.resize(kMaxDocument - 70 - least, 'x');
  bench.add(registry::DocumentEntry{build_network_document(full, bench.keys.document)});
  for (const NodeAddress& address : who) bench.add(registry::FlagsEntry{address, kFlagRelay});
  const auto text = signer::renew_document(bench.keys, bench.ledger, SignerBench::kNow);
  ASSERT_TRUE(text);
  EXPECT_LE(text->size(), kMaxDocument);
  EXPECT_EQ(parsed(bench, *text).reissue.size(), 2u);
  bench.add(registry::DocumentEntry{*text});
  EXPECT_FALSE(signer::renew_document(bench.keys, bench.ledger, SignerBench::kNow));
}

TEST(notary, knows_its_own_keys) {
  SignerBench bench;
  const Genesis& genesis = bench.ledger.genesis();
  EXPECT_TRUE(signer::check_keys(bench.keys, genesis));
  for (int which = 0; which < 3; ++which) {
    const auto copy = [](const crypto::PrivateKey& key) {
      return crypto::PrivateKey::from_scalar(key.scalar().view()).value();
    };
    signer::Keys wrong{copy(bench.keys.ca), copy(bench.keys.credential), copy(bench.keys.document)};
    EXPECT_TRUE(signer::check_keys(wrong, genesis));
    (which == 0   ? wrong.ca
     : which == 1 ? wrong.credential
                  : wrong.document) = crypto::PrivateKey::generate();
    EXPECT_FALSE(signer::check_keys(wrong, genesis)) << which;
  }
}

}  // namespace
}  // namespace wattle::test
