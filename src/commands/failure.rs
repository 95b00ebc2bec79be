//! How a command's failure reaches the user: message, causes, `help:`, exit code.

use std::process::ExitCode;

use xtool::help::Help;
use xtool::project::ProjectError;

use super::again;
use crate::printer::Printer;

/// A failure whose way out the command itself knows.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// What failed.
    pub message: String,
    /// What to type next.
    pub help: Option<String>,
    /// What lies behind it.
    #[source]
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

/// A failure with a `help:` line.
pub fn with_help(message: impl Into<String>, help: impl Into<String>) -> anyhow::Error {
    Failure {
        message: message.into(),
        help: Some(help.into()),
        cause: None,
    }
    .into()
}

/// A failure that `cause` led to, with a `help:` line of the command's own or else the cause's.
pub fn because(
    message: impl Into<String>,
    help: Option<String>,
    cause: anyhow::Error,
) -> anyhow::Error {
    Failure {
        message: message.into(),
        help: help.or_else(|| help_of(&cause)),
        cause: Some(cause.into()),
    }
    .into()
}

impl Help for Failure {
    fn help(&self) -> Option<String> {
        self.help.clone()
    }
}

/// Prints the error, as JSON too where that was asked for.
pub fn report(printer: Printer, error: &anyhow::Error) -> ExitCode {
    if printer.json() {
        let _ = printer.value(&serde_json::json!({ "error": json(error) }));
    }
    print(printer, error);
    ExitCode::FAILURE
}

/// Message, causes and the way out, on stderr.
pub fn print(printer: Printer, error: &anyhow::Error) {
    printer.error(&text(&causes(error)));
    if let Some(help) = help_of(error) {
        printer.help(&help);
    }
}

/// The same as JSON.
pub fn json(error: &anyhow::Error) -> serde_json::Value {
    let causes = causes(error);
    serde_json::json!({ "message": causes[0], "causes": causes[1..], "help": help_of(error) })
}

/// Message and causes, one a line.
fn text(causes: &[String]) -> String {
    let mut text = causes[0].clone();
    for cause in &causes[1..] {
        text.push_str("\n  caused by: ");
        text.push_str(&cause.replace('\n', "\n  "));
    }
    text
}

fn causes(error: &anyhow::Error) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        // Transparent wrappers repeat the message of what they wrap.
        if out
            .last()
            .is_none_or(|last| *last != text && !last.ends_with(&text))
        {
            out.push(text);
        }
    }
    out
}

/// The first way out along the chain.
fn help_of(error: &anyhow::Error) -> Option<String> {
    // Only here is it known what the user typed, and the same with `--trust` is what comes next.
    let consent = |e: &ProjectError| matches!(e, ProjectError::Consent { .. });
    if error
        .chain()
        .any(|e| e.downcast_ref::<ProjectError>().is_some_and(consent))
    {
        let again = again::with_flag(std::env::args_os().skip(1), "--trust");
        return Some(format!(
            "{again}   (once, when you have looked at these files)"
        ));
    }
    macro_rules! first_of {
        ($($kind:ty),+ $(,)?) => {
            error.chain().find_map(|e| {
                None$(.or_else(|| e.downcast_ref::<$kind>().and_then(Help::help)))+
            })
        };
    }
    first_of!(
        Failure,
        std::io::Error,
        xtool::fetch::FetchError,
        xtool::install::InstallError,
        xtool::manifest::ManifestError,
        xtool::mirror::MirrorError,
        ProjectError,
        xtool::resolve::ResolveError,
        xtool::rust_std::RustStdError,
        xtool::sdk::SdkError,
        xtool::shim::ShimError,
        xtool::source::SourceError,
        xtool::source::apt::AptError,
        xtool::store::StoreError,
        xtool::unpack::UnpackError,
        xtool::variant::VariantError,
    )
}
