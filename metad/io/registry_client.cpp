#include "metad/io/registry_client.h"

#include <netdb.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

#include "common/base/check.h"
#include "common/base/hex.h"
#include "common/crypto/digest.h"
#include "common/os/clock.h"
#include "common/os/log.h"
#include "common/proto/genesis.h"
#include "metad/core/http_answer.h"

namespace wattle::metad {
namespace {

constexpr Duration kFirst = std::chrono::seconds(1);
constexpr Duration kLongestRetry = std::chrono::minutes(10);
constexpr Duration kRequestLimit = std::chrono::seconds(10);
constexpr Duration kPollLimit = std::chrono::seconds(70);  // the registry holds it for 50 s
constexpr Duration kLeastWait = std::chrono::seconds(20);
constexpr Duration kLongestPollRetry = std::chrono::minutes(1);

// The leaf's key must be the pinned one; names, dates and issuer of this self-made certificate say
// nothing.
int verify_pin(X509_STORE_CTX* store, void* pin) {
  X509* certificate = X509_STORE_CTX_get0_cert(store);
  unsigned char* der = nullptr;
  const int size =
      certificate == nullptr ? 0 : i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  bool good = false;
  if (size > 0) {
    const crypto::Hash hash = crypto::sha256(ByteView(der, static_cast<std::size_t>(size)));
    good = equal(hash, *static_cast<const ByteArray<32>*>(pin));
    OPENSSL_free(der);
  }
  X509_STORE_CTX_set_error(store, good ? X509_V_OK : X509_V_ERR_CERT_UNTRUSTED);
  return good ? 1 : 0;
}

}  // namespace

void RegistryClient::FreeContext::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

RegistryClient::RegistryClient(os::EventLoop& loop, std::string network,
                               const ByteArray<32>& https_key, Random& random, Callbacks callbacks)
    : loop_(loop),
      network_(std::move(network)),
      https_key_(https_key),
      random_(random),
      callbacks_(std::move(callbacks)),
      context_(SSL_CTX_new(TLS_client_method())),
      call_(loop, context_.get()),
      poll_(loop, context_.get()),
      delay_(kFirst),
      poll_delay_(kFirst) {
  WATTLE_CHECK(context_ != nullptr);
  WATTLE_CHECK(SSL_CTX_set_min_proto_version(context_.get(), TLS1_2_VERSION) == 1);
  SSL_CTX_set_verify(context_.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context_.get(), verify_pin, &https_key_);
  SSL_CTX_set_session_cache_mode(context_.get(), SSL_SESS_CACHE_OFF);
  plan(between(kFirst, kFirst * 2));
}

RegistryClient::~RegistryClient() = default;

void RegistryClient::set_places(std::vector<Endpoint> places) {
  if (places.empty()) return;  // what was looked up before the seal stays
  places_ = std::move(places);
  place_ = 0;
}

void RegistryClient::follow(bool relay, std::uint64_t version) {
  version_ = version;
  if (relay == relay_) return;
  relay_ = relay;
  if (relay_) return plan_poll(between(kFirst, kFirst * 2));
  next_poll_.reset();
  poll_.cancel();
  plan(between(kFirst, kFirst * 2));
}

void RegistryClient::publish(const PublishOrigin& origin) {
  origin_ = origin;
  ++origin_number_;
  if (!call_.is_busy()) plan(Duration::zero());
}

void RegistryClient::renew(const PostRenewal& renewal) {
  renewal_ = renewal.body;
  if (!call_.is_busy()) plan(Duration::zero());
}

void RegistryClient::plan(Duration delay) {
  next_ = loop_.after(delay, [this] { begin(); });
}

void RegistryClient::plan_poll(Duration delay) {
  next_poll_ = loop_.after(delay, [this] { begin_poll(); });
}

Duration RegistryClient::between(Duration shortest, Duration longest) {
  return shortest + (longest - shortest) / 1024 * static_cast<std::int64_t>(random_.u32() % 1024);
}

// 1.1: libevent's servers tell the length only there.
std::string RegistryClient::ask(const std::string& path) const {
  return "GET /" + network_ + path + " HTTP/1.1\r\nHost: " + place().text() +
         "\r\nConnection: close\r\n\r\n";
}

std::string RegistryClient::post(const std::string& path, const std::string& body) const {
  return "POST /" + network_ + path + " HTTP/1.1\r\nHost: " + place().text() +
         "\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

void RegistryClient::begin() {
  if (call_.is_busy()) return;
  if (places_.empty()) {
    if (std::exchange(renewal_, std::nullopt)) callbacks_.on_renewal_answer(0, {});
    return plan(kLongestRetry);
  }
  const auto start = [&](Job job, const std::string& request) {
    call_.start(place(), request, kRequestLimit,
                [this, job](bool answered, int status, std::string body) {
                  finish(job, answered, status, std::move(body));
                });
  };
  if (const auto renewal = std::exchange(renewal_, std::nullopt))
    return start(Job::Renewal, post("/renew", *renewal));
  if (origin_) {
    sent_number_ = origin_number_;
    return start(Job::Origin,
                 post("/origin", "{\"body\":\"" + to_base64(origin_->body) + "\",\"signature\":\"" +
                                     to_base64(origin_->signature) + "\"}"));
  }
  if (!relay_) start(Job::Document, ask("/document"));
}

void RegistryClient::finish(Job job, bool answered, int status, std::string body) {
  const bool worked = answered && status < 500 && status != 429;
  if (!worked) {
    ++place_;
    os::log::debug("the registry does not answer", {{os::log::Key::Msg, std::to_string(status)}});
    plan(renewal_ ? Duration::zero() : between(delay_, delay_ * 2));
    delay_ = std::min<Duration>(delay_ * 2, kLongestRetry);
    if (job == Job::Renewal) callbacks_.on_renewal_answer(answered ? status : 0, std::move(body));
    return;
  }
  delay_ = kFirst;
  // A newer one may have come meanwhile.
  if (job == Job::Origin && sent_number_ == origin_number_) origin_.reset();
  const bool more = origin_ || renewal_ || job != Job::Document;
  plan(more ? Duration::zero() : between(std::chrono::minutes(5), std::chrono::minutes(15)));
  switch (job) {
    case Job::Origin:
      if (status == 200) return callbacks_.on_origin_answer(std::move(body));
      return os::log::warning(
          "the registry refuses our origin record",
          {{os::log::Key::Err, std::to_string(status) + " " + body.substr(0, 200)}});
    case Job::Document:
      if (status == 200) callbacks_.on_document(std::move(body));
      return;
    case Job::Renewal:
      return callbacks_.on_renewal_answer(status, std::move(body));
  }
}

void RegistryClient::begin_poll() {
  if (!relay_ || poll_.is_busy()) return;
  if (places_.empty()) return plan_poll(kLongestPollRetry);
  polled_ = os::now();
  polled_version_ = version_;
  poll_.start(place(), ask("/document?after=" + std::to_string(version_)), kPollLimit,
              [this](bool answered, int status, std::string body) {
                finish_poll(answered, status, std::move(body));
              });
}

void RegistryClient::finish_poll(bool answered, int status, std::string body) {
  if (!answered || status >= 500 || status == 429) {
    ++place_;
    plan_poll(between(poll_delay_, poll_delay_ * 2));
    poll_delay_ = std::min<Duration>(poll_delay_ * 2, kLongestPollRetry);
    return;
  }
  poll_delay_ = kFirst;
  if (status == 200) callbacks_.on_document(std::move(body));
  // A registry that waits for nothing, or whose document is refused, is not asked in a loop.
  const bool news = version_ > polled_version_;
  const bool waited = os::now() - polled_ >= kLeastWait;
  plan_poll(news || waited ? between(Duration::zero(), kFirst / 4)
                           : between(std::chrono::minutes(1), std::chrono::minutes(3)));
}

std::vector<Endpoint> registry_places(const std::vector<std::string>& urls, bool lookup) {
  std::vector<Endpoint> out;
  for (const std::string& text : urls) {
    const auto url = parse_registry_url(text);
    if (!url) continue;
    if (const auto address = IpAddress::parse(url->host)) {
      out.push_back({*address, url->port});
      continue;
    }
    if (!lookup) continue;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo* found = nullptr;
    if (::getaddrinfo(url->host.c_str(), nullptr, &hints, &found) != 0) continue;
    for (const addrinfo* at = found; at != nullptr; at = at->ai_next) {
      std::array<char, NI_MAXHOST> host{};
      if (::getnameinfo(at->ai_addr, at->ai_addrlen, host.data(), host.size(), nullptr, 0,
                        NI_NUMERICHOST) != 0)
        continue;
      if (const auto address = IpAddress::parse(host.data())) out.push_back({*address, url->port});
    }
    ::freeaddrinfo(found);
  }
  return out;
}

}  // namespace wattle::metad
