//! The commands of ../README.md, on one dump file.

mod hex;
mod script;

use std::error::Error;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::{env, fs, process};

use memtable::{decode, encode, Entry, MemTable};

type Outcome = Result<(), Box<dyn Error>>;

const USAGE: &str = "usage: memtable new|put|del|get|iter|bulk|size|script PATH [KEY [VALUE] | N]";

fn main() {
    let args: Vec<String> = env::args().skip(1).collect();
    if let Err(error) = run(&args) {
        eprintln!("memtable: {error}");
        process::exit(1);
    }
}

fn run(args: &[String]) -> Outcome {
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let mut out = BufWriter::new(io::stdout().lock());
    match args[..] {
        ["new", path] => save(path, &MemTable::new())?,
        ["put", path, key, value] => change(path, |table| table.put(key.into(), value.into()))?,
        ["del", path, key] => change(path, |table| table.delete(key.into()))?,
        ["get", path, key] => write_entry(&mut out, load(path)?.get(key.as_bytes()))?,
        ["iter", path] => write_all(&mut out, &load(path)?)?,
        ["bulk", path, count] => bulk(path, number(count)?)?,
        ["size", path] => write_size(&mut out, &load(path)?)?,
        ["script", path] => {
            script::run(io::stdin().lock(), &mut fs::File::create(path)?, &mut out)?
        }
        _ => return Err(USAGE.into()),
    }
    Ok(out.flush()?)
}

fn load(path: &str) -> Result<MemTable, Box<dyn Error>> {
    let dump = fs::read(path).map_err(|error| format!("{path}: {error}"))?;
    Ok(decode(&dump).map_err(|error| format!("{path}: {error}"))?)
}

/// The path names what it named before, or all of the new dump.
fn save(path: &str, table: &MemTable) -> Outcome {
    let temporary = format!("{path}.{}.tmp", process::id());
    fs::write(&temporary, encode(table))?;
    Ok(fs::rename(&temporary, path)?)
}

fn change(path: &str, write: impl FnOnce(&mut MemTable)) -> Outcome {
    let mut table = load(path)?;
    write(&mut table);
    save(path, &table)
}

fn bulk(path: &str, count: u32) -> Outcome {
    let mut table = if Path::new(path).exists() {
        load(path)?
    } else {
        MemTable::new()
    };
    for i in 0..count {
        table.put(
            format!("key{i}").into_bytes(),
            format!("val{i}").into_bytes(),
        );
    }
    save(path, &table)
}

/// Digits alone: `parse` would also take a sign.
fn number(text: &str) -> Result<u32, Box<dyn Error>> {
    if !text.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(format!("not a number: {text}").into());
    }
    Ok(text.parse()?)
}

fn write_entry(out: &mut impl Write, entry: Option<&Entry>) -> io::Result<()> {
    match entry {
        Some(Entry::Value(value)) => writeln!(out, "value: {}", hex::encode(value)),
        Some(Entry::Tombstone) => writeln!(out, "tombstone"),
        None => writeln!(out, "absent"),
    }
}

fn write_all(out: &mut impl Write, table: &MemTable) -> io::Result<()> {
    for (key, entry) in table.iter() {
        match entry {
            Entry::Value(value) => writeln!(out, "V {} {}", hex::encode(key), hex::encode(value))?,
            Entry::Tombstone => writeln!(out, "T {}", hex::encode(key))?,
        }
    }
    Ok(())
}

fn write_size(out: &mut impl Write, table: &MemTable) -> io::Result<()> {
    writeln!(
        out,
        "entries={} size_bytes={}",
        table.len(),
        table.encoded_len()
    )
}
