//! Files in memory, up to a bound: then the oldest are forgotten.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::oauth::unix_millis;

/// More files than this are not kept, however small.
const MOST_FILES: usize = 10_000;

/// Who may see a file: the account, and its end user if one was named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Owner {
    pub account: String,
    pub user: Option<String>,
}

pub(crate) struct File {
    pub owner: Owner,
    pub id: String,
    pub filename: String,
    pub purpose: String,
    /// As the upload said; `application/octet-stream` if it did not.
    pub mime: String,
    pub content: Bytes,
    pub created_at: i64,
}

impl File {
    pub fn new(owner: Owner, id: String, filename: String, mime: &str, content: Bytes) -> File {
        File {
            owner,
            id,
            filename,
            purpose: "general".to_owned(),
            mime: mime.to_owned(),
            content,
            created_at: unix_millis() / 1000,
        }
    }

    /// Not reliable on the service (addendum A5): the type of pictures, else plain bytes.
    pub fn content_type(&self) -> &'static str {
        match self.mime.starts_with("image/") {
            true => "image/jpg",
            false => "application/octet-stream",
        }
    }

    fn is_for(&self, owner: &Owner) -> bool {
        self.owner.account == owner.account
            && (self.owner.user.is_none() || self.owner.user == owner.user)
    }
}

pub(crate) struct Store {
    files: Mutex<Vec<Arc<File>>>,
    most_bytes: usize,
}

impl Store {
    pub fn new(most_bytes: usize) -> Store {
        Store {
            files: Mutex::default(),
            most_bytes,
        }
    }

    /// Keeps it, in place of the one with the same id and owner.
    pub fn keep(&self, file: File) -> Arc<File> {
        let file = Arc::new(file);
        let mut files = self.lock();
        files.retain(|known| known.id != file.id || known.owner != file.owner);
        files.push(file.clone());
        let mut bytes: usize = files.iter().map(|file| file.content.len()).sum();
        let mut forgotten = 0;
        while bytes > self.most_bytes || files.len() - forgotten > MOST_FILES {
            bytes -= files[forgotten].content.len();
            forgotten += 1;
        }
        files.drain(..forgotten);
        file
    }

    pub fn find(&self, owner: &Owner, id: &str) -> Option<Arc<File>> {
        let files = self.lock();
        let mut found = files.iter().filter(|file| file.id == id);
        found.find(|file| file.is_for(owner)).cloned()
    }

    /// Whether it is there, but for another user of the account.
    pub fn is_for_another_user(&self, owner: &Owner, id: &str) -> bool {
        let known = |file: &Arc<File>| file.id == id && file.owner.account == owner.account;
        self.lock().iter().any(known) && self.find(owner, id).is_none()
    }

    /// The newest last.
    pub fn of(&self, owner: &Owner) -> Vec<Arc<File>> {
        let files = self.lock();
        files
            .iter()
            .filter(|file| file.is_for(owner))
            .cloned()
            .collect()
    }

    pub fn remove(&self, owner: &Owner, id: &str) {
        self.lock()
            .retain(|file| file.id != id || !file.is_for(owner));
    }

    pub fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<File>>> {
        self.files.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(id: &str, bytes: usize) -> File {
        let owner = Owner {
            account: "a".to_owned(),
            user: None,
        };
        File::new(
            owner,
            id.to_owned(),
            id.to_owned(),
            "",
            vec![0; bytes].into(),
        )
    }

    #[test]
    fn the_oldest_files_are_forgotten_when_the_memory_is_full() {
        let store = Store::new(10);
        for id in ["1", "2", "3"] {
            store.keep(file(id, 4));
        }
        let left = store.of(&file("", 0).owner);
        let left: Vec<_> = left.iter().map(|file| file.id.as_str()).collect();
        assert_eq!(left, ["2", "3"]);
        store.keep(file("4", 11));
        assert!(store.of(&file("", 0).owner).is_empty());
    }
}
