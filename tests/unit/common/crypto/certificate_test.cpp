// What we issue, judged by us and by the openssl program.
#include "common/crypto/certificate.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/base/hex.h"
#include "common/crypto/digest.h"
#include "tests/support/test_ca.h"

namespace wattle::crypto {
namespace {

class Certificate : public testing::Test {
 protected:
  Bytes issue(const MemberCertificate& what) {
    return WATTLE_MUST(issue_certificate(ca_.key, ca_.der, what, csr_));
  }
  Result<VerifiedCertificate> verify_at(UnixTime now) {
    return verify_certificate(issue(ca_.member()), ca_.der, now);
  }

  TestCa ca_;
  PrivateKey tls_ = test_key(1);
  Bytes csr_ = make_csr(tls_).value();
};

TEST_F(Certificate, SaysWhatWasAskedFor) {
  const MemberCertificate what = ca_.member();
  const auto verified = verify_certificate(issue(what), ca_.der, kTestNow);
  ASSERT_TRUE(verified) << verified.error().text();
  EXPECT_EQ(verified->public_key, tls_.public_key());
  EXPECT_EQ(verified->says.common_name, what.common_name);
  EXPECT_EQ(verified->says.anode_text, what.anode_text);
  EXPECT_EQ(verified->says.dns_name, what.dns_name);
  EXPECT_EQ(verified->says.prefix6, what.prefix6);
  EXPECT_EQ(verified->says.address4, what.address4);
  EXPECT_EQ(verified->says.serial, what.serial);
  EXPECT_EQ(verified->says.not_before, what.not_before);
  EXPECT_EQ(verified->says.not_after, what.not_after);
}

TEST_F(Certificate, OddPrefixLengthsSurvive) {
  for (const std::string_view text : {"2001:db8:42::/49", "2001:db8:42:8000::/51",
                                      "2001:db8:42:2::/127", "2001:db8:42:2::1/128"}) {
    MemberCertificate what = ca_.member();
    what.prefix6 = WATTLE_MUST(IpPrefix::parse(text));
    what.address4 = WATTLE_MUST(IpPrefix::parse("10.91.6.0/23"));
    const auto verified = verify_certificate(issue(what), ca_.der, kTestNow);
    ASSERT_TRUE(verified) << text << ' ' << verified.error().text();
    EXPECT_EQ(verified->says.prefix6, what.prefix6);
    EXPECT_EQ(verified->says.address4, what.address4);
  }
}

TEST_F(Certificate, KeepsItsTime) {
  EXPECT_TRUE(verify_at(kTestStart));
  EXPECT_TRUE(verify_at({kTestEnd.seconds - 1}));
  EXPECT_EQ(verify_at({kTestStart.seconds - 1}).error().code, Errc::Expired);
  EXPECT_EQ(verify_at({kTestEnd.seconds + 1}).error().code, Errc::Expired);
}

TEST_F(Certificate, EveryCutAndATrailingByteAreRefused) {
  Bytes der = issue(ca_.member());
  for (std::size_t size = 0; size < der.size(); ++size)
    EXPECT_EQ(verify_certificate(ByteView(der).first(size), ca_.der, kTestNow).error().code,
              Errc::BadSyntax);
  der.push_back(0);
  EXPECT_EQ(verify_certificate(der, ca_.der, kTestNow).error().code, Errc::BadSyntax);
  EXPECT_FALSE(verify_certificate(issue(ca_.member()), {}, kTestNow));
}

TEST_F(Certificate, NoBitMayChange) {
  const Bytes der = issue(ca_.member());
  for (std::size_t bit = 0; bit < der.size() * 8; bit += 3) {
    Bytes bad = der;
    bad[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_FALSE(verify_certificate(bad, ca_.der, kTestNow)) << bit;
  }
}

TEST_F(Certificate, AnotherCaOfTheSameNameIsNobody) {
  TestCa other;
  other.key = test_key(201);
  other.der = WATTLE_MUST(
      make_ca_certificate(other.key, "home", other.six, &other.four, kTestStart, kTestEnd));
  const Bytes der = WATTLE_MUST(issue_certificate(other.key, other.der, other.member(), csr_));
  EXPECT_TRUE(verify_certificate(der, other.der, kTestNow));
  EXPECT_EQ(verify_certificate(der, ca_.der, kTestNow).error().code, Errc::BadSignature);
}

TEST_F(Certificate, ACaCertificateIsNoMember) {
  EXPECT_FALSE(verify_certificate(ca_.der, ca_.der, kTestNow));
}

TEST_F(Certificate, BlocksOutsideTheNetworkAreNeverIssued) {
  for (const std::string_view text :
       {"2001:db8:43::/64", "2001:db8::/32", "::/0", "2001:db8:42::/47"}) {
    MemberCertificate what = ca_.member();
    what.prefix6 = WATTLE_MUST(IpPrefix::parse(text)).network();
    EXPECT_EQ(issue_certificate(ca_.key, ca_.der, what, csr_).error().code, Errc::Denied) << text;
  }
  MemberCertificate what = ca_.member();
  what.address4 = WATTLE_MUST(IpPrefix::parse("10.91.8.0/32"));
  EXPECT_EQ(issue_certificate(ca_.key, ca_.der, what, csr_).error().code, Errc::Denied);
}

TEST_F(Certificate, IssueRefusesWrongForms) {
  const auto refused = [&](auto change) {
    MemberCertificate what = ca_.member();
    change(what);
    const auto result = issue_certificate(ca_.key, ca_.der, what, csr_);
    return !result && result.error().code == Errc::BadValue;
  };
  EXPECT_FALSE(refused([](MemberCertificate&) {}));
  EXPECT_TRUE(refused([](MemberCertificate& m) { m.common_name.clear(); }));
  EXPECT_TRUE(refused([](MemberCertificate& m) { m.common_name.assign(65, '1'); }));
  EXPECT_TRUE(refused([](MemberCertificate& m) { m.dns_name = "alice,URI:anode:x"; }));
  EXPECT_TRUE(refused([](MemberCertificate& m) { m.anode_text.pop_back(); }));
  EXPECT_TRUE(refused([](MemberCertificate& m) { m.anode_text[0] = ','; }));
  EXPECT_TRUE(refused([](MemberCertificate& m) { m.serial = 0; }));
  EXPECT_TRUE(refused([](MemberCertificate& m) { m.not_after = m.not_before; }));
  EXPECT_TRUE(refused([](MemberCertificate& m) { std::swap(m.prefix6, m.address4); }));
  EXPECT_TRUE(refused([](MemberCertificate& m) { m.prefix6.address.bytes[15] = 1; }));
  const PrivateKey other = test_key(9);
  EXPECT_EQ(issue_certificate(other, ca_.der, ca_.member(), csr_).error().code, Errc::BadValue);
  EXPECT_FALSE(issue_certificate(ca_.key, ca_.der, ca_.member(), Bytes{1, 2, 3}));
}

TEST_F(Certificate, CaRefusesWrongForms) {
  const auto make = [&](std::string_view name, const IpPrefix& six, const IpPrefix* four,
                        UnixTime end) {
    return make_ca_certificate(ca_.key, name, six, four, kTestStart, end).has_value();
  };
  EXPECT_TRUE(make("home", ca_.six, &ca_.four, kTestEnd));
  EXPECT_TRUE(make("home", ca_.six, nullptr, kTestEnd));
  EXPECT_FALSE(make("Home", ca_.six, &ca_.four, kTestEnd));
  EXPECT_FALSE(make("home", ca_.four, &ca_.four, kTestEnd));
  EXPECT_FALSE(make("home", ca_.six, &ca_.six, kTestEnd));
  EXPECT_FALSE(make("home", ca_.six, &ca_.four, kTestStart));
}

TEST_F(Certificate, PemAndBack) {
  const std::string pem = der_to_pem(ca_.der, "CERTIFICATE");
  EXPECT_EQ(WATTLE_MUST(pem_to_der(pem, "CERTIFICATE")), ca_.der);
  EXPECT_EQ(WATTLE_MUST(pem_to_der("a word in front\n" + pem, "CERTIFICATE")), ca_.der);
  EXPECT_EQ(pem_to_der(pem, "PRIVATE KEY").error().code, Errc::NotFound);
  EXPECT_EQ(pem_to_der(pem.substr(0, pem.size() - 10), "CERTIFICATE").error().code, Errc::NotFound);
  EXPECT_EQ(pem_to_der("", "CERTIFICATE").error().code, Errc::NotFound);
  std::string bad = pem;
  bad[40] = '!';
  EXPECT_EQ(pem_to_der(bad, "CERTIFICATE").error().code, Errc::BadSyntax);
}

TEST_F(Certificate, HttpsTakesNamesAndAddresses) {
  for (const std::string_view host : {"198.51.100.7", "2001:db8::1", "vpn.example.org"})
    EXPECT_TRUE(make_https_certificate(tls_, host, kTestNow)) << host;
  for (const std::string_view host : {"", "a b", "x,IP:1.2.3.4", "x\ny"})
    EXPECT_FALSE(make_https_certificate(tls_, host, kTestNow)) << host;
}

// ---- the openssl program as a second opinion
// ------------------------------------------------------

class OpensslProgram : public Certificate {
 protected:
  void SetUp() override {
    char name[] = "/tmp/wattle-certificate-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void put(const std::string& name, ByteView der, std::string_view label = "CERTIFICATE") {
    std::ofstream(folder_ / name) << der_to_pem(der, label);
  }
  // The exit code, and what it printed in `said_`.
  int openssl(const std::string& arguments) {
    const std::string output = (folder_ / "output").string();
    const int status = std::system(
        ("cd " + folder_.string() + " && openssl " + arguments + " >" + output + " 2>&1").c_str());
    std::ifstream in(output);
    said_.assign(std::istreambuf_iterator<char>(in), {});
    return status;
  }
  std::string verify_command(const std::string& purpose = "any") const {
    return "verify -x509_strict -purpose " + purpose + " -attime " +
           std::to_string(kTestNow.seconds) + " -CAfile ca.pem member.pem";
  }

  std::filesystem::path folder_;
  std::string said_;
};

TEST_F(OpensslProgram, AcceptsWhatWeIssue) {
  put("ca.pem", ca_.der);
  put("member.pem", issue(ca_.member()));
  EXPECT_EQ(openssl(verify_command()), 0) << said_;
  EXPECT_EQ(openssl(verify_command("sslserver")), 0) << said_;
  EXPECT_EQ(openssl(verify_command("sslclient")), 0) << said_;
}

TEST_F(OpensslProgram, PrintsWhatReadersLookFor) {
  put("ca.pem", ca_.der);
  ASSERT_EQ(openssl("x509 -in ca.pem -noout -serial -subject"), 0) << said_;
  EXPECT_NE(said_.find("serial=0120010DB80042"), std::string::npos) << said_;  // protocols.md 7.6
  EXPECT_NE(said_.find("wattle home"), std::string::npos) << said_;
  put("member.pem", issue(ca_.member()));
  ASSERT_EQ(openssl("x509 -in member.pem -noout -text"), 0) << said_;
  for (const std::string_view part :
       {"CN = 2/16", "URI:anode:aeaaaaab", "DNS:alice", "2001:db8:42:2::/64", "10.91.4.1/32",
        "Digital Signature", "CA:FALSE"})
    EXPECT_NE(said_.find(part), std::string::npos) << part << '\n' << said_;
}

TEST_F(OpensslProgram, RefusesAMemberOutsideTheNetwork) {
  // The same CA key under a wider certificate signs what the network's own certificate does not
  // cover.
  const IpPrefix all6 = WATTLE_MUST(IpPrefix::parse("::/0"));
  const IpPrefix all4 = WATTLE_MUST(IpPrefix::parse("0.0.0.0/0"));
  const Bytes wide =
      WATTLE_MUST(make_ca_certificate(ca_.key, "home", all6, &all4, kTestStart, kTestEnd));
  put("ca.pem", ca_.der);
  for (const bool six : {true, false}) {
    MemberCertificate what = ca_.member();
    if (six)
      what.prefix6 = WATTLE_MUST(IpPrefix::parse("2001:db8:43::/64"));
    else
      what.address4 = WATTLE_MUST(IpPrefix::parse("10.91.8.1/32"));
    const Bytes der = WATTLE_MUST(issue_certificate(ca_.key, wide, what, csr_));
    EXPECT_EQ(verify_certificate(der, ca_.der, kTestNow).error().code, Errc::Denied);
    put("member.pem", der);
    EXPECT_NE(openssl(verify_command()), 0);
    EXPECT_NE(said_.find("RFC 3779"), std::string::npos) << said_;
  }
}

TEST_F(OpensslProgram, ReadsOurRequestsAndKeys) {
  put("request.pem", csr_, "CERTIFICATE REQUEST");
  EXPECT_EQ(openssl("req -in request.pem -noout -verify -subject"), 0) << said_;
  EXPECT_NE(said_.find("CN = wattle"), std::string::npos) << said_;
  std::ofstream(folder_ / "key.pem") << tls_.to_pem();
  EXPECT_EQ(openssl("pkey -in key.pem -noout -check"), 0) << said_;
}

TEST_F(OpensslProgram, AgreesOnTheKeyHash) {
  put("https.pem", WATTLE_MUST(make_https_certificate(tls_, "198.51.100.7", kTestNow)));
  ASSERT_EQ(openssl("x509 -in https.pem -noout -pubkey -out public.pem"), 0) << said_;
  ASSERT_EQ(openssl("pkey -pubin -in public.pem -outform DER -out public.der"), 0) << said_;
  std::ifstream in(folder_ / "public.der", std::ios::binary);
  const std::string spki((std::istreambuf_iterator<char>(in)), {});
  EXPECT_EQ(sha256(as_bytes(spki)), spki_hash(tls_));
}

TEST_F(Certificate, AnyOfTheCasInForceWillDo) {
  TestCa other;
  other.key = test_key(201);
  other.der = other.certificate();
  const Bytes der = issue(ca_.member());
  const std::vector<Bytes> both = {other.der, ca_.der}, none, wrong = {other.der};
  const VerifiedByOne found = WATTLE_MUST(verify_by_any(der, both, kTestNow));
  EXPECT_EQ(found.ca, ca_.der);
  EXPECT_EQ(found.certificate.says.dns_name, "alice");
  EXPECT_EQ(verify_by_any(der, wrong, kTestNow).error().code, Errc::BadSignature);
  EXPECT_EQ(verify_by_any(der, none, kTestNow).error().code, Errc::BadSignature);
  EXPECT_EQ(verify_by_any(der, both, kTestEnd).error().code, Errc::Expired);
}

TEST_F(Certificate, TheOwnOneCanBeReadWithoutItsCa) {
  const Bytes der = issue(ca_.member());
  const VerifiedCertificate own = WATTLE_MUST(read_own_certificate(der));
  EXPECT_EQ(own.says.dns_name, "alice");
  EXPECT_EQ(own.public_key, WATTLE_MUST(verify_certificate(der, ca_.der, kTestNow)).public_key);
  EXPECT_EQ(read_own_certificate(ByteView(der).first(40)).error().code, Errc::BadSyntax);
  EXPECT_FALSE(read_own_certificate(ca_.der));  // the profile holds
}

}  // namespace
}  // namespace wattle::crypto
