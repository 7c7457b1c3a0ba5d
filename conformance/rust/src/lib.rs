//! A MemTable and its dump, MMT1. The contract, which the other languages share, is in ../README.md.

mod dump;
mod memtable;

pub use dump::{decode, encode, DumpError, Fault};
pub use memtable::{Entry, MemTable};
