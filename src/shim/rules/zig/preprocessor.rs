//! What a driver is told of the preprocessor: `-Wp,…`, of which zig takes three options and ends at every other.

use std::ffi::OsString;

/// Options of the preprocessor whose value may be the next part (GCC's manual, "Preprocessor Options").
const WITH_VALUE: [&str; 13] = [
    "-D",
    "-U",
    "-I",
    "-A",
    "-MF",
    "-MT",
    "-MQ",
    "-include",
    "-imacros",
    "-isystem",
    "-iquote",
    "-idirafter",
    "-iprefix",
];

/// The same options as the driver's own.
pub(super) fn as_the_drivers(args: Vec<OsString>) -> Vec<OsString> {
    let is_one = |arg: &OsString| arg.to_str().is_some_and(|text| text.starts_with("-Wp,"));
    if !args.iter().any(is_one) && !has_dependencies(&args) {
        return args;
    }
    let mut out = Vec::with_capacity(args.len());
    let mut rest = args.into_iter().peekable();
    while let Some(arg) = rest.next() {
        let text = arg.to_str().unwrap_or_default();
        if let Some(parts) = text.strip_prefix("-Wp,") {
            let parts: Vec<&str> = parts.split(',').collect();
            out.extend(options(&parts).into_iter().map(OsString::from));
            continue;
        }
        // `-Xpreprocessor -MD -Xpreprocessor FILE`: clang passes others on as GCC does.
        let next = rest.peek().and_then(|next| next.to_str());
        if text == "-Xpreprocessor" && next.is_some_and(is_dependency) {
            let option = rest.next().unwrap_or_default();
            let file = rest
                .next_if(|next| next == "-Xpreprocessor")
                .and(rest.next());
            let parts = [Some(option), file];
            let parts: Vec<&str> = parts.iter().flatten().filter_map(|p| p.to_str()).collect();
            out.extend(options(&parts).into_iter().map(OsString::from));
            continue;
        }
        out.push(arg);
    }
    out
}

fn has_dependencies(args: &[OsString]) -> bool {
    args.windows(2)
        .any(|pair| pair[0] == "-Xpreprocessor" && pair[1].to_str().is_some_and(is_dependency))
}

/// Which have their file beside them only for the preprocessor: of the driver's, `-MF` names it.
fn is_dependency(option: &str) -> bool {
    matches!(option, "-MD" | "-MMD")
}

fn options(parts: &[&str]) -> Vec<String> {
    let mut out = Vec::with_capacity(parts.len() + 1);
    let mut rest = parts
        .iter()
        .copied()
        .filter(|part| !part.is_empty())
        .peekable();
    while let Some(part) = rest.next() {
        out.push(part.to_owned());
        let is_value = |next: &&str| WITH_VALUE.contains(&part) || !next.starts_with('-');
        if is_dependency(part) {
            if let Some(file) = rest.next_if(is_value) {
                out.extend(["-MF".to_owned(), file.to_owned()]);
            }
        } else if WITH_VALUE.contains(&part) {
            out.extend(rest.next().map(str::to_owned));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(args: &str) -> String {
        let args = args.split(' ').map(Into::into).collect();
        as_the_drivers(args)
            .join(" ".as_ref())
            .into_string()
            .unwrap()
    }

    #[test]
    fn each_option_is_the_drivers_own() {
        for (given, expected) in [
            ("-Wp,-DVALUE=3 a.c", "-DVALUE=3 a.c"),
            (
                "-Wp,-U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=2",
                "-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2",
            ),
            ("-Wp,-D,X=1,-I,dir", "-D X=1 -I dir"),
            ("-Wp,-MD,x.d a.c", "-MD -MF x.d a.c"),
            ("-Wp,-MMD,x.d,-MT,y", "-MMD -MF x.d -MT y"),
            ("-Wp,-MD,-MP -c", "-MD -MP -c"),
            ("-Wp,-MD", "-MD"),
            ("-Wp,-v", "-v"),
            (
                "-Xpreprocessor -MD -Xpreprocessor x.d a.c",
                "-MD -MF x.d a.c",
            ),
            ("-Xpreprocessor -fopenmp a.c", "-Xpreprocessor -fopenmp a.c"),
            ("-Wall -c a.c", "-Wall -c a.c"),
        ] {
            assert_eq!(run(given), expected, "{given}");
        }
    }
}
