// metad and the registry (DESIGN 5): GET /NET/document every 5 to 15 minutes, POST /NET/origin at
// start and on change. HTTPS with the key that genesis pins; nothing else of its certificate
// counts, and nothing that it says is believed without the signature of the document key. Its URLs
// come from the network document. It may be away for as long as it likes.
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

struct ssl_ctx_st;
struct bufferevent;

namespace wattle::metad {

class RegistryClient {
 public:
  RegistryClient(os::EventLoop& loop, std::string network, const ByteArray<32>& https_key,
                 Random& random, std::function<void(std::string document)> on_document,
                 std::function<void(std::string answer)> on_origin_answer);
  ~RegistryClient();

  // Where it is: the document's URLs in order. Host names are looked up before the seal only
  // (resolve_registries); of the others the literal addresses count.
  void set_places(std::vector<Endpoint> places);
  void publish(const PublishOrigin& origin);

 private:
  enum class Job { None, Document, Origin };
  void begin();
  void read();
  void finish(bool worked, int status, std::string body);
  void plan(Duration delay);
  Duration between(Duration shortest, Duration longest);
  std::string request() const;
  static void on_read(bufferevent* event, void* self);
  static void on_event(bufferevent* event, short what, void* self);

  os::EventLoop& loop_;
  std::string network_;
  ByteArray<32> https_key_;
  Random& random_;
  std::function<void(std::string)> on_document_, on_origin_answer_;
  struct FreeContext {
    void operator()(ssl_ctx_st* context) const;
  };
  std::unique_ptr<ssl_ctx_st, FreeContext> context_;
  std::vector<Endpoint> places_;
  std::size_t place_ = 0;
  std::optional<PublishOrigin> origin_;  // not yet accepted
  std::uint64_t origin_number_ = 0, sent_number_ = 0;
  Job job_ = Job::None;
  bufferevent* event_ = nullptr;
  bufferevent* ended_ = nullptr;  // to be freed by the loop
  std::string received_;
  os::Watch next_, deadline_, sweep_;
  Duration delay_;
};

// Literal addresses of URLs; with `lookup` host names, too (blocking, before the seal).
std::vector<Endpoint> registry_places(const std::vector<std::string>& urls, bool lookup);

}  // namespace wattle::metad
