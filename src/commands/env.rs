//! `xtool env`: the variables for a build that is not cargo's.

use std::process::ExitCode;

use anyhow::Result;
use xtool::build_env::{build_env, cmake, format, go, meson, rustflags, shim};
use xtool::env_vars;
use xtool::project::lock::Lock;
use xtool::project::settings::{Config, TargetOptions};
use xtool::shim::{self as shims, Tool};
use xtool::store::Installed;
use xtool::target::Triple;

use super::apply;
use super::failure::with_help;
use super::session::{Session, triple};
use crate::cli::{Env, EnvFormat};

/// Prints them.
pub fn run(args: &Env, session: &Session) -> Result<ExitCode> {
    let triple = triple(&args.target)?;
    let ready = ready(session, &triple)?;
    let variables = ready.variables(&triple);
    let format = if session.printer.json() {
        EnvFormat::Json
    } else {
        args.format
    };
    if format == EnvFormat::Sh && ready.folder.to_string_lossy().contains(' ') {
        session.printer.warn(&format!(
            "the path of the tools has a blank, at which shells and make split an unquoted $CC: xtool exec {triple} -- … uses names without one"
        ));
    }
    let text = match format {
        EnvFormat::Json => {
            let object: serde_json::Map<_, _> =
                variables.into_iter().map(|(k, v)| (k, v.into())).collect();
            session.printer.value(&object.into())?;
            return Ok(ExitCode::SUCCESS);
        }
        EnvFormat::Sh => format::sh(&variables),
        EnvFormat::Fish => format::fish(&variables),
        EnvFormat::Powershell => format::powershell(&variables),
        EnvFormat::Github => format::github(&variables),
        EnvFormat::Cmake => cmake::toolchain_file(&ready.spec, &ready.folder),
        EnvFormat::Meson => meson::cross_file(&ready.spec, &ready.folder),
        EnvFormat::Go => go_lines(&ready, &triple)?,
    };
    session.printer.raw(text.as_bytes())?;
    Ok(ExitCode::SUCCESS)
}

/// A target of the project whose toolchain is installed.
pub struct Prepared {
    /// The toolchain.
    pub installed: Installed,
    /// What the shims do.
    pub spec: shims::Spec,
    /// The shims' folder.
    pub folder: std::path::PathBuf,
}

impl Prepared {
    /// Every variable, for cargo's build scripts and for builds that are not cargo's. One for this target that the
    /// user has set (`CC_x86_64_pc_windows_gnu`) stays as it is, and is the plain one's value too; plain ones of the
    /// user's (`CC`) are the host's.
    pub fn variables(&self, triple: &Triple) -> Vec<(String, String)> {
        let tools = shims::tools_of(&self.spec);
        let env = build_env(&self.spec, &self.folder);
        let mut all = env.plain;
        // What the user has set for this target is meant for builds that know no name with a target in it, too.
        for (name, value) in &mut all {
            let named = format!("{name}_{}", triple.env_suffix());
            if self.is_users_own(triple, &named)
                && let Some(own) = env_vars::non_empty(&named).and_then(|v| v.into_string().ok())
            {
                *value = own;
            }
        }
        all.extend(env.suffixed);
        let cargo = |name: &str, tool| {
            let path = shim(&self.folder, tool).to_string_lossy().into_owned();
            (format!("CARGO_TARGET_{}_{name}", triple.env_upper()), path)
        };
        all.push(cargo("LINKER", Tool::Cc));
        if tools.contains(&Tool::Run) {
            all.push(cargo("RUNNER", Tool::Run));
        }
        // For `cargo install` and other builds that read no configuration of the project's. cargo splits it at blanks.
        let flags = rustflags(triple, &self.folder, &tools);
        if !flags.is_empty() && !flags.iter().any(|flag| flag.contains(char::is_whitespace)) {
            let name = format!("CARGO_TARGET_{}_RUSTFLAGS", triple.env_upper());
            all.push((name, flags.join(" ")));
        }
        all.retain(|(name, _)| !self.is_users_own(triple, name));
        all.sort();
        all
    }

    /// Whether the environment has a value for a name with the target in it, and not one that `xtool env` gave.
    fn is_users_own(&self, triple: &Triple, name: &str) -> bool {
        let named = name.ends_with(&format!("_{}", triple.env_suffix()))
            || name.starts_with(&format!("CARGO_TARGET_{}_", triple.env_upper()));
        let Some(value) = named.then(|| env_vars::non_empty(name)).flatten() else {
            return false;
        };
        let shims = self.folder.parent().unwrap_or(&self.folder);
        !value.to_string_lossy().contains(&*shims.to_string_lossy())
    }
}

/// Looks the target up in the project's files and the store; makes the shims anew if they are gone. Nothing is
/// downloaded.
pub fn ready(session: &Session, triple: &Triple) -> Result<Prepared> {
    let project = session.project()?;
    let config = Config::load(&project)?.unwrap_or_default();
    let Some(options) = config.targets.get(triple) else {
        return Err(with_help(
            format!(
                "`{triple}` is not a target of the project `{}`",
                project.root.display()
            ),
            format!("xtool add {triple}"),
        ));
    };
    let lock = Lock::load(&project)?.unwrap_or_default();
    session.require_consent(&project, &config, &lock)?;
    prepare(session, triple, options, &lock)
}

/// The same for a target with its options.
pub fn prepare(
    session: &Session,
    triple: &Triple,
    options: &TargetOptions,
    lock: &Lock,
) -> Result<Prepared> {
    let pin = lock.require(triple, session.machine().host, session.distribution())?;
    let extent = session.manifest()?.extent(&pin.toolchain, triple);
    let Some(installed) = session.store.find_with(&pin.id(), &extent)? else {
        let toolchain = format!("{} {}", pin.toolchain, pin.version);
        let what = match session.store.find(&pin.id())? {
            Some(_) => format!("{toolchain} is installed without what `{triple}` needs of it"),
            None => format!("{toolchain} is not installed"),
        };
        return Err(with_help(what, "xtool sync"));
    };
    session.store.adopt_zig_cache(&installed.id)?;
    let spec = apply::spec(session, triple, options, &installed, pin)?;
    if spec.zig.is_some() {
        session.store.own_zig_cache(&installed.id);
    }
    let exe = session.store.own_executable()?;
    let shims_dir = session.store.layout().shims();
    let folder = shims::write_variant(&shims_dir, &installed.id, &spec, &exe)?;
    Ok(Prepared {
        installed,
        spec,
        folder,
    })
}

/// Comments are the shell's too, so that the whole of it can be evaluated.
fn go_lines(ready: &Prepared, triple: &Triple) -> Result<String> {
    let go = go::variables(triple).ok_or_else(|| {
        with_help(
            format!("Go has no port for `{triple}`"),
            "go tool dist list",
        )
    })?;
    let mut all = build_env(&ready.spec, &ready.folder).plain;
    all.retain(|(name, _)| ["CC", "CXX", "AR"].contains(&name.as_str()));
    all.extend(go);
    all.sort();
    Ok(format!(
        "# For packages that `import \"C\"`. Without any, CGO_ENABLED=0 with GOOS and GOARCH suffices, and no C\n\
         # compiler is needed: `go list -deps -f '{{{{if .CgoFiles}}}}{{{{.ImportPath}}}}{{{{end}}}}' .` names those that do.\n{}",
        format::sh(&all)
    ))
}
