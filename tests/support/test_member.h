// A network's credential key and one member with credential and packet-key record, for tests.
#pragma once

#include "common/proto/acceptance.h"
#include "tests/support/test_ca.h"

namespace wattle {

struct TestMember {
  crypto::PrivateKey credential_key = test_key(210);
  crypto::PrivateKey identity = test_key(1);
  crypto::PrivateKey packet_key = test_key(2);
  Trust trust;
  Credential credential;
  PacketKeyRecord record;

  TestMember() {
    trust.network = {1, 2, 3};
    trust.credential_keys = {credential_key.public_key()};
    credential.network = trust.network;
    credential.address = NodeAddress::from_key(identity.public_key());
    credential.serial = 1000;
    credential.not_before = kTestStart;
    credential.not_after = kTestEnd;
    credential.mac = mac_of(trust.network, credential.address);
    credential.ipv4 = test_prefix("10.91.4.1/32");
    credential.ipv6 = test_prefix("2001:db8:42:2::/64");
    credential.name_hash = name_hash("alice");
    record.network = trust.network;
    record.owner = credential.address;
    record.epoch = 5000;
    record.not_before = kTestNow;
    record.not_after = {kTestNow.seconds + kPacketKeyLife};
    record.key = packet_key.public_key();
    record.serial = credential.serial;
  }

  CredentialBytes cred() const { return build_credential(credential, credential_key); }
  PacketKeyBytes pkr() const { return build_packet_key(record, identity); }
  Check judge(UnixTime now = kTestNow, const SeenRecord* seen = nullptr) const {
    Accepted out;
    return accept_record(trust, pkr(), cred(), credential.address, now, seen, out);
  }
  Check judge_credential(UnixTime now = kTestNow, std::uint64_t lowest = 0) const {
    Credential out;
    return accept_credential(trust, cred(), credential.address, now, lowest, out);
  }
};

}  // namespace wattle
