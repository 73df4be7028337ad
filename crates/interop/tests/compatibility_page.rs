//! `docs/compatibility.md` promises nothing that is not there: the tests it names exist, each row has a
//! status and a test or says that there is none, and no operation and no configuration key lacks a row.
//! Each row of `docs/divergences.md` names tests that exist, too. And the files that `docs/java-map.md` points to are where it says.
//!
//! Needs no peer and no server.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use zooid_proto::OpCode;

#[test]
fn every_test_that_the_page_names_exists() {
    let faults: BTreeSet<String> = rows(&page())
        .iter()
        .flat_map(|row| references(row.test.as_deref().unwrap_or_default()))
        .filter_map(|reference| reference.fault())
        .collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_divergence_names_tests_that_exist() {
    let page = read("docs/divergences.md");
    let rows = page.lines().filter(|line| line.starts_with("| "));
    let differences: Vec<Vec<String>> = rows
        .map(cells)
        .filter(|cells| cells[0] != "Difference")
        .collect();
    assert!(
        differences.len() > 50,
        "{} rows: the tables were not found",
        differences.len()
    );
    let mut faults = BTreeSet::new();
    for cells in &differences {
        let references = references(cells.last().expect("a row has cells"));
        let names_one = references.iter().any(|reference| reference.test.is_some());
        if !names_one {
            faults.insert(format!("{}: names no test", cells[0]));
        }
        faults.extend(references.iter().filter_map(Reference::fault));
    }
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_row_says_how_it_stands_and_what_proves_it() {
    let rows = rows(&page());
    assert!(
        rows.len() > 200,
        "{} rows: the tables were not found",
        rows.len()
    );
    let faults: Vec<String> = rows.iter().filter_map(Row::fault).collect();
    assert!(faults.is_empty(), "{faults:#?}");
}

#[test]
fn every_operation_has_a_row() {
    let rows = rows(&page());
    let has_row = |op: &&OpCode| {
        rows.iter()
            .any(|row| row.subject == format!("`{}`", op.name()))
    };
    let missing: Vec<&OpCode> = OpCode::ALL.iter().filter(|op| !has_row(op)).collect();
    assert!(missing.is_empty(), "without a row: {missing:?}");
}

#[test]
fn every_configuration_key_has_a_row() {
    let page = page();
    let (_, keys_section) = page.split_once("### Keys").expect("a section on keys");
    let (keys_section, _) = keys_section.split_once("\n### ").expect("it ends");
    let rows = rows(keys_section);
    let subjects: Vec<&str> = rows
        .iter()
        .flat_map(|row| code_spans(&row.subject))
        .collect();
    // What only tunes the JVM has one row for all.
    let keys = keys_of(&read("docs/configuration.md"), |mark| mark != "J");
    assert!(
        keys.len() > 100,
        "{} keys: the tables were not found",
        keys.len()
    );
    let is_named = |key: &String| {
        subjects
            .iter()
            .any(|subject| match subject.strip_suffix('*') {
                Some(family) => key.starts_with(family),
                None => subject == key,
            })
    };
    let missing: Vec<&String> = keys.iter().filter(|key| !is_named(key)).collect();
    assert!(missing.is_empty(), "without a row: {missing:#?}");
}

#[test]
fn every_file_on_the_map_exists() {
    let map = read("docs/java-map.md");
    let files: BTreeSet<&str> = code_spans(&map)
        .into_iter()
        .filter(|span| span.contains("/src/"))
        .collect();
    assert!(
        files.len() > 50,
        "{} files: the tables were not found",
        files.len()
    );
    let is_missing = |file: &&&str| !root().join("crates").join(file).exists();
    let missing: Vec<_> = files.iter().filter(is_missing).collect();
    assert!(missing.is_empty(), "{missing:#?}");
}

/// One line of a table that has a status.
struct Row {
    line: usize,
    subject: String,
    status: String,
    /// `None` when the table has no such column.
    test: Option<String>,
}

impl Row {
    fn fault(&self) -> Option<String> {
        let at = format!("line {}: {}", self.line, self.subject);
        let word = self.status.split([':', ';']).next().unwrap_or_default();
        let says_why = self.status.len() > word.len();
        let test = self.test.as_deref()?;
        let is_proven = test == NO_TEST || !references(test).is_empty();
        match word {
            "works" if is_proven => None,
            "partly" if is_proven && says_why => None,
            "not yet" if is_proven || test == NOTHING_TO_TEST => None,
            "works" => Some(format!("{at}: works, but names no test")),
            "partly" => Some(format!(
                "{at}: partly, but names no test or does not say what lacks"
            )),
            "not yet" => Some(format!("{at}: {test:?} is no test")),
            other => Some(format!("{at}: {other:?} is no status")),
        }
    }
}

/// Something that proves a row.
#[derive(Debug)]
struct Reference {
    file: String,
    /// A test in it; `None` for a program that is a test as a whole.
    test: Option<String>,
}

impl Reference {
    fn fault(&self) -> Option<String> {
        let Some(path) = find(&self.file) else {
            return Some(format!("{}: no such file", self.file));
        };
        let test = self.test.as_ref()?;
        let text = fs::read_to_string(path).expect("a file that can be read");
        (!is_test(&text, test)).then(|| format!("{}::{test}: no such test", self.file))
    }
}

/// The code spans of a cell: `file::test`, `::test` of the file before, or a file.
fn references(cell: &str) -> Vec<Reference> {
    let mut last_file = String::new();
    let mut references = Vec::new();
    for span in code_spans(cell) {
        let (file, test) = match span.split_once("::") {
            Some((file, test)) => (file, Some(test.to_owned())),
            None => (span, None),
        };
        if !file.is_empty() {
            file.clone_into(&mut last_file);
        }
        references.push(Reference {
            file: last_file.clone(),
            test,
        });
    }
    references
}

/// Whether a Rust source has such a test: a function under `#[test]`, or a line `name: ...` of a
/// macro that makes them.
fn is_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_made = |line: &&str| {
        let rest = line
            .strip_prefix(name)
            .and_then(|rest| rest.strip_prefix(": "));
        rest.is_some_and(|rest| rest.ends_with(';'))
    };
    let declaration = format!("fn {name}(");
    let is_declared = |(index, line): (usize, &&str)| {
        let is_above = |line: &&&str| line.starts_with('#') || line.starts_with("//");
        let mut above = lines[..index].iter().rev().take_while(is_above);
        line.contains(&declaration)
            && above.any(|line| TEST_ATTRIBUTES.iter().any(|a| line.starts_with(a)))
    };
    lines.iter().any(is_made) || lines.iter().enumerate().any(is_declared)
}

fn rows(page: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut columns: Option<(usize, Option<usize>)> = None;
    let mut in_table = false;
    for (index, line) in page.lines().enumerate() {
        if !line.starts_with('|') {
            in_table = false;
            continue;
        }
        let cells = cells(line);
        if !in_table {
            in_table = true;
            let column = |name| cells.iter().position(|cell| cell == name);
            columns = column("status").map(|status| (status, column("test")));
        } else if let Some((status, test)) = columns
            && !cells[0].starts_with("---")
        {
            let cell = |column: usize| cells.get(column).cloned().unwrap_or_default();
            rows.push(Row {
                line: index + 1,
                subject: cells[0].clone(),
                status: cell(status),
                test: test.map(cell),
            });
        }
    }
    rows
}

/// The cells of a row; `\|` is no border.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').replace("\\|", "\0");
    let inner = inner.strip_suffix('|').unwrap_or(&inner);
    inner
        .split('|')
        .map(|cell| cell.trim().replace('\0', "|"))
        .collect()
}

fn code_spans(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

/// The keys of `docs/configuration.md` whose mark is wanted, without `-D`.
fn keys_of(page: &str, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let of_row = |line: &str| {
        let cells = cells(line);
        let [key, _, _, _, mark, _] = &cells[..] else {
            return None;
        };
        let key = code_spans(key).first().copied()?;
        wanted(mark).then(|| key.trim_start_matches("-D").to_owned())
    };
    page.lines()
        .filter(|line| line.starts_with("| `"))
        .filter_map(of_row)
        .collect()
}

fn page() -> String {
    read("docs/compatibility.md")
}

fn read(file: &str) -> String {
    let path = root().join(file);
    fs::read_to_string(&path).unwrap_or_else(|err| panic!("{}: {err}", path.display()))
}

/// A file named as the page names it: below `crates`, or from the root of the repository.
fn find(file: &str) -> Option<PathBuf> {
    let candidates = [root().join("crates").join(file), root().join(file)];
    candidates.into_iter().find(|path| path.is_file())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

const NO_TEST: &str = "no test yet";
const NOTHING_TO_TEST: &str = "–";
const TEST_ATTRIBUTES: [&str; 2] = ["#[test]", "#[tokio::test"];
