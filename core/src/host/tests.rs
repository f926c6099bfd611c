//! Each share stands for a process: the locks are the open files', not the process's.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::{HostShare, SharedToken};
use crate::secret::Secret;

const MOMENT: Duration = Duration::from_millis(60);

/// A folder that goes with the test.
struct Place(PathBuf);

impl Place {
    fn new() -> Place {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("gigachat-host-test-{}-{number}", std::process::id());
        Place(std::env::temp_dir().join(name))
    }

    fn open(&self, key: &str) -> std::io::Result<Arc<HostShare>> {
        HostShare::open(self.0.to_str().unwrap(), &[b"token url", key.as_bytes()])
    }

    fn refused(&self) -> String {
        let error = self.open("key").err().expect("it is refused");
        error.to_string()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    runtime.block_on(test);
}

async fn in_a_moment<T>(work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(MOMENT, work).await.ok()
}

#[test]
fn a_slot_that_one_holds_no_other_has_until_it_is_given_back() {
    // I20
    let place = Place::new();
    let (one, other) = (place.open("key").unwrap(), place.open("key").unwrap());
    run(async {
        let first = one.slot(2).await.unwrap();
        let _second = other.slot(2).await.unwrap();
        assert!(in_a_moment(one.slot(2)).await.is_none());
        drop(first);
        let _third = other.slot(2).await.unwrap();
        assert!(in_a_moment(one.slot(2)).await.is_none());
    });
}

#[test]
fn who_waits_is_served_before_who_comes_again() {
    let place = Place::new();
    let (one, other) = (place.open("key").unwrap(), place.open("key").unwrap());
    run(async {
        let held = one.slot(1).await.unwrap();
        let mut waiting = pin!(other.slot(1));
        assert!(in_a_moment(waiting.as_mut()).await.is_none());
        drop(held);
        let again = one.slot(1);
        tokio::select! {
            biased;
            slot = again => panic!("it took a turn that was not its own: {}", slot.is_ok()),
            slot = waiting => drop(slot.unwrap()),
        }
    });
}

#[test]
fn credentials_share_nothing_with_each_other() {
    let place = Place::new();
    let (one, other) = (place.open("key").unwrap(), place.open("another").unwrap());
    assert_ne!(one.path(), other.path());
    let elsewhere = Place::new();
    let same_key = elsewhere.open("key").unwrap();
    assert_ne!(
        one.path().file_name(),
        same_key.path().file_name(),
        "the name depends on the folder's secret"
    );
    run(async {
        let _held = one.slot(1).await.unwrap();
        let _theirs = other.slot(1).await.unwrap();
    });
}

#[test]
fn a_queue_that_moves_can_be_told_from_one_that_stands() {
    let place = Place::new();
    let share = place.open("key").unwrap();
    let minute = Duration::from_secs(60);
    assert!(!share.has_moved_within(minute, 3));
    run(async { drop(share.slot(3).await.unwrap()) });
    assert!(share.has_moved_within(minute, 3));
    std::thread::sleep(MOMENT);
    assert!(!share.has_moved_within(MOMENT / 2, 3));
}

#[test]
fn a_slot_whose_file_was_cleaned_away_is_made_anew() {
    let place = Place::new();
    let share = place.open("key").unwrap();
    run(async {
        let held = share.slot(1).await.unwrap();
        fs::remove_file(share.path().join("slot-0")).unwrap();
        let _new = share.slot(1).await.unwrap();
        drop(held);
        assert!(in_a_moment(share.slot(1)).await.is_none());
    });
}

fn token(text: &str, left: u64) -> SharedToken {
    SharedToken {
        text: Secret::new(text),
        left: Duration::from_secs(left),
        lifetime: Duration::from_secs(1800),
    }
}

#[test]
fn a_token_is_left_for_the_others_until_it_expires() {
    // I20
    let place = Place::new();
    let (one, other) = (place.open("key").unwrap(), place.open("key").unwrap());
    run(async {
        let lock = one.lock_token().await.unwrap();
        assert_eq!(one.read_token(&lock).unwrap(), None);
        one.write_token(&lock, &token("first", 60)).unwrap();
        one.write_token(&lock, &token("second", 60)).unwrap();
        assert!(in_a_moment(other.lock_token()).await.is_none());
        drop(lock);
        let lock = other.lock_token().await.unwrap();
        let found = other.read_token(&lock).unwrap().unwrap();
        assert_eq!(found.text.expose(), "second");
        assert!(found.left > Duration::from_secs(50) && found.left <= Duration::from_secs(60));
        let file = one.path().join("token");
        let mode = fs::metadata(&file).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        one.write_token(&lock, &token("old", 0)).unwrap();
        std::thread::sleep(Duration::from_millis(2));
        assert_eq!(other.read_token(&lock).unwrap(), None);
        for nonsense in ["", "soon\n1\ntoken\n", "99999999999999\n1800000\n\n", "1\n"] {
            fs::write(&file, nonsense).unwrap();
            assert_eq!(other.read_token(&lock).unwrap(), None, "{nonsense:?}");
        }
    });
}

#[test]
fn a_folder_or_file_that_is_not_this_users_alone_is_refused() {
    let place = Place::new();
    fs::create_dir(&place.0).unwrap();
    for mode in [0o755, 0o770, 0o777, 0o701] {
        fs::set_permissions(&place.0, Permissions::from_mode(mode)).unwrap();
        assert!(
            place.refused().contains("is open to other users"),
            "{mode:o}"
        );
    }
    fs::set_permissions(&place.0, Permissions::from_mode(0o700)).unwrap();
    let share = place.open("key").unwrap();
    let file = share.path().join("slot-0");
    run(async {
        let fails = async |why: &str| {
            let error = share
                .slot(1)
                .await
                .err()
                .expect("it is refused")
                .to_string();
            assert!(error.contains(why) && error.contains("slot-0"), "{error}");
        };
        fs::write(&file, "").unwrap();
        fs::set_permissions(&file, Permissions::from_mode(0o644)).unwrap();
        fails("is open to other users").await;
        fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
        fs::hard_link(&file, share.path().join("another name")).unwrap();
        fails("is no file of its own").await;
        fs::remove_file(&file).unwrap();
        symlink(share.path().join("another name"), &file).unwrap();
        fails("slot-0").await;
        fs::remove_file(&file).unwrap();
        fs::create_dir(&file).unwrap();
        fails("slot-0").await;
    });
}

#[test]
fn a_link_a_file_and_another_users_folder_are_no_folder() {
    let (place, target) = (Place::new(), Place::new());
    fs::create_dir(&target.0).unwrap();
    fs::set_permissions(&target.0, Permissions::from_mode(0o700)).unwrap();
    symlink(&target.0, &place.0).unwrap();
    assert!(place.refused().contains("is no folder"));
    fs::remove_file(&place.0).unwrap();
    fs::write(&place.0, "").unwrap();
    assert!(place.refused().contains("is no folder"));
    fs::remove_file(&place.0).unwrap();
    let missing = HostShare::open("/nowhere/at all", &[])
        .err()
        .unwrap()
        .to_string();
    assert!(missing.contains("/nowhere/at all"), "{missing}");
    // Of root when somebody else tests, of somebody else when root does.
    fs::create_dir(&place.0).unwrap();
    fs::set_permissions(&place.0, Permissions::from_mode(0o700)).unwrap();
    let theirs = match std::os::unix::fs::chown(&place.0, Some(12345), None) {
        Ok(()) => place.refused(),
        Err(_) => HostShare::open("/", &[]).err().unwrap().to_string(),
    };
    assert!(theirs.contains("belongs to another user"), "{theirs}");
}
