#include "metad/core/requests.h"

#include <array>

#include "common/base/check.h"
#include "common/base/parse.h"

namespace wattle::metad {
namespace {

constexpr Field kIdFields[] = {{"name", FieldKind::Name},
                               {"version", FieldKind::Number},
                               {"options", FieldKind::Hex},
                               {"port", FieldKind::Number}};
constexpr Field kHexFields[] = {{"hex", FieldKind::Key}};
constexpr Field kTextFields[] = {{"number", FieldKind::Number}, {"text", FieldKind::Words}};
constexpr Field kHostFields[] = {
    {"name", FieldKind::Name}, {"address:port", FieldKind::HostPort}, {"options", FieldKind::Hex}};
constexpr Field kSubnetFields[] = {{"owner", FieldKind::Name}, {"subnet", FieldKind::Subnet}};
constexpr Field kNameFields[] = {{"name", FieldKind::Name}};
constexpr Field kReqKeyFields[] = {{"origin", FieldKind::Name}, {"destination", FieldKind::Name}};
constexpr Field kAnsKeyFields[] = {
    {"owner", FieldKind::Name}, {"requester", FieldKind::Name}, {"key", FieldKind::Key}};
constexpr Field kWayFields[] = {
    {"origin", FieldKind::Name}, {"destination", FieldKind::Name}, {"id", FieldKind::Number}};
constexpr Field kTraceFields[] = {{"neighbour", FieldKind::Words}};
constexpr Field kSaidFields[] = {{"neighbour", FieldKind::Name}, {"line", FieldKind::Words}};
constexpr Field kPacketFields[] = {{"length", FieldKind::Number}};
constexpr Field kSeqnoFields[] = {
    {"destination", FieldKind::Name}, {"seqno", FieldKind::Number}, {"hops", FieldKind::Number}};
constexpr Field kDestinationFields[] = {{"destination", FieldKind::Name}};
constexpr Field kVersionFields[] = {{"version", FieldKind::Number}};
constexpr Field kPartFields[] = {{"version", FieldKind::Number},
                                 {"offset", FieldKind::Number},
                                 {"total", FieldKind::Number},
                                 {"base64", FieldKind::Base64}};
constexpr Field kWordsFields[] = {{"words", FieldKind::Words}};

constexpr std::uint8_t kFresh = bit(Stage::Fresh);
constexpr std::uint8_t kIdentified = bit(Stage::Identified);
constexpr std::uint8_t kExchange = bit(Stage::Exchange);
constexpr std::uint8_t kActive = bit(Stage::Active);
constexpr std::uint8_t kControl = bit(Stage::Control);
constexpr std::uint8_t kClear = bit(Stage::Clear);
constexpr std::uint8_t kTalk = kExchange | kActive;
constexpr std::uint8_t kLink = kFresh | kIdentified | kTalk;

constexpr RequestRow kTable[] = {
    {Verb::Id, "ID", kIdFields, kFresh, false, "dial incarnation",
     "who speaks; first line in each direction"},
    {Verb::Challenge, "CHALLENGE", kHexFields, 0, false, "", "of 2001; TLS has taken its place"},
    {Verb::ChalReply, "CHAL_REPLY", kHexFields, 0, false, "", "of 2001; TLS has taken its place"},
    {Verb::MetaKey, "METAKEY", kHexFields, 0, false, "", "of 2001; TLS has taken its place"},
    {Verb::Ack, "ACK", {}, kIdentified, false, "you", "ID is accepted; you= where you come from"},
    {Verb::Status, "STATUS", kTextFields, kLink, false, "", "something worth counting; harmless"},
    {Verb::Error, "ERROR", kTextFields, kLink, false, "", "why the sender closes the link"},
    {Verb::TermReq, "TERMREQ", {}, kLink | kControl | kClear, false, "", "close this connection"},
    {Verb::Ping,
     "PING",
     {},
     kLink | kControl | kClear,
     false,
     "barrier",
     "are you there? answered PONG, with its barrier="},
    {Verb::Pong,
     "PONG",
     {},
     kLink,
     false,
     "barrier",
     "answer to PING: every line before it has been dealt with"},
    {Verb::AddHost, "ADD_HOST", kHostFields, kTalk, true,
     "address seqno serial ep sig route metric",
     "a way to a member, and where that is, signed by itself"},
    {Verb::DelHost, "DEL_HOST", kHostFields, kTalk, true, "address",
     "the sender has no way to it any more"},
    {Verb::AddSubnet, "ADD_SUBNET", kSubnetFields, kTalk, true, "",
     "a hint that owner holds the subnet"},
    {Verb::DelSubnet, "DEL_SUBNET", kSubnetFields, kTalk, true, "", "takes the hint back"},
    {Verb::KeyChanged, "KEY_CHANGED", kNameFields, kTalk, true, "epoch",
     "name has a new packet key; a hint to ask"},
    {Verb::ReqKey, "REQ_KEY", kReqKeyFields, kTalk | kControl, true, "epoch",
     "origin wants the packet key of destination"},
    {Verb::AnsKey, "ANS_KEY", kAnsKeyFields, kTalk, true, "",
     "owner's packet-key record and credential"},
    {Verb::Packet, "PACKET", kPacketFields, kActive, false, "",
     "so many raw bytes follow: a datagram that finds no other way"},
    {Verb::End, "END", {}, kExchange, false, "", "the first exchange, or an answer, is complete"},
    {Verb::Help, "HELP", {}, kControl, false, "", "lists the requests"},
    {Verb::Dump, "DUMP", kWordsFields, kControl, false, "",
     "STATUS, PEERS, HOSTS, SUBNETS, LINKS, ROUTES or KEYS"},
    {Verb::Probe, "PROBE", kNameFields, kControl, false, "",
     "one authenticated probe through the session"},
    {Verb::Info, "INFO", kWordsFields, 0, false, "", "an answer: what it is about, then key=value"},
    {Verb::ReqSeqno, "REQ_SEQNO", kSeqnoFields, kTalk, true, "address",
     "asks for a way with at least this seqno, so many hops far"},
    {Verb::Document, "DOCUMENT", kVersionFields, kTalk, false, "",
     "the version of the network document that the sender holds"},
    {Verb::ReqDocument, "REQ_DOCUMENT", kVersionFields, kTalk, false, "from",
     "asks for that version, from= that byte on"},
    {Verb::DocumentPart, "DOCUMENT_PART", kPartFields, kTalk, false, "",
     "bytes of that version, from offset on"},
    {Verb::ReqWay, "REQ_WAY", kWayFields, kActive | kControl, true, "hop",
     "each hop to destination adds itself as hop="},
    {Verb::AnsWay, "ANS_WAY", kWayFields, kActive, true, "hop end",
     "the way that a REQ_WAY took, back the same way"},
    {Verb::ReqHost, "REQ_HOST", kDestinationFields, kTalk, true, "seqno",
     "asks for the origin record, with at least this seqno"},
    {Verb::Trace, "TRACE", kTraceFields, kControl, false, "",
     "copies of neighbour's lines as they come and go (or all); any line ends it"},
    {Verb::Rehearse, "REHEARSE", kSaidFields, kControl, false, "",
     "what would be done if neighbour said line; nothing is"},
    {Verb::Act, "ACT", kSaidFields, kControl, false, "",
     "line is handled as if neighbour had said it; or CLOSE, DIAL, RENEW; only root"},
    {Verb::Why, "WHY", kNameFields, kControl, false, "",
     "how a member is reached now and how that came about"},
};

bool same_word(std::string_view typed, std::string_view name) {
  if (typed.size() != name.size()) return false;
  for (std::size_t i = 0; i < typed.size(); ++i) {
    const char c = typed[i];
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    if (upper != name[i]) return false;
  }
  return true;
}

struct StageName {
  std::uint8_t stage;
  const char* name;
};
constexpr StageName kStageNames[] = {{kFresh, "fresh"},       {kIdentified, "identified"},
                                     {kExchange, "exchange"}, {kActive, "active"},
                                     {kControl, "control"},   {kClear, "clear"}};

}  // namespace

std::span<const RequestRow> request_table() { return kTable; }

const RequestRow& row_of(Verb verb) {
  for (const RequestRow& row : kTable)
    if (row.verb == verb) return row;
  WATTLE_UNREACHABLE();
}

const RequestRow* find_request(std::string_view word) {
  if (const auto number = parse_decimal(word, 255)) {
    for (const RequestRow& row : kTable)
      if (static_cast<std::uint64_t>(row.verb) == *number) return &row;
    return nullptr;
  }
  for (const RequestRow& row : kTable)
    if (same_word(word, row.name)) return &row;
  return nullptr;
}

bool is_legal(Verb verb, Stage stage) { return (row_of(verb).legal & bit(stage)) != 0; }

std::string print_request_table() {
  std::string out;
  for (const RequestRow& row : kTable) {
    out += std::to_string(static_cast<unsigned>(row.verb)) + " " + row.name;
    for (const Field& field : row.fields) out += std::string(" ") + field.name;
    for (const std::string_view key : split(row.keys, ' '))
      if (!key.empty()) out += " [" + std::string(key) + "=]";
    out += ";";
    for (const StageName& stage : kStageNames)
      if ((row.legal & stage.stage) != 0) out += std::string(" ") + stage.name;
    if (row.legal == 0) out += " nowhere";
    out += std::string(row.forwarded ? "; forwarded; " : "; kept; ") + row.what + "\n";
  }
  return out;
}

}  // namespace wattle::metad
