"""Whether two builds share a target folder in which they would overwrite each other.

    target_folders.py [ROOT]

Cargo gives a C library, and whatever is built beside it, a file name without a hash. So two builds
of one folder that make the library from different manifests, with different features or compiler
flags, overwrite each other's, and the next of them takes the wrong one for its own. Every build in
the Makefile and in the shell scripts is looked at: one folder, one manifest, one set of flags.
Lints and documentation make no library; they may share the folder of their own manifest. The
members of the workspace have one manifest, for cargo tells their builds apart. A manifest that
makes no C library, itself or by what it depends on, overwrites nothing (what cargo makes of rlibs
has a hash in its name): it may share any folder, and so what is compiled there already.
"""

import pathlib
import re
import subprocess
import sys
import tomllib

MAKES_A_LIBRARY = ("build", "test", "run", "rustc", "bench", "fuzz build")
COMMAND = re.compile(
    r'(?:\bcargo"? (?P<verb>fuzz build|build|test|run|rustc|bench|clippy|check|doc)|\bmaturin"? build)\b'
    r"(?P<rest>[^|;&]*)")
DEFAULT = re.compile(r"\$\{\w+:-((?:[^{}]|\{[^{}]*\})*)\}")


def resolved(text, variables):
    """The text with the script's variables and defaults put in, relative to the repository."""
    for _ in range(6):
        text = DEFAULT.sub(r"\1", text)
        text = re.sub(r"\$\{?(\w+)\}?", lambda found: variables.get(found[1], found[0]), text)
    text = re.sub(r"\$\(realpath -m ([^)]*)\)", r"\1", text.replace('"', ""))
    return re.sub(r"^(\$\(pwd\)/|\$PWD/|\$\(CURDIR\)/|\$root/|\./)", "", text)


def builds(path, text):
    """Each build of a script: (verb, manifest, folder, flags)."""
    text = re.sub(r"\\\n\s*", " ", text)
    text = "\n".join(line for line in text.split("\n") if not line.lstrip("\t @").startswith("#"))
    variables = dict(re.findall(r"^(?:\s*(?:export|readonly|local)\s+)?(\w+)=(\S+)$", text, re.M))
    variables = {name: value for name, value in variables.items() if f"${name}" not in value}
    variables = {**variables, "root": "$root", "here": str(path.parent)}
    for line in text.split("\n"):
        for found in COMMAND.finditer(line):
            rest, before = found["rest"], line[:found.start()]
            if rest.startswith("`") or "echo" in before:
                continue
            manifest = re.search(r"--manifest-path\s+\"?(\S+?)\"?(?:\s|$)", rest)
            manifest = resolved(manifest[1], variables) if manifest else "Cargo.toml"
            if found["verb"] == "fuzz build":
                manifest = "fuzz/Cargo.toml"
            folder = re.search(r"--target-dir[ =]\"?(\S+?)\"?(?:\s|$)", rest) or re.search(
                r"\bCARGO_TARGET_DIR=\"?(\S+?)\"?(?:\s|$)", before)
            folder = resolved(folder[1], variables) if folder else "target"
            flags = re.findall(r"--features[ =]\S+|--all-features|--no-default-features", rest)
            flags += re.findall(r"(?<!DOC)RUSTFLAGS=\"[^\"]*\"", before)
            if "$" in folder:
                folder = f"{path.name}: {folder}"
            # A sanitized build of the fuzzers, or one for a named target, has a folder inside.
            inside = re.search(r"--target[ =]\"?(\S+?)\"?(?:\s|$)", rest)
            if inside and "$" in inside[1]:
                folder += f"/{inside[1]}"
            yield found["verb"] or "build", manifest, folder, tuple(sorted(flags))


def scripts(root):
    listed = subprocess.run(["git", "ls-files"], cwd=root, stdout=subprocess.PIPE, text=True)
    names = listed.stdout.split() if listed.returncode == 0 else []
    names = names or [str(path.relative_to(root)) for path in root.rglob("*.sh")] + ["Makefile"]
    return [name for name in names if name.endswith(".sh") or name in ("Makefile", ".ci/run")]


def workspace_manifests(root):
    members = tomllib.loads((root / "Cargo.toml").read_text()).get("workspace", {}).get("members", [])
    return {f"{member}/Cargo.toml" for member in members}


def makes_c_library(root, manifest, seen=frozenset()):
    """Whether a package, or one that it depends on by path, has a library without a hash in its name."""
    path = (root / manifest).resolve()
    if path in seen or not path.exists():
        return not path.exists()
    package = tomllib.loads(path.read_text())
    if {"cdylib", "staticlib", "dylib"} & set(package.get("lib", {}).get("crate-type", [])):
        return True
    paths = [made["path"] for table in ("dependencies", "dev-dependencies", "build-dependencies")
             for made in package.get(table, {}).values() if isinstance(made, dict) and "path" in made]
    return any(makes_c_library(root, path.parent / found / "Cargo.toml", seen | {path}) for found in paths)


def main(root):
    members = workspace_manifests(root)
    owners, makers, seen, fuzzers = {}, {}, 0, False
    for name in scripts(root):
        path = pathlib.Path(name)
        for verb, manifest, folder, flags in builds(path, (root / path).read_text()):
            seen += 1
            fuzzers = fuzzers or manifest == "fuzz/Cargo.toml"
            if "RUSTFLAGS" not in str(flags) and verb != "fuzz build" and not makes_c_library(root, manifest):
                continue
            manifest = "Cargo.toml" if manifest in members else manifest
            owners.setdefault(folder, {}).setdefault(manifest, name)
            if verb in MAKES_A_LIBRARY:
                makers.setdefault(folder, {}).setdefault(flags, name)
    faults = [f"{folder}: built from {' and '.join(f'{m} ({n})' for m, n in sorted(by.items()))}"
              for folder, by in sorted(owners.items()) if len(by) > 1]
    faults += [f"{folder}: built with {' and '.join(f'{list(f)} ({n})' for f, n in sorted(by.items()))}"
               for folder, by in sorted(makers.items()) if len(by) > 1]
    if seen < 10 or not fuzzers:
        faults.append(f"only {seen} builds were found: this check has gone blind")
    for fault in faults:
        print(f"target folders: {fault}", file=sys.stderr)
    if not faults:
        print(f"target folders: {seen} builds in {len(owners)} folders, none overwrites another's")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve()))
