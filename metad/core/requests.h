// The one table of the meta protocol (DESIGN 5): number, name, fields, where legal, forwarded or
// not. The parser, the printer, HELP, man/wattle-meta.7 and the fuzzers all come from it. Numbers
// 0-17 are tinc's of January 2001 (protocols.md 1.2); ours begin at 33.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "common/proto/line.h"

namespace wattle::metad {

enum class Verb : std::uint8_t {
  Id = 0,
  Challenge = 1,
  ChalReply = 2,
  MetaKey = 3,
  Ack = 4,
  Status = 5,
  Error = 6,
  TermReq = 7,
  Ping = 8,
  Pong = 9,
  AddHost = 10,
  DelHost = 11,
  AddSubnet = 12,
  DelSubnet = 13,
  KeyChanged = 14,
  ReqKey = 15,
  AnsKey = 16,
  Packet = 17,
  End = 33,
  Help = 34,
  Dump = 35,
  Probe = 36,
  Info = 37,
  ReqSeqno = 38,
  Document = 39,
  ReqDocument = 40,
  DocumentPart = 41,
  ReqWay = 42,
  AnsWay = 43,
  ReqHost = 44,
  Trace = 45,
  Rehearse = 46,
  Act = 47,
  Why = 48,
};

// Where a line arrives: a link between nodes passes Fresh -> Identified -> Exchange -> Active
// (link.h); Control is the unix socket, Clear a TCP connection without TLS.
enum class Stage : std::uint8_t { Fresh, Identified, Exchange, Active, Closing, Control, Clear };

constexpr std::uint8_t bit(Stage stage) {
  return static_cast<std::uint8_t>(1u << static_cast<unsigned>(stage));
}

enum class FieldKind : std::uint8_t {
  Name,      // a node's name, or its address in base32
  Number,    // decimal
  Hex,       // a number in hex, no prefix
  HostPort,  // 192.0.2.1:8737, [fd00::1]:8737, or tinc's hex IPv4 c0000201:655; 0:0 is "nowhere"
  Subnet,    // subnet.h
  Key,       // bytes: base64 (record and credential), or hex as in 2001
  Base64,    // 1 to 1050 bytes in base64 without padding
  Words,     // everything that is left, at least one word
};

struct Field {
  const char* name;
  FieldKind kind;
};

struct RequestRow {
  Verb verb;
  const char* name;
  std::span<const Field> fields;
  std::uint8_t legal;  // bits of Stage
  bool forwarded;      // passed on to other neighbours
  const char* keys;    // key=value words that mean something
  const char* what;    // one line for HELP and the man page
};

std::span<const RequestRow> request_table();
const RequestRow& row_of(Verb verb);
// By number or name; null if unknown. Names in any case: people type them.
const RequestRow* find_request(std::string_view word);
bool is_legal(Verb verb, Stage stage);

// The table as text, one request a line (wattle-metad --requests; a test compares the man page).
std::string print_request_table();

}  // namespace wattle::metad
