// How the network document travels between neighbours (DESIGN 5): everybody tells its version,
// whoever hears of a higher one asks for it in windows of kWindow parts, so that a link never
// carries more than one window at a time, however long the document and however slow the link.
// The answering side keeps nothing. Pure; what a transfer brought is verified by the caller.
//
// Bounded: one transfer per link, one per version, kMaxTransfers together, kMaxDocument bytes each.
// A link that is silent for kPartLimit loses its transfer and is asked again after a back-off; one
// whose document was refused is not asked again for that version.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/bytes.h"
#include "common/base/token_bucket.h"
#include "metad/core/ids.h"

namespace wattle::metad {

// A line DOCUMENT_PART: bytes of the text from `offset` on.
struct DocumentPart {
  std::size_t offset = 0;
  std::string_view bytes;  // into the text
};

class DocumentGossip {
 public:
  static constexpr std::size_t kPart = 1050;  // bytes; 1400 characters of base64
  static constexpr std::size_t kWindow = 16;  // parts answered to one REQ_DOCUMENT
  static constexpr std::size_t kMaxTransfers = 8;
  static constexpr Duration kPartLimit = std::chrono::seconds(5);
  static constexpr Duration kWholeLimit = std::chrono::minutes(2);
  static constexpr Duration kFirstBackOff = std::chrono::seconds(5);
  static constexpr Duration kLongestBackOff = std::chrono::minutes(5);

  // The version in force; 0: none. Transfers of older ones end.
  void in_force(std::uint64_t version);
  // The neighbour's DOCUMENT: the newest word counts.
  void told(LinkId link, std::uint64_t version);
  void link_down(LinkId link);

  enum class Part {
    Taken,
    Whole,    // the last one: take() has the text
    Unasked,  // no such transfer, or not the next bytes: a late answer; harmless
    Wrong,    // another length than before, or beyond it: the transfer is over
  };
  Part part(LinkId link, std::uint64_t version, std::uint64_t offset, std::uint64_t total,
            ByteView bytes, Instant now);
  std::string take(LinkId link);
  // What this link brought as `version` did not verify, or is older than it said.
  void refused(LinkId link, std::uint64_t version);

  struct Ask {  // REQ_DOCUMENT
    LinkId link = 0;
    std::uint64_t version = 0;
    std::size_t from = 0;
    bool operator==(const Ask&) const = default;
  };
  // To be sent now.
  std::vector<Ask> due(Instant now);
  Instant next_deadline() const;

  // The answer to REQ_DOCUMENT `from`: empty if `from` is not inside the text, or if this link asks
  // for more than 8 windows a second (64 at once).
  std::vector<DocumentPart> answer(LinkId link, std::string_view text, std::uint64_t from,
                                   Instant now);
  // What the neighbour said last; 0: nothing.
  std::uint64_t version_of(LinkId link) const;

 private:
  struct Transfer {
    std::uint64_t version = 0;
    std::string text;
    std::size_t total = 0;  // 0: no part yet
    std::size_t asked = 0;  // bytes expected when the window is complete
    bool ask = true;
    bool whole = false;
    Instant began{}, heard{};
  };
  struct Peer {
    std::uint64_t version = 0;
    std::uint64_t refused = 0;  // not asked for this one again
    unsigned failures = 0;
    Instant not_before{};
    std::optional<Transfer> transfer;
    TokenBucket windows{8, 64};
  };
  bool is_wanted(const Peer& peer) const;
  bool is_under_way(std::uint64_t version) const;
  std::size_t transfers() const;
  static Instant limit(const Transfer& transfer);
  static void fail(Peer& peer, Instant now);

  std::uint64_t own_ = 0;
  std::map<LinkId, Peer> peers_;
};

}  // namespace wattle::metad
