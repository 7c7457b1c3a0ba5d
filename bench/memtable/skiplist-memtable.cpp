// skiplist-memtable: the MemTable of LevelDB, as its design is known, to measure against: entries in an arena of 4 KiB
// blocks, ordered by a skip list of height 12 and branching 4, whose nodes hold a pointer to their entry. Written for
// this benchmark; no code of LevelDB is in it.
//
//   entry := varint32 key length + 8 | key | tag u64 | varint32 value length | value       tag = sequence << 8 | type
//   order := user key ascending, bytewise, through a comparator that is called virtually; then tag descending
//
// Arguments: a key file (key-file.ts has the format), and how many entries to warm up with. Prints figures as JSON, among
// them a checksum of what was read, which must be that of every other subject.
#include <atomic>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>
#include <string>
#include <vector>

namespace {

constexpr size_t kBlockBytes = 4096;
constexpr int kHeightMax = 12;
constexpr uint32_t kBranching = 4;
constexpr uint64_t kTypeValue = 1;
constexpr uint64_t kSequenceMax = (uint64_t{1} << 56) - 1;

struct Bytes {
  const char* data;
  size_t length;
};

// ---- arena --------------------------------------------------------------------------------------------------------

class Arena {
 public:
  char* allocate(size_t bytes) {
    if (bytes > free_) return refill(bytes);
    char* taken = next_;
    next_ += bytes;
    free_ -= bytes;
    return taken;
  }

  char* allocateAligned(size_t bytes) {
    const size_t misaligned = reinterpret_cast<uintptr_t>(next_) & (sizeof(void*) - 1);
    const size_t slop = misaligned == 0 ? 0 : sizeof(void*) - misaligned;
    if (bytes + slop > free_) return refill(bytes);  // new blocks are aligned
    char* taken = next_ + slop;
    next_ += slop + bytes;
    free_ -= slop + bytes;
    return taken;
  }

  size_t usedBytes() const { return used_.load(std::memory_order_relaxed); }

 private:
  // A large piece gets a block of its own, so that the rest of the current one is not lost.
  char* refill(size_t bytes) {
    if (bytes > kBlockBytes / 4) return newBlock(bytes);
    char* block = newBlock(kBlockBytes);
    next_ = block + bytes;
    free_ = kBlockBytes - bytes;
    return block;
  }

  char* newBlock(size_t bytes) {
    blocks_.emplace_back(new char[bytes]);
    used_.fetch_add(bytes + sizeof(char*), std::memory_order_relaxed);
    return blocks_.back().get();
  }

  char* next_ = nullptr;
  size_t free_ = 0;
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::atomic<size_t> used_{0};
};

// ---- encoding -----------------------------------------------------------------------------------------------------

int varintBytes(uint32_t number) {
  int bytes = 1;
  for (; number >= 128; number >>= 7) bytes++;
  return bytes;
}

char* putVarint(char* to, uint32_t number) {
  for (; number >= 128; number >>= 7) *to++ = static_cast<char>(number | 128);
  *to++ = static_cast<char>(number);
  return to;
}

inline const char* getVarint(const char* from, uint32_t* number) {
  const auto first = static_cast<uint8_t>(*from++);
  if (first < 128) {
    *number = first;
    return from;
  }
  uint32_t result = first & 127;
  for (int shift = 7;; shift += 7) {
    const auto byte = static_cast<uint8_t>(*from++);
    result |= static_cast<uint32_t>(byte & 127) << shift;
    if (byte < 128) break;
  }
  *number = result;
  return from;
}

inline Bytes lengthPrefixed(const char* at) {
  uint32_t length;
  const char* data = getVarint(at, &length);
  return {data, length};
}

inline uint64_t getFixed64(const char* from) {
  uint64_t number;
  std::memcpy(&number, from, sizeof number);
  return number;
}

// ---- order --------------------------------------------------------------------------------------------------------

class Comparator {
 public:
  virtual ~Comparator() = default;
  virtual int compare(const Bytes& a, const Bytes& b) const = 0;
};

class BytewiseComparator final : public Comparator {
 public:
  int compare(const Bytes& a, const Bytes& b) const override {
    const int order = std::memcmp(a.data, b.data, a.length < b.length ? a.length : b.length);
    if (order != 0) return order;
    return a.length < b.length ? -1 : a.length > b.length ? 1 : 0;
  }
};

class EntryOrder {
 public:
  explicit EntryOrder(const Comparator* user) : user_(user) {}

  // Of two entries, or an entry and the front of one: length-prefixed internal keys.
  int operator()(const char* a, const char* b) const {
    const Bytes left = lengthPrefixed(a);
    const Bytes right = lengthPrefixed(b);
    const int order = user_->compare({left.data, left.length - 8}, {right.data, right.length - 8});
    if (order != 0) return order;
    const uint64_t leftTag = getFixed64(left.data + left.length - 8);
    const uint64_t rightTag = getFixed64(right.data + right.length - 8);
    return leftTag > rightTag ? -1 : leftTag < rightTag ? 1 : 0;
  }

  const Comparator* user() const { return user_; }

 private:
  const Comparator* user_;
};

// ---- skip list ----------------------------------------------------------------------------------------------------

class SkipList {
 private:
  struct Node {
    explicit Node(const char* itsEntry) : entry(itsEntry) {}
    Node* next(int level) const { return links[level].load(std::memory_order_acquire); }
    Node* nextRelaxed(int level) const { return links[level].load(std::memory_order_relaxed); }
    void setNext(int level, Node* node) { links[level].store(node, std::memory_order_release); }
    void setNextRelaxed(int level, Node* node) { links[level].store(node, std::memory_order_relaxed); }

    const char* const entry;
    std::atomic<Node*> links[1];  // as many as the node is high
  };

 public:
  SkipList(EntryOrder order, Arena* arena) : order_(order), arena_(arena), head_(newNode(nullptr, kHeightMax)) {
    for (int level = 0; level < kHeightMax; level++) head_->setNext(level, nullptr);
  }

  void insert(const char* entry) {
    Node* before[kHeightMax];
    findGreaterOrEqual(entry, before);
    const int height = randomHeight();
    const int top = topHeight();
    if (height > top) {
      for (int level = top; level < height; level++) before[level] = head_;
      height_.store(height, std::memory_order_relaxed);
    }
    Node* node = newNode(entry, height);
    for (int level = 0; level < height; level++) {
      node->setNextRelaxed(level, before[level]->nextRelaxed(level));
      before[level]->setNext(level, node);
    }
  }

  class Iterator {
   public:
    explicit Iterator(const SkipList* list) : list_(list), node_(nullptr) {}
    bool valid() const { return node_ != nullptr; }
    const char* entry() const { return node_->entry; }
    void next() { node_ = node_->next(0); }
    void seek(const char* target) { node_ = list_->findGreaterOrEqual(target, nullptr); }
    void seekToFirst() { node_ = list_->head_->next(0); }

   private:
    const SkipList* list_;
    Node* node_;
  };

 private:
  Node* newNode(const char* entry, int height) {
    char* memory = arena_->allocateAligned(sizeof(Node) + sizeof(std::atomic<Node*>) * (height - 1));
    return new (memory) Node(entry);
  }

  int topHeight() const { return height_.load(std::memory_order_relaxed); }

  int randomHeight() {
    int height = 1;
    while (height < kHeightMax && nextRandom() % kBranching == 0) height++;
    return height;
  }

  // Park and Miller's minimal standard generator.
  uint32_t nextRandom() {
    random_ = static_cast<uint32_t>(uint64_t{random_} * 16807 % 2147483647);
    return random_;
  }

  Node* findGreaterOrEqual(const char* target, Node** before) const {
    Node* node = head_;
    for (int level = topHeight() - 1;;) {
      Node* next = node->next(level);
      if (next != nullptr && order_(next->entry, target) < 0) {
        node = next;
        continue;
      }
      if (before != nullptr) before[level] = node;
      if (level == 0) return next;
      level--;
    }
  }

  EntryOrder const order_;
  Arena* const arena_;
  Node* const head_;
  std::atomic<int> height_{1};
  uint32_t random_ = 0xdeadbeef & 0x7fffffff;
};

// ---- MemTable -----------------------------------------------------------------------------------------------------

class MemTable {
 public:
  explicit MemTable(const Comparator* user) : order_(user), list_(order_, &arena_) {}

  void add(uint64_t sequence, const Bytes& key, const Bytes& value) {
    const uint32_t internal = static_cast<uint32_t>(key.length + 8);
    const auto valueBytes = static_cast<uint32_t>(value.length);
    char* entry = arena_.allocate(varintBytes(internal) + internal + varintBytes(valueBytes) + valueBytes);
    char* at = putInternalKey(entry, internal, key, sequence);
    at = putVarint(at, valueBytes);
    std::memcpy(at, value.data, value.length);
    list_.insert(entry);
  }

  // The value, in place: a copy of it is the caller's affair, here and in the other subjects.
  bool get(const Bytes& key, uint64_t sequence, Bytes* value) const {
    char space[200];
    std::unique_ptr<char[]> large;
    char* target = space;
    if (key.length + 13 > sizeof space) {
      large.reset(new char[key.length + 13]);
      target = large.get();
    }
    putInternalKey(target, static_cast<uint32_t>(key.length + 8), key, sequence);
    SkipList::Iterator at(&list_);
    at.seek(target);
    if (!at.valid()) return false;
    const Bytes found = lengthPrefixed(at.entry());
    if (order_.user()->compare({found.data, found.length - 8}, key) != 0) return false;
    if ((getFixed64(found.data + found.length - 8) & 255) != kTypeValue) return false;
    *value = lengthPrefixed(found.data + found.length);
    return true;
  }

  SkipList::Iterator iterator() const { return SkipList::Iterator(&list_); }
  size_t usedBytes() const { return arena_.usedBytes(); }

 private:
  static char* putInternalKey(char* to, uint32_t length, const Bytes& key, uint64_t sequence) {
    to = putVarint(to, length);
    std::memcpy(to, key.data, key.length);
    const uint64_t tag = sequence << 8 | kTypeValue;
    std::memcpy(to + key.length, &tag, sizeof tag);
    return to + key.length + sizeof tag;
  }

  Arena arena_;
  EntryOrder order_;
  SkipList list_;
};

// ---- key file -----------------------------------------------------------------------------------------------------

class Keys {
 public:
  Keys(const char* words, uint32_t count) : offsets_(reinterpret_cast<const uint32_t*>(words)), count_(count) {
    bytes_ = words + 4 * (size_t{count} + 1);
  }
  uint32_t count() const { return count_; }
  Bytes operator[](uint32_t i) const { return {bytes_ + offsets_[i], offsets_[i + 1] - offsets_[i]}; }
  const char* end() const { return bytes_ + ((offsets_[count_] + 3) & ~uint32_t{3}); }

 private:
  const uint32_t* offsets_;
  uint32_t count_;
  const char* bytes_;
};

struct KeyFile {
  explicit KeyFile(const std::string& file)
      : header(reinterpret_cast<const uint32_t*>(file.data())),
        pool(file.data() + 20),
        added(pool + size_t{header[3]} * header[4], header[0]),
        present(added.end(), header[1]),
        missing(present.end(), header[2]) {}

  Bytes value(uint32_t i) const {
    const uint32_t place = static_cast<uint32_t>(i * 0x9e3779b1u) % header[3];
    return {pool + size_t{place} * header[4], header[4]};
  }

  const uint32_t* header;  // added, present, missing, values, bytes of a value
  const char* pool;
  Keys added;
  Keys present;
  Keys missing;
};

// ---- measurement --------------------------------------------------------------------------------------------------

struct Figures {
  double insertNs = 0, getNs = 0, missingNs = 0, scanNs = 0, bytesAnEntry = 0;
  uint32_t found = 0, checksum = 0;
};

double nowNs() {
  return std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

uint32_t mix(uint32_t sum, const Bytes& bytes) {
  uint32_t word;
  std::memcpy(&word, bytes.data, sizeof word);
  return (sum << 5 | sum >> 27) ^ word ^ static_cast<uint32_t>(bytes.length);
}

Figures measure(const KeyFile& file, uint32_t entries) {
  static const BytewiseComparator comparator;
  Figures figures;
  MemTable table(&comparator);
  double start = nowNs();
  for (uint32_t i = 0; i < entries; i++) table.add(i + 1, file.added[i], file.value(i));
  figures.insertNs = (nowNs() - start) / entries;

  Bytes value{};
  start = nowNs();
  for (uint32_t i = 0; i < file.present.count(); i++) {
    if (!table.get(file.present[i], kSequenceMax, &value)) continue;
    figures.found++;
    figures.checksum = mix(figures.checksum, value);
  }
  figures.getNs = (nowNs() - start) / file.present.count();

  start = nowNs();
  for (uint32_t i = 0; i < file.missing.count(); i++) {
    if (table.get(file.missing[i], kSequenceMax, &value)) figures.found++;
  }
  figures.missingNs = (nowNs() - start) / file.missing.count();

  start = nowNs();
  auto at = table.iterator();
  for (at.seekToFirst(); at.valid(); at.next()) {
    const Bytes key = lengthPrefixed(at.entry());
    figures.checksum = mix(figures.checksum, {key.data, key.length - 8});
    figures.checksum = mix(figures.checksum, lengthPrefixed(key.data + key.length));
  }
  figures.scanNs = (nowNs() - start) / entries;
  figures.bytesAnEntry = static_cast<double>(table.usedBytes()) / entries;
  return figures;
}

std::string readAll(const char* path) {
  std::FILE* file = std::fopen(path, "rb");
  if (file == nullptr) std::perror(path), std::exit(1);
  std::string bytes;
  std::fseek(file, 0, SEEK_END);
  bytes.resize(static_cast<size_t>(std::ftell(file)));
  std::rewind(file);
  if (std::fread(&bytes[0], 1, bytes.size(), file) != bytes.size()) std::perror(path), std::exit(1);
  std::fclose(file);
  return bytes;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::fprintf(stderr, "usage: skiplist-memtable KEYFILE WARMUP\n"), 2;
  const std::string bytes = readAll(argv[1]);
  const KeyFile file(bytes);
  measure(file, static_cast<uint32_t>(std::atoi(argv[2])));
  const Figures figures = measure(file, file.added.count());
  std::printf(
      "{\"insertNs\":%.2f,\"getNs\":%.2f,\"missingNs\":%.2f,\"scanNs\":%.2f,\"bytesAnEntry\":%.2f,"
      "\"found\":%u,\"checksum\":%u}\n",
      figures.insertNs, figures.getNs, figures.missingNs, figures.scanNs, figures.bytesAnEntry, figures.found,
      figures.checksum);
  return 0;
}
