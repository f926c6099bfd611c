//! The calls from the library into the program's own functions.
//!
//! A function of the program's may end its thread (`pthread_exit`), which unwinds the stack. Rust
//! would end the process for it. So an unwinder is told that the stack ends here: the C library
//! then leaves the thread at once, without the frames of Rust, and the thread's end is noticed
//! where threads are counted.

use std::ffi::c_void;

use super::user_data::UserData;

/// An argument of a function of the program's: a word of at most pointer size.
pub(super) trait Word {
    fn word(self) -> usize;
}

impl Word for UserData {
    fn word(self) -> usize {
        self.pointer().expose_provenance()
    }
}

impl<T> Word for *const T {
    fn word(self) -> usize {
        self.expose_provenance()
    }
}

impl<T> Word for *mut T {
    fn word(self) -> usize {
        self.expose_provenance()
    }
}

impl Word for i32 {
    /// A callee reads the lower half only.
    fn word(self) -> usize {
        self as usize
    }
}

/// Calls a function of the program's with user data.
///
/// # Safety
/// `function` takes one pointer, and may be called with this one here.
pub(super) unsafe fn call_1(function: unsafe extern "C" fn(*mut c_void), data: impl Word) {
    // SAFETY: promised by the caller.
    unsafe { enter(function as *const c_void, [data.word(), 0, 0, 0]) };
}

/// Calls a function of the program's of another shape.
///
/// # Safety
/// `function` is an `extern "C"` function without a result whose parameters are these words, at
/// most four, and may be called with them here.
pub(super) unsafe fn call(function: *const c_void, words: [usize; 4]) {
    // SAFETY: promised by the caller.
    unsafe { enter(function, words) };
}

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
))]
unsafe fn enter(function: *const c_void, words: [usize; 4]) {
    unsafe extern "C" {
        #[link_name = "libgigachat_into_the_program"]
        fn into_the_program(function: *const c_void, a: usize, b: usize, c: usize, d: usize);
    }
    let [a, b, c, d] = words;
    // SAFETY: the caller promises that the function takes these words; it is left to the platform's
    // calling convention that it does not look at registers of parameters that it does not have.
    unsafe { into_the_program(function, a, b, c, d) };
}

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64")
)))]
unsafe fn enter(function: *const c_void, words: [usize; 4]) {
    type Function = unsafe extern "C" fn(usize, usize, usize, usize);
    let [a, b, c, d] = words;
    // SAFETY: as on the other platforms: parameters that a function does not have are in registers
    // that it does not look at.
    unsafe {
        let function: Function = std::mem::transmute(function);
        function(a, b, c, d);
    }
}

// The caller's address counts as undefined, by which unwinders know the end of a stack.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
std::arch::global_asm!(
    ".pushsection .text.libgigachat_into_the_program,\"ax\",@progbits",
    ".globl libgigachat_into_the_program",
    ".hidden libgigachat_into_the_program",
    ".type libgigachat_into_the_program,@function",
    "libgigachat_into_the_program:",
    ".cfi_startproc",
    ".cfi_undefined rip",
    "endbr64",
    "sub rsp, 8",
    ".cfi_adjust_cfa_offset 8",
    "mov rax, rdi",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "mov rdx, rcx",
    "mov rcx, r8",
    "call rax",
    "add rsp, 8",
    ".cfi_adjust_cfa_offset -8",
    "ret",
    ".cfi_endproc",
    ".size libgigachat_into_the_program, . - libgigachat_into_the_program",
    ".popsection",
);

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
std::arch::global_asm!(
    ".pushsection .text.libgigachat_into_the_program,\"ax\",@progbits",
    ".globl libgigachat_into_the_program",
    ".hidden libgigachat_into_the_program",
    ".type libgigachat_into_the_program,@function",
    "libgigachat_into_the_program:",
    ".cfi_startproc",
    ".cfi_undefined x30",
    "hint 34",
    "stp x29, x30, [sp, #-16]!",
    ".cfi_adjust_cfa_offset 16",
    "mov x9, x0",
    "mov x0, x1",
    "mov x1, x2",
    "mov x2, x3",
    "mov x3, x4",
    "blr x9",
    "ldp x29, x30, [sp], #16",
    ".cfi_adjust_cfa_offset -16",
    "ret",
    ".cfi_endproc",
    ".size libgigachat_into_the_program, . - libgigachat_into_the_program",
    ".popsection",
);
