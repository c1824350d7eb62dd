// TCP and UDP inside Ethernet frames, as the virtio-net offloads need them (virtio 1.2, 5.1.6):
// where the parts of a frame stand, its checksums, a super-frame cut into segments and segments
// joined to one. A segment whose checksums nobody has made yet is called unsummed. Pure; nothing is
// allocated.
#pragma once

#include <cstdint>
#include <optional>

#include "common/net/ether_frame.h"

namespace wattle {

inline constexpr std::uint8_t kProtocolTcp = 6;
// Ethernet, IP with its options or extension headers, TCP with its options.
inline constexpr std::size_t kMostHeaders = 256;

// The parts of a frame with one whole TCP segment or UDP datagram (or a super-frame of them).
struct SegmentView {
  bool v4 = false, tcp = false;
  std::uint16_t transport =
      0;                      // offset of the TCP or UDP header in the frame; IP's is kEtherHeader
  std::uint16_t payload = 0;  // offset of what it carries
  std::uint32_t size = 0;     // of the frame without link padding

  std::size_t payload_size() const { return size - payload; }
  std::uint16_t checksum_offset() const { return tcp ? 16 : 6; }  // in the TCP or UDP header
};
// nullopt: not TCP or UDP over IPv4 or IPv6, a fragment of IP, lengths that do not add up, or more
// headers than kMostHeaders bytes.
std::optional<SegmentView> view_segment(ByteView frame);

// Makes the checksums of an unsummed segment: of the IPv4 header and of the whole TCP or UDP.
void complete_checksums(MutableBytes frame, const SegmentView& view);
// The same for a kernel that makes the latter itself: its field holds the pseudo-header's sum.
void prepare_checksums(MutableBytes frame, const SegmentView& view);

// Cuts a frame's payload into pieces of at most `piece` bytes (>= 1), each with the frame's headers
// as the kernel would write them: sequence number, IPv4 identification, flags and lengths of its
// own; unsummed. UDP is cut only where the kernel says that it is a row of datagrams.
class Segmenter {
 public:
  Segmenter(ByteView frame, const SegmentView& view, std::size_t piece)
      : frame_(frame), view_(view), piece_(piece) {}

  std::size_t count() const {
    return view_.payload_size() == 0 ? 1 : (view_.payload_size() + piece_ - 1) / piece_;
  }
  SegmentView view(std::size_t i) const;
  // Writes the segment without the first `skip` bytes of its Ethernet header: view(i).size - skip.
  void write(std::size_t i, std::size_t skip, MutableBytes out) const;

 private:
  ByteView frame_;
  SegmentView view_;
  std::size_t piece_;
};

// Joins unsummed segments of one flow that follow each other to a super-frame. It believes nothing
// but what the segments' own headers say, and compares all of them.
class Joiner {
 public:
  static constexpr std::size_t kMaxSegments = 64;

  bool is_open() const { return count_ != 0; }
  std::size_t count() const { return count_; }
  std::size_t segment_size() const { return piece_; }  // payload of each but the last
  const SegmentView& view() const { return view_; }    // of the whole
  // Begins with this segment; `frame` is kept and changed by finish().
  void begin(MutableBytes frame, const SegmentView& view);
  // True if it is the next one: the caller puts its payload behind the others'.
  bool append(ByteView frame, const SegmentView& view);
  // The first segment tells that its sender has slowed down (CWR): only a first one may.
  bool has_cwr() const;
  // Lengths and flags of the whole into the first segment's headers, its checksums prepared; then
  // it is not open any more. Returns the first frame.
  MutableBytes finish();

 private:
  MutableBytes head_;
  SegmentView view_;
  std::size_t piece_ = 0, count_ = 0;
  std::uint32_t next_sequence_ = 0;
  std::uint8_t last_flags_ = 0;
  bool full_ = false;
};

}  // namespace wattle
