//! The files of the templates, which are inside the binary: of the package itself, and of the toolkit that comes along.

/// Path in the package and text of a file.
pub(super) type File = (&'static str, &'static str);

/// A file of `templates`, and where it goes.
macro_rules! template {
    ($to:literal, $from:literal) => {
        ($to, include_str!(concat!("../../templates/", $from)))
    };
}

/// A file of a toolkit, and where it goes: the folder in the package, that in the repository, and the name in both.
macro_rules! toolkit {
    ($to:literal, $from:literal, [$($name:literal),* $(,)?]) => {
        &[$((concat!($to, "/", $name), include_str!(concat!("../../../", $from, "/", $name)))),*]
    };
}

/// Of every language.
pub(super) const ALL: &[File] = &[template!(".gitignore", "gitignore"), template!("scenario.json", "scenario.json")];

pub(super) const RUST: &[File] = &[
    template!("README.md", "rust/README.md"),
    template!("package.json", "rust/package.json"),
    template!("Cargo.toml", "rust/plugin.toml"),
    template!(".cargo/config.toml", "rust/.cargo/config.toml"),
    template!("src/lib.rs", "rust/src/lib.rs"),
    template!("sdk/skiff-plugin/Cargo.toml", "rust/skiff-plugin.toml"),
    template!("sdk/skiff-abi/Cargo.toml", "rust/skiff-abi.toml"),
];

pub(super) const RUST_TOOLKIT: &[File] = toolkit!(
    "sdk/skiff-plugin/src",
    "plugins/sdk/src",
    [
        "bench.rs",
        "boundary.rs",
        "fallback.rs",
        "host.rs",
        "imports.rs",
        "json.rs",
        "lib.rs",
        "memory.rs",
        "object.rs",
        "rows.rs",
        "settings.rs",
        "text.rs",
        "time.rs",
        "values.rs",
    ]
);

pub(super) const RUST_ABI: &[File] = toolkit!(
    "sdk/skiff-abi/src",
    "runtime/abi/src",
    ["capability.rs", "export.rs", "import.rs", "lib.rs", "table.rs", "values.rs",]
);

pub(super) const ASSEMBLYSCRIPT: &[File] = &[
    template!("README.md", "assemblyscript/README.md"),
    template!("package.json", "assemblyscript/package.json"),
    template!("asconfig.json", "assemblyscript/asconfig.json"),
    template!("assembly/index.ts", "assemblyscript/assembly/index.ts"),
];

pub(super) const ASSEMBLYSCRIPT_TOOLKIT: &[File] = toolkit!(
    "toolkit",
    "plugins/assemblyscript/toolkit",
    [
        "README.md",
        "package.json",
        "assembly/fallback.ts",
        "assembly/index.ts",
        "assembly/member-outputs.ts",
        "assembly/members.ts",
        "assembly/parts.ts",
        "assembly/reader.ts",
        "assembly/texts.ts",
        "assembly/values.ts",
        "assembly/writer.ts",
    ]
);

pub(super) const C: &[File] = &[
    template!("README.md", "c/README.md"),
    template!("package.json", "c/package.json"),
    template!("plugin.c", "c/plugin.c"),
];

pub(super) const C_TOOLKIT: &[File] = &[("skiff.h", include_str!("../../../plugins/c/skiff.h"))];

pub(super) const ZIG: &[File] = &[
    template!("README.md", "zig/README.md"),
    template!("package.json", "zig/package.json"),
    template!("plugin.zig", "zig/plugin.zig"),
    ("skiff.c", include_str!("../../../plugins/zig/skiff.c")),
    ("skiff.zig", include_str!("../../../plugins/zig/skiff.zig")),
];

pub(super) const GO: &[File] = &[
    template!("README.md", "go/README.md"),
    template!("package.json", "go/package.json"),
    template!("plugin.go", "go/plugin.go"),
    ("go.mod", include_str!("../../../plugins/go/go.mod")),
];

pub(super) const GO_TOOLKIT: &[File] =
    toolkit!("skiff", "plugins/go/skiff", ["exports.go", "fallback.go", "json.go", "skiff.go"]);
