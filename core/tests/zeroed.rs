//! I13: the library's own copies of keys, tokens and passwords are zeroed before their memory is given back.
//!
//! An allocator looks at every block that is freed while it watches. What the HTTP and TLS libraries copy
//! for themselves (send buffers, headers) is not promised and not looked at: see SECURITY.md.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use gigachat::{Config, GigaChat, Secret};

/// What every secret here begins with: letters that nothing else has.
const MARK: &[u8] = b"ZeroMeWhenDone";

static WATCHING: AtomicBool = AtomicBool::new(false);
static SEEN: AtomicUsize = AtomicUsize::new(0);
static FREED: AtomicUsize = AtomicUsize::new(0);

struct Inspecting;

fn inspect(block: *mut u8, layout: Layout) {
    if !WATCHING.load(Ordering::SeqCst) {
        return;
    }
    FREED.fetch_add(1, Ordering::SeqCst);
    // Read one by one and volatile: a part of the block may never have been written.
    let byte = |at: usize| {
        // SAFETY: the block is allocated with this layout until this function returns, and `at` is inside.
        unsafe { block.add(at).read_volatile() }
    };
    let last = (layout.size() + 1).saturating_sub(MARK.len());
    if (0..last).any(|begin| {
        MARK.iter()
            .enumerate()
            .all(|(at, wanted)| byte(begin + at) == *wanted)
    }) {
        SEEN.fetch_add(1, Ordering::SeqCst);
    }
}

// SAFETY: every method is the system allocator's, called with the arguments that came; inspecting reads
// the block before it is freed and allocates nothing.
unsafe impl GlobalAlloc for Inspecting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // Zeroed, so that what an earlier owner left in a block is not taken for ours.
        // SAFETY: promised by the caller.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        inspect(block, layout);
        // SAFETY: promised by the caller.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Inspecting = Inspecting;

/// Gives a configuration a secret of one kind.
type SetSecret<'a> = &'a dyn Fn(&mut Config);

/// How many freed blocks held the mark while `act` ran.
fn left_behind(act: impl FnOnce()) -> usize {
    SEEN.store(0, Ordering::SeqCst);
    FREED.store(0, Ordering::SeqCst);
    WATCHING.store(true, Ordering::SeqCst);
    act();
    WATCHING.store(false, Ordering::SeqCst);
    assert!(
        FREED.load(Ordering::SeqCst) > 0,
        "nothing was freed: nothing was looked at"
    );
    SEEN.load(Ordering::SeqCst)
}

/// One test, since the allocator watches the whole process.
#[test]
fn our_own_copies_of_secrets_are_zeroed_when_they_are_dropped() {
    let mark = std::str::from_utf8(MARK).unwrap();
    // The check itself: an ordinary text is seen.
    assert_eq!(left_behind(|| drop(mark.to_owned())), 1);

    assert_eq!(left_behind(|| drop(Secret::new(mark))), 0, "Secret");

    // `base64(client:secret)`, whose letters are the mark's.
    let key = format!("{mark}IsAKey0OfBase64Letters12345678==");
    let token = format!("{mark}.a.token");
    let proxy = format!("http://user:{mark}@127.0.0.1:1");
    let options: [(&str, SetSecret); 6] = [
        ("authorization key", &|config| {
            config.set_authorization_key(&key).unwrap();
        }),
        ("access token", &|config| {
            config.set_access_token(&token).unwrap();
        }),
        ("password", &|config| {
            config.set_user("user", mark).unwrap();
        }),
        ("key password", &|config| {
            config.set_private_key_password(mark)
        }),
        ("proxy", &|config| config.set_proxy(&proxy).unwrap()),
        ("header", &|config| {
            config.set_extra_header("x-gateway", mark).unwrap();
        }),
    ];
    for (name, set) in options {
        let through_a_provider = left_behind(|| {
            let mut config = Config::default();
            set(&mut config);
            let copy = config.clone();
            let provider = GigaChat::new(config);
            drop((copy, provider));
        });
        assert_eq!(
            through_a_provider, 0,
            "{name}: it was in memory that was given back"
        );
        let replaced = left_behind(|| {
            let mut config = Config::default();
            set(&mut config);
            set(&mut config);
        });
        assert_eq!(replaced, 0, "{name}, when it is replaced");
    }
}
