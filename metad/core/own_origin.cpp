#include "metad/core/own_origin.h"

#include <algorithm>
#include <utility>

#include "common/base/mutant.h"
#include "common/base/parse.h"

namespace wattle::metad {

OwnOrigin::OwnOrigin(const Setup& setup, Instant now)
    : network_(setup.network),
      address_(setup.address),
      name_(setup.name),
      serial_(setup.serial),
      options_(setup.options),
      prefix6_(setup.prefix6),
      prefix4_(setup.prefix4),
      fixed_(setup.own_endpoints),
      port4_(setup.port),
      port6_(setup.port),
      not_before_(fixed_.empty() ? now + kWaitForAddresses : now) {
  restore(setup);
}

// The record in force before the restart: a link that comes up finds us at once.
void OwnOrigin::restore(const Setup& setup) {
  if (setup.origin.empty()) return;
  const auto line = parse_request(split(setup.origin, '\n').front());
  if (!line || line->verb != Verb::AddHost) return;
  const auto origin = parse_origin(*line, network_);
  if (!origin || origin->record.address != address_ || origin->record.name != name_ ||
      !WATTLE_CHECKED(own_origin_stored, verify_origin(origin->record, origin->signature)))
    return;
  current_ = *origin;
}

void OwnOrigin::local(const meta_link::LocalEndpoints& message) {
  local_.assign(message.addresses.begin(),
                message.addresses.begin() +
                    static_cast<std::ptrdiff_t>(std::min(message.addresses.size(), kMaxLocal)));
  port4_ = message.port4;
  port6_ = message.port6;
  seen_.assign(message.seen.begin(),
               message.seen.begin() +
                   static_cast<std::ptrdiff_t>(std::min(message.seen.size(), kMaxEndpoints)));
  not_before_ = std::min(not_before_, asked_ + kGap);
}

void OwnOrigin::observed(const IpAddress& address) {
  if (!is_useful(address)) return;
  std::erase(observed_, address);
  observed_.push_front(address);
  if (observed_.size() > kMaxObserved) observed_.pop_back();
}

void OwnOrigin::renewed(std::string name, std::uint64_t serial) {
  name_ = std::move(name);
  serial_ = serial;
}

std::optional<key_link::SignOrigin> OwnOrigin::due(Instant now) {
  if (!keyd_ || now < not_before_ || !is_outdated()) return std::nullopt;
  if (waiting_ && now - asked_ < kAnswerLimit) return std::nullopt;
  if (!pace_.take(now)) {
    not_before_ = pace_.ready_at(now);
    return std::nullopt;
  }
  waiting_ = true;
  again_ = false;
  asked_ = now;
  not_before_ = now + kGap;
  key_link::SignOrigin request;
  request.options = options_;
  request.serial = serial_;
  request.name = name_;
  request.endpoints = endpoints();
  return request;
}

bool OwnOrigin::signed_one(const key_link::Origin& answer) {
  if (!std::exchange(waiting_, false)) return false;  // each one goes out to everybody
  auto record = parse_origin_body(answer.body);
  if (!record ||
      WATTLE_CHECKED(own_origin_answer, record->network != network_ ||
                                            record->address != address_ || record->name != name_ ||
                                            !verify_origin(*record, answer.signature)))
    return false;
  if (current_ && record->seqno <= current_->record.seqno) return false;
  current_ = SignedOrigin{*record, answer.signature};
  return true;
}

void OwnOrigin::refused(std::uint32_t retry_ms, Instant now) {
  waiting_ = false;
  const std::uint32_t wait = std::clamp<std::uint32_t>(retry_ms, 500, 60'000);
  not_before_ = now + std::chrono::milliseconds(wait);
}

Instant OwnOrigin::next_deadline() const {
  if (!keyd_ || !is_outdated()) return kNever;
  return waiting_ ? asked_ + kAnswerLimit : not_before_;
}

std::vector<Endpoint> OwnOrigin::endpoints() const {
  if (!fixed_.empty())
    return {fixed_.begin(),
            fixed_.begin() + static_cast<std::ptrdiff_t>(std::min(fixed_.size(), kMaxEndpoints))};
  std::vector<Endpoint> out;
  const auto add = [&](const IpAddress& address, std::optional<std::uint16_t> seen = {}) {
    const std::uint16_t port = seen.value_or(address.is_v4() ? port4_ : port6_);
    const Endpoint endpoint{address, port};
    if (port != 0 && is_useful(address) && out.size() < kMaxEndpoints &&
        std::find(out.begin(), out.end(), endpoint) == out.end())
      out.push_back(endpoint);
  };
  // Public ones first, whoever told of them; then those of the LAN.
  for (const IpAddress& address : local_)
    if (!address.is_private()) add(address);
  for (const Endpoint& endpoint : seen_) add(endpoint.address, endpoint.port);
  if (seen_.empty())
    for (const IpAddress& address : observed_)
      if (!address.is_private()) add(address);
  for (const IpAddress& address : local_) add(address);
  if (seen_.empty())
    for (const IpAddress& address : observed_) add(address);
  return out;
}

bool OwnOrigin::is_outdated() const {
  return again_ || !current_ || current_->record.endpoints != endpoints() ||
         current_->record.serial != serial_ || current_->record.name != name_ ||
         current_->record.options != options_;
}

bool OwnOrigin::is_useful(const IpAddress& address) const {
  return !address.is_unspecified() && !address.is_loopback() && !address.is_multicast() &&
         !address.is_link_local() && !prefix6_.contains(address) && !prefix4_.contains(address);
}

}  // namespace wattle::metad
