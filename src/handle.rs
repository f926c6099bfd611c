//! The table of handles. A handle is a word, not an address: type, reuse count and slot. A freed,
//! foreign or garbage handle is recognised, and freeing while another thread calls is safe,
//! because a call holds the object by an `Arc`. Slot and count are mixed with a salt of this process
//! and copy of the library, so that another copy's handle is a foreign one, too.
//!
//! Lock-free throughout: a lock could be inherited locked by a forked child. Slots live in an
//! append-only vector; free ones are chained through their `next_free`.

use std::any::Any;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use arc_swap::ArcSwapOption;

use super::status::{Failure, GIGACHAT_ERROR_INVALID_HANDLE};

// The layout of a word needs 64 bits.
const _: () = assert!(usize::BITS == 64, "handles need 64-bit pointers");

const SLOT_BITS: u32 = 32;
const REUSE_BITS: u32 = 24;
const REUSE_MASK: u32 = (1 << REUSE_BITS) - 1;

/// Something that C holds by a handle. `Opaque` is the C type that names it.
pub(super) trait Object: Any + Send + Sync {
    type Opaque;
    /// Distinguishes the types in the handle's word; never 0, so that no handle is NULL.
    const TYPE: u8;
    const NAME: &'static str;

    /// Whether it belongs to the parent of this forked process: then it is leaked, not dropped.
    fn is_inherited(&self) -> bool {
        false
    }
}

struct Entry {
    word: u64,
    object: Arc<dyn Any + Send + Sync>,
    leak: fn(&(dyn Any + Send + Sync)) -> bool,
}

#[derive(Default)]
struct Slot {
    entry: ArcSwapOption<Entry>,
    reuse: AtomicU32,
    /// The next free slot's index plus one; 0 ends the chain.
    next_free: AtomicU32,
}

static SLOTS: boxcar::Vec<Slot> = boxcar::Vec::new();
/// The first free slot's index plus one in the low half, a change counter in the high half, so
/// that a slot that was taken and freed meanwhile is not mistaken for an untouched one.
static FIRST_FREE: AtomicU64 = AtomicU64::new(0);
static LIVE: AtomicU64 = AtomicU64::new(0);
/// What is mixed into a word below its type; 0 until the first handle is made. A forked child keeps
/// it with its handles.
static SALT: AtomicU64 = AtomicU64::new(0);

/// The bits of a word that the salt mixes. The type stays as it is, so that no handle is NULL.
const MIXED: u64 = (1 << (SLOT_BITS + REUSE_BITS)) - 1;

/// The salt; made once, of what the standard library's random keys are made of.
fn salt() -> u64 {
    match SALT.load(Ordering::Relaxed) {
        0 => make_salt(),
        salt => salt,
    }
}

#[cold]
fn make_salt() -> u64 {
    // The address differs where the random numbers should not.
    let made = RandomState::new().hash_one(&raw const SALT as usize) & MIXED | 1;
    match SALT.compare_exchange(0, made, Ordering::Relaxed, Ordering::Relaxed) {
        Ok(_) => made,
        Err(anothers) => anothers,
    }
}

/// The slot that a word means, of whatever type it is.
fn slot_of(word: u64) -> u32 {
    (word ^ salt()) as u32
}

/// How many handles are alive.
pub(super) fn live() -> u64 {
    LIVE.load(Ordering::Relaxed)
}

/// Puts an object into the table.
pub(super) fn insert<T: Object>(object: T) -> *mut T::Opaque {
    let index = take_free_slot().unwrap_or_else(|| SLOTS.push(Slot::default()) as u32);
    let slot = &SLOTS[index as usize];
    let reuse = slot.reuse.load(Ordering::Acquire);
    let place = u64::from(reuse & REUSE_MASK) << SLOT_BITS | u64::from(index);
    let word = u64::from(T::TYPE) << (SLOT_BITS + REUSE_BITS) | (place ^ salt());
    let leak =
        |object: &(dyn Any + Send + Sync)| object.downcast_ref::<T>().is_some_and(T::is_inherited);
    slot.entry.store(Some(Arc::new(Entry {
        word,
        object: Arc::new(object),
        leak,
    })));
    LIVE.fetch_add(1, Ordering::Relaxed);
    std::ptr::without_provenance_mut(word as usize)
}

/// The object behind a handle. `name` is the argument's, for the error.
pub(super) fn get<T: Object>(handle: *const T::Opaque, name: &str) -> Result<Arc<T>, Failure> {
    if handle.is_null() {
        return Err(Failure::null(name));
    }
    find(handle).ok_or_else(|| {
        let text = format!(
            "{name} is no live {} handle: it was freed, is of another type or never was one",
            T::NAME
        );
        Failure::new(GIGACHAT_ERROR_INVALID_HANDLE, text)
    })
}

/// The same for objects that a forked child must not touch: what the parent's threads held at the
/// fork is held for ever, and descriptors are shared.
pub(super) fn get_own<T: Object>(handle: *const T::Opaque, name: &str) -> Result<Arc<T>, Failure> {
    let object = get::<T>(handle, name)?;
    match object.is_inherited() {
        true => Err(gigachat_core::Error::forked().into()),
        false => Ok(object),
    }
}

/// The same for functions that cannot report.
pub(super) fn find<T: Object>(handle: *const T::Opaque) -> Option<Arc<T>> {
    let word = handle.addr() as u64;
    let slot = SLOTS.get(slot_of(word) as usize)?;
    let entry = slot.entry.load();
    let entry = entry.as_ref().filter(|entry| entry.word == word)?;
    entry.object.clone().downcast().ok()
}

/// Takes an object out of the table. NULL and dead handles are no-ops. The object is dropped
/// when the last call that uses it returns.
pub(super) fn remove<T: Object>(handle: *mut T::Opaque) {
    let word = handle.addr() as u64;
    let index = slot_of(word);
    let Some(slot) = SLOTS.get(index as usize) else {
        return;
    };
    let entry = slot.entry.load_full();
    let Some(entry) = entry.filter(|entry| entry.word == word && entry.object.is::<T>()) else {
        return;
    };
    let previous = slot.entry.compare_and_swap(&Some(entry.clone()), None);
    if !previous
        .as_ref()
        .is_some_and(|previous| Arc::ptr_eq(previous, &entry))
    {
        return; // another thread freed it first
    }
    drop(previous);
    LIVE.fetch_sub(1, Ordering::Relaxed);
    let reuse = slot.reuse.load(Ordering::Acquire).wrapping_add(1);
    slot.reuse.store(reuse, Ordering::Release);
    // A slot whose count would start over is retired: an ancient handle must not come to life.
    if reuse & REUSE_MASK != 0 {
        give_back_slot(index);
    }
    if (entry.leak)(&*entry.object) {
        std::mem::forget(entry);
    }
}

fn take_free_slot() -> Option<u32> {
    let mut head = FIRST_FREE.load(Ordering::Acquire);
    loop {
        let index = (head as u32).checked_sub(1)?;
        let next = SLOTS[index as usize].next_free.load(Ordering::Acquire);
        let new = next_head(head, next);
        match FIRST_FREE.compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Some(index),
            Err(current) => head = current,
        }
    }
}

fn give_back_slot(index: u32) {
    let mut head = FIRST_FREE.load(Ordering::Acquire);
    loop {
        SLOTS[index as usize]
            .next_free
            .store(head as u32, Ordering::Release);
        let new = next_head(head, index + 1);
        match FIRST_FREE.compare_exchange_weak(head, new, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return,
            Err(current) => head = current,
        }
    }
}

fn next_head(head: u64, first: u32) -> u64 {
    ((head >> 32).wrapping_add(1) << 32) | u64::from(first)
}

#[cfg(test)]
mod tests {
    use super::{Object, find, insert, remove};

    struct Apple(u32);
    struct Pear;
    struct AppleHandle;
    struct PearHandle;

    impl Object for Apple {
        type Opaque = AppleHandle;
        const TYPE: u8 = 200;
        const NAME: &'static str = "apple";
    }
    impl Object for Pear {
        type Opaque = PearHandle;
        const TYPE: u8 = 201;
        const NAME: &'static str = "pear";
    }

    #[test]
    fn a_freed_foreign_or_garbage_handle_is_recognised() {
        let apple = insert(Apple(7));
        let pear = insert(Pear);
        assert_eq!(find::<Apple>(apple).unwrap().0, 7);
        assert!(find::<Pear>(apple.cast()).is_none());
        assert!(find::<Apple>(pear.cast()).is_none());
        remove::<Pear>(apple.cast());
        assert!(
            find::<Apple>(apple).is_some(),
            "a free as another type does nothing"
        );
        remove::<Apple>(apple);
        remove::<Apple>(apple);
        assert!(find::<Apple>(apple).is_none());
        let again = insert(Apple(8));
        assert!(
            find::<Apple>(apple).is_none(),
            "the slot's next object has another handle"
        );
        for garbage in [
            0usize,
            1,
            7,
            usize::MAX,
            0xdead_beef,
            again.addr() ^ (1 << 60),
        ] {
            assert!(
                find::<Apple>(std::ptr::without_provenance(garbage)).is_none(),
                "{garbage:x}"
            );
        }
        remove::<Apple>(again);
        remove::<Pear>(pear);
    }

    #[test]
    fn threads_that_insert_find_and_remove_never_meet_another_ones_object() {
        std::thread::scope(|scope| {
            for thread in 0..4u32 {
                scope.spawn(move || {
                    for round in 0..5_000 {
                        let value = thread << 16 | round;
                        let handle = insert(Apple(value));
                        assert_eq!(find::<Apple>(handle).map(|apple| apple.0), Some(value));
                        remove::<Apple>(handle);
                        assert!(find::<Apple>(handle).is_none());
                    }
                });
            }
        });
    }
}
