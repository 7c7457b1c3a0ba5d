use memtable::{decode, encode, DumpError, Entry, Fault, MemTable};

const GOLDEN: &[u8] = b"MMT1\x02\0\0\0\x05\0\0\0\x05\0\0\0\0alphafirst\x04\0\0\0\0\0\0\0\x01beta";

fn golden_table() -> MemTable {
    let mut table = MemTable::new();
    table.put(b"alpha".to_vec(), b"first".to_vec());
    table.put(b"beta".to_vec(), b"second".to_vec());
    table.delete(b"beta".to_vec());
    table
}

fn fault(dump: &[u8]) -> (Fault, usize) {
    let DumpError { fault, offset } = decode(dump).expect_err("the dump is refused");
    (fault, offset)
}

/// The golden dump with one byte changed.
fn changed(offset: usize, byte: u8) -> Vec<u8> {
    let mut dump = GOLDEN.to_vec();
    dump[offset] = byte;
    dump
}

#[test]
fn a_table_is_encoded_as_the_contract_says() {
    assert_eq!(encode(&golden_table()), GOLDEN);
    assert_eq!(encode(&MemTable::new()), b"MMT1\0\0\0\0");
}

#[test]
fn a_dump_is_decoded_to_the_table_that_it_came_from() {
    assert_eq!(decode(GOLDEN), Ok(golden_table()));
    assert_eq!(decode(b"MMT1\0\0\0\0"), Ok(MemTable::new()));
}

#[test]
fn values_tombstones_and_absent_keys_are_told_apart() {
    let mut table = golden_table();
    table.put(Vec::new(), Vec::new());
    table.delete(b"never put".to_vec());
    assert_eq!(table.get(b"alpha"), Some(&Entry::Value(b"first".to_vec())));
    assert_eq!(table.get(b""), Some(&Entry::Value(Vec::new())));
    assert_eq!(table.get(b"beta"), Some(&Entry::Tombstone));
    assert_eq!(table.get(b"never put"), Some(&Entry::Tombstone));
    assert_eq!(table.get(b"gamma"), None);
    assert_eq!(table.len(), 4);
}

#[test]
fn keys_are_in_the_order_of_unsigned_bytes() {
    let mut table = MemTable::new();
    for key in [&b"\xff"[..], b"a", b"", b"\x7f", b"\x80", b"a\0", b"\0"] {
        table.put(key.to_vec(), Vec::new());
    }
    let keys: Vec<&[u8]> = table.iter().map(|(key, _)| key).collect();
    assert_eq!(
        keys,
        [&b""[..], b"\0", b"a", b"a\0", b"\x7f", b"\x80", b"\xff"]
    );
}

#[test]
fn the_size_is_known_without_encoding() {
    let mut table = MemTable::new();
    for (key, value) in [("a", "1"), ("b", "22"), ("a", "333"), ("a", ""), ("", "4")] {
        table.put(key.into(), value.into());
        assert_eq!(table.encoded_len(), encode(&table).len());
    }
    table.delete(b"b".to_vec());
    table.delete(b"c".to_vec());
    assert_eq!(table.encoded_len(), encode(&table).len());
}

#[test]
fn every_proper_prefix_of_a_dump_is_refused() {
    for bytes in 0..GOLDEN.len() {
        let expected = match bytes {
            0..=7 => Fault::Short { bytes },
            8..=26 => Fault::Truncated { entry: 1, count: 2 },
            _ => Fault::Truncated { entry: 2, count: 2 },
        };
        assert_eq!(fault(&GOLDEN[..bytes]), (expected, bytes));
    }
}

#[test]
fn each_fault_is_refused_at_its_offset() {
    assert_eq!(fault(&changed(0, b'N')), (Fault::Magic, 0));
    assert_eq!(
        fault(&changed(16, 2)),
        (Fault::Type { entry: 1, found: 2 }, 16)
    );
    assert_eq!(
        fault(&changed(16, 1)),
        (Fault::TombstoneValue { entry: 1, bytes: 5 }, 12)
    );
    let repeated = b"MMT1\x02\0\0\0\x01\0\0\0\0\0\0\0\0a\x01\0\0\0\0\0\0\0\0a";
    assert_eq!(fault(repeated), (Fault::Order { entry: 2 }, 27));
    assert_eq!(fault(&changed(17, b'c')), (Fault::Order { entry: 2 }, 36));
    assert_eq!(fault(&changed(4, 1)), (Fault::Trailing, 27));
    assert_eq!(fault(&[GOLDEN, b"\0"].concat()), (Fault::Trailing, 40));
    assert_eq!(
        fault(&changed(4, 3)),
        (Fault::Truncated { entry: 3, count: 3 }, 40)
    );
}

#[test]
fn a_length_is_not_trusted() {
    let mut dump = b"MMT1\xff\xff\xff\xff".to_vec();
    dump.extend_from_slice(&[0xff; 8]);
    dump.push(0);
    assert_eq!(
        fault(&dump),
        (
            Fault::Truncated {
                entry: 1,
                count: u32::MAX
            },
            17
        )
    );
}
