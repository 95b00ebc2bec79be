//! Properties of the gate: for any bytes, not for chosen ones.

use std::path::{Component, Path};

use proptest::prelude::*;
use xtool::unpack::gate::{
    AbsoluteTargets, MAX_DEPTH, MAX_NAME_BYTES, MAX_PATH_BYTES, Refusal, Rules, SafePath, escaped,
    link_target,
};

const UNIX: Rules = Rules { windows: false };
const WINDOWS: Rules = Rules { windows: true };

/// Text made of what matters to paths more often than chance would have it.
fn path_like() -> impl Strategy<Value = Vec<u8>> {
    let piece = prop_oneof![
        4 => "[a-c]{1,2}".prop_map(String::into_bytes),
        4 => Just(b"/".to_vec()),
        3 => Just(b"..".to_vec()),
        1 => Just(b".".to_vec()),
        1 => Just(b"\\".to_vec()),
        1 => Just(b"C:".to_vec()),
        1 => Just(b"aux.txt".to_vec()),
        1 => Just(b"\n".to_vec()),
        1 => any::<char>().prop_map(|c| c.to_string().into_bytes()),
        1 => any::<u8>().prop_map(|b| vec![b]),
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

/// Where a walk from the top by these steps ends; `None` once it leaves. Written without the gate's code.
fn walk(steps: &[&str]) -> Option<Vec<String>> {
    let mut at: Vec<String> = Vec::new();
    for step in steps {
        match *step {
            ".." => {
                at.pop()?;
            }
            "." | "" => {}
            name => at.push(name.to_owned()),
        }
    }
    Some(at)
}

proptest! {
    #[test]
    fn what_passes_lies_below_its_folder(raw in path_like(), windows: bool) {
        if let Ok(path) = SafePath::parse(&raw, Rules { windows }) {
            let base = Path::new("base");
            let under = path.under(base);
            let below = under.strip_prefix(base).unwrap();
            prop_assert!(below.components().all(|c| matches!(c, Component::Normal(_))));
            prop_assert!(!path.as_str().contains(['\\', '\0', '\n']));
            prop_assert!(!path.as_str().starts_with('/') && !path.as_str().ends_with('/'));
            prop_assert!(path.names().all(|n| !n.is_empty() && n != "." && n != ".."));
        }
    }

    #[test]
    fn passing_twice_changes_nothing(raw in path_like(), windows: bool) {
        let rules = Rules { windows };
        if let Ok(path) = SafePath::parse(&raw, rules) && !path.is_top() {
            prop_assert_eq!(SafePath::parse(path.as_str().as_bytes(), rules), Ok(path));
        }
    }

    #[test]
    fn windows_only_refuses_more(raw in path_like()) {
        if let Ok(path) = SafePath::parse(&raw, WINDOWS) {
            prop_assert_eq!(SafePath::parse(&raw, UNIX), Ok(path));
        }
    }

    #[test]
    fn links_that_pass_stay_inside(link in path_like(), target in path_like(), deb: bool) {
        let absolute = if deb { AbsoluteTargets::FromTop } else { AbsoluteTargets::Refuse };
        let Ok(link) = SafePath::parse(&link, UNIX) else { return Ok(()) };
        if let Ok(found) = link_target(&link, &target, absolute, UNIX) {
            // The written text: relative, first up, then down, and never above the top on the way.
            let steps: Vec<&str> = found.text.split('/').collect();
            prop_assert!(!found.text.starts_with('/'));
            let up = steps.iter().take_while(|s| **s == "..").count();
            prop_assert!(!steps[up..].contains(&".."));
            prop_assert!(up < link.names().count());
            let folder = link.parent().unwrap();
            let whole: Vec<&str> = folder.names().chain(steps).collect();
            let place: Vec<String> = found.place.names().map(str::to_owned).collect();
            prop_assert_eq!(walk(&whole), Some(place.clone()));
            // And it leads where the archive's own text leads.
            let raw = String::from_utf8(target).unwrap();
            let start: Vec<&str> = if raw.starts_with('/') { vec![] } else { folder.names().collect() };
            let whole: Vec<&str> = start.into_iter().chain(raw.split('/')).collect();
            prop_assert_eq!(walk(&whole), Some(place));
        }
    }

    #[test]
    fn messages_are_one_plain_line(raw in proptest::collection::vec(any::<u8>(), 0..600)) {
        let shown = escaped(&raw);
        prop_assert!(!shown.contains(char::is_control));
        prop_assert!(shown.chars().count() <= 200 * 10 + 1);
    }
}

#[test]
fn spellings_of_one_path_are_one_path() {
    for raw in ["a/b", "./a/b", "a//b", "a/./b/", "././/a/b//."] {
        let path = SafePath::parse(raw.as_bytes(), WINDOWS).unwrap();
        assert_eq!(path.as_str(), "a/b", "{raw}");
    }
    for raw in [".", "./", "././/"] {
        assert!(SafePath::parse(raw.as_bytes(), UNIX).unwrap().is_top());
    }
}

#[test]
fn windows_names_are_refused_where_windows_reads_them() {
    for bad in [
        "CON",
        "con",
        "aux.txt",
        "a/NUL.tar.gz",
        "com1",
        "LPT9.c",
        "COM¹",
        "conin$",
        "x.",
        "x ",
        "a/b./c",
        "ab:c",
        "a/file:stream",
        "what?",
        "st*r",
        "<",
        "pi|pe",
        "quo\"te",
        "nul .txt",
        "...",
    ] {
        assert!(
            matches!(
                SafePath::parse(bad.as_bytes(), WINDOWS),
                Err(Refusal::WindowsName { .. })
            ),
            "{bad}"
        );
        assert!(SafePath::parse(bad.as_bytes(), UNIX).is_ok(), "{bad}");
    }
    for good in [
        "console",
        "com",
        "com10",
        "auxiliary.c",
        "nulls",
        ".x",
        "a b",
        "lpt",
    ] {
        assert!(SafePath::parse(good.as_bytes(), WINDOWS).is_ok(), "{good}");
    }
}

#[test]
fn perl_manual_pages_are_no_drives() {
    let path = b"usr/share/man/man3/B::Deparse.3perl.gz";
    assert!(SafePath::parse(path, UNIX).is_ok());
    assert!(SafePath::parse(b"B::Deparse", UNIX).is_ok());
    assert_eq!(SafePath::parse(b"B:Deparse", UNIX), Err(Refusal::Drive));
}

#[test]
fn lengths_are_bounded() {
    let parse = |text: String| SafePath::parse(text.as_bytes(), UNIX);
    assert!(parse("n".repeat(MAX_NAME_BYTES)).is_ok());
    assert_eq!(parse("n".repeat(MAX_NAME_BYTES + 1)), Err(Refusal::TooLong));
    assert!(parse(vec!["d"; MAX_DEPTH].join("/")).is_ok());
    assert_eq!(
        parse(vec!["d"; MAX_DEPTH + 1].join("/")),
        Err(Refusal::TooLong)
    );
    let name = "n".repeat(200);
    let long = [name.as_str(); MAX_PATH_BYTES / 200 + 1].join("/");
    assert_eq!(parse(long), Err(Refusal::TooLong));
}

#[test]
fn within_goes_by_whole_names() {
    let parse = |text: &str| SafePath::parse(text.as_bytes(), UNIX).unwrap();
    let root = parse("pkg/sub");
    assert_eq!(parse("pkg/sub/a").within(&root), Some(parse("a")));
    assert_eq!(parse("pkg/sub").within(&root), Some(SafePath::top()));
    for outside in ["pkg", "pkg/subway", "pkg/su", "sub/a"] {
        assert_eq!(parse(outside).within(&root), None, "{outside}");
    }
}

/// F29: a drive letter behind `./` is one all the same (found by the property above, with the guards switched off).
#[test]
fn a_drive_letter_behind_a_dot_is_a_drive() {
    let rules = Rules { windows: false };
    for raw in ["./C:", ".//C:/x", "././c:x"] {
        assert_eq!(
            SafePath::parse(raw.as_bytes(), rules),
            Err(Refusal::Drive),
            "{raw}"
        );
    }
}
