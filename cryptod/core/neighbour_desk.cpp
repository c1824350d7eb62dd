#include "cryptod/core/neighbour_desk.h"

#include "common/base/mutant.h"

#include <algorithm>

namespace wattle::cryptod {

namespace {

template <std::size_t N>
ByteArray<16> left_aligned(const ByteArray<N>& bytes) {
  return to_array<16>(ByteView(bytes));
}

}  // namespace

NeighbourDesk::Question* NeighbourDesk::find_or_make(std::uint8_t kind,
                                                     const ByteArray<16>& value) {
  Question* free = nullptr;
  for (Question& q : questions_) {
    if (q.kind == kind && q.value == value && q.expires > ctx_.now()) return &q;
    if (q.expires <= ctx_.now()) free = &q;
  }
  if (free == nullptr) {
    if (WATTLE_CHECKED(questions_most, questions_.size() >= kQuestions)) {
      ctx_.count(Counter::DropNeighbourFull);
      return nullptr;
    }
    free = &questions_.emplace_back();
  }
  *free = {.kind = kind, .value = value, .query = {}, .expires = {}, .asked = {}};
  return free;
}

void NeighbourDesk::ask(Question& question) {
  const bool again = question.asked != Instant{} && ctx_.now() < question.asked + kAskAgain;
  question.expires = ctx_.now() + kLife;
  if (again || !ctx_.meta_up) return;
  question.asked = ctx_.now();
  ctx_.count(Counter::NeighbourQuestions);
  ctx_.tell_metad(meta_link::WantOwner{question.kind, question.value});
}

void NeighbourDesk::answer(const EtherQuery& query, const Credential& owner) {
  if (!ctx_.device.present) return;
  const EtherAnswer reply = build_answer(query, owner);
  const MutableBytes frame = ctx_.out->allocate(reply.size);
  if (frame.empty()) {
    ctx_.count(Counter::DropNoBuffer);
    return;
  }
  std::copy_n(reply.bytes.begin(), reply.size, frame.begin());
  ctx_.out->frames.push_back({frame});
  ctx_.count(Counter::NeighbourAnswers);
}

void NeighbourDesk::resolve(const EtherQuery& query) {
  if (const auto slot = ctx_.owners.find(query.target)) {
    const auto& member = ctx_.peers.at(*slot).member;
    if (member && member->credential.owns(query.target)) return answer(query, member->credential);
  }
  const std::uint8_t kind = query.target.is_v4() ? 4 : 6;
  Question* const question = find_or_make(kind, query.target.bytes);
  if (question == nullptr) return;
  question->query = query;
  ask(*question);
}

void NeighbourDesk::unknown_mac(const MacAddress& mac) {
  if (Question* const question = find_or_make(2, left_aligned(mac.bytes))) ask(*question);
}

void NeighbourDesk::verified(const Credential& credential) {
  for (Question& q : questions_) {
    if (q.expires <= ctx_.now()) continue;
    const bool his = q.kind == 2 ? q.value == left_aligned(credential.mac.bytes)
                                 : credential.owns(q.query.target);
    if (!his) continue;
    if (q.kind != 2) answer(q.query, credential);
    q.expires = Instant{};
  }
}

void NeighbourDesk::unknown(std::uint8_t kind, const ByteArray<16>& value) {
  for (Question& q : questions_)
    if (q.kind == kind && q.value == value && q.expires > ctx_.now())
      q.expires = std::max(ctx_.now(), q.asked + kAskAgain);
}

void NeighbourDesk::ask_all() {
  for (Question& q : questions_) {
    if (q.expires <= ctx_.now()) continue;
    q.asked = Instant{};
    const Instant expires = q.expires;
    ask(q);
    q.expires = expires;
  }
}

}  // namespace wattle::cryptod
