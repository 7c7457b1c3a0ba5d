#include "memtable.hpp"

#include <limits>
#include <utility>

namespace memtable {
namespace {

constexpr std::string_view kMagic = "MMT1";
// Magic and count.
constexpr std::size_t kHeaderBytes = 8;
// Two lengths and the type.
constexpr std::size_t kEntryHeaderBytes = 9;
constexpr unsigned char kValue = 0;
constexpr unsigned char kTombstone = 1;

std::size_t value_size(const Entry& entry) { return entry ? entry->size() : 0; }

void append_u32(Bytes& dump, std::size_t length) {
  if (length > std::numeric_limits<std::uint32_t>::max()) throw std::length_error("a length does not fit 32 bits");
  for (int shift = 0; shift < 32; shift += 8) dump.push_back(static_cast<char>(length >> shift & 0xff));
}

unsigned char byte_at(std::string_view dump, std::size_t offset) { return static_cast<unsigned char>(dump[offset]); }

// The caller has made sure that there are four bytes.
std::uint32_t u32_at(std::string_view dump, std::size_t offset) {
  std::uint32_t value = 0;
  for (int i = 3; i >= 0; i--) value = value << 8 | byte_at(dump, offset + i);
  return value;
}

// Reads a dump from its beginning to its end.
class Decoder {
 public:
  explicit Decoder(std::string_view dump) : dump_(dump) {}

  MemTable decode() {
    if (dump_.size() < kHeaderBytes) {
      throw DumpError("a dump of " + std::to_string(dump_.size()) + " bytes is shorter than its header", dump_.size());
    }
    if (dump_.substr(0, kMagic.size()) != kMagic) throw DumpError("a dump begins with MMT1, and this does not", 0);
    count_ = u32_at(dump_, kMagic.size());
    for (at_ = kHeaderBytes, entry_ = 1; entry_ <= count_; entry_++) decode_entry();
    if (at_ < dump_.size()) throw DumpError("there are bytes after the last entry", at_);
    return std::move(table_);
  }

 private:
  void decode_entry() {
    need(at_, kEntryHeaderBytes);
    const std::uint64_t key_bytes = u32_at(dump_, at_);
    const std::uint64_t value_bytes = u32_at(dump_, at_ + 4);
    const unsigned char type = byte_at(dump_, at_ + 8);
    if (type > kTombstone) throw DumpError(name() + " has the unknown type " + std::to_string(type), at_ + 8);
    if (type == kTombstone && value_bytes != 0) {
      throw DumpError(name() + " is a tombstone with a value of " + std::to_string(value_bytes) + " bytes", at_ + 4);
    }
    const std::size_t start = at_ + kEntryHeaderBytes;
    need(start, key_bytes + value_bytes);
    const std::string_view key = dump_.substr(start, key_bytes);
    if (table_.size() > 0 && key <= table_.entries().rbegin()->first) {
      throw DumpError("the key of " + name() + " does not sort after the one before it", start);
    }
    if (type == kTombstone) {
      table_.remove(Bytes(key));
    } else {
      table_.put(Bytes(key), Bytes(dump_.substr(start + key_bytes, value_bytes)));
    }
    at_ = start + key_bytes + value_bytes;
  }

  // In 64 bits the sum of two lengths does not overflow.
  void need(std::size_t offset, std::uint64_t bytes) const {
    if (dump_.size() - offset >= bytes) return;
    throw DumpError("the dump ends before the end of " + name() + " of " + std::to_string(count_), dump_.size());
  }

  std::string name() const { return "entry " + std::to_string(entry_); }

  const std::string_view dump_;
  MemTable table_;
  std::uint32_t count_ = 0;
  // The entry at hand, counted from 1, and where it begins.
  std::uint64_t entry_ = 0;
  std::size_t at_ = 0;
};

}  // namespace

const Entry* MemTable::get(std::string_view key) const {
  const auto found = entries_.find(key);
  return found == entries_.end() ? nullptr : &found->second;
}

std::size_t MemTable::encoded_size() const {
  return kHeaderBytes + kEntryHeaderBytes * entries_.size() + content_bytes_;
}

void MemTable::set(Bytes key, Entry entry) {
  const std::size_t key_bytes = key.size();
  content_bytes_ += value_size(entry);
  const auto [place, is_new] = entries_.try_emplace(std::move(key));
  content_bytes_ += is_new ? key_bytes : 0;
  content_bytes_ -= value_size(place->second);
  place->second = std::move(entry);
}

Bytes encode(const MemTable& table) {
  Bytes dump;
  dump.reserve(table.encoded_size());
  dump.append(kMagic);
  append_u32(dump, table.size());
  for (const auto& [key, entry] : table.entries()) {
    append_u32(dump, key.size());
    append_u32(dump, value_size(entry));
    dump.push_back(static_cast<char>(entry ? kValue : kTombstone));
    dump.append(key);
    if (entry) dump.append(*entry);
  }
  return dump;
}

MemTable decode(std::string_view dump) { return Decoder(dump).decode(); }

}  // namespace memtable
