//! What shells and `man` read: each script is one that its shell accepts, each page one that `man` formats.

#![cfg(unix)]

use std::path::Path;
use std::process::Command;

use super::rig::{Rig, names, succeed};
use crate::support::skip;

const COMMANDS: &[&str] = &[
    "add", "remove", "sync", "fetch", "inspect", "verify", "doctor", "mirror", "cache", "sdk",
];

#[test]
fn every_shell_accepts_its_completions() {
    let rig = Rig::new();
    let powershell = "$e = $null; [System.Management.Automation.Language.Parser]::ParseFile($args[0], [ref]$null, [ref]$e) \
                      | Out-Null; if ($e) { $e; exit 1 }";
    for (shell, program, check) in [
        ("bash", "bash", &["-n"][..]),
        ("zsh", "zsh", &["-n"]),
        ("fish", "fish", &["--no-execute"]),
        (
            "powershell",
            "pwsh",
            &["-NoProfile", "-CommandWithArgs", powershell],
        ),
    ] {
        let script = succeed(&mut rig.xtool(&["completions", shell]));
        for command in COMMANDS {
            assert!(script.contains(command), "{shell}: no {command}");
        }
        let file = rig.env.write(&format!("completions.{shell}"), &script);
        let Ok(output) = Command::new(program).args(check).arg(&file).output() else {
            skip("completions", &format!("no {program} here"));
            continue;
        };
        assert!(output.status.success(), "{shell}: {output:?}");
        assert!(output.stderr.is_empty(), "{shell}: {output:?}");
    }
    // The check finds a script that is none.
    let broken = rig.env.write("broken", "if {\n");
    let output = Command::new("bash").arg("-n").arg(&broken).output();
    assert!(output.is_ok_and(|o| !o.status.success()));
}

#[test]
fn a_shell_offers_the_targets() {
    let rig = Rig::new();
    let script = succeed(&mut rig.xtool(&["completions", "bash"]));
    let file = rig.env.write("completions.bash", &script);
    let offered = |words: &str| {
        let ask = format!(
            "source \"$0\"; COMP_WORDS=(xtool {words}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1)); \
             _xtool xtool \"${{COMP_WORDS[COMP_CWORD]}}\" \"${{COMP_WORDS[COMP_CWORD - 1]}}\"; \
             printf '%s\\n' \"${{COMPREPLY[@]}}\""
        );
        succeed(Command::new("bash").arg("-c").arg(ask).arg(&file))
    };
    for command in ["add", "verify", "env", "remove"] {
        let targets = offered(&format!("{command} x86_64-pc-"));
        let targets: Vec<&str> = targets.lines().collect();
        let expected = ["x86_64-pc-windows-gnu", "x86_64-pc-windows-gnullvm"];
        assert_eq!(targets, expected, "{command}");
    }
    assert_eq!(offered("doctor x86_64-pc-").trim(), "");
}

/// `man` formats the page, and has nothing to say about it.
fn formats(page: &Path) -> Option<String> {
    let output = Command::new("man")
        .args(["--warnings", "-l"])
        .arg(page)
        .env("LC_ALL", "C.UTF-8")
        .env("MANWIDTH", "100")
        .output()
        .ok()?;
    let complaints = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && complaints.is_empty(),
        "{}: {complaints}",
        page.display()
    );
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_manual_is_one_text_or_a_page_a_command() {
    let rig = Rig::new();
    let whole = succeed(&mut rig.xtool(&["man"]));
    assert_eq!(whole.matches(".SH NAME\n").count(), 1);
    for section in ["ENVIRONMENT", "FILES", "EXIT STATUS"] {
        let heading = format!(".SH {section}\n");
        assert_eq!(whole.matches(&heading).count(), 1, "{section}");
    }
    let page = rig.env.write("whole.1", &whole);
    let folder = rig.env.path("man1");
    succeed(&mut rig.xtool(&["man", folder.to_str().unwrap()]));
    let pages = names(&folder);
    for command in COMMANDS {
        let heading = format!(".SH XTOOL {}\n", command.to_uppercase());
        assert!(whole.contains(&heading), "{command}");
        assert!(pages.contains(&format!("xtool-{command}.1")), "{pages:?}");
    }
    assert!(
        pages.contains(&"xtool-cache-prune.1".to_owned()),
        "{pages:?}"
    );
    let Some(text) = formats(&page) else {
        skip("man", "no man here");
        return;
    };
    assert!(text.contains("xtool add x86_64-pc-windows-gnu"), "{text}");
    for page in &pages {
        let text = formats(&folder.join(page)).expect("man is there");
        // What a page refers to is a page.
        for word in text.split_whitespace().filter(|w| w.ends_with("(1)")) {
            let name = word.trim_end_matches("(1)");
            assert!(folder.join(format!("{name}.1")).exists(), "{page}: {word}");
        }
    }
}
