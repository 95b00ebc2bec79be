//! What the formats have in common: entries are taken one by one, judged, placed, and links made at the end.

use std::collections::BTreeSet;

use super::dest::Dest;
use super::gate::{self, AbsoluteTargets, LinkTarget, Refusal, Rules, SafePath};
use super::tree::{Node, Tree};
use super::{Cause, Keep, Limits, Unpacked};

/// [`super::Options`], checked.
#[derive(Debug, Clone)]
pub struct Plan<'a> {
    /// The archive's folder that becomes the destination.
    pub root: SafePath,
    /// How much of it.
    pub keep: Keep<'a>,
    /// Where to stop.
    pub limits: Limits,
    /// At least one.
    pub threads: usize,
    /// For names.
    pub rules: Rules,
    /// For symbolic links.
    pub absolute: AbsoluteTargets,
}

/// An archive's entries as they come, and what was decided about them.
pub struct Entries<'p> {
    plan: &'p Plan<'p>,
    tree: Tree,
    count: u64,
    top: BTreeSet<String>,
    root_seen: bool,
    links: Vec<Link>,
    hard_links: Vec<HardLink>,
    /// What was, or will be, written.
    pub unpacked: Unpacked,
}

/// A symbolic link, in the archive's coordinates.
struct Link {
    path: SafePath,
    raw: Vec<u8>,
    target: LinkTarget,
}

/// A hard link, in the destination's coordinates.
struct HardLink {
    path: SafePath,
    target: SafePath,
}

impl<'p> Entries<'p> {
    /// None yet.
    pub fn new(plan: &'p Plan<'p>) -> Self {
        Self {
            plan,
            tree: Tree::default(),
            count: 0,
            top: BTreeSet::new(),
            root_seen: false,
            links: Vec::new(),
            hard_links: Vec::new(),
            unpacked: Unpacked::default(),
        }
    }

    /// Counts an entry, or a header that stands for none, before anything else is done for it.
    pub fn count(&mut self) -> Result<(), Cause> {
        self.count += 1;
        if self.count > self.plan.limits.max_entries {
            return Err(Cause::TooManyEntries {
                limit: self.plan.limits.max_entries,
            });
        }
        Ok(())
    }

    /// A folder: where it goes, if it is written.
    pub fn folder(&mut self, raw: &[u8]) -> Result<Option<SafePath>, Cause> {
        self.place(raw, Node::Folder).map(|(_, place)| place)
    }

    /// A regular file: where it goes, if it is written.
    pub fn file(&mut self, raw: &[u8]) -> Result<Option<SafePath>, Cause> {
        let (_, place) = self.place(raw, Node::File)?;
        if place.is_some() {
            self.unpacked.files += 1;
        }
        Ok(place)
    }

    /// A symbolic link, made at the end. The folder that it needs, if it is written.
    pub fn symlink(&mut self, raw: &[u8], target: &[u8]) -> Result<Option<SafePath>, Cause> {
        let (path, place) = self.place(raw, Node::Link)?;
        let refused = |refusal| self.refused(raw, refusal);
        let link = gate::link_target(&path, target, self.plan.absolute, self.plan.rules)
            .map_err(refused)?;
        let inside = |path: &SafePath| path.within(&self.plan.root).is_some();
        if inside(&path) && !inside(&link.place) {
            return Err(refused(Refusal::TargetLeaves {
                target: gate::escaped(target),
            }));
        }
        self.links.push(Link {
            path,
            raw: target.to_vec(),
            target: link,
        });
        Ok(place.and_then(|place| {
            self.unpacked.links += 1;
            place.parent()
        }))
    }

    /// A hard link, made at the end. The folder that it needs, if it is written.
    pub fn hard_link(&mut self, raw: &[u8], target: &[u8]) -> Result<Option<SafePath>, Cause> {
        let refused = |refusal| self.refused(raw, refusal);
        let no_file = || Refusal::HardLinkTarget {
            target: gate::escaped(target),
        };
        let from = SafePath::parse(target, self.plan.rules).map_err(|reason| {
            refused(Refusal::Target {
                target: gate::escaped(target),
                reason: Box::new(reason),
            })
        })?;
        if self.tree.node(&from) != Some(Node::File) {
            return Err(refused(no_file()));
        }
        let (_, place) = self.place(raw, Node::File)?;
        let Some(path) = place else {
            return Ok(None);
        };
        let target = from
            .within(&self.plan.root)
            // Its content would have to come from what is left out.
            .filter(|target| self.plan.keep.has(target))
            .ok_or_else(|| self.refused(raw, no_file()))?;
        self.unpacked.files += 1;
        let parent = path.parent();
        self.hard_links.push(HardLink { path, target });
        Ok(parent)
    }

    /// An entry of a kind that is never unpacked.
    pub fn special(&self, raw: &[u8], kind: &'static str) -> Cause {
        self.refused(raw, Refusal::Special { kind })
    }

    /// The refusal of an entry.
    #[expect(
        clippy::unused_self,
        reason = "reads as a decision about these entries"
    )]
    pub fn refused(&self, raw: &[u8], refusal: Refusal) -> Cause {
        Cause::Refused {
            entry: gate::escaped(raw),
            refusal,
        }
    }

    /// All entries are in: judges what could only be judged now, before any link is made.
    pub fn check_whole(&self) -> Result<(), Cause> {
        if self.count == 0 {
            return Err(Cause::Empty);
        }
        if !self.plan.root.is_top() && !self.root_seen {
            return Err(Cause::RootMissing {
                root: self.plan.root.to_string(),
                top: self.top.iter().cloned().collect(),
            });
        }
        for link in &self.links {
            let over = link
                .target
                .detours
                .iter()
                .find(|place| self.tree.node(place) == Some(Node::Link));
            if let Some(over) = over {
                return Err(self.refused(
                    link.path.as_str().as_bytes(),
                    Refusal::TargetOverLink {
                        target: gate::escaped(&link.raw),
                        link: over.to_string(),
                    },
                ));
            }
        }
        Ok(())
    }

    /// Makes the links; their folders are there, and so are all files.
    pub fn make_links(&self, dest: &Dest<'_>) -> Result<(), Cause> {
        for link in &self.hard_links {
            dest.hard_link(&link.path, &link.target)?;
        }
        for link in &self.links {
            let path = link.path.within(&self.plan.root);
            let Some(path) = path.filter(|path| self.plan.keep.has(path)) else {
                continue;
            };
            // Within the root too: `symlink` refused it otherwise.
            if let Some(place) = link.target.place.within(&self.plan.root) {
                dest.symlink(&path, &link.target.text, &place)?;
            }
        }
        Ok(())
    }

    /// Through the gate and into the tree: the path in the archive and, below the root, in the destination.
    fn place(&mut self, raw: &[u8], node: Node) -> Result<(SafePath, Option<SafePath>), Cause> {
        const TOP_SHOWN: usize = 10;
        let path =
            SafePath::parse(raw, self.plan.rules).map_err(|refusal| self.refused(raw, refusal))?;
        self.tree
            .add(&path, node)
            .map_err(|refusal| self.refused(raw, refusal))?;
        if let Some(top) = path.names().next()
            && self.top.len() < TOP_SHOWN
            && !self.top.contains(top)
        {
            self.top.insert(top.to_owned());
        }
        let place = path.within(&self.plan.root);
        if let Some(place) = &place {
            if place.is_top() && node != Node::Folder {
                return Err(self.refused(raw, Refusal::Top));
            }
            self.root_seen = true;
        }
        let place = place.filter(|place| self.plan.keep.has(place));
        Ok((path, place))
    }
}
