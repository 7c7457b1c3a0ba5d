// Command memtable has the commands of ../README.md, on one dump file.
package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"

	"varve.example/conformance/memtable"
)

var errUsage = errors.New("usage: memtable new|put|del|get|iter|bulk|size|script PATH [KEY [VALUE] | N]")

// arguments is the number of arguments of each command.
var arguments = map[string]int{
	"new": 1, "put": 3, "del": 2, "get": 2, "iter": 1, "bulk": 2, "size": 1, "script": 1,
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	err := run(os.Args[1:], out)
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "memtable:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) < 2 || len(args)-1 != arguments[args[0]] {
		return errUsage
	}
	name, path, rest := args[0], args[1], args[2:]
	switch name {
	case "new":
		return save(path, &memtable.MemTable{})
	case "bulk":
		return bulk(path, rest[0])
	case "script":
		return runScriptTo(path, out)
	}
	table, err := load(path)
	if err != nil {
		return err
	}
	switch name {
	case "put":
		table.Put(rest[0], []byte(rest[1]))
		return save(path, table)
	case "del":
		table.Delete(rest[0])
		return save(path, table)
	case "get":
		writeEntry(out, table, rest[0])
	case "iter":
		writeAll(out, table)
	case "size":
		writeSize(out, table)
	}
	return nil
}

func load(path string) (*memtable.MemTable, error) {
	dump, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	table, err := memtable.Decode(dump)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return table, nil
}

// save leaves at the path what it named before, or all of the new dump.
func save(path string, table *memtable.MemTable) error {
	temporary := fmt.Sprintf("%s.%d.tmp", path, os.Getpid())
	if err := os.WriteFile(temporary, table.Encode(), 0o666); err != nil {
		return err
	}
	return os.Rename(temporary, path)
}

func bulk(path, text string) error {
	count, err := strconv.ParseUint(text, 10, 32)
	if err != nil {
		return err
	}
	table, err := load(path)
	if errors.Is(err, fs.ErrNotExist) {
		table = &memtable.MemTable{}
	} else if err != nil {
		return err
	}
	for i := uint64(0); i < count; i++ {
		table.Put(fmt.Sprintf("key%d", i), []byte(fmt.Sprintf("val%d", i)))
	}
	return save(path, table)
}

func writeEntry(out io.Writer, table *memtable.MemTable, key string) {
	entry, ok := table.Get(key)
	switch {
	case !ok:
		fmt.Fprintln(out, "absent")
	case entry.IsTombstone:
		fmt.Fprintln(out, "tombstone")
	default:
		fmt.Fprintf(out, "value: %x\n", entry.Value)
	}
}

func writeAll(out io.Writer, table *memtable.MemTable) {
	for _, key := range table.Keys() {
		entry, _ := table.Get(key)
		if entry.IsTombstone {
			fmt.Fprintf(out, "T %x\n", key)
		} else {
			fmt.Fprintf(out, "V %x %x\n", key, entry.Value)
		}
	}
}

func writeSize(out io.Writer, table *memtable.MemTable) {
	fmt.Fprintf(out, "entries=%d size_bytes=%d\n", table.Len(), table.EncodedLen())
}
