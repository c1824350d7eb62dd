#include "metad/ctl/checker.h"

#include <gtest/gtest.h>
#include <functional>

#include "tests/support/ctl_sample.h"

namespace wattle::ctl {
namespace {

using sample::Joiner;
using sample::Network;
using sample::Parts;

const Network& network() {
  static const Network kNetwork;
  return kNetwork;
}
const Joiner& joiner() {
  static const Joiner kJoiner;
  return kJoiner;
}

CheckAnswer check_bent(const std::function<void(Parts&)>& bend) {
  Parts parts = sample::right_parts(network(), joiner());
  bend(parts);
  return check_join(sample::right_request(network(), joiner(), parts));
}

CheckRequest right() {
  return sample::right_request(network(), joiner(), sample::right_parts(network(), joiner()));
}

void expect_wrong(const CheckAnswer& answer, const std::string& word) {
  EXPECT_EQ(answer.outcome, CheckOutcome::AnswerWrong);
  EXPECT_NE(answer.detail.find(word), std::string::npos) << answer.detail;
}

TEST(Checker, TakesTheRightAnswer) {
  const CheckAnswer answer = check_join(right());
  ASSERT_EQ(answer.outcome, CheckOutcome::Member) << answer.detail;
  EXPECT_EQ(answer.name, "alice");
  EXPECT_EQ(answer.serial, 1790000000123U);
  EXPECT_EQ(answer.ipv4.text(), "10.91.4.2/22");
  EXPECT_EQ(answer.ipv6.length, 48);
  EXPECT_EQ(answer.prefix.text(), "fd12:3456:789a:2::/64");
  EXPECT_EQ(answer.mac, mac_of(network().id(), joiner().address));
  EXPECT_EQ(answer.not_after.seconds, sample::kNow + 30 * 86400);
}

TEST(Checker, KeepsPeersButOneself) {
  const Joiner other;
  const std::string head = R"([{"name":"server","address":")" + other.address.text() +
                           R"(","endpoints":["192.0.2.7:8737","[2001:db8::1]:8737"]},)";
  const std::string self = R"({"name":"alice","address":")" + joiner().address.text() +
                           R"(","endpoints":["192.0.2.8:8737"]}])";
  const CheckAnswer answer = check_bent([&](Parts& p) { p.peers = head + self; });
  ASSERT_EQ(answer.outcome, CheckOutcome::Member) << answer.detail;
  ASSERT_EQ(answer.peers.size(), 1U);
  EXPECT_EQ(answer.peers[0].name, "server");
  EXPECT_EQ(answer.peers[0].endpoints[1].text(), "[2001:db8::1]:8737");
}

// The same network after all its keys were changed; the invite is of before.
struct Later {
  Network now;  // its keys are the newer ones
  Parts parts = sample::right_parts(network(), joiner());
  Later() {
    now.genesis_text = network().genesis_text;
    now.hash = network().hash;
    parts.document.document_keys = {
        sign_document_key(network().id(), now.document.public_key(), network().document)};
    parts.document.credential_keys = {network().credential.public_key(),
                                      now.credential.public_key()};
    parts.document.ca_ders = {now.genesis.ca_der};
  }
  CheckAnswer check() const { return check_join(sample::right_request(now, joiner(), parts)); }
};

TEST(Checker, FollowsTheKeysFromGenesisToTheAnswer) {
  EXPECT_EQ(Later().check().outcome, CheckOutcome::Member) << Later().check().detail;
}

TEST(Checker, RefusesAnAnswerOfKeysThatGenesisDoesNotLeadTo) {
  Later credential;
  credential.parts.document.credential_keys = {network().credential.public_key()};
  expect_wrong(credential.check(), "(cred_signature)");
  Later ca;
  ca.parts.document.ca_ders = {network().genesis.ca_der};
  expect_wrong(ca.check(), "the certificate");
  Later document;
  document.parts.document.document_keys = {
      sign_document_key(network().id(), document.now.document.public_key(), document.now.document)};
  expect_wrong(document.check(), "the network document");
}

TEST(Checker, RefusesAnotherGenesis) {
  CheckRequest request = right();
  request.genesis[0] ^= 1;
  EXPECT_EQ(check_join(request).outcome, CheckOutcome::GenesisDiffers);
}

TEST(Checker, RefusesAGenesisOfAnotherName) {
  CheckRequest request = right();
  request.network = "work";
  expect_wrong(check_join(request), "another network");
}

TEST(Checker, RefusesOneWhoseAddressWasNotAsked) {
  CheckRequest request = right();
  request.address = Joiner().address;
  expect_wrong(check_join(request), "(owner)");
}

TEST(Checker, RefusesAnotherKeyThanAsked) {
  CheckRequest request = right();
  request.csr = Joiner().csr;
  expect_wrong(check_join(request), "another key");
}

TEST(Checker, RefusesEachDisagreement) {
  struct Case {
    const char* word;
    std::function<void(Parts&)> bend;
  };
  const Case cases[] = {
      {"another name", [](Parts& p) { p.certificate.dns_name = "bob"; }},
      {"credential is for another name",
       [](Parts& p) { p.credential.name_hash = name_hash("bob"); }},
      {"another address", [](Parts& p) { p.certificate.anode_text = Joiner().address.text(); }},
      {"credential does not verify", [](Parts& p) { p.credential.address = Joiner().address; }},
      {"credential does not verify", [](Parts& p) { p.credential.network[0] ^= 1; }},
      {"serials", [](Parts& p) { p.certificate.serial += 1; }},
      {"different times", [](Parts& p) { p.certificate.not_after.seconds += 1; }},
      {"different times", [](Parts& p) { p.certificate.not_before.seconds -= 1; }},
      {"different prefixes",
       [](Parts& p) {
         p.certificate.prefix6 = member_prefix(network().genesis.prefix, "0000000000000011");
       }},
      {"different IPv4",
       [](Parts& p) { p.certificate.address4 = WATTLE_MUST(IpPrefix::parse("10.91.4.3/32")); }},
      {"common name", [](Parts& p) { p.certificate.common_name = "3/16"; }},
      {"MAC", [](Parts& p) { p.credential.mac.bytes[5] ^= 1; }},
      {"does not verify",
       [](Parts& p) {
         p.document.revoked = {{p.credential.serial, {sample::kNow + 9}}};
       }},
      {"document", [](Parts& p) { p.document.network[3] ^= 1; }},
      {"too old", [](Parts& p) { p.document.min_protocol = 10; }},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.word);
    expect_wrong(check_bent(one.bend), one.word);
  }
}

// Path validation bounds a member by the CA's blocks; genesis bounds it again, should the two
// differ.
TEST(Checker, RefusesPartsOutsideTheNetwork) {
  const Network wide({sample::kNow}, true);
  const auto check = [&wide](const std::function<void(Parts&)>& bend) {
    Parts parts = sample::right_parts(wide, joiner());
    bend(parts);
    return check_join(sample::right_request(wide, joiner(), parts));
  };
  EXPECT_EQ(check([](Parts&) {}).outcome, CheckOutcome::Member);
  expect_wrong(check([](Parts& p) {
                 p.credential.ipv4 = p.certificate.address4 =
                     WATTLE_MUST(IpPrefix::parse("10.99.0.1/32"));
               }),
               "IPv4 address is not inside");
  expect_wrong(check([](Parts& p) {
                 p.credential.ipv6 = p.certificate.prefix6 =
                     WATTLE_MUST(IpPrefix::parse("fd12:99::/64"));
               }),
               "IPv6 prefix is not inside");
}

TEST(Checker, RefusesForeignSignatures) {
  const Network other;
  const auto with = [](const std::string& body) {
    CheckRequest request = right();
    request.body = body;
    return check_join(request);
  };
  Parts parts = sample::right_parts(network(), joiner());
  // Everything by another network's keys under our genesis.
  expect_wrong(with(sample::answer_json(other, parts, joiner().csr)), "document");
  // Only the certificate by another CA: take the rest from the right answer.
  const std::string good = sample::answer_json(network(), parts, joiner().csr);
  const std::string bad = sample::answer_json(other, parts, joiner().csr);
  const auto field = [](const std::string& body, const std::string& name) {
    const std::size_t at = body.find("\"" + name + "\":\"") + name.size() + 4;
    return body.substr(at, body.find('"', at) - at);
  };
  for (const std::string name : {"certificate", "credential", "document"}) {
    std::string mixed = good;
    const std::string value = field(good, name);
    mixed.replace(mixed.find(value), value.size(), field(bad, name));
    SCOPED_TRACE(name);
    expect_wrong(with(mixed), name);
  }
}

TEST(Checker, JudgesTheClockLast) {
  CheckRequest request = right();
  request.now = {sample::kNow - 301};
  const CheckAnswer early = check_join(request);
  EXPECT_EQ(early.outcome, CheckOutcome::ClockOff);
  EXPECT_EQ(early.not_before.seconds, sample::kNow - 300);
  request.now = {sample::kNow + 30 * 86400};
  EXPECT_EQ(check_join(request).outcome, CheckOutcome::ClockOff);
  request.now = {sample::kNow - 300};
  EXPECT_EQ(check_join(request).outcome, CheckOutcome::Member);
  // A forged answer is a wrong one, whatever the clock says.
  request.now = {sample::kNow - 301};
  request.csr = Joiner().csr;
  EXPECT_EQ(check_join(request).outcome, CheckOutcome::AnswerWrong);
}

TEST(Checker, ReadsRefusals) {
  const auto refused = [](std::uint16_t status, const std::string& body) {
    CheckRequest request = right();
    request.status = status;
    request.body = body;
    const CheckAnswer answer = check_join(request);
    EXPECT_EQ(answer.outcome, CheckOutcome::Refused);
    return answer.refusal;
  };
  EXPECT_EQ(refused(409, R"({"error":"token-used","sentence":"x"})"), Refusal::TokenUsed);
  EXPECT_EQ(refused(410, R"({"error":"token-expired"})"), Refusal::TokenExpired);
  EXPECT_EQ(refused(403, R"({"error":"unknown-token"})"), Refusal::UnknownToken);
  EXPECT_EQ(refused(409, R"({"error":"id-clash"})"), Refusal::IdClash);
  EXPECT_EQ(refused(503, R"({"error":"signer-away"})"), Refusal::SignerAway);
  EXPECT_EQ(refused(507, R"({"error":"storage"})"), Refusal::SignerAway);
  EXPECT_EQ(refused(503, R"({"error":"clock-off"})"), Refusal::SignerAway);
  EXPECT_EQ(refused(409, R"({"error":"network-full"})"), Refusal::NetworkFull);
  EXPECT_EQ(refused(403, R"({"error":"revoked"})"), Refusal::Denied);
  EXPECT_EQ(refused(409, R"({"error":"name-taken"})"), Refusal::Denied);
  EXPECT_EQ(refused(429, "slow down"), Refusal::Busy);
  EXPECT_EQ(refused(500, "<html>"), Refusal::Other);
}

TEST(Checker, RefusesAGenesisThatIsNone) {
  CheckRequest request = right();
  request.genesis_text = "wattle-genesis 1\nnetwork home\n";
  request.genesis = genesis_hash(request.genesis_text);
  expect_wrong(check_join(request), "the genesis document: ");
}

TEST(Checker, RefusesACredentialOfAnotherSizeOrTime) {
  CheckRequest request = right();
  const std::size_t at = request.body.find("\"credential\":\"") + 14;
  request.body.replace(at, request.body.find('"', at) - at, "AAAA");
  expect_wrong(check_join(request), "the credential: ");
  expect_wrong(check_bent([](Parts& p) { p.credential.not_after = p.credential.not_before; }),
               "credential does not verify");
  expect_wrong(check_bent([](Parts& p) { p.credential.not_after = {1}; }),
               "credential does not verify");
}

TEST(Checker, RefusesNonsense) {
  CheckRequest request = right();
  for (const std::string body :
       {"", "{}", "[]", "null", "{\"schema\":2}", "[[[[[[[[[[[[1]]]]]]]]]]]]"}) {
    request.body = body;
    EXPECT_EQ(check_join(request).outcome, CheckOutcome::AnswerWrong) << body;
  }
  request.body = std::string(200000, '[');
  EXPECT_EQ(check_join(request).outcome, CheckOutcome::AnswerWrong);
}

}  // namespace
}  // namespace wattle::ctl
