//! Linker arguments of the extension module. It has no SONAME: it is loaded by its path, and a name
//! would be taken for the C library's. `nodelete` pins it: threads and thread-locals of it may
//! outlive an unloading.

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let system = std::env::var("CARGO_CFG_TARGET_OS").unwrap_or_default();
    if ["linux", "android", "freebsd"].contains(&system.as_str()) {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,relro,-z,now");
    }
}
