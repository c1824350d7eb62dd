// metad and the registry (DESIGN 5): the network document, POST /NET/origin at start and on change,
// POST /NET/renew. A relay keeps one long poll open (GET /NET/document?after=N, which the registry
// answers when there is a newer one); others ask every 5 to 15 minutes. HTTPS with the key that
// genesis pins; nothing else of its certificate counts, and nothing that it says is believed
// without the signature of the document key. Its URLs come from the network document. It may be
// away for as long as it likes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/base/random.h"
#include "common/net/endpoint.h"
#include "common/os/event_loop.h"
#include "metad/core/actions.h"
#include "metad/io/https_call.h"

struct ssl_ctx_st;

namespace wattle::metad {

class RegistryClient {
 public:
  struct Callbacks {
    std::function<void(std::string document)> on_document;
    std::function<void(std::string answer)> on_origin_answer;
    // Status 0: it could not be reached.
    std::function<void(int status, std::string body)> on_renewal_answer;
  };
  RegistryClient(os::EventLoop& loop, std::string network, const ByteArray<32>& https_key,
                 Random& random, Callbacks callbacks);
  ~RegistryClient();

  // Where it is: the document's URLs in order. Host names are looked up before the seal only
  // (resolve_registries); of the others the literal addresses count.
  void set_places(std::vector<Endpoint> places);
  // Which version is in force, and whether to wait for newer ones at the registry.
  void follow(bool relay, std::uint64_t version);
  void publish(const PublishOrigin& origin);
  void renew(const PostRenewal& renewal);  // answered once; a newer one replaces one that waits

 private:
  enum class Job { Document, Origin, Renewal };
  void begin();
  void finish(Job job, bool answered, int status, std::string body);
  void plan(Duration delay);
  void begin_poll();
  void finish_poll(bool answered, int status, std::string body);
  void plan_poll(Duration delay);
  Duration between(Duration shortest, Duration longest);
  const Endpoint& place() const { return places_[place_ % places_.size()]; }
  std::string ask(const std::string& path) const;
  std::string post(const std::string& path, const std::string& body) const;

  os::EventLoop& loop_;
  std::string network_;
  ByteArray<32> https_key_;
  Random& random_;
  Callbacks callbacks_;
  struct FreeContext {
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, FreeContext> context_;
  HttpsCall call_, poll_;
  std::vector<Endpoint> places_;
  std::size_t place_ = 0;
  std::optional<PublishOrigin> origin_;  // not yet accepted
  std::uint64_t origin_number_ = 0, sent_number_ = 0;
  std::optional<std::string> renewal_;  // not yet sent
  bool relay_ = false;
  std::uint64_t version_ = 0, polled_version_ = 0;
  Instant polled_{};
  os::Watch next_, next_poll_;
  Duration delay_, poll_delay_;
};

// Literal addresses of URLs; with `lookup` host names, too (blocking, before the seal).
std::vector<Endpoint> registry_places(const std::vector<std::string>& urls, bool lookup);

}  // namespace wattle::metad
