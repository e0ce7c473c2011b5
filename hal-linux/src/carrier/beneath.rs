//! Files below one folder, for `tower_http`'s file service: nothing else is opened, whichever way a link leads.
//!
//! The service opens what the client asks for, an `index.html` in it, and pre-compressed siblings: all of it comes
//! through here. Only regular files are opened, and none waits: a named pipe is as if it were not there.

use std::fs::{File as StdFile, Metadata};
use std::future::Future;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use tokio::io::{AsyncRead, AsyncSeek, ReadBuf};
use tower_http::services::fs::{Backend, File};

/// A folder that is served.
#[derive(Clone, Debug)]
pub(super) struct Beneath {
    folder: Arc<OwnedFd>,
    path: Arc<Path>,
}

impl Beneath {
    /// Opens the folder; a link to it is followed.
    pub fn open(folder: &Path) -> io::Result<Self> {
        let path: Arc<Path> = folder.canonicalize()?.into();
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = rustix::fs::open(&*path, flags, Mode::empty())?;
        Ok(Self { folder: Arc::new(folder), path })
    }

    /// Opens what lies at `path` below it, which may be a link as long as it leads nowhere else (openat2(2),
    /// `RESOLVE_BENEATH`).
    fn open_at(&self, path: &Path, flags: OFlags) -> io::Result<StdFile> {
        let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
        let flags = flags | OFlags::CLOEXEC;
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        match rustix::fs::openat2(&*self.folder, path, flags, Mode::empty(), resolve) {
            Ok(opened) => Ok(opened.into()),
            Err(Errno::NOSYS | Errno::PERM) => self.open_and_look(path, flags),
            // It leads out.
            Err(Errno::XDEV | Errno::LOOP) => Err(io::ErrorKind::NotFound.into()),
            Err(error) => Err(error.into()),
        }
    }

    /// The same where the system does not know that call (Linux before 5.6, some containers): what was opened says where
    /// it lies.
    fn open_and_look(&self, path: &Path, flags: OFlags) -> io::Result<StdFile> {
        use std::os::fd::AsRawFd;
        let opened: StdFile = rustix::fs::openat(&*self.folder, path, flags, Mode::empty())?.into();
        let lies = std::fs::read_link(format!("/proc/self/fd/{}", opened.as_raw_fd()))?;
        if lies.starts_with(&self.path) { Ok(opened) } else { Err(io::ErrorKind::NotFound.into()) }
    }

    /// Tells whether a file, `path` from the folder with a slash before it, begins with these bytes.
    pub async fn begins_with(&self, path: &str, wanted: &'static [u8]) -> bool {
        let (folder, path) = (self.clone(), PathBuf::from(path.trim_start_matches('/')));
        let begins = beside(move || {
            let mut found = vec![0; wanted.len()];
            folder.regular(&path)?.read_exact(&mut found)?;
            Ok(found == wanted)
        });
        begins.await.unwrap_or(false)
    }

    fn regular(&self, path: &Path) -> io::Result<StdFile> {
        regular_only(self.open_at(path, READ)?)
    }

    fn about(&self, path: &Path) -> io::Result<Metadata> {
        self.open_at(path, OFlags::PATH)?.metadata()
    }
}

/// How a file is opened: without waiting for whoever is to write into a pipe.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

fn regular_only(opened: StdFile) -> io::Result<StdFile> {
    if opened.metadata()?.is_file() { Ok(opened) } else { Err(io::ErrorKind::NotFound.into()) }
}

type Later<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// Does work that may wait for a disk on a thread for that.
fn beside<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Later<T> {
    Box::pin(async move { tokio::task::spawn_blocking(work).await.map_err(io::Error::other)? })
}

impl Backend for Beneath {
    type File = Opened;
    type Metadata = Metadata;
    type OpenFuture = Later<Opened>;
    type MetadataFuture = Later<Metadata>;

    fn open(&self, path: PathBuf) -> Self::OpenFuture {
        let folder = self.clone();
        beside(move || Ok(Opened(tokio::fs::File::from_std(folder.regular(&path)?))))
    }

    fn metadata(&self, path: PathBuf) -> Self::MetadataFuture {
        let folder = self.clone();
        beside(move || folder.about(&path))
    }
}

/// A file that was opened.
#[derive(Debug)]
pub(super) struct Opened(tokio::fs::File);

impl AsyncRead for Opened {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, out: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_read(cx, out)
    }
}

impl AsyncSeek for Opened {
    fn start_seek(mut self: Pin<&mut Self>, position: io::SeekFrom) -> io::Result<()> {
        Pin::new(&mut self.0).start_seek(position)
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        Pin::new(&mut self.0).poll_complete(cx)
    }
}

impl File for Opened {
    type Metadata = Metadata;
    type MetadataFuture<'a> = Pin<Box<dyn Future<Output = io::Result<Metadata>> + Send + 'a>>;

    fn metadata(&self) -> Self::MetadataFuture<'_> {
        Box::pin(async move { self.0.metadata().await })
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn only_files_below_the_folder_are_opened_and_none_waits() {
        let home = tempfile::tempdir().unwrap();
        let root = home.path().join("public");
        fs::create_dir_all(root.join("js")).unwrap();
        fs::write(root.join("js/app.js"), "app").unwrap();
        fs::write(home.path().join("secret"), "secret").unwrap();
        symlink("js/app.js", root.join("inside.js")).unwrap();
        symlink("../../secret", root.join("js/out")).unwrap();
        symlink(home.path().join("secret"), root.join("absolute")).unwrap();
        symlink("/proc/self/environ", root.join("magic")).unwrap();
        symlink("..", root.join("up")).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, root.join("fifo"), Mode::RUSR | Mode::WUSR).unwrap();
        let linked = home.path().join("linked");
        symlink(&root, &linked).unwrap();
        for root in [&root, &linked] {
            let folder = Beneath::open(root).unwrap();
            let looked =
                |folder: &Beneath, path: &Path| regular_only(folder.open_and_look(path, READ | OFlags::CLOEXEC)?);
            for way in [Beneath::regular, looked] {
                for path in ["js/app.js", "inside.js"] {
                    assert!(way(&folder, Path::new(path)).is_ok(), "{path}");
                }
                for path in ["js/out", "absolute", "magic", "up/secret", "../secret", "fifo", "js", "", "none"] {
                    assert!(way(&folder, Path::new(path)).is_err(), "{path}");
                }
            }
            assert!(folder.about(Path::new("")).unwrap().is_dir() && folder.about(Path::new("up")).is_err());
        }
    }
}
