// Members of a World that can renew, and the registry that renews them: a CA, short lives, real
// certificates. For tests.
#pragma once

#include <nlohmann/json.hpp>

#include "common/base/hex.h"
#include "tests/support/meta_world.h"

namespace wattle::metad::test {

struct Renewing {
  static constexpr std::uint64_t kLife = 60;

  Realm realm;
  crypto::PrivateKey ca = key_of(203);
  IpPrefix six{IpAddress::v6(ByteArray<16>{0xfd}), 48};
  IpPrefix four{IpAddress::v4({10, 9, 0, 0}), 22};
  Bytes ca_der = ca_certificate();
  std::uint64_t next_serial = 5000;
  std::map<std::uint8_t, std::string> names;  // other than n1, n2, ...

  Bytes ca_certificate() const {
    return WATTLE_MUST(crypto::make_ca_certificate(ca, "home", six, &four, {Realm::kStart - 1000},
                                                   {Realm::kStart + 86400 * 365}));
  }
  static crypto::PrivateKey tls(std::uint8_t n) {
    return key_of(static_cast<std::uint8_t>(n + 50));
  }
  std::string name(std::uint8_t n) const {
    const auto at = names.find(n);
    return at == names.end() ? "n" + std::to_string(int{n}) : at->second;
  }

  // What an issue says; tests change it before it is signed.
  struct Draft {
    crypto::MemberCertificate certificate;
    Credential credential;
  };
  Draft draft(std::uint8_t n, std::uint64_t serial, UnixTime now) const {
    Draft out;
    out.credential = realm.credential(n, name(n));
    out.credential.serial = serial;
    out.credential.not_before = {now.seconds - kBackdated};
    out.credential.not_after = {now.seconds + kLife};
    out.certificate.common_name = std::to_string(int{n}) + "/16";
    out.certificate.anode_text = realm.address(n).text();
    out.certificate.dns_name = name(n);
    out.certificate.prefix6 = out.credential.ipv6;
    out.certificate.address4 = out.credential.ipv4;
    out.certificate.serial = serial;
    out.certificate.not_before = out.credential.not_before;
    out.certificate.not_after = out.credential.not_after;
    return out;
  }
  Membership issue(const Draft& what, const crypto::PrivateKey& tls_key) const {
    const Bytes csr = WATTLE_MUST(crypto::make_csr(tls_key));
    return {WATTLE_MUST(crypto::issue_certificate(ca, ca_der, what.certificate, csr)),
            build_credential(what.credential, realm.credential_key)};
  }
  // A setup that holds a membership issued now.
  void equip(Setup& setup, std::uint8_t n, UnixTime now) const {
    const Draft what = draft(n, 1000u + n, now);
    setup.tls_key = std::make_shared<const crypto::PrivateKey>(tls(n));
    setup.ca_der = ca_der;
    setup.credential = build_credential(what.credential, realm.credential_key);
    setup.certificate = issue(what, tls(n)).certificate;
    setup.not_before = what.credential.not_before;
    setup.expires = what.credential.not_after;
  }

  static std::string answer(const Membership& membership, const std::string& document = {}) {
    return nlohmann::json{{"schema", 1},
                          {"name", "whatever"},
                          {"certificate", to_base64(membership.certificate)},
                          {"credential", to_base64(membership.credential)},
                          {"document", document}}
        .dump();
  }
  // True if the request is one that a signer would grant to node n.
  bool is_right(std::uint8_t n, const std::string& body) const {
    const auto json = nlohmann::json::parse(body, nullptr, false);
    if (!json.is_object() || json.size() != 7 || json["protocol"] != kMetaVersion) return false;
    const Bytes csr = WATTLE_MUST(parse_base64(json["csr"].get<std::string>()));
    EnrolmentClaim claim;
    claim.network = realm.network;
    claim.address = realm.address(n);
    claim.csr_hash = crypto::sha256(csr);
    claim.nonce = to_array<16>(WATTLE_MUST(parse_hex(json["nonce"].get<std::string>())));
    const auto key = crypto::check_csr(csr);
    // What it holds, for a registry that has lost it.
    const auto held =
        decode_credential(WATTLE_MUST(parse_base64(json["credential"].get<std::string>())));
    return held && held->address == claim.address &&
           held->name_hash == name_hash(json["name"].get<std::string>()) &&
           json["address"] == claim.address.text() && key && *key == tls(n).public_key() &&
           verify_enrolment(claim, WATTLE_MUST(parse_base64(json["signature"].get<std::string>())));
  }
};

}  // namespace wattle::metad::test
