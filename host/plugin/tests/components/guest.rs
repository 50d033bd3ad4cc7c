//! Makes components: a core module in text, an image of its data, and the contract's WIT.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Where the image begins; below it lie the return areas and scratch bytes of the bodies.
const IMAGE_BASE: u32 = 4096;
const PAGE_LEN: usize = 65_536;

/// A guest in the making. Bodies are WebAssembly text.
pub struct Guest {
    /// A world of the WIT.
    pub world: &'static str,
    /// Id, method and path of each route.
    pub routes: Vec<(&'static str, &'static str, &'static str)>,
    /// The first parameter of each path is its serialization key.
    pub is_serialized: bool,
    /// `descriptor.apps`.
    pub apps: Vec<&'static str>,
    /// `descriptor.events`.
    pub events: Vec<&'static str>,
    /// `descriptor.config-schema`.
    pub schema: Option<&'static str>,
    /// Before the descriptor is returned.
    pub describe: &'static str,
    /// Result: the address of a response.
    pub request: &'static str,
    /// Result: the address of a grant or refusal.
    pub admit: &'static str,
    /// Result: the address of a result.
    pub happening: &'static str,
    /// Changes the contract before the guest is built with it.
    pub contract: fn(String) -> String,
}

impl Default for Guest {
    fn default() -> Self {
        Self {
            world: "web",
            routes: vec![("do", "POST", "/do/{what}")],
            is_serialized: false,
            apps: vec![],
            events: vec![],
            schema: None,
            describe: "",
            request: ANSWER,
            admit: REFUSE,
            happening: TAKEN,
            contract: |text| text,
        }
    }
}

/// Answers 200 with the four scratch bytes at 64.
pub const ANSWER: &str = "
    (i32.store16 (i32.const 128) (i32.const 200))
    (i32.store8 (i32.const 140) (i32.const 1))
    (i32.store (i32.const 144) (i32.const 64))
    (i32.store (i32.const 148) (i32.const 4))
    (i32.const 128)";

/// Reads the number under `n`; the letter lies at 32.
pub const READ: &str = "
    (i32.store8 (i32.const 32) (i32.const 110))
    (call $get (i32.const 32) (i32.const 1) (i32.const 160))
    (if (i32.load8_u (i32.const 164))
        (then (i32.store (i32.const 64) (i32.load (i32.load (i32.const 168))))))";

/// Writes the number, one more, under `n`.
pub const WRITE: &str = "
    (i32.store (i32.const 64) (i32.add (i32.const 1) (i32.load (i32.const 64))))
    (call $put (i32.const 32) (i32.const 1) (i32.const 64) (i32.const 4) (i32.const 0) (i32.const 0) (i32.const 192))";

/// Asks the host where a URL leads, which in tests runs the hook.
pub const HOOK: &str = "(call $locate (i32.const 32) (i32.const 1) (i32.const 224))";

/// Commits, and traps unless that went well.
pub const COMMIT: &str = "
    (call $commit (i32.const 256))
    (if (i32.load8_u (i32.const 256)) (then unreachable))";

const REFUSE: &str = "
    (i32.store8 (i32.const 320) (i32.const 1))
    (i32.store16 (i32.const 324) (i32.const 403))
    (i32.const 320)";

const TAKEN: &str = "(i32.const 384)";

/// Answers an event or alarm with `error.timeout`.
pub const NOT_TAKEN: &str = "
    (i32.store8 (i32.const 384) (i32.const 1))
    (i32.store8 (i32.const 388) (i32.const 6))
    (i32.const 384)";

impl Guest {
    /// Builds the component and writes it into `dir`.
    pub fn write(&self, dir: &Path, name: &str) -> PathBuf {
        let path = dir.join(format!("{name}.wasm"));
        std::fs::write(&path, self.component(dir)).unwrap();
        path
    }

    fn component(&self, dir: &Path) -> Vec<u8> {
        let mut module = wat::parse_str(self.text()).unwrap_or_else(|error| panic!("{error}"));
        let resolve = self.resolve(dir);
        let package = resolve.package_names.iter().find(|(name, _)| name.name == "personality").unwrap();
        let world = resolve.select_world(&[*package.1], Some(self.world)).unwrap();
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
        let mut encoder = ComponentEncoder::default().validate(true).module(&module).unwrap();
        encoder.encode().unwrap_or_else(|error| panic!("{error:?}"))
    }

    /// Only the core module.
    pub fn core_module(&self) -> Vec<u8> {
        wat::parse_str(self.text()).unwrap()
    }

    fn resolve(&self, dir: &Path) -> Resolve {
        let changed = tempfile::tempdir_in(dir).unwrap();
        for name in ["types.wit", "exports.wit", "imports.wit"] {
            let text = std::fs::read_to_string(Path::new("../../wit").join(name)).unwrap();
            std::fs::write(changed.path().join(name), (self.contract)(text)).unwrap();
        }
        let mut resolve = Resolve::default();
        resolve.push_dir(changed.path()).unwrap_or_else(|error| panic!("{error:?}"));
        resolve
    }

    fn version(&self) -> &'static str {
        if (self.contract)("@0.1.0".to_owned()) == "@0.1.0" { "0.1.0" } else { "0.2.0" }
    }

    fn text(&self) -> String {
        let version = self.version();
        let interface = |name: &str| format!("heliu:personality/{name}@{version}");
        let mut image = Image { bytes: vec![] };
        let descriptor = image.descriptor(self);
        let bodies = [self.describe, self.request, self.admit, self.happening].concat();
        let mut text = String::from("(module\n");
        for (name, from, function, signature) in [
            ("$get", interface("store"), "get", "(param i32 i32 i32)"),
            ("$put", interface("store"), "put", "(param i32 i32 i32 i32 i32 i32 i32)"),
            ("$write", interface("log"), "write", "(param i32 i32 i32 i32 i32)"),
            ("$words", interface("log"), "last-words", "(param i32 i32 i32 i32)"),
            ("$locate", interface("addresses"), "locate", "(param i32 i32 i32)"),
            ("$commit", interface("transaction"), "commit", "(param i32)"),
            ("$rollback", interface("transaction"), "rollback", ""),
            ("$set", interface("alarms"), "set", "(param i32 i32 i32 i32 i32 i32 i32 i32 i32)"),
            ("$wait", interface("status"), "wait", "(param i32 i32 i32 i32 i32)"),
            ("$now", interface("ambient"), "now", "(result i64)"),
            ("$random", interface("ambient"), "random", "(param i32 i32)"),
            ("$fetch", interface("fetch"), "go", ""),
            ("$beep", "$root".to_owned(), "beep", ""),
        ] {
            if bodies.contains(&format!("(call {name}")) {
                writeln!(text, "(import \"{from}\" \"{function}\" (func {name} {signature}))").unwrap();
            }
        }
        let pages = (IMAGE_BASE as usize + image.bytes.len()).div_ceil(PAGE_LEN) + 1;
        writeln!(text, "(memory (export \"memory\") {pages})").unwrap();
        writeln!(text, "(global $calls (mut i32) (i32.const 0))").unwrap();
        writeln!(text, "(global $heap (mut i32) (i32.const {}))", (pages - 1) * PAGE_LEN).unwrap();
        text.push_str(REALLOC);
        let mut export = |name: String, signature: &str, body: &str| {
            writeln!(text, "(func (export \"{name}\") {signature} {body})").unwrap();
        };
        let (manifest, requests) = (interface("manifest"), interface("requests"));
        let describe = format!("{} (i32.const {descriptor})", self.describe);
        export(format!("{manifest}#describe"), "(result i32)", &describe);
        export(format!("{requests}#handle-request"), "(param i32) (result i32) (local i32)", self.request);
        if self.world != "web" && self.world != "odd" {
            export(format!("{}#admit", interface("admission")), "(param i32) (result i32)", self.admit);
            let event = "(param i32 i32 i32 i32 i64 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)";
            export(format!("{}#handle-event", interface("events")), event, self.happening);
            let alarm = "(param i32 i32 i32 i32 i32 i32 i32 i64 i32) (result i32)";
            export(format!("{}#handle-alarm", interface("events")), alarm, self.happening);
        }
        let data: String = image.bytes.iter().map(|byte| format!("\\{byte:02x}")).collect();
        write!(text, "(data (i32.const {IMAGE_BASE}) \"{data}\"))").unwrap();
        text
    }
}

/// Hands out memory above the image and never takes it back.
const REALLOC: &str = "
(func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32)
    (global.set $heap (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (global.get $heap)
    (global.set $heap (i32.add (global.get $heap) (local.get 3)))
    (block $fits (loop $grow
        (br_if $fits (i32.le_u (global.get $heap) (i32.mul (memory.size) (i32.const 65536))))
        (br_if $fits (i32.eq (memory.grow (i32.const 1)) (i32.const -1)))
        (br $grow))))
";

/// Memory as the canonical ABI lays it out.
struct Image {
    bytes: Vec<u8>,
}

impl Image {
    fn put(&mut self, bytes: &[u8]) -> u32 {
        while !self.bytes.len().is_multiple_of(8) {
            self.bytes.push(0);
        }
        let at = IMAGE_BASE + u32::try_from(self.bytes.len()).unwrap();
        self.bytes.extend_from_slice(bytes);
        at
    }

    fn words(&mut self, words: &[u32]) -> u32 {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        self.put(&bytes)
    }

    fn string(&mut self, text: &str) -> [u32; 2] {
        [self.put(text.as_bytes()), u32::try_from(text.len()).unwrap()]
    }

    fn strings(&mut self, texts: &[&str]) -> [u32; 2] {
        let words: Vec<u32> = texts.iter().flat_map(|text| self.string(text)).collect();
        [self.words(&words), u32::try_from(texts.len()).unwrap()]
    }

    fn descriptor(&mut self, guest: &Guest) -> u32 {
        let routes: Vec<u32> = guest.routes.iter().flat_map(|route| self.route(route, guest.is_serialized)).collect();
        let routes = [self.words(&routes), u32::try_from(guest.routes.len()).unwrap()];
        let faces = [self.face(), 1];
        let schema = guest.schema.map_or([0; 3], |schema| {
            let [at, len] = self.string(schema);
            [1, at, len]
        });
        let empty = [0, 0];
        let [name, version, sdk] = ["guest", "1", "wat"].map(|text| self.string(text));
        let (apps, events) = (self.strings(&guest.apps), self.strings(&guest.events));
        let parts: [&[u32]; 12] =
            [&name, &version, &sdk, &routes, &empty, &empty, &faces, &[0; 3], &apps, &events, &schema, &[0; 3]];
        self.words(&parts.concat())
    }

    fn route(&mut self, (id, method, path): &(&str, &str, &str), is_serialized: bool) -> Vec<u32> {
        let [id, method, path] = [id, method, path].map(|text| self.string(text));
        let key = if is_serialized { self.strings(&["what"]) } else { [0, 0] };
        [&id[..], &method, &path, &key, &[0; 3], &[0; 2], &[0; 2], &[0; 3]].concat()
    }

    fn face(&mut self) -> u32 {
        let path = self.string("/");
        let [content_type, body] = ["text/plain", "fault: {message}"].map(|text| self.string(text));
        let fault = self.words(&[500 << 16, content_type[0], content_type[1], body[0], body[1]]);
        self.words(&[&path[..], &[0, 0], &[0; 12], &[fault, 1]].concat())
    }
}
