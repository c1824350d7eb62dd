// What a lane did not take yet: state, not events (DESIGN 1). Each message has a key; a newer one
// of the same key replaces the older one in its place, so order among keys is kept and a receiver
// that stands still costs at most `limit` messages.
#pragma once

#include <functional>
#include <list>
#include <string>
#include <unordered_map>

#include "common/ipc/meta_link.h"

namespace wattle::cryptod {

// Message kind and the fields that make it one of its own: the member's address, the id of the
// request it answers, the question.
std::string backlog_key(const meta_link::ToMetad::Message& message);
// About how many bytes of memory it holds.
std::size_t weight_of(const meta_link::ToMetad::Message& message);

class Backlog {
 public:
  using Message = meta_link::ToMetad::Message;

  // At most `limit` messages, and about `bytes` of memory.
  Backlog(std::size_t limit, std::size_t bytes) : limit_(limit), most_bytes_(bytes) {}

  // False if a limit is reached and the key is new: the message is refused.
  bool put(Message message);
  // Hands messages over in order, as long as `take` says true.
  void drain(const std::function<bool(const Message&)>& take);

  bool empty() const { return order_.empty(); }
  std::size_t size() const { return order_.size(); }
  std::size_t bytes() const { return bytes_; }
  void clear();

 private:
  struct Entry {
    std::string key;
    Message message;
  };
  std::size_t limit_, most_bytes_;
  std::size_t bytes_ = 0;
  std::list<Entry> order_;
  std::unordered_map<std::string, std::list<Entry>::iterator> by_key_;
};

}  // namespace wattle::cryptod
