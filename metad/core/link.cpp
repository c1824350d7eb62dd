#include "metad/core/link.h"

#include <algorithm>

namespace wattle::metad {

Link::Link(LinkUp up, const NodeAddress& own, Instant now)
    : up_(std::move(up)), since_(now), heard_(now) {
  origin_.dialler = up_.dialled ? own : up_.address;
}

Link::Due Link::tick(Instant now) {
  if (stage_ == Stage::Closing) return Due::Nothing;
  if (stage_ != Stage::Active && now - since_ >= kStartLimit) return Due::TooSlow;
  if (stage_ != Stage::Active || now - heard_ < kIdle) return Due::Nothing;
  if (pings_ != 0 && now - asked_ < kPingGap) return Due::Nothing;
  if (pings_ >= kPings) return Due::Dead;
  ++pings_;
  asked_ = now;
  return Due::Ping;
}

Instant Link::next_deadline() const {
  if (stage_ == Stage::Closing) return kNever;
  if (stage_ != Stage::Active) return since_ + kStartLimit;
  return pings_ == 0 ? heard_ + kIdle : std::max(heard_ + kIdle, asked_ + kPingGap);
}

void Link::heard(Instant now) {
  heard_ = now;
  pings_ = 0;
}

bool Link::on_id(std::uint64_t their_dial, std::uint64_t their_incarnation) {
  if (stage_ != Stage::Fresh) return false;
  stage_ = Stage::Identified;
  if (!up_.dialled) origin_.dial = their_dial;
  incarnation_ = their_incarnation;
  return true;
}

bool Link::on_ack() {
  if (stage_ != Stage::Identified) return false;
  stage_ = Stage::Exchange;
  return true;
}

bool Link::on_end() {
  if (stage_ != Stage::Exchange) return false;
  stage_ = Stage::Active;
  return true;
}

}  // namespace wattle::metad
