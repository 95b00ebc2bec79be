//! A report for people: 80 columns, the same on every machine.

mod chart;
mod describe;
mod paper;

use std::path::Path;

use super::libraries::{Library, Status};
use super::require::Outcome;
use super::size::{human, percent};
use super::tables::Tables;
use super::verdict::Verdict;
use super::{Report, Slice};
use paper::{BAD, BOLD, DIM, GOOD, Paper, WARN};

/// Libraries shown at most; `--json` has them all.
const LIBRARIES: usize = 24;
/// Sections shown at most.
const SECTIONS: usize = 10;

/// The report with ANSI colours, which `anstream` takes out again where they are not wanted.
pub fn text(report: &Report, outcomes: &[Outcome], tables: &Tables) -> String {
    let mut paper = Paper::default();
    paper.line(&format!("{BOLD}{}{BOLD:#}", report.path.display()));
    for slice in &report.slices {
        if report.slices.len() > 1 {
            paper.line("");
            paper.line(&format!("{BOLD}Slice {}{BOLD:#}", slice.facts.architecture));
        }
        slice_text(&mut paper, slice, &report.path, tables);
    }
    requirements(&mut paper, outcomes);
    paper.into_text()
}

fn slice_text(paper: &mut Paper, slice: &Slice, path: &Path, tables: &Tables) {
    for (label, value) in describe::facts(&slice.facts) {
        paper.field(label, &value);
    }
    libraries(paper, &slice.libraries);
    sizes(paper, slice);
    runs_on(paper, slice, tables);
    advice(paper, slice, path);
}

fn libraries(paper: &mut Paper, all: &[Library]) {
    if all.is_empty() {
        return;
    }
    paper.heading("Libraries");
    let mut noted = None;
    for library in all.iter().take(LIBRARIES) {
        let (style, word) = match library.status {
            Status::Found => (GOOD, ""),
            Status::NotFound => (BAD, "not found"),
            Status::System => (DIM, "system"),
            Status::Redistributable => (WARN, "redistributable"),
            Status::MustShip => (WARN, "must be shipped"),
            Status::NotChecked => (DIM, "not looked for"),
        };
        let mut state: Vec<String> = Vec::new();
        if !word.is_empty() {
            state.push(word.to_owned());
        }
        state.extend(library.path.as_ref().map(|p| end_of(p)));
        state.extend(library.needed_by.as_ref().map(|by| format!("for {by}")));
        // The C runtime of Windows is a dozen DLLs with one note.
        if noted != library.note {
            state.extend(library.note.clone());
            noted.clone_from(&library.note);
        }
        paper.row(&library.name, 30, style, &state.join(", "));
    }
    if all.len() > LIBRARIES {
        paper.line(&format!(
            "  {DIM}{} more: --json has them{DIM:#}",
            all.len() - LIBRARIES
        ));
    }
}

/// A path, or as much of its end as fits into the line; `--json` has it whole.
fn end_of(path: &Path) -> String {
    const MOST: usize = paper::WIDTH - 36;
    let whole = path.display().to_string();
    if whole.chars().count() <= MOST {
        return whole;
    }
    let mut rest = whole.as_str();
    while let Some((_, shorter)) = rest.split_once(std::path::MAIN_SEPARATOR) {
        if shorter.chars().count() + 2 <= MOST && !shorter.is_empty() {
            return format!("…{}{shorter}", std::path::MAIN_SEPARATOR);
        }
        rest = shorter;
    }
    whole
}

fn sizes(paper: &mut Paper, slice: &Slice) {
    let facts = &slice.facts;
    paper.heading(&format!(
        "Size: {} ({} bytes)",
        human(facts.size),
        facts.size
    ));
    for line in chart::lines(&super::size::largest(&facts.sections, SECTIONS), facts.size) {
        paper.line(&line);
    }
}

fn runs_on(paper: &mut Paper, slice: &Slice, tables: &Tables) {
    paper.heading("Runs on");
    let mut rest = &slice.verdicts[..];
    while let Some(first) = rest.first() {
        // A family that the file was not made for is one line.
        let family = rest.iter().take_while(|v| v.family == first.family).count();
        let (of_family, others) = rest.split_at(family);
        rest = others;
        if family > 1
            && of_family
                .iter()
                .all(|v| !v.runs && v.reasons == first.reasons)
        {
            let name = match first.family {
                "linux" => "Linux and its containers",
                _ => "Windows",
            };
            verdict(
                paper,
                &Verdict {
                    name: name.to_owned(),
                    ..first.clone()
                },
            );
            continue;
        }
        for v in of_family {
            verdict(paper, v);
        }
    }
    let base = slice
        .smallest_base
        .as_ref()
        .and_then(|id| tables.linux.iter().find(|l| l.id == *id));
    if let Some(base) = base {
        paper.line("");
        let note = match base.id.as_str() {
            "scratch" => " (distroless static, if it needs certificates, time zones or /tmp)",
            _ => "",
        };
        paper.field("Smallest base", &format!("{}{note}", base.name));
    }
}

fn verdict(paper: &mut Paper, v: &Verdict) {
    let (style, word) = if v.runs { (GOOD, "yes") } else { (BAD, "no ") };
    paper.answer(style, word, &v.name, &v.reasons);
}

fn advice(paper: &mut Paper, slice: &Slice, path: &Path) {
    let advice = &slice.advice;
    let saves = advice.strip_saves;
    if saves >= 1000 {
        paper.heading("Smaller");
        paper.field(
            "Stripping",
            &format!(
                "saves {} of {} ({}), in a copy:",
                human(saves),
                human(slice.facts.size),
                percent(saves, slice.facts.size)
            ),
        );
        // A command stays in one line, to be pasted.
        paper.line(&format!("    xtool inspect {} --strip OUT", path.display()));
    } else if !advice.profile.is_empty() {
        paper.heading("Smaller");
    }
    if !advice.profile.is_empty() {
        paper.line("  In Cargo.toml, to try one by one:");
        paper.line("    [profile.release]");
        for s in &advice.profile {
            paper.line(&format!("    {:<22}{DIM}# {}{DIM:#}", s.line, s.effect));
        }
    }
}

fn requirements(paper: &mut Paper, outcomes: &[Outcome]) {
    if outcomes.is_empty() {
        return;
    }
    paper.heading("Required");
    for o in outcomes {
        let (style, word) = if o.met { (GOOD, "yes") } else { (BAD, "no ") };
        paper.answer(style, word, &o.requirement, std::slice::from_ref(&o.reason));
    }
}
