// Writes the seeds of the targets in crypto.cmake: fuzz_crypto_corpus FOLDER. The same bytes every
// time: signatures, which are random, are left out or overwritten (the targets sign again).
#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>

#include "common/base/hex.h"
#include "common/proto/genesis.h"
#include "common/proto/invite.h"
#include "common/proto/network_document.h"
#include "common/proto/origin_record.h"
#include "tests/support/test_member.h"

using namespace wattle;

namespace {

std::filesystem::path root;

void seed(const std::string& target, const std::string& name, ByteView bytes) {
  std::filesystem::create_directories(root / target);
  std::ofstream(root / target / name, std::ios::binary) << as_text(bytes);
}
void seed(const std::string& target, const std::string& name, std::string_view text) {
  seed(target, name, as_bytes(text));
}

std::string without_signature(std::string text) { return text.substr(0, text.rfind("signature ")); }

// DER that ends in an ECDSA signature of 70 bytes (make() is tried until it does), its numbers
// overwritten: 30 44 02 20 r 02 20 s.
template <typename Make>
Bytes with_fixed_signature(Make make) {
  for (;;) {
    Bytes der = make();
    if (der.size() < 70) continue;
    const MutableBytes tail = MutableBytes(der).last(70);
    if (tail[0] != 0x30 || tail[1] != 0x44 || tail[3] != 0x20 || tail[37] != 0x20) continue;
    std::fill_n(tail.begin() + 4, 32, std::uint8_t{0x11});
    std::fill_n(tail.begin() + 38, 32, std::uint8_t{0x22});
    return der;
  }
}

void texts() {
  seed("encodings", "hex", "007fABff");
  seed("encodings", "base64", "Zm9vYmE=");
  seed("encodings", "base64_bits", "Zh==");
  seed("encodings", "base32", "mfzwizqa");
  seed("encodings", "base32_bits", "mfzwizqb");
  seed("encodings", "seconds", "30d");
  const std::pair<const char*, std::string_view> net[] = {
      {"v4", "10.1.2.3"},           {"v6", "2001:db8::1"},       {"mapped", "::ffff:1.2.3.4"},
      {"prefix4", "10.91.4.0/22"},  {"prefix6", "fd00::/8"},     {"endpoint4", "1.2.3.4:8737"},
      {"endpoint6", "[fd00::1]:1"}, {"mac", "02:00:5e:10:00:01"}};
  for (const auto& [name, text] : net) seed("net_text", name, text);
  seed("net_text", "anode4", Bytes{2, 1, 2, 3, 4, 0x10, 0xf7});
  seed("line", "stream", "\x04PING\n10 daemon a329e18c:655 0\nADD_HOST a b ep=1.2.3.4:5 x=\nlast");
  seed("line", "blanks", "\xff PING  x \n\n");
  seed("line", "overlong", std::string(1, '\x40') + "ID a\n" + std::string(2100, 'x') + "\nID b\n");
  seed("line", "base64",
       "\xff"
       "16 alice bob " +
           std::string(555, 'A') + "=\n");
  seed("prefix_bits", "small", "2/16");
  seed("prefix_bits", "odd", "1/3");
  seed("prefix_bits", "big", "340282366920938463463374607431768211455/128");
  seed("prefix_bits", "over", "8/3");
}

void documents() {
  const TestCa ca;
  const crypto::PrivateKey key = test_key(211);
  Genesis genesis;
  genesis.network = "home";
  genesis.prefix = ca.six;
  genesis.ipv4 = ca.four;
  genesis.created = kTestStart;
  genesis.ca_der = Bytes(40, 7);
  genesis.credential_key = test_key(210).public_key();
  genesis.document_key = key.public_key();
  const std::string text = without_signature(build_genesis(genesis, key));
  seed("genesis", "whole", text);
  seed("genesis", "cut", std::string_view(text).substr(0, 100));
  seed("genesis", "with_signature", text + "signature " + to_base64(Bytes(64, 1)) + "\n");

  NetworkDocument document;
  document.network = {0xab, 1};
  document.version = 1;
  document.time = kTestStart;
  seed("network_document", "least", without_signature(build_network_document(document, key)));
  document.registries = {"https://198.51.100.7:8443", "https://[::1]"};
  document.others = {{"new", "key with words"}};
  document.revoked = {{5, kTestEnd}, {UINT64_MAX, kTestNow}};
  const std::string whole = without_signature(build_network_document(document, key));
  seed("network_document", "whole", whole);
  document.reissue = {1, 2, UINT64_MAX};
  seed("network_document", "reissue", without_signature(build_network_document(document, key)));
  document.document_keys.assign(2, sign_document_key(document.network, key.public_key(), key));
  document.credential_keys = {test_key(1).public_key(), test_key(2).public_key()};
  document.ca_ders = {ca.der, Bytes(40, 7)};
  seed("network_document", "keys", without_signature(build_network_document(document, key)));
  seed("network_document", "with_signature", whole + "signature " + to_base64(Bytes(64, 1)) + "\n");

  Invite invite;
  invite.base = "https://198.51.100.7:8443";
  invite.network = "home";
  invite.genesis = {1, 2, 3};
  invite.token = {4, 5, 6};
  seed("invite", "v4", build_invite(invite));
  invite.base = "https://[2001:db8::1]";
  seed("invite", "v6", build_invite(invite));
  invite.base = "https://vpn.example.org:443";
  seed("invite", "name", build_invite(invite));
  seed("invite", "cut", "https://198.51.100.7:8443/home");
}

void records() {
  const TestMember m;
  for (const int choices : {0, 3, 7, 11}) {
    Bytes bytes = {static_cast<std::uint8_t>(choices)};
    const PacketKeyBytes pkr = m.pkr();
    const CredentialBytes cred = m.cred();
    bytes.insert(bytes.end(), pkr.begin(), pkr.begin() + kPacketKeyBody);
    bytes.resize(1 + kPacketKeySize);
    bytes.insert(bytes.end(), cred.begin(), cred.begin() + kCredentialBody);
    bytes.resize(1 + kPacketKeySize + kCredentialSize);
    seed("records", "choices_" + std::to_string(choices), bytes);
  }
  OriginRecord origin;
  origin.network = m.trust.network;
  origin.address = m.credential.address;
  origin.seqno = 9;
  origin.name = "alice";
  seed("origin_body", "empty", std::string_view());
  seed("origin_body", "bare", build_origin_body(origin));
  origin.endpoints = {WATTLE_MUST(Endpoint::parse("1.2.3.4:8737")),
                      WATTLE_MUST(Endpoint::parse("[fd00::1]:8737"))};
  seed("origin_body", "endpoints", build_origin_body(origin));
}

void certificates() {
  const TestCa ca;
  const crypto::PrivateKey key = test_key(1);
  const Bytes csr = with_fixed_signature([&] { return WATTLE_MUST(crypto::make_csr(key)); });
  seed("csr", "good", csr);
  seed("csr", "cut", ByteView(csr).first(100));
  seed("csr", "other_key",
       with_fixed_signature([&] { return WATTLE_MUST(crypto::make_csr(test_key(2))); }));
  const Bytes request = WATTLE_MUST(crypto::make_csr(key));
  const auto issue = [&](const crypto::MemberCertificate& what) {
    return with_fixed_signature(
        [&] { return WATTLE_MUST(crypto::issue_certificate(ca.key, ca.der, what, request)); });
  };
  crypto::MemberCertificate member = ca.member();
  const Bytes good = issue(member);
  seed("certificate", "good", good);
  seed("certificate", "cut", ByteView(good).first(200));
  member.prefix6 = test_prefix("2001:db8:42:8000::/51");
  member.address4 = test_prefix("10.91.6.0/23");
  seed("certificate", "prefixes", issue(member));
  seed("certificate", "ca", with_fixed_signature([&] { return ca.certificate(); }));
  seed("certificate", "pem", crypto::der_to_pem(Bytes(80, 3), "CERTIFICATE"));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: fuzz_crypto_corpus FOLDER\n");
    return 2;
  }
  root = argv[1];
  texts();
  documents();
  records();
  certificates();
  return 0;
}
