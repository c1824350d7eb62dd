// Judgement of new keys and of old ones that go.
#include "common/base/mutant.h"
#include "registry/signer/judge.h"

namespace wattle::signer {
namespace {

using sign_link::Rule;

constexpr std::size_t kKeyRoom = 4096;  // bytes in the document that a new key may take
constexpr std::size_t kNamesToTell = 8;

Refusal refuse(Rule rule, std::string sentence) { return {rule, std::move(sentence)}; }

std::string name_of(KeyKind kind) {
  return kind == KeyKind::Ca ? "CA key" : std::string(key_kind_name(kind)) + " key";
}

// Members whose newest certificate is good still, and of an older key.
std::vector<std::string> dependents(const Ledger& ledger, KeyKind kind, UnixTime now) {
  std::vector<std::string> out;
  for (const auto& [address, member] : ledger.members()) {
    const Held& held = member.newest();
    const std::size_t key = kind == KeyKind::Ca ? held.ca : held.credential_key;
    if (!member.revoked && held.until > now && key != ledger.keys().newest(kind))
      out.push_back(member.name);
  }
  return out;
}

std::string listed(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < kNamesToTell; ++i)
    out += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kNamesToTell)
    out += " and " + std::to_string(names.size() - kNamesToTell) + " more";
  return out;
}

}  // namespace

std::optional<Refusal> judge(const Ledger& ledger, const sign_link::RotateKey& request) {
  const KeyKind kind = request.kind;
  if (kind == KeyKind::Document) {
    if (ledger.keys().newest(kind) >= kMaxDocumentKeys)
      return refuse(Rule::KeysFull, "the document key was changed " +
                                        std::to_string(kMaxDocumentKeys) +
                                        " times; it cannot be changed again");
  } else if (ledger.keys().in_force(kind) >= kMaxInForce) {
    return refuse(Rule::KeysFull, "the older " + name_of(kind) +
                                      " is still in force: retire it first, with wattle-registry "
                                      "key retire " +
                                      std::string(key_kind_name(kind)));
  }
  if (ledger.document_text().size() + kKeyRoom > kMaxDocument)
    return refuse(Rule::Limit, "the network document has no room for another key");
  return std::nullopt;
}

std::optional<Refusal> judge(const Ledger& ledger, const sign_link::RetireKey& request,
                             UnixTime now) {
  const KeyKind kind = request.kind;
  if (kind == KeyKind::Document)
    return refuse(Rule::BadRequest,
                  "an older document key is retired by itself: it signs nothing any more");
  if (ledger.keys().in_force(kind) < 2)
    return refuse(Rule::KeyNone, "there is no older " + name_of(kind) +
                                     " in force; make a new one first, with wattle-registry key "
                                     "rotate " +
                                     std::string(key_kind_name(kind)));
  const std::vector<std::string> names = dependents(ledger, kind, now);
  if (!WATTLE_CHECKED(retire_needed, names.empty() || request.force))
    return refuse(Rule::KeyNeeded,
                  std::to_string(names.size()) +
                      (names.size() == 1 ? " member has" : " members have") +
                      " no certificate of the new " + name_of(kind) + " yet: " + listed(names) +
                      ". Wait until they have renewed, or say --force: then they are cut off "
                      "until they have");
  return std::nullopt;
}

}  // namespace wattle::signer
