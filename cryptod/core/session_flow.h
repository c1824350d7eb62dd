// TRANSPORT datagrams: finds the session, opens, confirms what is to be confirmed, learns paths,
// and hands the inner message on.
#pragma once

#include "cryptod/core/frame_flow.h"
#include "cryptod/core/probe_desk.h"
#include "cryptod/core/punch_desk.h"
#include "cryptod/core/relay_flow.h"

namespace wattle::cryptod {

class SessionFlow {
 public:
  SessionFlow(EngineContext& context, SessionKeeper& sessions, MemberBook& members,
              HandshakeFlow& handshakes, FrameFlow& frames, ProbeDesk& probes, PathDesk& paths,
              PunchDesk& punches, RelayFlow& relay)
      : ctx_(context),
        sessions_(sessions),
        members_(members),
        handshakes_(handshakes),
        frames_(frames),
        probes_(probes),
        paths_(paths),
        punches_(punches),
        relay_(relay) {}

  void transport(const Received& datagram);
  // Keepalives, confirmations, ends of sessions, silence of the other side.
  void due(Peer& peer);

 private:
  void confirm(Peer& peer, const Path& from);
  void empty(Peer& peer, Session& session, const Path& from, ByteView body);
  void inner(Peer& peer, Session& session, const Path& from, const Session::Opened& opened);
  void records(Peer& peer, ByteView body);

  EngineContext& ctx_;
  SessionKeeper& sessions_;
  MemberBook& members_;
  HandshakeFlow& handshakes_;
  FrameFlow& frames_;
  ProbeDesk& probes_;
  PathDesk& paths_;
  PunchDesk& punches_;
  RelayFlow& relay_;
};

}  // namespace wattle::cryptod
