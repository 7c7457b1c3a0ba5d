package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"strings"

	"varve.example/conformance/memtable"
)

// lineBytesMax is the longest line that a script may have.
const lineBytesMax = 1 << 30

// script runs many operations in one process: see `script` in ../README.md.
type script struct {
	table *memtable.MemTable
	dumps io.Writer
	out   io.Writer
}

func runScriptTo(path string, out io.Writer) error {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	defer file.Close()
	dumps := bufio.NewWriter(file)
	s := script{&memtable.MemTable{}, dumps, out}
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, lineBytesMax)
	lines.Split(splitLine)
	for number := 1; lines.Scan(); number++ {
		if err := s.run(lines.Text()); err != nil {
			return fmt.Errorf("line %d: %w", number, err)
		}
	}
	if err := lines.Err(); err != nil {
		return err
	}
	return dumps.Flush()
}

// splitLine ends a line with a line feed alone; bufio.ScanLines would drop a
// carriage return before it.
func splitLine(data []byte, atEOF bool) (int, []byte, error) {
	if end := bytes.IndexByte(data, '\n'); end >= 0 {
		return end + 1, data[:end], nil
	}
	if atEOF && len(data) > 0 {
		return len(data), data, nil
	}
	return 0, nil, nil
}

func (s *script) run(line string) error {
	if line == "" {
		return nil
	}
	if line[0] == '#' {
		fmt.Fprintln(s.out, line)
		return nil
	}
	words := strings.Split(line, " ")
	operands := make([]string, 0, 2)
	for _, word := range words[1:] {
		operand, err := operandOf(word)
		if err != nil {
			return err
		}
		operands = append(operands, operand)
	}
	return s.apply(words[0], operands)
}

// operandOf reads lowercase hex, or - for the empty string.
func operandOf(word string) (string, error) {
	if word == "-" {
		return "", nil
	}
	if word != strings.ToLower(word) {
		return "", fmt.Errorf("not lowercase: %s", word)
	}
	operand, err := hex.DecodeString(word)
	return string(operand), err
}

func (s *script) apply(name string, operands []string) error {
	switch fmt.Sprintf("%s/%d", name, len(operands)) {
	case "new/0":
		s.table = &memtable.MemTable{}
	case "put/2":
		s.table.Put(operands[0], []byte(operands[1]))
	case "del/1":
		s.table.Delete(operands[0])
	case "get/1":
		writeEntry(s.out, s.table, operands[0])
	case "iter/0":
		writeAll(s.out, s.table)
	case "size/0":
		writeSize(s.out, s.table)
	case "dump/0":
		n, err := s.dumps.Write(s.table.Encode())
		fmt.Fprintf(s.out, "dump %d\n", n)
		return err
	case "load/1":
		s.load(operands[0])
	default:
		return fmt.Errorf("no operation: %s with %d operands", name, len(operands))
	}
	return nil
}

func (s *script) load(dump string) {
	table, err := memtable.Decode([]byte(dump))
	if err != nil {
		fmt.Fprintf(s.out, "refused: %v\n", err)
		return
	}
	s.table = table
	fmt.Fprintf(s.out, "loaded %d\n", table.Len())
}
