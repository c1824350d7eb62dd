// The unix socket of the node (`nc -U /run/wattle/NET/meta`): connections, grades by SO_PEERCRED,
// lines in and out. Who may connect at all is the socket file's group and mode; here at most
// kMaxPerUid connections of one user, kMaxAll in all.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "common/os/log.h"
#include "metad/core/ids.h"
#include "metad/io/line_stream.h"

namespace wattle::metad {

class ControlServer {
 public:
  static constexpr std::size_t kMaxPerUid = 4;
  static constexpr std::size_t kMaxAll = 32;

  struct Callbacks {
    std::function<void(ControlId id, bool may_act)> on_open;
    std::function<void(ControlId id, std::string_view line)> on_line;
    std::function<void(ControlId id)> on_input_end;  // answer what is left, then close()
    std::function<void(ControlId id)> on_down;
  };
  ControlServer(os::EventLoop& loop, os::Fd listener, Callbacks callbacks);
  ~ControlServer();

  void send(ControlId id, std::string_view line);
  // A line that may be lost if the reader is slow; end_trace() says how many were, and END.
  void trace(ControlId id, std::string line);
  void end_trace(ControlId id);
  void close(ControlId id);

 private:
  struct Session;
  void watch();
  void on_acceptable();
  void ended(Session& session);

  os::EventLoop& loop_;
  os::Fd listener_;
  Callbacks callbacks_;
  os::Watch watch_, pause_, sweep_;
  std::map<ControlId, std::unique_ptr<Session>> sessions_;
  std::vector<std::unique_ptr<Session>> ended_;
  std::map<uid_t, std::size_t> per_uid_;
  os::log::Limited refused_;
  ControlId next_id_ = 1;
};

}  // namespace wattle::metad
