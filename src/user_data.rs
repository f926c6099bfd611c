//! A pointer of the program's, on its way to the program's own functions.

use std::ffi::c_void;

use super::boundary;

/// Called once with the user data, after its last use. May be NULL.
pub type gigachat_destroy_callback = Option<unsafe extern "C" fn(user_data: *mut c_void)>;

/// The pointer, without the duty to destroy what it points to.
#[derive(Clone, Copy)]
pub(super) struct UserData(*mut c_void);

// SAFETY: the library never looks behind the pointer; it hands it back to functions that the
// program allowed to be called with it on the library's threads.
unsafe impl Send for UserData {}
// SAFETY: as above.
unsafe impl Sync for UserData {}

impl UserData {
    pub(super) fn unowned(pointer: *mut c_void) -> UserData {
        UserData(pointer)
    }

    /// The same with the duty to call `destroy` at the end.
    pub(super) fn owned(self, destroy: gigachat_destroy_callback) -> OwnedUserData {
        OwnedUserData {
            data: self,
            destroy,
        }
    }

    pub(super) fn pointer(self) -> *mut c_void {
        self.0
    }
}

/// The pointer, whose destroy hook is called when this is dropped.
pub(super) struct OwnedUserData {
    data: UserData,
    destroy: gigachat_destroy_callback,
}

impl OwnedUserData {
    pub(super) fn pointer(&self) -> *mut c_void {
        self.data.pointer()
    }
}

impl Drop for OwnedUserData {
    fn drop(&mut self) {
        if let Some(destroy) = self.destroy {
            // SAFETY: the program promised that the hook may be called once with its user data,
            // on a thread of the library.
            unsafe { boundary::call_1(destroy, self.data) };
        }
    }
}
