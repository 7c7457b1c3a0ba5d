package memtable

import (
	"encoding/binary"
	"fmt"
)

const (
	magic = "MMT1"
	// headerBytes is the length of magic and count.
	headerBytes = 8
	// entryHeaderBytes is the length of two lengths and the type.
	entryHeaderBytes = 9

	typeValue     = 0
	typeTombstone = 1
)

// DumpError says why bytes are no dump, and at which offset.
type DumpError struct {
	Reason string
	Offset int
}

func (e *DumpError) Error() string {
	return fmt.Sprintf("%s (at byte %d)", e.Reason, e.Offset)
}

// Encode returns the dump: the same bytes for the same entries, in every
// language. Keys and values are shorter than 2^32 bytes.
func (t *MemTable) Encode() []byte {
	dump := make([]byte, 0, t.EncodedLen())
	dump = append(dump, magic...)
	dump = binary.LittleEndian.AppendUint32(dump, uint32(t.Len()))
	for _, key := range t.Keys() {
		entry := t.entries[key]
		kind := byte(typeValue)
		if entry.IsTombstone {
			kind = typeTombstone
		}
		dump = binary.LittleEndian.AppendUint32(dump, uint32(len(key)))
		dump = binary.LittleEndian.AppendUint32(dump, uint32(len(entry.Value)))
		dump = append(dump, kind)
		dump = append(dump, key...)
		dump = append(dump, entry.Value...)
	}
	return dump
}

// Decode returns the table that a dump describes, or a *DumpError for the
// first fault in reading order.
func Decode(dump []byte) (*MemTable, error) {
	if len(dump) < headerBytes {
		return nil, fault(len(dump), "a dump of %d bytes is shorter than its header", len(dump))
	}
	if string(dump[:4]) != magic {
		return nil, fault(0, "a dump begins with MMT1, and this does not")
	}
	table := &MemTable{}
	count := binary.LittleEndian.Uint32(dump[4:])
	at := headerBytes
	last := ""
	for i := uint32(0); i < count; i++ {
		key, entry, end, err := decodeEntry(dump, at, i, count)
		if err != nil {
			return nil, err
		}
		if i > 0 && key <= last {
			return nil, fault(at+entryHeaderBytes, "the key of entry %d does not sort after the one before it", i+1)
		}
		table.set(key, entry)
		at, last = end, key
	}
	if at < len(dump) {
		return nil, fault(at, "there are bytes after the last entry")
	}
	return table, nil
}

// decodeEntry reads entry i of count at an offset, and returns the offset after
// it.
func decodeEntry(dump []byte, at int, i, count uint32) (string, Entry, int, error) {
	truncated := func() (string, Entry, int, error) {
		return "", Entry{}, 0, fault(len(dump), "the dump ends before the end of entry %d of %d", i+1, count)
	}
	if len(dump)-at < entryHeaderBytes {
		return truncated()
	}
	keyBytes := binary.LittleEndian.Uint32(dump[at:])
	valueBytes := binary.LittleEndian.Uint32(dump[at+4:])
	kind := dump[at+8]
	if kind > typeTombstone {
		return "", Entry{}, 0, fault(at+8, "entry %d has the unknown type %d", i+1, kind)
	}
	if kind == typeTombstone && valueBytes != 0 {
		return "", Entry{}, 0, fault(at+4, "entry %d is a tombstone with a value of %d bytes", i+1, valueBytes)
	}
	start := at + entryHeaderBytes
	// In 64 bits the sum of two lengths does not overflow.
	if uint64(len(dump)-start) < uint64(keyBytes)+uint64(valueBytes) {
		return truncated()
	}
	middle := start + int(keyBytes)
	end := middle + int(valueBytes)
	key := string(dump[start:middle])
	if kind == typeTombstone {
		return key, Entry{IsTombstone: true}, end, nil
	}
	return key, Entry{Value: append([]byte{}, dump[middle:end]...)}, end, nil
}

func fault(offset int, format string, args ...any) *DumpError {
	return &DumpError{Reason: fmt.Sprintf(format, args...), Offset: offset}
}
