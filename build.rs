//! Linker arguments of the shared library, per platform. Never writes into the source tree.
//!
//! The soname carries the ABI version (`gigachat_abi_version`), which changes only when the
//! binary interface breaks. `nodelete` pins the library: threads and thread-locals of it may
//! outlive a `dlclose` (measured: M5 of the design's experiments).

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    let target = |what: &str| std::env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    let link = |argument: &str| println!("cargo:rustc-cdylib-link-arg={argument}");
    match target("OS").as_str() {
        "linux" | "android" | "freebsd" => {
            link("-Wl,-soname,libgigachat.so.0");
            link("-Wl,-z,nodelete");
            link("-Wl,-z,relro,-z,now");
        }
        "macos" | "ios" => {
            link("-Wl,-install_name,@rpath/libgigachat.0.dylib");
            link("-Wl,-compatibility_version,0.1,-current_version,0.1");
        }
        _ => {}
    }
}
