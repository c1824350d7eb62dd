// Frames of a hostile member, joined as FrameFlow joins them, and frames with whatever a virtio-net
// header may say: what comes out has the lengths it says, is made of what came in, and can be cut
// into it again.
#include "common/base/check.h"
#include "common/base/reader.h"
#include "cryptod/core/offload.h"

using namespace wattle;           // NOLINT
using namespace wattle::cryptod;  // NOLINT

namespace {

struct Row {
  Joiner joiner;
  Bytes first;
  std::vector<Bytes> payloads;
};

void end(Row& row) {
  if (!row.joiner.is_open()) return;
  const std::size_t count = row.joiner.count(), segment = row.joiner.segment_size();
  WATTLE_CHECK(count == row.payloads.size() && count <= Joiner::kMaxSegments);
  const SegmentView view = row.joiner.view();
  const Offload offload = offload_of(view, count, segment, row.joiner.has_cwr());
  Bytes whole = to_bytes(row.joiner.finish());
  for (std::size_t i = 1; i < count; ++i)
    whole.insert(whole.end(), row.payloads[i].begin(), row.payloads[i].end());
  WATTLE_CHECK(whole.size() == view.size && whole.size() <= kMaxSuperFrame);
  const auto again = view_segment(whole);
  WATTLE_CHECK(again && again->size == view.size && again->payload == view.payload);
  WATTLE_CHECK(view_offloaded({whole, offload}));
  if (count == 1) return;
  const Segmenter cut(whole, *again, segment);
  WATTLE_CHECK(cut.count() == count && offload.segment == segment);
  for (std::size_t i = 0; i < count; ++i) {
    Bytes one(cut.view(i).size);
    cut.write(i, 0, one);
    WATTLE_CHECK(equal(ByteView(one).subspan(view.payload), row.payloads[i]));
  }
}

void take(Row& row, ByteView bytes) {
  Bytes frame = to_bytes(bytes);
  const auto view = view_segment(frame);
  if (!view) return;
  WATTLE_CHECK(view->size <= frame.size() && view->payload <= kMostHeaders);
  const Bytes payload = to_bytes(ByteView(frame).subspan(view->payload, view->payload_size()));
  if (!row.joiner.append(frame, *view)) {
    end(row);
    row.first = std::move(frame);
    row.payloads.clear();
    row.joiner.begin(row.first, *view);
  }
  row.payloads.push_back(payload);
}

void from_tap(ByteView input) {
  if (input.size() < kVirtioHeader) return;
  const auto offload = read_virtio_header(input);
  if (!offload) return;
  Bytes header(kVirtioHeader);
  write_virtio_header(*offload, header);
  const auto same = read_virtio_header(header);
  WATTLE_CHECK(same && same->row == offload->row && same->segment == offload->segment);
  Bytes frame = to_bytes(input.subspan(kVirtioHeader));
  const TapFrame tap{frame, *offload};
  if (const auto view = view_offloaded(tap)) {
    const Segmenter cut(frame, *view, std::max<std::size_t>(offload->segment, 16));
    std::size_t total = 0;
    for (std::size_t i = 0; i < cut.count(); ++i) {
      Bytes one(cut.view(i).size);
      cut.write(i, 0, one);
      complete_checksums(one, cut.view(i));
      total += cut.view(i).payload_size();
      WATTLE_CHECK(view_segment(one));
    }
    WATTLE_CHECK(total == view->payload_size());
  } else {
    static_cast<void>(complete_sum(tap));
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView input(data, size);
  from_tap(input);
  Row row;
  for (Reader in(input); in.left() != 0;) {
    const std::size_t length = in.u16();
    const ByteView frame = in.view(std::min(length, in.left()));
    if (!in.ok()) break;
    take(row, frame);
  }
  end(row);
  return 0;
}
