//! I13: a key leaves the memory with its last user, although what was had with it (a token,
//! connections) waits for the next one. The memory is that of a run of this very program, since
//! the emulator beside the test knows the key, too.
#![cfg(target_os = "linux")]

#[path = "service/support/mod.rs"]
mod support;

use std::fs::{File, read_to_string};
use std::io::{Read, Seek, SeekFrom};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use gigachat_emulator::{Emulator, Options};
use support::{SOON, bounded, client};

const CHILD: &str = "child_that_looks_for_its_key";
/// The child gets the key in this disguise, so that only the library has it as it is.
const MASK: u8 = 0x15;

fn masked(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| byte ^ MASK).collect()
}

/// How often these bytes stand in the writable memory of this process, apart from HTTP buffers
/// (`Basic KEY`), which SECURITY.md excepts. `wanted` is masked.
fn found(wanted: &[u8]) -> usize {
    let mut memory = File::open("/proc/self/mem").unwrap();
    let mut times = 0;
    for line in read_to_string("/proc/self/maps").unwrap().lines() {
        let mut parts = line.split_whitespace();
        let (Some(range), Some(rights)) = (parts.next(), parts.next()) else {
            continue;
        };
        let of_files = parts.nth(3).is_some_and(|name| name.starts_with('/'));
        if !rights.starts_with("rw") || of_files || line.ends_with("[stack]") {
            continue;
        }
        let (from, to) = range.split_once('-').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let mut bytes = vec![0; (number(to) - number(from)) as usize];
        // A range that cannot be read (a guard page) holds nothing.
        if memory.seek(SeekFrom::Start(number(from))).is_err()
            || memory.read_exact(&mut bytes).is_err()
        {
            continue;
        }
        // What is looked for must not be made by looking.
        bytes.iter_mut().for_each(|byte| *byte ^= MASK);
        let basic = masked(b"Basic ");
        let mut at = 0;
        while let Some(next) = memchr::memmem::find(&bytes[at..], wanted) {
            let here = at + next;
            times += usize::from(!bytes[..here].ends_with(&basic));
            at = here + wanted.len();
        }
    }
    times
}

#[test]
#[ignore = "run by the other test of this file, as a process of its own"]
fn child_that_looks_for_its_key() {
    let given = |name: &str| std::env::var(name).unwrap();
    let disguised: Vec<u8> = given("TEST_KEY")
        .split(',')
        .map(|number| number.parse().unwrap())
        .collect();
    let bare = {
        let mut config = gigachat::Config::default();
        config.set_base_url(&given("TEST_BASE_URL")).unwrap();
        config.set_token_url(&given("TEST_TOKEN_URL")).unwrap();
        config.set_ca_bundle_pem(&given("TEST_BUNDLE")).unwrap();
        config.set_proxy_from_environment(false);
        config
    };
    let mut config = bare.clone();
    {
        let key = zeroize::Zeroizing::new(String::from_utf8(masked(&disguised)).unwrap());
        config.set_authorization_key(&key).unwrap();
    }
    let client = client(config);
    client.generate("hello").join().unwrap();
    assert!(found(&disguised) > 0, "the key is seen while it is in use");
    drop(client);
    let patience = Instant::now() + SOON;
    while found(&disguised) > 0 {
        assert!(Instant::now() < patience, "the key is still there");
        sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_key_leaves_the_memory_with_its_last_user() {
    bounded(|| {
        let emulator = Emulator::start(Options::default()).unwrap();
        let key = masked(emulator.authorization_key().as_bytes());
        let key: Vec<String> = key.iter().map(ToString::to_string).collect();
        let mut child = Command::new(std::env::current_exe().unwrap());
        child.args(["--exact", CHILD, "--ignored", "--nocapture"]);
        child.env("TEST_BASE_URL", emulator.base_url());
        child.env("TEST_TOKEN_URL", emulator.token_url());
        child.env("TEST_BUNDLE", emulator.ca_pem());
        child.env("TEST_KEY", key.join(","));
        let output = child.output().unwrap();
        assert!(
            output.status.success(),
            "{}{}",
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
    });
}
