//! What an archive's own entries say about each other: no path twice, none through a link or a file.

use std::collections::HashMap;

use super::gate::{Refusal, SafePath};

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Node {
    /// A folder, listed or implied by what lies in it.
    Folder,
    /// A regular file or a hard link to one.
    File,
    /// A symbolic link.
    Link,
}

/// Every path of the archive so far, in the archive's own coordinates. Memory: a path an entry, bounded by
/// [`super::Limits::max_entries`].
#[derive(Debug, Default)]
pub struct Tree {
    nodes: HashMap<String, Node>,
}

impl Tree {
    /// Takes an entry in, unless it contradicts an earlier one.
    pub fn add(&mut self, path: &SafePath, node: Node) -> Result<(), Refusal> {
        if path.is_top() {
            return if node == Node::Folder {
                Ok(())
            } else {
                Err(Refusal::Top)
            };
        }
        match (self.nodes.get(path.as_str()), node) {
            (None, _) => {}
            (Some(Node::Folder), Node::Folder) => return Ok(()),
            (Some(Node::Folder), _) | (Some(_), Node::Folder) => {
                return Err(Refusal::FolderAndFile {
                    path: path.to_string(),
                });
            }
            (Some(_), _) => return Err(Refusal::Duplicate),
        }
        self.add_folders_above(path)?;
        self.nodes.insert(path.as_str().to_owned(), node);
        Ok(())
    }

    /// What the archive says of a path so far.
    pub fn node(&self, path: &SafePath) -> Option<Node> {
        self.nodes.get(path.as_str()).copied()
    }

    /// Every folder between the top and `path` is one, and stays one.
    fn add_folders_above(&mut self, path: &SafePath) -> Result<(), Refusal> {
        let mut rest = path.as_str();
        while let Some(at) = rest.rfind('/') {
            rest = &rest[..at];
            match self.nodes.get(rest) {
                // Those above it were added with it.
                Some(Node::Folder) => return Ok(()),
                Some(Node::Link) => {
                    return Err(Refusal::ThroughLink {
                        link: rest.to_owned(),
                    });
                }
                Some(Node::File) => {
                    return Err(Refusal::FolderAndFile {
                        path: rest.to_owned(),
                    });
                }
                None => {
                    self.nodes.insert(rest.to_owned(), Node::Folder);
                }
            }
        }
        Ok(())
    }
}
