//! The edits: where each is, by the fewest words that tell it, and what stands there instead.

/// One change of one file.
#[derive(Debug)]
pub struct Edit {
    /// The file, beginning with its package.
    pub file: &'static str,
    /// What it is for.
    pub why: &'static str,
    /// What it takes away.
    pub part: Part,
    /// What it puts there.
    pub with: &'static str,
}

/// A part of a file.
#[derive(Clone, Copy, Debug)]
pub enum Part {
    /// This text, which is there once.
    Text(&'static str),
    /// From one text up to another, which stays; both are there once.
    Between { from: &'static str, until: &'static str },
}

const LOOP: &str = "wasmi/src/engine/executor/handler/dispatch/backend/loop.rs";
const ENCODER: &str = "wasmi/src/engine/translator/func/encoder.rs";
const PRIMITIVE: &str = "wasmi_ir/src/primitive.rs";
const OP_ENCODE: &str = "wasmi_ir/build/display/encode.rs";

const TABLE: &str = "a table of handlers instead of one function with all of them in it";
const BUFFERS: &str = "buffers of the translator are given back when a module is translated";
const FUEL: &str = "the fuel of a block in 32 bits";
const EAGER: &str = "a feature for engines that translate eagerly only";
const NAMES: &str = "operators print their names only with the feature `debug`, as their values do";
const FLOATS: &str = "values are shown without their number, so that no float is printed";
const GROUPS: &str = "operators with fields of the same kinds are encoded by the same code";
const PREFIXES: &str = "features for operators that wasmi has none of";

/// All of them, in the order they are made.
pub const EDITS: &[Edit] = &[
    Edit {
        file: LOOP,
        why: TABLE,
        part: Part::Between {
            from: "#[cfg(feature = \"indirect-dispatch\")]\nimpl Executor {",
            until: "#[cfg(not(feature = \"indirect-dispatch\"))]\nimpl Executor {",
        },
        with: "",
    },
    Edit {
        file: LOOP,
        why: TABLE,
        part: Part::Text("#[cfg(not(feature = \"indirect-dispatch\"))]\nimpl Executor {"),
        with: "impl Executor {",
    },
    Edit {
        file: LOOP,
        why: TABLE,
        part: Part::Text("let handler = super::decode_handler(self.ip);"),
        with: "let handler = match cfg!(feature = \"indirect-dispatch\") {
            true => op_code_to_handler(super::decode_op_code(self.ip)),
            false => super::decode_handler(self.ip),
        };",
    },
    Edit {
        file: LOOP,
        why: TABLE,
        part: Part::Between {
            from: "// Note we only enable `inline(always)`",
            until: "#[cfg_attr(not(feature = \"indirect-dispatch\"), inline(never))]",
        },
        with: "",
    },
    Edit {
        file: LOOP,
        why: TABLE,
        part: Part::Text("#[cfg_attr(not(feature = \"indirect-dispatch\"), inline(never))]"),
        with: "#[inline(never)]",
    },
    Edit {
        file: "wasmi/src/module/parser/buffered.rs",
        why: BUFFERS,
        part: Part::Text("let module = builder.finish()?;"),
        with: "let module = builder.finish()?;\n        self.engine.release_allocs();",
    },
    Edit {
        file: "wasmi/src/engine/mod.rs",
        why: BUFFERS,
        part: Part::Text("self.inner.recycle_stack(stack)\n    }"),
        with: "self.inner.recycle_stack(stack)
    }

    /// Frees what is kept for translating further functions; nothing is to come after eager translation.
    pub(crate) fn release_allocs(&self) {
        if matches!(self.inner.config.get_compilation_mode(), CompilationMode::Eager) {
            *self.inner.allocs.lock() = ReusableAllocationStack::default();
        }
    }",
    },
    Edit {
        file: PRIMITIVE,
        why: FUEL,
        part: Part::Text("pub struct BlockFuel(u64);"),
        with: "pub struct BlockFuel(u32);",
    },
    Edit {
        file: PRIMITIVE,
        why: FUEL,
        part: Part::Between { from: "impl From<u64> for BlockFuel {", until: "impl BlockFuel {" },
        with: "impl From<u32> for BlockFuel {
    fn from(fuel: u32) -> Self {
        Self(fuel)
    }
}

impl From<BlockFuel> for u32 {
    fn from(fuel: BlockFuel) -> Self {
        fuel.0
    }
}

impl From<BlockFuel> for u64 {
    fn from(fuel: BlockFuel) -> Self {
        u64::from(fuel.0)
    }
}

",
    },
    Edit {
        file: PRIMITIVE,
        why: FUEL,
        part: Part::Text(
            "self.0 = u64::from(*self)\n            .checked_add(amount)\n            .ok_or(Error::BlockFuelOutOfBounds)?;",
        ),
        with: "let sum = u32::try_from(amount).ok().and_then(|amount| self.0.checked_add(amount));
        self.0 = sum.ok_or(Error::BlockFuelOutOfBounds)?;",
    },
    Edit {
        file: "wasmi_ir/src/encode.rs",
        why: FUEL,
        part: Part::Text("let pos = u64::from(*self).encode(encoder)?;\n        encoder.block_fuel("),
        with: "let pos = u32::from(*self).encode(encoder)?;\n        encoder.block_fuel(",
    },
    Edit {
        file: "wasmi_ir/src/decode/mod.rs",
        why: FUEL,
        part: Part::Text("BlockFuel as u64 ="),
        with: "BlockFuel as u32 =",
    },
    // 64 bits never ran over; 32 bits may, and then it is an error of the module, no panic of the encoder.
    Edit {
        file: ENCODER,
        why: FUEL,
        part: Part::Text("        self.ops\n            .update_encoded(fuel_pos, |mut fuel| -> Option<BlockFuel> {"),
        with: "        let mut fits = true;\n        self.ops\n            .update_encoded(fuel_pos, |mut fuel| -> Option<BlockFuel> {",
    },
    Edit {
        file: ENCODER,
        why: FUEL,
        part: Part::Text("fuel.bump_by(delta).ok()?;\n                Some(fuel)\n            });\n        Ok(())"),
        with: "fits = fuel.bump_by(delta).is_ok();
                Some(fuel)
            });
        match fits {
            true => Ok(()),
            false => Err(Error::from(TranslationError::BlockFuelOutOfBounds)),
        }",
    },
    Edit {
        file: "wasmi/Cargo.toml",
        why: EAGER,
        part: Part::Text("indirect-dispatch = [\"wasmi_ir/slot16\"]"),
        with: "eager-only = []\nindirect-dispatch = [\"wasmi_ir/slot16\"]",
    },
    Edit {
        file: "wasmi/src/engine/config.rs",
        why: EAGER,
        part: Part::Text("-> CompilationMode {\n        self.compilation_mode"),
        with: "-> CompilationMode {
        match cfg!(feature = \"eager-only\") {
            true => CompilationMode::Eager,
            false => self.compilation_mode,
        }",
    },
    Edit {
        file: "wasmi/src/engine/code_map/mod.rs",
        why: EAGER,
        part: Part::Text("        let func_idx = self.func_index;\n        let wasm_bytes = self.bytes.as_slice();\n"),
        with: "        if cfg!(feature = \"eager-only\") {
            return Err(Error::from(TranslationError::LazyCompilationFailed));
        }
        let func_idx = self.func_index;
        let wasm_bytes = self.bytes.as_slice();
",
    },
    Edit {
        file: "wasmi_ir/build/display/op_code.rs",
        why: NAMES,
        part: Part::Text("            {indent}impl ::core::fmt::Debug for OpCode {{\\n\\\n"),
        with: "            {indent}#[cfg(not(feature = \\\"debug\\\"))]\\n\\
            {indent}impl ::core::fmt::Debug for OpCode {{\\n\\
            {indent}    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {{\\n\\
            {indent}        ::core::fmt::Debug::fmt(&u16::from(*self), f)\\n\\
            {indent}    }}\\n\\
            {indent}}}\\n\\
            \\n\\
            {indent}#[cfg(feature = \\\"debug\\\")]\\n\\
            {indent}impl ::core::fmt::Debug for OpCode {{\\n\\
",
    },
    Edit {
        file: "wasmi/src/value.rs",
        why: FLOATS,
        part: Part::Text("#[derive(Clone, Debug)]\npub enum Val {"),
        with: "impl ::core::fmt::Debug for Val {
    fn fmt(&self, f: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
        f.write_str(\"Val\")
    }
}

/// As the registry has it.
#[derive(Clone)]
pub enum Val {",
    },
    Edit {
        file: OP_ENCODE,
        why: GROUPS,
        part: Part::Between {
            from: "        let match_params = DisplaySequence::new(",
            until: "impl Display for DisplayEncode<&'_ Isa> {",
        },
        with: "        let _ = indent;
        // The pattern, and below it what is done with its fields; registers, locals and the table 0 have no bytes.
        let has_bytes = |field: &&Field| {
            let kind = field.ty.to_string();
            !kind.starts_with(\"Reg<\") && !kind.starts_with(\"Local<\") && kind != \"Table0\"
        };
        let fields: Vec<&Field> = fields.iter().filter_map(Option::as_ref).filter(has_bytes).collect();
        write!(f, \"Self::{camel_ident} {{ \")?;
        for field in &fields {
            write!(f, \"{}, \", SnakeCase(field.ident))?;
        }
        writeln!(f, \".. }}\")?;
        for field in &fields {
            write!(f, \"{}.encode(encoder)?; /* {} */ \", SnakeCase(field.ident), field.ty)?;
        }
        Ok(())
    }
}

",
    },
    Edit {
        file: OP_ENCODE,
        why: GROUPS,
        part: Part::Between {
            from: "        let impls = DisplaySequence::new(",
            until: "macro_rules! impl_display_encode {",
        },
        with: "        let mut groups: Vec<(String, Vec<String>)> = Vec::new();
        for op in &self.value.ops {
            let text = DisplayEncode::new(op, indent).to_string();
            let (pattern, body) = text.split_once('\\n').unwrap_or((&text, \"\"));
            match groups.iter_mut().find(|(known, _)| known == body) {
                Some((_, patterns)) => patterns.push(pattern.into()),
                None => groups.push((body.into(), vec![pattern.into()])),
            }
        }
        writeln!(f, \"impl Encode for Op {{\")?;
        writeln!(f, \"fn encode<E: Encoder>(&self, encoder: &mut E) -> Result<E::Pos, E::Error> {{\")?;
        writeln!(f, \"let pos = self.code().encode(encoder)?;\\nmatch self {{\")?;
        for (body, patterns) in &groups {
            writeln!(f, \"{} => {{ {body} }}\", patterns.join(\"\\n| \"))?;
        }
        writeln!(f, \"}}\\nOk(pos)\\n}}\\n}}\")
    }
}

",
    },
    Edit {
        file: OP_ENCODE,
        why: GROUPS,
        part: Part::Text("    display::{Indent, ident::DisplayIdent, utils::DisplaySequence},"),
        with: "    display::{Indent, ident::DisplayIdent},",
    },
    Edit {
        file: "wasmparser/Cargo.toml",
        why: PREFIXES,
        part: Part::Text("default = [\n"),
        with: "atomics = []\ngc = []\ndefault = [\n    \"atomics\",\n    \"gc\",\n",
    },
    Edit {
        file: "wasmparser/src/binary_reader.rs",
        why: PREFIXES,
        part: Part::Text("0xfb => self.visit_0xfb_operator("),
        with: "0xfb if cfg!(feature = \"gc\") => self.visit_0xfb_operator(",
    },
    Edit {
        file: "wasmparser/src/binary_reader.rs",
        why: PREFIXES,
        part: Part::Text("0xfe => self.visit_0xfe_operator("),
        with: "0xfe if cfg!(feature = \"atomics\") => self.visit_0xfe_operator(",
    },
];
