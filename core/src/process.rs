//! The few calls to the operating system that the runtime rests on: fork counter, exit hook,
//! signal mask, whose rights the process has, what a forked child must not inherit.
//!
//! This is the only room of the core with unsafe code, since it too is an interface to C: there
//! is no safe wrapper for `madvise`, `pthread_atfork` and `atexit`. It takes no lock and allocates
//! nothing in a hook.

#![allow(unsafe_code, reason = "calls libc; see the module's documentation")]

use std::cell::{Cell, RefCell};
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

static HOOKS_SET: AtomicBool = AtomicBool::new(false);
static EXITING: AtomicBool = AtomicBool::new(false);

/// A page of its own, which the kernel empties in a child, whichever way it was forked: `fork`,
/// `_Fork` or a system call. Where it can, one load tells that everything is this process's.
#[cfg_attr(target_arch = "x86_64", repr(C, align(4096)))]
#[cfg_attr(not(target_arch = "x86_64"), repr(C, align(65536)))]
struct Page {
    /// The fork counter plus one; 0 in a process that has not looked since it was forked, and
    /// where the kernel empties nothing.
    known: AtomicU64,
}

static PAGE: Page = Page {
    known: AtomicU64::new(0),
};
/// Whether the kernel empties the page.
static IS_EMPTIED: AtomicBool = AtomicBool::new(false);
/// The highest value of the fork counter so far, of this process and its parents.
static FORKS: AtomicU64 = AtomicU64::new(0);

/// The fork counter: higher in a forked child than it was in its parent, if the library was in use
/// there. A value that differs from a remembered one means: everything remembered is the parent's.
pub fn fork_count() -> u64 {
    match PAGE.known.load(Ordering::Acquire) {
        0 => count_anew(),
        known => known - 1,
    }
}

/// The fork counter of a process that does not know it.
#[cold]
fn count_anew() -> u64 {
    if !IS_EMPTIED.load(Ordering::Acquire) {
        return FORKS.load(Ordering::Acquire);
    }
    RUNNING.store(0, Ordering::SeqCst); // those that run are the parent's
    // When several threads are here each has a number of its own, all of them new; one is taken.
    let own = FORKS.fetch_add(1, Ordering::AcqRel) + 2;
    let known = PAGE
        .known
        .compare_exchange(0, own, Ordering::AcqRel, Ordering::Acquire);
    known.map_or_else(|theirs| theirs, |_| own) - 1
}

/// Asks the kernel to empty the page in children; without that the hook of `fork` counts.
#[cfg(target_os = "linux")]
fn watch_forks() {
    let page = std::ptr::from_ref(&PAGE).cast_mut().cast();
    // SAFETY: the range is the page's own, nothing else lies in it, and its only field is an
    // atomic of which 0 is a value. The kernel changes it in a child only, before that one runs.
    let taken =
        unsafe { libc::madvise(page, std::mem::size_of::<Page>(), libc::MADV_WIPEONFORK) == 0 };
    if taken {
        PAGE.known
            .store(FORKS.load(Ordering::Acquire) + 1, Ordering::Release);
        IS_EMPTIED.store(true, Ordering::Release);
    }
}

/// Which generation something belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Era {
    /// The fork counter at its start.
    pub fork: u64,
    /// Its number within the process.
    pub number: u64,
}

impl Era {
    /// Whether it was begun in a parent of this process.
    pub fn is_inherited(self) -> bool {
        self.fork != fork_count()
    }

    /// Notes that it cannot go on: the program closed descriptors of its.
    pub fn note_death(self) {
        if !self.has_died() {
            let place = DEATHS.fetch_add(1, Ordering::AcqRel) % DEAD.len();
            DEAD[place].store(self.number, Ordering::Release);
        }
    }

    /// Whether it died; known of the last ones that did.
    pub fn has_died(self) -> bool {
        let mut dead = DEAD.iter();
        self.number != 0 && dead.any(|number| number.load(Ordering::Acquire) == self.number)
    }

    /// Whether what belongs to it is to be left as it is, never dropped. A parent's connections are
    /// in a poll set that the parent shares; waking a task of a dead generation panics, since the
    /// runtime writes to a descriptor that is closed.
    pub fn is_out_of_reach(self) -> bool {
        self.is_inherited() || self.has_died()
    }
}

/// The numbers of the generations that died last; 0 is none.
static DEAD: [AtomicU64; 16] = [const { AtomicU64::new(0) }; 16];
static DEATHS: AtomicUsize = AtomicUsize::new(0);

/// Whether `exit` has begun: no callback may be started any more.
pub fn exiting() -> bool {
    EXITING.load(Ordering::Acquire)
}

/// The program's functions that the library runs at this moment.
static RUNNING: AtomicUsize = AtomicUsize::new(0);
/// How long `exit` waits for one that runs.
const EXIT_PATIENCE: Duration = Duration::from_secs(1);

thread_local! {
    /// Has no destructor, so that it can still be read at exit.
    static RUNS_HERE: Cell<bool> = const { Cell::new(false) };
}

/// Notes, while it lives, that a function of the program's runs on this thread.
pub struct Running {
    fork: u64,
}

/// The program's function that ran on this thread ended the thread, and the note with it.
pub(crate) fn running_function_ended_its_thread() {
    if RUNS_HERE.get() {
        drop(Running { fork: fork_count() });
    }
}

impl Running {
    pub(crate) fn begin() -> Running {
        let fork = fork_count();
        RUNNING.fetch_add(1, Ordering::SeqCst);
        RUNS_HERE.set(true);
        Running { fork }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        RUNS_HERE.set(false);
        if self.fork == fork_count() {
            RUNNING.fetch_sub(1, Ordering::SeqCst);
        }
    }
}

/// At exit, after `exiting` is true: none is started any more; one that runs may finish before the
/// program's static objects are destroyed.
#[cfg(unix)]
fn let_running_functions_end() {
    // When `exit` was called by one of them, that one cannot end.
    let own = usize::from(RUNS_HERE.get());
    let give_up = Instant::now() + EXIT_PATIENCE;
    while RUNNING.load(Ordering::SeqCst) > own && Instant::now() < give_up {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Sets the fork and exit hooks, once, before the first thread is started.
pub fn set_hooks() {
    if HOOKS_SET.swap(true, Ordering::AcqRel) {
        return;
    }
    #[cfg(target_os = "linux")]
    watch_forks();
    #[cfg(unix)]
    // SAFETY: the fork hook only stores to atomics and calls what is async-signal-safe; the exit hook runs
    // in an ordinary context; and the library is never unloaded (linked with `nodelete`), so the functions stay valid until the end.
    unsafe {
        libc::pthread_atfork(None, None, Some(count_fork));
        libc::atexit(note_exit);
    }
}

#[cfg(unix)]
extern "C" fn count_fork() {
    let_go_of_parents_files();
    if IS_EMPTIED.load(Ordering::Acquire) {
        fork_count();
        return;
    }
    FORKS.fetch_add(1, Ordering::AcqRel);
    RUNNING.store(0, Ordering::SeqCst); // those that run are the parent's
}

#[cfg(unix)]
extern "C" fn note_exit() {
    EXITING.store(true, Ordering::Release);
    fork_count(); // a child that never used the library waits for nobody
    let_running_functions_end();
}

/// The signals that a thread gets for what it does itself, and a profiler's clock. Blocked, the
/// former would end the process before any handler of the host's: its crash reporter, a
/// sanitizer's report, a managed runtime's null checks; the latter would make the thread invisible.
#[cfg(unix)]
const THREADS_OWN: [libc::c_int; 7] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGTRAP,
    libc::SIGSYS,
    libc::SIGPROF,
];

/// Runs `start` with the other signals blocked, so that a thread started in it inherits that:
/// they are the host program's business and must be handled on its own threads. The thread's own
/// stay as the host has them.
pub(crate) fn with_hosts_signals_blocked<T>(start: impl FnOnce() -> T) -> T {
    #[cfg(unix)]
    {
        let previous = block_hosts_signals();
        let result = start();
        restore_signals(previous.as_ref());
        result
    }
    #[cfg(not(unix))]
    start()
}

#[cfg(unix)]
fn block_hosts_signals() -> Option<libc::sigset_t> {
    // SAFETY: `blocked` and `previous` are valid for writes; sigfillset initialises the one, and
    // pthread_sigmask the other before it is read, which its success tells. SIG_BLOCK adds to
    // what the host blocks, so a signal that is taken out of `blocked` stays as it was.
    unsafe {
        let mut blocked = std::mem::zeroed::<libc::sigset_t>();
        let mut previous = std::mem::zeroed::<libc::sigset_t>();
        libc::sigfillset(&mut blocked);
        for signal in THREADS_OWN {
            libc::sigdelset(&mut blocked, signal);
        }
        (libc::pthread_sigmask(libc::SIG_BLOCK, &blocked, &mut previous) == 0).then_some(previous)
    }
}

#[cfg(unix)]
fn restore_signals(previous: Option<&libc::sigset_t>) {
    if let Some(previous) = previous {
        // SAFETY: `previous` is the mask that pthread_sigmask wrote for this thread.
        unsafe {
            libc::pthread_sigmask(libc::SIG_SETMASK, previous, std::ptr::null_mut());
        }
    }
}

/// Keeps this thread from being cancelled (`pthread_cancel`) while it lives: a cancellation unwinds
/// the stack, which ends the process where it meets Rust. One that comes meanwhile takes effect
/// later, in the program.
pub struct Uncancelled {
    #[cfg(all(unix, not(target_os = "android")))]
    previous: libc::c_int,
    /// It is this thread's.
    _not_sent: std::marker::PhantomData<*const ()>,
}

#[cfg(all(unix, not(target_os = "android")))]
unsafe extern "C" {
    fn pthread_setcancelstate(state: libc::c_int, previous: *mut libc::c_int) -> libc::c_int;
}

/// PTHREAD_CANCEL_DISABLE, which Apple numbers the other way round.
#[cfg(all(unix, not(target_os = "android")))]
const CANCEL_DISABLED: libc::c_int = if cfg!(target_vendor = "apple") { 0 } else { 1 };

impl Uncancelled {
    /// From now on.
    pub fn begin() -> Uncancelled {
        #[cfg(all(unix, not(target_os = "android")))]
        let mut previous = CANCEL_DISABLED;
        #[cfg(all(unix, not(target_os = "android")))]
        // SAFETY: changes this thread only; `previous` is valid for a write.
        unsafe {
            pthread_setcancelstate(CANCEL_DISABLED, &raw mut previous);
        }
        Uncancelled {
            #[cfg(all(unix, not(target_os = "android")))]
            previous,
            _not_sent: std::marker::PhantomData,
        }
    }
}

impl Drop for Uncancelled {
    fn drop(&mut self) {
        #[cfg(all(unix, not(target_os = "android")))]
        // SAFETY: restores the state that this thread had; there is no place to write.
        unsafe {
            pthread_setcancelstate(self.previous, std::ptr::null_mut());
        }
    }
}

/// A variable of the environment that the program did not ask to be read; none in a program that
/// has more rights than the user who started it (set-user-id), as `secure_getenv` has it.
pub fn unasked_variable(name: &str) -> Option<OsString> {
    match has_more_rights_than_its_user() {
        true => None,
        false => std::env::var_os(name),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn has_more_rights_than_its_user() -> bool {
    // SAFETY: reads a value that the kernel gave the process at its start.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
fn has_more_rights_than_its_user() -> bool {
    // SAFETY: these take nothing and cannot fail.
    unsafe { libc::getuid() != libc::geteuid() || libc::getgid() != libc::getegid() }
}

#[cfg(not(unix))]
fn has_more_rights_than_its_user() -> bool {
    false
}

/// The user whose rights this process has.
#[cfg(unix)]
pub(crate) fn effective_user() -> u32 {
    // SAFETY: takes nothing and cannot fail.
    unsafe { libc::geteuid() }
}

/// Descriptors that a forked child must not have, as `(number + 1) << 32 | low half of the inode`;
/// 0 is none.
#[cfg(unix)]
static NOT_INHERITED: [AtomicU64; MOST_NOT_INHERITED] =
    [const { AtomicU64::new(0) }; MOST_NOT_INHERITED];
#[cfg(unix)]
const MOST_NOT_INHERITED: usize = 1024;
/// An open `/dev/null`, plus one; 0 before it is needed.
#[cfg(unix)]
static NOTHING: AtomicUsize = AtomicUsize::new(0);

/// While it lives, a forked child has `/dev/null` under the number of this descriptor: a lock that is
/// the open file's would be held by the child, too, when its parent is long dead. Dropped before the
/// descriptor is closed. What has no room in the table is inherited.
#[cfg(unix)]
#[derive(Debug)]
pub(crate) struct NotInherited {
    place: Option<usize>,
    fork: u64,
}

#[cfg(unix)]
impl NotInherited {
    pub(crate) fn new(number: libc::c_int) -> NotInherited {
        open_nothing();
        let entry = file_of(number).map(|(_, file)| entry_of(number, file));
        let place = entry.and_then(|entry| {
            NOT_INHERITED.iter().position(|place| {
                place
                    .compare_exchange(0, entry, Ordering::AcqRel, Ordering::Relaxed)
                    .is_ok()
            })
        });
        NotInherited {
            place,
            fork: fork_count(),
        }
    }

    /// Whether this process made it, rather than its parent.
    pub(crate) fn is_own(&self) -> bool {
        self.fork == fork_count()
    }
}

#[cfg(unix)]
impl Drop for NotInherited {
    fn drop(&mut self) {
        if let Some(place) = self.place.filter(|_| self.is_own()) {
            NOT_INHERITED[place].store(0, Ordering::Release);
        }
    }
}

#[cfg(unix)]
fn entry_of(number: libc::c_int, file: libc::ino_t) -> u64 {
    ((number as u64 + 1) << 32) | u64::from(file as u32)
}

#[cfg(unix)]
fn open_nothing() {
    if NOTHING.load(Ordering::Acquire) != 0 {
        return;
    }
    // SAFETY: the name is a C string; the result is checked, and closed when another thread was faster.
    unsafe {
        let number = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
        if number >= 0
            && NOTHING
                .compare_exchange(0, number as usize + 1, Ordering::AcqRel, Ordering::Acquire)
                .is_err()
        {
            libc::close(number);
        }
    }
}

/// In a forked child: lets go of what is its parent's. The numbers stay in use, so that whoever
/// closes them there closes nothing else.
#[cfg(unix)]
fn let_go_of_parents_files() {
    let nothing = NOTHING.load(Ordering::Acquire);
    for place in &NOT_INHERITED {
        let entry = place.swap(0, Ordering::AcqRel);
        if entry == 0 || nothing == 0 {
            continue;
        }
        let number = (entry >> 32) as libc::c_int - 1;
        // The program may have closed it, and have another file under its number.
        if file_of(number).is_none_or(|(_, file)| entry_of(number, file) != entry) {
            continue;
        }
        // SAFETY: both are async-signal-safe and take no pointers; what is replaced is a file of the
        // library's, which nothing in this process uses any more.
        unsafe {
            libc::dup2(nothing as libc::c_int - 1, number);
            libc::fcntl(number, libc::F_SETFD, libc::FD_CLOEXEC);
        }
    }
}

/// Gives this thread a table of descriptors of its own, in which every number above the standard
/// three is a file of no use: what it reads, waits for or closes by a number that it remembers is
/// nobody's, neither the program's nor a new generation's. Whether it could be had.
pub fn take_descriptors_apart() -> bool {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        // SAFETY: these take no pointers and change the table of this thread only, which is the
        // library's and ends soon.
        unsafe {
            if libc::unshare(libc::CLONE_FILES) != 0 {
                return false;
            }
            let filler = libc::eventfd(0, libc::EFD_CLOEXEC);
            for number in 3..HIGHEST_FILLED {
                if filler >= 0 && number != filler {
                    libc::dup2(filler, number);
                }
            }
            filler >= 0
        }
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    false
}

thread_local! {
    /// The canary of the descriptors that this thread would close.
    static LOOKED_AFTER: RefCell<Option<Arc<Canary>>> = const { RefCell::new(None) };
}

/// From now on a panic of this thread closes no descriptor that is not its own, see
/// [`before_unwinding`].
pub fn look_after_descriptors(canary: &Arc<Canary>) {
    LOOKED_AFTER.with(|known| *known.borrow_mut() = Some(canary.clone()));
}

/// For the panic hook. A runtime that finds its descriptors closed panics, and closes their numbers
/// while it unwinds, when they may be a new generation's.
pub fn before_unwinding() {
    let lost = |known: &RefCell<Option<Arc<Canary>>>| {
        let known = known.try_borrow();
        known.is_ok_and(|known| known.as_ref().is_some_and(|canary| !canary.is_there()))
    };
    if LOOKED_AFTER.try_with(lost).unwrap_or(false) {
        take_descriptors_apart();
    }
}

/// Few programs have more descriptors.
#[cfg(any(target_os = "linux", target_os = "android"))]
const HIGHEST_FILLED: libc::c_int = 4096;

/// A descriptor that tells whether the program has closed those of the library: it is closed with
/// them, or its number is another file's by then.
#[cfg(unix)]
pub struct Canary(Option<(libc::c_int, FileId)>);

/// Device and number of a file.
#[cfg(unix)]
pub type FileId = (libc::dev_t, libc::ino_t);

#[cfg(unix)]
impl Canary {
    /// One of now. Where none can be had it always seems to be there.
    pub fn of_now() -> Canary {
        #[cfg(any(target_os = "linux", target_os = "android"))]
        // SAFETY: the name is a C string; the result is checked.
        let number = unsafe { libc::memfd_create(c"gigachat".as_ptr(), libc::MFD_CLOEXEC) };
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        let number = -1;
        Canary(file_of(number).map(|file| (number, file)))
    }

    /// Whether it was not closed.
    pub fn is_there(&self) -> bool {
        self.0
            .is_none_or(|(number, file)| file_of(number) == Some(file))
    }
}

/// Elsewhere nobody closes what is not his.
#[cfg(not(unix))]
pub struct Canary;

#[cfg(not(unix))]
impl Canary {
    /// One of now.
    pub fn of_now() -> Canary {
        Canary
    }

    /// Whether it was not closed.
    pub fn is_there(&self) -> bool {
        true
    }
}

#[cfg(unix)]
impl Drop for Canary {
    fn drop(&mut self) {
        if let Some((number, ..)) = self.0.filter(|_| self.is_there()) {
            close(number);
        }
    }
}

/// Closes a descriptor of the library's, by its number.
#[cfg(unix)]
pub fn close(number: libc::c_int) {
    // SAFETY: takes no pointer; whoever calls it has made the descriptor and seen that it is there.
    unsafe { libc::close(number) };
}

/// Which file a descriptor is of; none when it is closed.
#[cfg(unix)]
pub fn file_of(number: libc::c_int) -> Option<FileId> {
    // SAFETY: `known` is valid for a write, and is read only when it was written, which the
    // result tells.
    unsafe {
        let mut known = std::mem::zeroed::<libc::stat>();
        (libc::fstat(number, &mut known) == 0).then_some((known.st_dev, known.st_ino))
    }
}
