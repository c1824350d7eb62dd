#include "metad/core/document_gossip.h"

#include <algorithm>

#include "common/base/check.h"
#include "common/base/mutant.h"
#include "common/proto/genesis.h"

namespace wattle::metad {

void DocumentGossip::in_force(std::uint64_t version) {
  own_ = version;
  for (auto& [link, peer] : peers_)
    if (peer.transfer && peer.transfer->version <= own_) peer.transfer.reset();
}

void DocumentGossip::told(LinkId link, std::uint64_t version) {
  Peer& peer = peers_[link];
  peer.version = version;
  if (peer.transfer && peer.transfer->version != version) peer.transfer.reset();
}

void DocumentGossip::link_down(LinkId link) { peers_.erase(link); }

DocumentGossip::Part DocumentGossip::part(LinkId link, std::uint64_t version, std::uint64_t offset,
                                          std::uint64_t total, ByteView bytes, Instant now) {
  const auto at = peers_.find(link);
  if (at == peers_.end() || !at->second.transfer || at->second.transfer->whole ||
      at->second.transfer->version != version)
    return Part::Unasked;
  Transfer& transfer = *at->second.transfer;
  const bool other_total = transfer.total != 0 && transfer.total != total;
  if (WATTLE_CHECKED(document_total, total == 0 || total > kMaxDocument || other_total)) {
    fail(at->second, now);
    return Part::Wrong;
  }
  if (WATTLE_CHECKED(document_offset, offset != transfer.text.size())) return Part::Unasked;
  if (bytes.empty() || bytes.size() > total - offset) {
    fail(at->second, now);
    return Part::Wrong;
  }
  transfer.total = static_cast<std::size_t>(total);
  transfer.text.append(as_text(bytes));
  transfer.heard = now;
  if (transfer.text.size() == transfer.total) {
    transfer.whole = true;
    return Part::Whole;
  }
  transfer.ask = transfer.text.size() >= transfer.asked;
  return Part::Taken;
}

std::string DocumentGossip::take(LinkId link) {
  Peer& peer = peers_.at(link);
  WATTLE_CHECK(peer.transfer && peer.transfer->whole);
  std::string out = std::move(peer.transfer->text);
  peer.transfer.reset();
  peer.failures = 0;
  return out;
}

void DocumentGossip::refused(LinkId link, std::uint64_t version) {
  const auto at = peers_.find(link);
  if (at != peers_.end()) at->second.refused = version;
}

std::vector<DocumentGossip::Ask> DocumentGossip::due(Instant now) {
  for (auto& [link, peer] : peers_)
    if (peer.transfer && now >= limit(*peer.transfer)) fail(peer, now);
  std::vector<std::pair<LinkId, Peer*>> wanted;
  for (auto& [link, peer] : peers_)
    if (is_wanted(peer) && peer.not_before <= now) wanted.emplace_back(link, &peer);
  // Who never failed comes first, then who has the newest.
  std::stable_sort(wanted.begin(), wanted.end(), [](const auto& a, const auto& b) {
    return std::pair(a.second->failures, b.second->version) <
           std::pair(b.second->failures, a.second->version);
  });
  for (const auto& [link, peer] : wanted) {
    if (WATTLE_CHECKED(document_transfers, transfers() >= kMaxTransfers)) break;
    if (is_under_way(peer->version)) continue;
    peer->transfer = Transfer{};
    peer->transfer->version = peer->version;
    peer->transfer->began = peer->transfer->heard = now;
  }
  std::vector<Ask> out;
  for (auto& [link, peer] : peers_) {
    if (!peer.transfer || !peer.transfer->ask || peer.transfer->whole) continue;
    Transfer& transfer = *peer.transfer;
    transfer.ask = false;
    transfer.asked = transfer.text.size() + kPart * kWindow;
    out.push_back({link, transfer.version, transfer.text.size()});
  }
  return out;
}

Instant DocumentGossip::next_deadline() const {
  Instant out = kNever;
  const bool room = transfers() < kMaxTransfers;
  for (const auto& [link, peer] : peers_) {
    if (peer.transfer)
      out = std::min(out, peer.transfer->ask ? peer.transfer->heard : limit(*peer.transfer));
    else if (room && is_wanted(peer) && !is_under_way(peer.version))
      out = std::min(out, peer.not_before);
  }
  return out;
}

std::vector<DocumentPart> DocumentGossip::answer(LinkId link, std::string_view text,
                                                 std::uint64_t from, Instant now) {
  std::vector<DocumentPart> out;
  if (from >= text.size() || !WATTLE_CHECKED(document_window_rate, peers_[link].windows.take(now)))
    return out;
  for (auto at = static_cast<std::size_t>(from); at < text.size() && out.size() < kWindow;
       at += kPart)
    out.push_back({at, text.substr(at, kPart)});
  return out;
}

std::uint64_t DocumentGossip::version_of(LinkId link) const {
  const auto at = peers_.find(link);
  return at == peers_.end() ? 0 : at->second.version;
}

bool DocumentGossip::is_wanted(const Peer& peer) const {
  return !peer.transfer && peer.version > own_ && peer.version != peer.refused;
}

bool DocumentGossip::is_under_way(std::uint64_t version) const {
  return std::any_of(peers_.begin(), peers_.end(), [&](const auto& item) {
    return item.second.transfer && item.second.transfer->version == version;
  });
}

std::size_t DocumentGossip::transfers() const {
  return static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(), [](const auto& item) {
    return item.second.transfer.has_value();
  }));
}

Instant DocumentGossip::limit(const Transfer& transfer) {
  return std::min(transfer.heard + kPartLimit, transfer.began + kWholeLimit);
}

// The others that told of this version are asked at once, this one after a while.
void DocumentGossip::fail(Peer& peer, Instant now) {
  peer.transfer.reset();
  peer.not_before = now + std::min<Duration>(kFirstBackOff * (1u << std::min(peer.failures, 6u)),
                                             kLongestBackOff);
  ++peer.failures;
}

}  // namespace wattle::metad
