// A whole small network made on the spot: the keys of a signer, its genesis, one joiner and the
// registry's right answer to it. Tests bend one thing at a time.
#pragma once

#include <string>

#include "common/base/hex.h"
#include "common/crypto/certificate.h"
#include "common/proto/genesis.h"
#include "common/proto/network_document.h"
#include "common/proto/prefix_bits.h"
#include "metad/ctl/check_protocol.h"

namespace wattle::ctl::sample {

inline constexpr std::uint64_t kNow = 1790000000;

struct Network {
  crypto::PrivateKey ca = crypto::PrivateKey::generate();
  crypto::PrivateKey credential = crypto::PrivateKey::generate();
  crypto::PrivateKey document = crypto::PrivateKey::generate();
  crypto::PrivateKey https = crypto::PrivateKey::generate();
  Genesis genesis;
  std::string genesis_text;
  crypto::Hash hash{};

  // `wide`: the CA may hand out more than genesis says the network has.
  explicit Network(UnixTime now = {kNow}, bool wide = false) {
    genesis.network = "home";
    genesis.prefix = WATTLE_MUST(IpPrefix::parse("fd12:3456:789a::/48"));
    genesis.ipv4 = WATTLE_MUST(IpPrefix::parse("10.91.4.0/22"));
    genesis.created = {now.seconds - 1000};
    const IpPrefix ca6 = wide ? WATTLE_MUST(IpPrefix::parse("fd12::/16")) : genesis.prefix;
    const IpPrefix ca4 = wide ? WATTLE_MUST(IpPrefix::parse("10.0.0.0/8")) : genesis.ipv4;
    genesis.ca_der = WATTLE_MUST(crypto::make_ca_certificate(
        ca, "home", ca6, &ca4, {now.seconds - 1000}, {now.seconds + 10ULL * 365 * 86400}));
    genesis.credential_key = credential.public_key();
    genesis.document_key = document.public_key();
    genesis.https_key = crypto::spki_hash(https);
    genesis_text = build_genesis(genesis, document);
    hash = genesis_hash(genesis_text);
  }
  NetworkId id() const { return network_id(hash); }
};

struct Joiner {
  crypto::PrivateKey identity = crypto::PrivateKey::generate();
  crypto::PrivateKey tls = crypto::PrivateKey::generate();
  Bytes csr = crypto::make_csr(tls).value();
  NodeAddress address = NodeAddress::from_key(identity.public_key());
};

// What the answer will say; the two halves can be bent apart.
struct Parts {
  std::string name = "alice";
  crypto::MemberCertificate certificate;
  Credential credential;
  NetworkDocument document;
  std::string peers = "[]";
};

inline Parts right_parts(const Network& network, const Joiner& joiner, UnixTime now = {kNow}) {
  Parts out;
  Credential& c = out.credential;
  c.network = network.id();
  c.address = joiner.address;
  c.serial = 1790000000123;
  c.not_before = {now.seconds - 300};
  c.not_after = {now.seconds + 30 * 86400};
  c.mac = mac_of(network.id(), joiner.address);
  c.ipv4 = WATTLE_MUST(IpPrefix::parse("10.91.4.2/32"));
  c.ipv6 = member_prefix(network.genesis.prefix, "0000000000000010");
  c.name_hash = name_hash(out.name);
  crypto::MemberCertificate& m = out.certificate;
  m.common_name = "2/16";
  m.anode_text = joiner.address.text();
  m.dns_name = out.name;
  m.prefix6 = c.ipv6;
  m.address4 = c.ipv4;
  m.serial = c.serial;
  m.not_before = c.not_before;
  m.not_after = c.not_after;
  out.document.network = network.id();
  out.document.version = 3;
  out.document.time = now;
  out.document.registries = {"https://192.0.2.1:8443"};
  return out;
}

// The body of a 200 answer.
inline std::string answer_json(const Network& network, const Parts& parts, ByteView csr) {
  const Bytes der = WATTLE_MUST(
      crypto::issue_certificate(network.ca, network.genesis.ca_der, parts.certificate, csr));
  const CredentialBytes credential = build_credential(parts.credential, network.credential);
  std::string document = build_network_document(parts.document, network.document);
  std::string escaped;
  for (const char c : document) escaped += c == '\n' ? std::string("\\n") : std::string(1, c);
  return R"({"schema":1,"name":")" + parts.name + R"(","certificate":")" + to_base64(der) +
         R"(","credential":")" + to_base64(credential) + R"(","document":")" + escaped +
         R"(","peers":)" + parts.peers + "}";
}

inline CheckRequest right_request(const Network& network, const Joiner& joiner,
                                  const Parts& parts) {
  CheckRequest out;
  out.network = "home";
  out.genesis = network.hash;
  out.address = joiner.address;
  out.csr = joiner.csr;
  out.now = {kNow};
  out.genesis_text = network.genesis_text;
  out.status = 200;
  out.body = answer_json(network, parts, joiner.csr);
  return out;
}

}  // namespace wattle::ctl::sample
