use std::fmt;

use crate::{Entry, MemTable};

const MAGIC: &[u8; 4] = b"MMT1";
/// Magic and count.
pub(crate) const HEADER_BYTES: usize = 8;
/// Two lengths and the type.
pub(crate) const ENTRY_HEADER_BYTES: usize = 9;
const VALUE: u8 = 0;
const TOMBSTONE: u8 = 1;

/// Why bytes are no dump. Entries are counted from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    Short { bytes: usize },
    Magic,
    Truncated { entry: u32, count: u32 },
    Type { entry: u32, found: u8 },
    TombstoneValue { entry: u32, bytes: u32 },
    Order { entry: u32 },
    Trailing,
}

/// A fault and the offset at which it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DumpError {
    pub fault: Fault,
    pub offset: usize,
}

impl fmt::Display for DumpError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.fault {
            Fault::Short { bytes } => {
                write!(f, "a dump of {bytes} bytes is shorter than its header")
            }
            Fault::Magic => write!(f, "a dump begins with MMT1, and this does not"),
            Fault::Truncated { entry, count } => {
                write!(
                    f,
                    "the dump ends before the end of entry {entry} of {count}"
                )
            }
            Fault::Type { entry, found } => write!(f, "entry {entry} has the unknown type {found}"),
            Fault::TombstoneValue { entry, bytes } => {
                write!(
                    f,
                    "entry {entry} is a tombstone with a value of {bytes} bytes"
                )
            }
            Fault::Order { entry } => {
                write!(
                    f,
                    "the key of entry {entry} does not sort after the one before it"
                )
            }
            Fault::Trailing => write!(f, "there are bytes after the last entry"),
        }?;
        write!(f, " (at byte {})", self.offset)
    }
}

impl std::error::Error for DumpError {}

/// The dump of a table: the same bytes for the same entries, in every language.
///
/// # Panics
/// If the table has more than 2^32 − 1 entries, or one longer than that: the format cannot say it.
pub fn encode(table: &MemTable) -> Vec<u8> {
    let mut dump = Vec::with_capacity(table.encoded_len());
    dump.extend_from_slice(MAGIC);
    dump.extend_from_slice(&word(table.len()));
    for (key, entry) in table.iter() {
        let value = entry.value();
        dump.extend_from_slice(&word(key.len()));
        dump.extend_from_slice(&word(value.len()));
        dump.push(if *entry == Entry::Tombstone {
            TOMBSTONE
        } else {
            VALUE
        });
        dump.extend_from_slice(key);
        dump.extend_from_slice(value);
    }
    dump
}

/// The table that a dump describes, or the first fault in reading order.
pub fn decode(dump: &[u8]) -> Result<MemTable, DumpError> {
    let fault = |fault, offset| Err(DumpError { fault, offset });
    if dump.len() < HEADER_BYTES {
        return fault(Fault::Short { bytes: dump.len() }, dump.len());
    }
    if &dump[..4] != MAGIC {
        return fault(Fault::Magic, 0);
    }
    let count = word_at(dump, 4);
    let mut table = MemTable::new();
    let mut at = HEADER_BYTES;
    for entry in 1..=count {
        if dump.len() - at < ENTRY_HEADER_BYTES {
            return fault(Fault::Truncated { entry, count }, dump.len());
        }
        let (key_bytes, value_bytes, found) =
            (word_at(dump, at), word_at(dump, at + 4), dump[at + 8]);
        if found > TOMBSTONE {
            return fault(Fault::Type { entry, found }, at + 8);
        }
        if found == TOMBSTONE && value_bytes != 0 {
            return fault(
                Fault::TombstoneValue {
                    entry,
                    bytes: value_bytes,
                },
                at + 4,
            );
        }
        let start = at + ENTRY_HEADER_BYTES;
        // In 64 bits the sum of two lengths does not overflow.
        if ((dump.len() - start) as u64) < u64::from(key_bytes) + u64::from(value_bytes) {
            return fault(Fault::Truncated { entry, count }, dump.len());
        }
        let middle = start + key_bytes as usize;
        let end = middle + value_bytes as usize;
        let key = &dump[start..middle];
        if table.last_key().is_some_and(|last| key <= last) {
            return fault(Fault::Order { entry }, start);
        }
        if found == TOMBSTONE {
            table.delete(key.to_vec());
        } else {
            table.put(key.to_vec(), dump[middle..end].to_vec());
        }
        at = end;
    }
    if at < dump.len() {
        return fault(Fault::Trailing, at);
    }
    Ok(table)
}

fn word(length: usize) -> [u8; 4] {
    u32::try_from(length)
        .expect("a length fits 32 bits")
        .to_le_bytes()
}

/// The caller has made sure that there are four bytes.
fn word_at(dump: &[u8], offset: usize) -> u32 {
    u32::from_le_bytes([
        dump[offset],
        dump[offset + 1],
        dump[offset + 2],
        dump[offset + 3],
    ])
}
