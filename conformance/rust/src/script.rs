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
    for (i, line) in input.split(b'\n').enumerate() {
        let line = line?;
        let words: Vec<&[u8]> = line.split(|&byte| byte == b' ').collect();
        match words[..] {
            [b""] => {}
            [[b'#', ..], ..] => {
                out.write_all(&line)?;
                out.write_all(b"\n")?;
            }
            [b"new"] => table = MemTable::new(),
            [b"put", key, value] => table.put(bytes(key, i)?, bytes(value, i)?),
            [b"del", key] => table.delete(bytes(key, i)?),
            [b"get", key] => write_entry(out, table.get(&bytes(key, i)?))?,
            [b"iter"] => write_all(out, &table)?,
            [b"size"] => write_size(out, &table)?,
            [b"dump"] => {
                let dump = encode(&table);
                dumps.write_all(&dump)?;
                writeln!(out, "dump {}", dump.len())?;
            }
            [b"load", dump] => match decode(&bytes(dump, i)?) {
                Ok(loaded) => {
                    writeln!(out, "loaded {}", loaded.len())?;
                    table = loaded;
                }
                Err(error) => writeln!(out, "refused: {error}")?,
            },
            _ => {
                let text = String::from_utf8_lossy(&line);
                return Err(format!("line {}: no operation: {text}", i + 1).into());
            }
        }
    }
    Ok(())
}

/// A word of the line with this index, as bytes.
fn bytes(word: &[u8], index: usize) -> Result<Vec<u8>, String> {
    let digits = if word == b"-" { b"" } else { word };
    hex::decode(digits).ok_or_else(|| {
        let text = String::from_utf8_lossy(word);
        format!("line {}: not hex: {text}", index + 1)
    })
}
