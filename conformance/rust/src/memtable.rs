use std::collections::BTreeMap;

/// What a table knows of a key: a value, which may be empty, or that the key was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Value(Vec<u8>),
    Tombstone,
}

impl Entry {
    pub(crate) fn value(&self) -> &[u8] {
        match self {
            Entry::Value(value) => value,
            Entry::Tombstone => &[],
        }
    }
}

/// A sorted map of keys to entries. The order of `Vec<u8>` is that of unsigned bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MemTable {
    entries: BTreeMap<Vec<u8>, Entry>,
    /// Bytes of all keys and values.
    content_bytes: usize,
}

impl MemTable {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.set(key, Entry::Value(value));
    }

    /// Stores a tombstone, whether or not the key is there.
    pub fn delete(&mut self, key: Vec<u8>) {
        self.set(key, Entry::Tombstone);
    }

    pub fn get(&self, key: &[u8]) -> Option<&Entry> {
        self.entries.get(key)
    }

    /// All entries in the order of their keys, tombstones included.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &Entry)> {
        self.entries
            .iter()
            .map(|(key, entry)| (key.as_slice(), entry))
    }

    /// The number of keys, deleted ones included.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The size of the dump, known without encoding.
    pub fn encoded_len(&self) -> usize {
        crate::dump::HEADER_BYTES
            + crate::dump::ENTRY_HEADER_BYTES * self.len()
            + self.content_bytes
    }

    pub(crate) fn last_key(&self) -> Option<&[u8]> {
        self.entries.last_key_value().map(|(key, _)| key.as_slice())
    }

    fn set(&mut self, key: Vec<u8>, entry: Entry) {
        let key_bytes = key.len();
        self.content_bytes += entry.value().len();
        match self.entries.insert(key, entry) {
            Some(replaced) => self.content_bytes -= replaced.value().len(),
            None => self.content_bytes += key_bytes,
        }
    }
}
