// A MemTable and its dump, MMT1. The contract, which the other languages share, is in ../README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace memtable {

// Byte strings. std::string compares its characters as unsigned bytes, as the contract wants it.
using Bytes = std::string;

// What a table knows of a key: a value, which may be empty, or nullopt: the key was deleted.
using Entry = std::optional<Bytes>;

class MemTable {
 public:
  using Entries = std::map<Bytes, Entry, std::less<>>;

  void put(Bytes key, Bytes value) { set(std::move(key), std::move(value)); }

  // Stores a tombstone, whether or not the key is there.
  void remove(Bytes key) { set(std::move(key), std::nullopt); }

  // The key's entry, or nullptr if the table knows nothing of it; valid until the next write.
  const Entry* get(std::string_view key) const;

  // In the order of the keys, tombstones included.
  const Entries& entries() const { return entries_; }

  // The number of keys, deleted ones included.
  std::size_t size() const { return entries_.size(); }

  // The size of the dump, known without encoding.
  std::size_t encoded_size() const;

 private:
  void set(Bytes key, Entry entry);

  Entries entries_;
  // Bytes of all keys and values.
  std::size_t content_bytes_ = 0;
};

// Why bytes are no dump, and at which offset.
class DumpError : public std::runtime_error {
 public:
  DumpError(const std::string& reason, std::size_t offset)
      : std::runtime_error(reason + " (at byte " + std::to_string(offset) + ")"), offset(offset) {}

  const std::size_t offset;
};

// The dump of a table: the same bytes for the same entries, in every language. Throws std::length_error if the format
// cannot say a length.
Bytes encode(const MemTable& table);

// The table that a dump describes. Throws DumpError for the first fault in reading order.
MemTable decode(std::string_view dump);

}  // namespace memtable
