//! A global allocator that counts what is alive. It counts the whole process: the library and the soak
//! itself, which therefore allocates its books before the warm-up ends.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicI64, Ordering};

pub struct Counting;

static BYTES: AtomicI64 = AtomicI64::new(0);
static BLOCKS: AtomicI64 = AtomicI64::new(0);

/// Bytes and blocks that are allocated now.
pub fn live() -> (i64, i64) {
    (BYTES.load(Ordering::SeqCst), BLOCKS.load(Ordering::SeqCst))
}

fn changed(bytes: i64, blocks: i64) {
    BYTES.fetch_add(bytes, Ordering::Relaxed);
    BLOCKS.fetch_add(blocks, Ordering::Relaxed);
}

fn size(layout: Layout) -> i64 {
    layout.size() as i64
}

// SAFETY: every method is the system allocator's, called with the arguments that came; counting
// touches two atomics and nothing else.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: promised by the caller.
        let block = unsafe { System.alloc(layout) };
        if !block.is_null() {
            changed(size(layout), 1);
        }
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: promised by the caller.
        let block = unsafe { System.alloc_zeroed(layout) };
        if !block.is_null() {
            changed(size(layout), 1);
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        changed(-size(layout), -1);
        // SAFETY: promised by the caller.
        unsafe { System.dealloc(block, layout) }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: promised by the caller.
        let moved = unsafe { System.realloc(block, layout, new_size) };
        if !moved.is_null() {
            changed(new_size as i64 - size(layout), 0);
        }
        moved
    }
}
