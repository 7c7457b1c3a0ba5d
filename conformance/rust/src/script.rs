//! Many operations in one process: see `script` in ../README.md.

use std::error::Error;
use std::io::{BufRead, Write};

use memtable::{decode, encode, MemTable};

use crate::{hex, write_all, write_entry, write_size};

/// Runs the operations of `input`; what `dump` writes goes to `dumps`, all else to `out`.
pub fn run(
    input: impl BufRead,
    dumps: &mut impl Write,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let mut table = MemTable::new();
    for (i, line) in input.lines().enumerate() {
        let line = line?;
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            [""] => {}
            [word, ..] if word.starts_with('#') => writeln!(out, "{line}")?,
            ["new"] => table = MemTable::new(),
            ["put", key, value] => table.put(bytes(key, i)?, bytes(value, i)?),
            ["del", key] => table.delete(bytes(key, i)?),
            ["get", key] => write_entry(out, table.get(&bytes(key, i)?))?,
            ["iter"] => write_all(out, &table)?,
            ["size"] => write_size(out, &table)?,
            ["dump"] => {
                let dump = encode(&table);
                dumps.write_all(&dump)?;
                writeln!(out, "dump {}", dump.len())?;
            }
            ["load", dump] => match decode(&bytes(dump, i)?) {
                Ok(loaded) => {
                    writeln!(out, "loaded {}", loaded.len())?;
                    table = loaded;
                }
                Err(error) => writeln!(out, "refused: {error}")?,
            },
            _ => return Err(format!("line {}: no operation: {line}", i + 1).into()),
        }
    }
    Ok(())
}

/// A word of the line with this index, as bytes.
fn bytes(word: &str, index: usize) -> Result<Vec<u8>, String> {
    let text = if word == "-" { "" } else { word };
    hex::decode(text).ok_or_else(|| format!("line {}: not hex: {word}", index + 1))
}
