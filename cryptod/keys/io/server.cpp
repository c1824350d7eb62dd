#include "cryptod/keys/io/server.h"

#include "common/os/clock.h"
#include "common/os/log.h"
#include "common/proto/origin_record.h"

namespace wattle::keys {

namespace {

namespace log = os::log;

std::string_view rule(key_link::Refusal why) {
  constexpr std::string_view kRules[] = {"rate", "time", "field", "storage"};
  return kRules[static_cast<std::size_t>(why)];
}

std::string_view reason(key_link::Refusal why) {
  switch (why) {
    case key_link::Refusal::TooFast:
      return "asked too often";
    case key_link::Refusal::BadTime:
      return "its validity is not near this clock or too long";
    case key_link::Refusal::BadField:
      return "a field is not valid";
    case key_link::Refusal::Storage:
      return "the counter file could not be written";
  }
  return "refused";
}

// If the queue is full the answer is lost; the asker asks again after its own timeout.
template <typename Channel, typename Answer>
void send_answer(Channel& channel, const Answer& answer) {
  std::visit([&](const auto& message) { channel.send(message); }, answer);
}

}  // namespace

Server::Server(os::EventLoop& loop, Keeper& keeper, os::Fd cryptod, os::Fd metad_listener,
               uid_t metad_uid)
    : loop_(loop),
      keeper_(keeper),
      cryptod_(loop, std::move(cryptod), "crypto.key",
               {.on_message = [this](auto& message, auto&) { on_cryptod(message); },
                .on_end =
                    [this](const Error& why) {
                      log::notice("cryptod's lane ended; keyd ends, too, and will be restarted",
                                  {{log::Key::Err, why.text()}});
                      loop_.stop();
                    },
                .on_drained = {},
                .on_open = {},
                .is_legal = {}}),
      listener_(loop, std::move(metad_listener), metad_uid, "key",
                [this](os::Fd socket) { connect_metad(std::move(socket)); }) {
  cryptod_.send(keeper_.identity());
  if (const auto record = keeper_.last_record()) cryptod_.send(*record);
  cryptod_.send(keeper_.document_version());
}

void Server::on_cryptod(key_link::FromCryptod::Message& message) {
  if (const auto* seen = std::get_if<key_link::DocumentSeen>(&message)) {
    if (seen->version > keeper_.counters().document && !documents_.take(os::now()))
      return refusals_.write(log::Level::Warning, "refused to keep a version of the document",
                             {{log::Key::Lane, "crypto.key"},
                              {log::Key::Rule, "rate"},
                              {log::Key::Version, std::to_string(seen->version)}});
    // The file itself says in the log what is wrong with it; cryptod tells it again at its start.
    if (keeper_.saw(*seen))
      versions_.write(log::Level::Info, "keeps the version of the network document",
                      {{log::Key::Lane, "crypto.key"},
                       {log::Key::Version, std::to_string(keeper_.counters().document)}});
    return;
  }
  const auto* request = std::get_if<key_link::SignPacketKey>(&message);
  if (request == nullptr) return;
  const auto answer = keeper_.sign(*request, os::unix_now_ms());
  if (const auto* no = std::get_if<key_link::PacketKeyRefused>(&answer))
    refusals_.write(log::Level::Warning, "refused to sign a packet-key record",
                    {{log::Key::Lane, "crypto.key"},
                     {log::Key::Rule, std::string(rule(no->why))},
                     {log::Key::Err, std::string(reason(no->why))}});
  else
    log::info(
        "signed a packet-key record of epoch " + std::to_string(keeper_.counters().epoch),
        {{log::Key::Lane, "crypto.key"}, {log::Key::Serial, std::to_string(request->serial)}});
  send_answer(cryptod_, answer);
}

void Server::connect_metad(os::Fd socket) {
  metad_ = std::make_unique<MetadChannel>(
      loop_, std::move(socket), "key",
      MetadChannel::Callbacks{.on_message = [this](auto& message, auto&) { on_metad(message); },
                              .on_end =
                                  [this](const Error& why) {
                                    comings_.write(log::Level::Info, "metad's lane ended",
                                                   {{log::Key::Err, why.text()}});
                                    metad_.reset();
                                  },
                              .on_drained = {},
                              .on_open = {},
                              .is_legal = {}});
  metad_->send(keeper_.identity());
  metad_->send(keeper_.document_version());
}

void Server::on_metad(key_link::FromMetad::Message& message) {
  const auto refused = [this](const key_link::Refused& no, std::string_view what) {
    refusals_.write(log::Level::Warning, "refused to sign " + std::string(what),
                    {{log::Key::Lane, "key"},
                     {log::Key::Rule, std::string(rule(no.why))},
                     {log::Key::Err, std::string(reason(no.why))}});
  };
  if (const auto* origin = std::get_if<key_link::SignOrigin>(&message)) {
    const auto answer = keeper_.sign(*origin, os::unix_now_ms());
    if (const auto* no = std::get_if<key_link::Refused>(&answer))
      refused(*no, "an origin record");
    else
      log::info("signed an origin record of seqno " + std::to_string(keeper_.counters().seqno),
                {{log::Key::Lane, "key"}, {log::Key::Serial, std::to_string(origin->serial)}});
    send_answer(*metad_, answer);
  } else if (const auto* enrolment = std::get_if<key_link::SignEnrolment>(&message)) {
    const auto answer = keeper_.sign(*enrolment, os::unix_now_ms());
    if (const auto* no = std::get_if<key_link::Refused>(&answer))
      refused(*no, "an enrolment");
    else
      log::notice("signed an enrolment (renewal)", {{log::Key::Lane, "key"}});
    send_answer(*metad_, answer);
  }
}

}  // namespace wattle::keys
