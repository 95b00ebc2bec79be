//! One file a command. Each takes its parsed arguments, drives the library and prints.

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Result;

use tracing::Level;
use tracing_subscriber::filter::{EnvFilter, FilterExt as _, filter_fn};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::cli::{Cli, Command};
use crate::printer::Printer;

mod add;
mod again;
mod apply;
mod cache;
mod chosen;
mod completions;
mod doctor;
mod env;
mod exec;
mod failure;
mod fetch;
mod inspect;
mod list;
mod man;
mod mirror;
mod pins;
mod remove;
mod sdk;
mod session;
mod show;
mod sync;
mod update;
mod verify;
mod warm;
mod wish;

use session::Session;

/// Runs a command and turns its result into the exit code: 0 done, 1 the user can fix it, 130 interrupted.
pub fn run(cli: Cli) -> ExitCode {
    let printer = Printer::new(&cli.global);
    init_log(printer.verbose());
    if printer.json() {
        xtool::interrupt::before_exit(move || {
            let _ = printer.value(&serde_json::json!({
                "error": { "message": "Interrupted", "causes": [], "help": null }
            }));
        });
    }
    match dispatch(cli, printer) {
        Ok(code) => code,
        Err(e) => failure::report(printer, &e),
    }
}

/// Help and version, or what is wrong with the command line: exit code 2, as JSON too where that was asked for.
pub fn usage(error: &clap::Error) -> ExitCode {
    let json = std::env::args_os()
        .take_while(|a| a != "--")
        .any(|a| a == "--json");
    if json && error.use_stderr() {
        let text = error.render().to_string();
        let (message, tip) = parts(&text);
        let help = tip.unwrap_or_else(|| "xtool help".to_owned());
        let value = serde_json::json!({
            "error": { "message": message, "causes": [], "help": help }
        });
        // Not `println!`, which panics where nobody reads or nothing fits.
        let _ = writeln!(std::io::stdout(), "{value:#}");
    }
    // A reader that has gone away is no error.
    let _ = error.print();
    ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2))
}

/// What clap wrote of a mistake, as one line, and its tip: its paragraphs are the mistake, tips, the usage.
fn parts(text: &str) -> (String, Option<String>) {
    let line = |paragraph: &str| {
        let words: Vec<&str> = paragraph.split_whitespace().collect();
        words.join(" ")
    };
    let mut paragraphs = text.split("\n\n").map(line);
    let message = paragraphs.next().unwrap_or_default();
    let tip = paragraphs.find_map(|p| Some(p.strip_prefix("tip: ")?.to_owned()));
    let message = message.strip_prefix("error: ").unwrap_or(&message);
    (message.to_owned(), tip)
}

fn dispatch(cli: Cli, printer: Printer) -> Result<ExitCode> {
    let global = &cli.global;
    match cli.command {
        Command::Completions(args) => completions::script(&args, printer),
        Command::Man(args) => man::run(&args, printer),
        Command::Inspect(args) => inspect::run(&args, global, printer),
        Command::Cache(args) => cache::run(&args, &Session::open(global, printer)?),
        Command::Add(args) => add::run(&args, &Session::open(global, printer)?),
        Command::Remove(args) => remove::run(&args, &Session::open(global, printer)?),
        Command::Sync(args) => sync::run(&args, &Session::open(global, printer)?),
        Command::Update(args) => update::run(&args, &Session::open(global, printer)?),
        Command::Fetch(args) => fetch::run(&args, &Session::open(global, printer)?),
        Command::List(args) => list::run(&args, &Session::open(global, printer)?),
        Command::Show(args) => show::run(&args, &Session::open(global, printer)?),
        Command::Sdk(args) => sdk::run(&args, &Session::open(global, printer)?),
        Command::Env(args) => env::run(&args, &Session::open(global, printer)?),
        Command::Mirror(args) => mirror::run(&args, &Session::open(global, printer)?),
        Command::Verify(args) => verify::run(&args, &Session::open(global, printer)?),
        Command::Doctor => doctor::run(&Session::open(global, printer)?),
        Command::Exec(args) => exec::run(&args, &Session::open(global, printer)?),
    }
}

fn init_log(verbose: u8) {
    let asked = std::env::var(xtool::env_vars::XTOOL_LOG).ok();
    if verbose < 2 && asked.is_none() {
        return;
    }
    let filter =
        asked.unwrap_or_else(|| if verbose > 2 { "debug" } else { "xtool=debug" }.to_owned());
    // Whatever is asked for: at `trace` the HTTP client names addresses with their passwords.
    let secret = filter_fn(|m| *m.level() != Level::TRACE || m.target().starts_with("xtool"));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .without_time()
        .with_filter(EnvFilter::new(filter).and(secret));
    tracing_subscriber::registry().with(lines).init();
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;

    #[test]
    fn a_mistake_is_one_line_with_its_tip() {
        for (args, message, tip) in [
            (
                &["add"][..],
                "the following required arguments were not provided: <TRIPLE>...",
                None,
            ),
            (
                &["list", "--jsn"],
                "unexpected argument '--jsn' found",
                Some("a similar argument exists: '--json'"),
            ),
        ] {
            let error = Cli::try_parse_from([&["xtool"], args].concat()).unwrap_err();
            let (said, told) = parts(&error.render().to_string());
            assert_eq!((said.as_str(), told.as_deref()), (message, tip));
        }
    }
}
