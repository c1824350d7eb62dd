#include "common/proto/trust_chain.h"

#include <algorithm>

#include "common/base/mutant.h"

namespace wattle {

std::string_view key_kind_name(KeyKind kind) {
  switch (kind) {
    case KeyKind::Document:
      return "document";
    case KeyKind::Credential:
      return "credential";
    case KeyKind::Ca:
      return "ca";
  }
  WATTLE_UNREACHABLE();
}

TrustChain::TrustChain(Start start)
    : start_(std::move(start)), credential_keys_{start_.credential_key}, ca_ders_{start_.ca_der} {}

Result<NetworkDocument> TrustChain::open(std::string_view text) const {
  NetworkDocument document =
      WATTLE_TRY(parse_network_document(text, start_.document_key, start_.network));
  if (!WATTLE_CHECKED(document_chain_goes_on, goes_on(document)))
    return Error(Errc::Exists,
                 "network document: its document keys do not go on from the ones known here; "
                 "whoever made it has an old key");
  return document;
}

bool TrustChain::goes_on(const NetworkDocument& next) const {
  // By keys alone: signatures have room for chance.
  const auto same = [](const NextDocumentKey& a, const NextDocumentKey& b) {
    return a.key == b.key;
  };
  return next.document_keys.size() >= document_keys_.size() &&
         std::equal(document_keys_.begin(), document_keys_.end(), next.document_keys.begin(), same);
}

void TrustChain::hold(const NetworkDocument& document) {
  document_keys_ = document.document_keys;
  credential_keys_ = document.credential_keys;
  if (credential_keys_.empty()) credential_keys_ = {start_.credential_key};
  ca_ders_ = document.ca_ders;
  if (ca_ders_.empty()) ca_ders_ = {start_.ca_der};
}

const crypto::PublicKey& TrustChain::document_key() const {
  return document_keys_.empty() ? start_.document_key : document_keys_.back().key;
}

bool TrustChain::has_left_genesis() const {
  return credential_keys_ != std::vector{start_.credential_key} ||
         ca_ders_ != std::vector<Bytes>{start_.ca_der};
}

bool TrustChain::has_ca(ByteView ca_der) const {
  return std::any_of(ca_ders_.begin(), ca_ders_.end(),
                     [&](const Bytes& der) { return equal(der, ca_der); });
}

}  // namespace wattle
