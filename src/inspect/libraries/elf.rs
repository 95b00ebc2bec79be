//! What ld.so does, in its order. Sources: ld.so(8), "RPATH" and "Dynamic string tokens"; ldconfig(8); for musl,
//! ldso/dynlink.c.
//!
//! Not done: `LD_LIBRARY_PATH` (a report should not depend on who asks) and the `glibc-hwcaps` folders, which hold
//! other builds of libraries that are in the plain folders too.

use std::collections::{HashSet, VecDeque};
use std::path::{Path, PathBuf};

use super::{Library, MAX_LIBRARIES, Root, Status};
use crate::inspect::elf::Links;
use crate::inspect::facts::{Elf, Facts, Libc};

/// Files that `ld.so.conf` and its includes may be.
const MAX_CONF_FILES: usize = 256;

/// A file in the chain of who loaded whom.
struct Loaded {
    links: Links,
    /// The folder that `$ORIGIN` stands for, outside any sysroot.
    origin: PathBuf,
    name: Option<String>,
    parent: Option<usize>,
}

/// The interpreter, then every library, breadth first.
pub fn find(path: &Path, facts: &Facts, elf: &Elf, root: Option<&Root>) -> Vec<Library> {
    let Some(root) = root else {
        let all = elf.interpreter.iter().chain(&elf.needed);
        return all.map(|name| not_checked(name)).collect();
    };
    let mut out = Vec::new();
    let mut seen = HashSet::new();
    if let Some(interpreter) = &elf.interpreter {
        // Where it is counts, not what it is called there: no other file of that name is loaded.
        seen.extend(interpreter.rsplit('/').next().map(str::to_owned));
        let found = root.resolve(Path::new(interpreter));
        out.push(looked_for(interpreter.clone(), None, found));
    }
    let search = Search {
        root,
        architecture: facts.architecture.clone(),
        musl: elf.libc == Libc::Musl,
        defaults: default_folders(root, &facts.architecture, elf.libc == Libc::Musl),
    };
    let mut loaded = vec![Loaded {
        links: Links {
            architecture: facts.architecture.clone(),
            soname: elf.soname.clone(),
            needed: elf.needed.clone(),
            rpath: elf.rpath.clone(),
            runpath: elf.runpath.clone(),
        },
        origin: origin_of(path),
        name: None,
        parent: None,
    }];
    let mut queue = VecDeque::from([0]);
    while let Some(index) = queue.pop_front() {
        for name in loaded[index].links.needed.clone() {
            if out.len() >= MAX_LIBRARIES || !seen.insert(name.clone()) {
                continue;
            }
            let found = search.find(&name, index, &loaded);
            out.push(looked_for(
                name.clone(),
                loaded[index].name.clone(),
                found.as_ref().map(|(p, _)| p.clone()),
            ));
            if let Some((path, links)) = found {
                // Another file may ask for the same library by the name that it has inside.
                seen.extend(links.soname.clone());
                queue.push_back(loaded.len());
                loaded.push(Loaded {
                    origin: folder_of(&path),
                    links,
                    name: Some(name),
                    parent: Some(index),
                });
            }
        }
    }
    out
}

/// A library that was looked for.
fn looked_for(name: String, needed_by: Option<String>, path: Option<PathBuf>) -> Library {
    let status = match path {
        Some(_) => Status::Found,
        None => Status::NotFound,
    };
    Library {
        name,
        needed_by,
        status,
        path,
        note: None,
    }
}

/// A library that there was no place to look for in.
fn not_checked(name: &str) -> Library {
    Library {
        name: name.to_owned(),
        needed_by: None,
        status: Status::NotChecked,
        path: None,
        note: None,
    }
}

/// The folder of a program: the kernel's name of it, which has no symbolic links (`/proc/self/exe`).
fn origin_of(program: &Path) -> PathBuf {
    let real = fs_err::canonicalize(program).unwrap_or_else(|_| program.to_owned());
    folder_of(&real)
}

/// The folder of a library: of the name that it was found by, links and all.
fn folder_of(library: &Path) -> PathBuf {
    library.parent().map(Path::to_owned).unwrap_or_default()
}

struct Search<'a> {
    root: &'a Root,
    architecture: String,
    musl: bool,
    /// Inside the root.
    defaults: Vec<PathBuf>,
}

impl Search<'_> {
    fn find(&self, name: &str, by: usize, loaded: &[Loaded]) -> Option<(PathBuf, Links)> {
        if name.contains('/') {
            return self.inside(Path::new(name));
        }
        let mut folders: Vec<(String, &Path)> = Vec::new();
        let mut add = |index: usize, paths: &[String]| {
            let origin = loaded
                .get(index)
                .map_or(Path::new(""), |l| l.origin.as_path());
            folders.extend(paths.iter().map(|p| (p.clone(), origin)));
        };
        let requester = &loaded[by].links;
        // musl takes both lists alike, and those of everyone up the chain.
        if self.musl || requester.runpath.is_empty() {
            let mut at = Some(by);
            while let Some(index) = at {
                let links = &loaded[index].links;
                if links.runpath.is_empty() {
                    add(index, &links.rpath);
                } else if self.musl {
                    add(index, &links.runpath);
                }
                at = loaded[index].parent;
            }
        }
        if !self.musl {
            add(by, &requester.runpath);
        }
        folders
            .iter()
            .find_map(|(folder, origin)| self.in_run_path(folder, origin, name))
            .or_else(|| {
                self.defaults
                    .iter()
                    .find_map(|d| self.inside(&d.join(name)))
            })
    }

    /// A folder of RPATH or RUNPATH, with its tokens replaced.
    fn in_run_path(&self, folder: &str, origin: &Path, name: &str) -> Option<(PathBuf, Links)> {
        let lib = if self.architecture.ends_with("64") || self.architecture == "s390x" {
            "lib64"
        } else {
            "lib"
        };
        let expand = |lib: &str| {
            folder
                .replace("${LIB}", lib)
                .replace("$LIB", lib)
                .replace("${PLATFORM}", &self.architecture)
                .replace("$PLATFORM", &self.architecture)
        };
        // What `$LIB` is was decided when that glibc was built; Debian's has its own answer.
        let debian = multiarch(&self.architecture).map(|m| format!("lib/{m}"));
        let mut variants = vec![expand(lib)];
        if let Some(debian) = debian.filter(|_| folder.contains("LIB")) {
            variants.insert(0, expand(&debian));
        }
        variants.iter().find_map(|folder| {
            let after = folder
                .strip_prefix("$ORIGIN")
                .or_else(|| folder.strip_prefix("${ORIGIN}"));
            match after {
                Some(rest) => self.check(&origin.join(rest.trim_start_matches('/')).join(name)),
                None => self.inside(&Path::new(folder).join(name)),
            }
        })
    }

    fn inside(&self, path: &Path) -> Option<(PathBuf, Links)> {
        self.check(&self.root.resolve(path)?)
    }

    /// The loader passes over libraries for other machines.
    fn check(&self, path: &Path) -> Option<(PathBuf, Links)> {
        let links = crate::inspect::read_links(path)?;
        let same = links.architecture == self.architecture
            // Old linkers did not note the calling convention in libraries.
            || (self.architecture.starts_with("arm") && links.architecture.starts_with("arm"));
        same.then(|| (path.to_owned(), links))
    }
}

/// Debian's name of the machine, which its folders bear (Debian, "Multiarch Tuples").
fn multiarch(architecture: &str) -> Option<&'static str> {
    Some(match architecture {
        "x86_64" => "x86_64-linux-gnu",
        "x86" => "i386-linux-gnu",
        "x32" => "x86_64-linux-gnux32",
        "aarch64" => "aarch64-linux-gnu",
        "armhf" => "arm-linux-gnueabihf",
        "armel" => "arm-linux-gnueabi",
        "riscv64" => "riscv64-linux-gnu",
        "powerpc64le" => "powerpc64le-linux-gnu",
        "powerpc64" => "powerpc64-linux-gnu",
        "s390x" => "s390x-linux-gnu",
        "mips64el" => "mips64el-linux-gnuabi64",
        "mipsel" => "mipsel-linux-gnu",
        "mips" => "mips-linux-gnu",
        "loongarch64" => "loongarch64-linux-gnu",
        "sparc64" => "sparc64-linux-gnu",
        _ => return None,
    })
}

/// Where the loader looks last, inside the root: what `ldconfig` was told, then what it knows.
fn default_folders(root: &Root, architecture: &str, musl: bool) -> Vec<PathBuf> {
    let mut out = Vec::new();
    if musl {
        let arch = if architecture == "x86" {
            "i386"
        } else {
            architecture
        };
        let file = root.resolve(&PathBuf::from(format!("/etc/ld-musl-{arch}.path")));
        match file.and_then(|f| fs_err::read_to_string(f).ok()) {
            Some(text) => out.extend(
                text.split(['\n', ':'])
                    .filter(|l| !l.is_empty())
                    .map(PathBuf::from),
            ),
            None => out.extend(["/lib", "/usr/local/lib", "/usr/lib"].map(PathBuf::from)),
        }
    } else {
        let mut files = 0;
        read_conf(root, Path::new("/etc/ld.so.conf"), &mut out, &mut files);
    }
    if let Some(tuple) = multiarch(architecture) {
        let tuple = if musl {
            tuple.replace("gnu", "musl")
        } else {
            tuple.to_owned()
        };
        out.push(format!("/lib/{tuple}").into());
        out.push(format!("/usr/lib/{tuple}").into());
        if !root.is_host() {
            // Where Debian's cross compilers have their libraries.
            out.push(format!("/usr/{tuple}/lib").into());
        }
    }
    if architecture.ends_with("64") || matches!(architecture, "s390x" | "powerpc64le" | "mips64el")
    {
        out.extend(["/lib64", "/usr/lib64"].map(PathBuf::from));
    }
    out.extend(["/lib", "/usr/lib"].map(PathBuf::from));
    let mut seen = HashSet::new();
    out.retain(|p| seen.insert(p.clone()));
    out
}

/// Lines are folders, comments or `include` with a pattern (ldconfig(8)).
fn read_conf(root: &Root, file: &Path, out: &mut Vec<PathBuf>, files: &mut usize) {
    *files += 1;
    if *files > MAX_CONF_FILES {
        return;
    }
    let Some(text) = root
        .resolve(file)
        .and_then(|p| fs_err::read_to_string(p).ok())
    else {
        return;
    };
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(pattern) = line
            .strip_prefix("include")
            .filter(|p| p.starts_with([' ', '\t']))
        {
            for file in matching(
                root,
                &file.parent().unwrap_or(Path::new("/")).join(pattern.trim()),
            ) {
                read_conf(root, &file, out, files);
            }
        } else if line.starts_with('/') {
            // `folder=type` is an old form.
            out.push(line.split('=').next().unwrap_or(line).into());
        }
    }
}

/// The files inside that match a pattern with at most one `*`, in its last part: what is used in practice.
fn matching(root: &Root, pattern: &Path) -> Vec<PathBuf> {
    let (Some(folder), Some(name)) = (
        pattern.parent(),
        pattern.file_name().and_then(|n| n.to_str()),
    ) else {
        return Vec::new();
    };
    let Some((start, end)) = name.split_once('*') else {
        return vec![pattern.to_owned()];
    };
    let Some(entries) = root.resolve(folder).and_then(|f| fs_err::read_dir(f).ok()) else {
        return Vec::new();
    };
    let mut out: Vec<PathBuf> = entries
        .flatten()
        .filter_map(|e| e.file_name().into_string().ok())
        .filter(|n| n.len() >= name.len() - 1 && n.starts_with(start) && n.ends_with(end))
        .map(|n| folder.join(n))
        .collect();
    out.sort();
    out
}
