// member.conf, wattle.conf and the pending folder's files.
#include <gtest/gtest.h>
#include <algorithm>

#include "common/base/parse.h"
#include "common/os/random.h"
#include "metad/ctl/conf_template.h"
#include "metad/ctl/member_conf.h"
#include "metad/ctl/pending.h"
#include "tests/support/ctl_sample.h"

namespace wattle::ctl {
namespace {

MemberConf member() {
  MemberConf out;
  out.name = "alice";
  out.address = sample::Joiner().address;
  out.network_id = {1, 2, 3};
  out.mac = WATTLE_MUST(MacAddress::parse("02:00:5e:10:00:01"));
  out.ipv4 = WATTLE_MUST(IpPrefix::parse("10.91.4.2/22"));
  out.ipv6 = WATTLE_MUST(IpPrefix::parse("fd12:3456:789a:2::1/48"));
  out.prefix = WATTLE_MUST(IpPrefix::parse("fd12:3456:789a:2::/64"));
  return out;
}

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), with);
}

TEST(MemberConf, ReadsWhatItWrites) {
  const MemberConf written = member();
  const MemberConf read = parse_member_conf(build_member_conf(written), "member.conf").value();
  EXPECT_EQ(read.name, written.name);
  EXPECT_EQ(read.address, written.address);
  EXPECT_EQ(read.network_id, written.network_id);
  EXPECT_EQ(read.mac, written.mac);
  EXPECT_EQ(read.ipv4, written.ipv4);
  EXPECT_EQ(read.ipv6, written.ipv6);
  EXPECT_EQ(read.prefix, written.prefix);
}

TEST(MemberConf, NamesFileLineAndKey) {
  const std::string good = build_member_conf(member());
  const auto sentence = [](const std::string& text) {
    const auto parsed = parse_member_conf(text, "/etc/wattle/home/member.conf");
    return parsed ? std::string("parsed") : parsed.error().sentence;
  };
  EXPECT_EQ(sentence(replaced(good, "02:00:5e:10:00:01", "02:00:5e")),
            "/etc/wattle/home/member.conf line 5: 'mac' has no valid value");
  EXPECT_EQ(sentence(replaced(good, "name = alice", "name alice")),
            "/etc/wattle/home/member.conf line 2: expected 'key = value'");
  EXPECT_NE(sentence(replaced(good, "ipv6 =", "ipvx =")).find("'ipv6' is missing"),
            std::string::npos);
  EXPECT_NE(sentence(replaced(good, "10.91.4.2/22", "fd00::1/64")).find("'ipv4'"),
            std::string::npos);
  EXPECT_NE(sentence("").find("is missing"), std::string::npos);
  EXPECT_EQ(sentence(good + "newer-key = 1\n# comment\n\n"), "parsed");
}

TEST(ConfTemplate, SaysThePortAndTheDevice) {
  const std::string plain = build_conf_template("home", 8739, {});
  EXPECT_EQ(port_of_conf(plain), 8739);
  EXPECT_EQ(value_of_conf(plain, "device"), std::nullopt);
  const std::string named = build_conf_template("home", 8737, "vpn0");
  EXPECT_EQ(value_of_conf(named, "device"), "vpn0");
}

TEST(ConfTemplate, ValuesAreThoseInForce) {
  EXPECT_EQ(value_of_conf("# port = 1\nport=2\n port = 3 # x\nports = 4\n", "port"), "3");
  EXPECT_EQ(port_of_conf("port = 0\n"), std::nullopt);
  EXPECT_EQ(port_of_conf("port = 65536\n"), std::nullopt);
  EXPECT_EQ(port_of_conf(""), std::nullopt);
}

TEST(ConfTemplate, DeviceNames) {
  EXPECT_TRUE(is_device_name("wt-home"));
  EXPECT_TRUE(is_device_name("abcdefghijklmno"));
  for (const char* bad : {"", ".", "..", "abcdefghijklmnop", "a/b", "a b", "a%d", "a:1"})
    EXPECT_FALSE(is_device_name(bad)) << bad;
}

std::string url_of(std::uint8_t token, const std::string& network = "home") {
  Invite invite;
  invite.base = "https://192.0.2.1:8443";
  invite.network = network;
  invite.genesis[0] = 9;
  invite.token[0] = token;
  return build_invite(invite);
}

TEST(Pending, FilesGiveTheSameRequestAgain) {
  os::SystemRandom random;
  const Pending made = make_pending(url_of(1), random).value();
  const Pending read = from_files(to_files(made)).value();
  EXPECT_EQ(read.csr, made.csr);
  EXPECT_EQ(read.identity.public_key(), made.identity.public_key());
  EXPECT_EQ(read.nonce, made.nonce);
  const EnrolmentClaim claim = claim_of(read);
  EXPECT_EQ(claim.address, claim_of(made).address);
  EXPECT_EQ(claim.csr_hash, crypto::sha256(made.csr));
  EXPECT_EQ(claim.token, token_id(invite_key(made.invite.token)));
  const auto proof = enrolment_proof(invite_key(made.invite.token), claim);
  EXPECT_NE(request_of(read).find(to_hex(proof)), std::string::npos);
}

TEST(Pending, TheRequestNeverHoldsTheToken) {
  os::SystemRandom random;
  const Pending made = make_pending(url_of(1), random).value();
  const std::string request = request_of(made);
  EXPECT_EQ(request.find(to_hex(made.invite.token)), std::string::npos);
  EXPECT_EQ(request.find(to_base32(made.invite.token)), std::string::npos);
  EXPECT_EQ(request.find(to_base64(made.invite.token)), std::string::npos);
  EXPECT_EQ(request.find("PRIVATE"), std::string::npos);
}

TEST(Pending, DamagedFilesAreNotResumed) {
  os::SystemRandom random;
  const Pending made = make_pending(url_of(1), random).value();
  const PendingFiles good = to_files(made);
  const auto refused = [&good](auto bend) {
    PendingFiles files = good;
    bend(files);
    return !from_files(files).has_value();
  };
  EXPECT_FALSE(refused([](PendingFiles&) {}));
  EXPECT_TRUE(refused([](PendingFiles& f) { f.url.pop_back(); }));
  EXPECT_TRUE(refused([](PendingFiles& f) { f.identity_pem.clear(); }));
  EXPECT_TRUE(refused([](PendingFiles& f) { f.tls_pem = f.identity_pem; }));
  EXPECT_TRUE(refused([](PendingFiles& f) { f.csr.pop_back(); }));
  EXPECT_TRUE(refused([](PendingFiles& f) { f.nonce_hex = "00"; }));
}

TEST(Pending, OnlyTheSameInviteResumes) {
  os::SystemRandom random;
  EXPECT_EQ(choose_pending(std::nullopt, parse_invite(url_of(1)).value()), PendingChoice::Fresh);
  std::optional<Pending> stored = make_pending(url_of(1), random).value();
  EXPECT_EQ(choose_pending(stored, parse_invite(url_of(1)).value()), PendingChoice::Resume);
  EXPECT_EQ(choose_pending(stored, parse_invite(url_of(2)).value()), PendingChoice::Replace);
}

}  // namespace
}  // namespace wattle::ctl
