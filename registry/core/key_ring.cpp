#include "registry/core/key_ring.h"

#include <algorithm>

#include "common/proto/labels.h"

namespace wattle::registry {
namespace {

Error broken(const char* why) { return Error(Errc::BadValue, why); }

}  // namespace

KeyRing::KeyRing(const Genesis& genesis) {
  keys(KeyKind::Document).push_back({genesis.document_key, {}, {}, genesis.created, true});
  keys(KeyKind::Credential).push_back({genesis.credential_key, {}, {}, genesis.created, true});
  keys(KeyKind::Ca).push_back({{}, genesis.ca_der, {}, genesis.created, true});
}

std::vector<KeyRing::Key>& KeyRing::keys(KeyKind kind) {
  return kinds_.at(static_cast<std::size_t>(kind));
}

const std::vector<KeyRing::Key>& KeyRing::keys(KeyKind kind) const {
  return kinds_.at(static_cast<std::size_t>(kind));
}

std::size_t KeyRing::in_force(KeyKind kind) const {
  const auto& all = keys(kind);
  return static_cast<std::size_t>(
      std::count_if(all.begin(), all.end(), [](const Key& key) { return key.in_force; }));
}

Result<void> KeyRing::rotate(const RotateEntry& e, const NetworkId& network, UnixTime time) {
  std::vector<Key>& all = keys(e.kind);
  if (std::any_of(all.begin(), all.end(), [&](const Key& key) { return key.key == e.key; }))
    return broken("the new key is one of the network's already");
  if (e.kind == KeyKind::Document) {
    if (crypto::verify(all.back().key, {as_bytes(kLabelDocumentKey), network, e.key},
                       e.signature) != crypto::Verdict::Good)
      return broken("the new document key is not signed by the one before it");
    if (all.size() > kMaxDocumentKeys) return broken("too many document keys");
    all.back().in_force = false;
  } else if (in_force(e.kind) >= kMaxInForce) {
    return broken("the older key is still in force");
  }
  if ((e.kind == KeyKind::Ca) == e.ca_der.empty())
    return broken("a CA key without its certificate, or another key with one");
  all.push_back({e.key, e.ca_der, e.signature, time, true});
  return {};
}

Result<void> KeyRing::retire(const RetireEntry& e) {
  if (e.kind == KeyKind::Document || in_force(e.kind) < 2)
    return broken("there is no older key in force");
  std::vector<Key>& all = keys(e.kind);
  for (Key& key : all) key.in_force = &key == &all.back();
  return {};
}

void KeyRing::put(NetworkDocument& document) const {
  document.document_keys.clear();
  document.credential_keys.clear();
  document.ca_ders.clear();
  const std::vector<Key>& chain = keys(KeyKind::Document);
  for (std::size_t i = 1; i < chain.size(); ++i)
    document.document_keys.push_back({chain[i].key, chain[i].signature});
  if (newest(KeyKind::Credential) != 0)
    for (const Key& key : keys(KeyKind::Credential))
      if (key.in_force) document.credential_keys.push_back(key.key);
  if (newest(KeyKind::Ca) != 0)
    for (const Key& key : keys(KeyKind::Ca))
      if (key.in_force) document.ca_ders.push_back(key.ca_der);
}

bool KeyRing::is_said_by(const NetworkDocument& document) const {
  NetworkDocument wanted;
  put(wanted);
  return wanted.document_keys == document.document_keys &&
         wanted.credential_keys == document.credential_keys && wanted.ca_ders == document.ca_ders;
}

}  // namespace wattle::registry
