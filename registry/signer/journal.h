// The journal as a file: append-only, opened and read before the seal, locked against a second
// signer. An answer leaves only after append() returned: the entry is then on the disk (fdatasync).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "common/os/fd.h"
#include "registry/core/journal_entry.h"

namespace wattle::signer {

class Journal {
 public:
  // Called with each entry, oldest first; an error stops open() and becomes its own.
  using Replay = std::function<Result<void>(const registry::Entry& entry)>;

  // Reads every entry. A torn last entry (a crash during append) is cut off: `cut` is then its
  // bytes. Errors are one sentence that names the file: NotFound, Exists (another signer has it),
  // BadValue (damage before the end; nothing is changed), System.
  static Result<Journal> open(const std::string& path, const Replay& replay, std::size_t& cut);
  // A new, empty one (mode 0600); Exists if there is a file.
  static Result<Journal> create(const std::string& path);

  // Writes the entry (its hash and size are set) and waits for the disk. After an error nothing of
  // it is in the file; if even that cannot be had, every further append() fails until a restart.
  Result<void> append(registry::Entry& entry);

  // Stored entries from this number on, without secrets: at most `max_count` and about `max_bytes`,
  // but one at least if there is one.
  Result<std::vector<Bytes>> read(std::uint64_t from, std::size_t max_count,
                                  std::size_t max_bytes) const;
  std::uint64_t next_sequence() const { return offsets_.size(); }

 private:
  Journal(os::Fd file, std::string path) : file_(std::move(file)), path_(std::move(path)) {}
  Result<void> replay_all(const Replay& replay, std::size_t& cut);
  Result<void> cut_tail(ByteView rest, std::uint64_t size, std::size_t& cut);
  Result<void> cut_to(std::uint64_t size);

  os::Fd file_;
  std::string path_;
  std::vector<std::uint64_t> offsets_;  // of each entry
  std::uint64_t end_ = 0;
  bool broken_ = false;
};

}  // namespace wattle::signer
