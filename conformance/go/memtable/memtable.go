// Package memtable is a MemTable and its dump, MMT1. The contract, which the
// other languages share, is in ../../README.md.
package memtable

import "sort"

// Entry is what a table knows of a key: a value, which may be empty, or that
// the key was deleted.
type Entry struct {
	Value       []byte
	IsTombstone bool
}

// MemTable is a map of keys to entries, whose keys are sorted when they are
// asked for. Its zero value is an empty table.
type MemTable struct {
	entries map[string]Entry
	// contentBytes is the length of all keys and values together.
	contentBytes int
}

// Put sets a key's value. The table keeps the slice.
func (t *MemTable) Put(key string, value []byte) {
	t.set(key, Entry{Value: value})
}

// Delete stores a tombstone, whether or not the key is there.
func (t *MemTable) Delete(key string) {
	t.set(key, Entry{IsTombstone: true})
}

// Get returns what the table knows of a key, and whether that is anything.
func (t *MemTable) Get(key string) (Entry, bool) {
	entry, ok := t.entries[key]
	return entry, ok
}

// Len is the number of keys, deleted ones included.
func (t *MemTable) Len() int {
	return len(t.entries)
}

// EncodedLen is the size of the dump, known without encoding.
func (t *MemTable) EncodedLen() int {
	return headerBytes + entryHeaderBytes*len(t.entries) + t.contentBytes
}

// Keys returns all keys, deleted ones included, in the order of their bytes,
// which is the order of Go's strings.
func (t *MemTable) Keys() []string {
	keys := make([]string, 0, len(t.entries))
	for key := range t.entries {
		keys = append(keys, key)
	}
	sort.Strings(keys)
	return keys
}

func (t *MemTable) set(key string, entry Entry) {
	if t.entries == nil {
		t.entries = make(map[string]Entry)
	}
	replaced, ok := t.entries[key]
	if !ok {
		t.contentBytes += len(key)
	}
	t.contentBytes += len(entry.Value) - len(replaced.Value)
	t.entries[key] = entry
}
