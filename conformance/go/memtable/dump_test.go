package memtable

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

const golden = "MMT1\x02\x00\x00\x00" +
	"\x05\x00\x00\x00\x05\x00\x00\x00\x00alphafirst" +
	"\x04\x00\x00\x00\x00\x00\x00\x00\x01beta"

func goldenTable() *MemTable {
	table := &MemTable{}
	table.Put("alpha", []byte("first"))
	table.Put("beta", []byte("second"))
	table.Delete("beta")
	return table
}

// changed is the golden dump with one byte changed.
func changed(offset int, b byte) string {
	return golden[:offset] + string([]byte{b}) + golden[offset+1:]
}

func TestEncodesAsTheContractSays(t *testing.T) {
	if got := goldenTable().Encode(); string(got) != golden {
		t.Errorf("golden table: got %x", got)
	}
	if got := new(MemTable).Encode(); string(got) != "MMT1\x00\x00\x00\x00" {
		t.Errorf("empty table: got %x", got)
	}
}

func TestDecodesToTheTableThatADumpCameFrom(t *testing.T) {
	got, err := Decode([]byte(golden))
	if err != nil || !reflect.DeepEqual(got, goldenTable()) {
		t.Errorf("golden dump: got %v, %v", got, err)
	}
	if got, err := Decode([]byte("MMT1\x00\x00\x00\x00")); err != nil || got.Len() != 0 {
		t.Errorf("empty dump: got %v, %v", got, err)
	}
}

func TestTellsValuesTombstonesAndAbsentKeysApart(t *testing.T) {
	table := goldenTable()
	table.Put("", []byte{})
	table.Delete("never put")
	for _, c := range []struct {
		key         string
		value       string
		isTombstone bool
		ok          bool
	}{
		{"alpha", "first", false, true},
		{"", "", false, true},
		{"beta", "", true, true},
		{"never put", "", true, true},
		{"gamma", "", false, false},
	} {
		entry, ok := table.Get(c.key)
		if string(entry.Value) != c.value || entry.IsTombstone != c.isTombstone || ok != c.ok {
			t.Errorf("%q: got %v, %v", c.key, entry, ok)
		}
	}
	if table.Len() != 4 {
		t.Errorf("4 keys: got %d", table.Len())
	}
}

func TestKeysAreInTheOrderOfUnsignedBytes(t *testing.T) {
	table := &MemTable{}
	want := []string{"", "\x00", "a", "a\x00", "\x7f", "\x80", "\xff"}
	for i := range want {
		table.Put(want[len(want)-1-i], nil)
	}
	if got := table.Keys(); !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestSizeIsKnownWithoutEncoding(t *testing.T) {
	table := &MemTable{}
	for i, pair := range [][2]string{{"a", "1"}, {"b", "22"}, {"a", "333"}, {"a", ""}, {"", "4"}} {
		table.Put(pair[0], []byte(pair[1]))
		if got, want := table.EncodedLen(), len(table.Encode()); got != want {
			t.Errorf("after put %d: got %d, want %d", i, got, want)
		}
	}
	table.Delete("b")
	table.Delete("c")
	if got, want := table.EncodedLen(), len(table.Encode()); got != want {
		t.Errorf("after deletes: got %d, want %d", got, want)
	}
}

func TestRefusesEveryFaultAtItsOffset(t *testing.T) {
	for _, c := range []struct {
		dump   string
		offset int
		reason string
	}{
		{changed(0, 'N'), 0, "begins with MMT1"},
		{changed(16, 2), 16, "entry 1 has the unknown type 2"},
		{changed(16, 1), 12, "entry 1 is a tombstone with a value of 5 bytes"},
		{changed(17, 'c'), 36, "the key of entry 2 does not sort"},
		{changed(4, 1), 27, "bytes after the last entry"},
		{golden + "\x00", 40, "bytes after the last entry"},
		{changed(4, 3), 40, "before the end of entry 3 of 3"},
		{"MMT1\xff\xff\xff\xff" + strings.Repeat("\xff", 8) + "\x00", 17, "before the end of entry 1 of 4294967295"},
		{"MMT1\x02\x00\x00\x00" + strings.Repeat("\x01\x00\x00\x00\x00\x00\x00\x00\x00a", 2), 27, "the key of entry 2"},
	} {
		expectFault(t, c.dump, c.offset, c.reason)
	}
}

func TestRefusesEveryProperPrefix(t *testing.T) {
	for n := 0; n < len(golden); n++ {
		reason := fmt.Sprintf("a dump of %d bytes is shorter", n)
		if n >= 27 {
			reason = "before the end of entry 2 of 2"
		} else if n >= 8 {
			reason = "before the end of entry 1 of 2"
		}
		expectFault(t, golden[:n], n, reason)
	}
}

func expectFault(t *testing.T, dump string, offset int, reason string) {
	t.Helper()
	_, err := Decode([]byte(dump))
	var dumpError *DumpError
	if !errors.As(err, &dumpError) || dumpError.Offset != offset || !strings.Contains(dumpError.Reason, reason) {
		t.Errorf("%x: got %v, want %q at %d", dump, err, reason, offset)
	}
}

func TestDumpsAreTheSameForEveryHistory(t *testing.T) {
	other := &MemTable{}
	other.Delete("beta")
	other.Put("alpha", []byte("zeroth"))
	other.Put("alpha", []byte("first"))
	if !bytes.Equal(other.Encode(), []byte(golden)) {
		t.Errorf("got %x", other.Encode())
	}
}
