wattle_fuzz(cryptod_datagram
  SOURCES fuzz/cryptod_datagram_fuzz.cpp unit/cryptod/core/engine_lab.cpp
  LINKS cryptod_core)
wattle_fuzz(cryptod_handshake
  SOURCES fuzz/cryptod_handshake_fuzz.cpp unit/cryptod/core/engine_lab.cpp
  LINKS cryptod_core)
wattle_fuzz(cryptod_replay_window
  SOURCES fuzz/cryptod_replay_window_fuzz.cpp
  LINKS cryptod_core)
wattle_fuzz(cryptod_fragments
  SOURCES fuzz/cryptod_fragments_fuzz.cpp
  LINKS cryptod_core)
wattle_fuzz(cryptod_endpoint_note
  SOURCES fuzz/cryptod_endpoint_note_fuzz.cpp
  LINKS cryptod_core)
