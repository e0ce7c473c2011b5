//! The words of translated code.
//!
//! ```text
//!  31      24 23      16 15       8 7        0
//! ┌──────────┬──────────┬──────────┬──────────┐
//! │    c     │    b     │    a     │ operator │   a: where the result goes, or what is stored or tested
//! └──────────┴──────────┴──────────┴──────────┘   b, c: registers read, or c a number of 8 bits
//! ```
//!
//! A register is a word of the function's window of 256; 64 bits take two, the low word first. Where more is to be said a
//! second word follows: the distance of a branch counts from that word.

/// Numbers operators from the first on.
macro_rules! operators {
    ($($(#[$about:meta])* $name:ident)*) => {
        #[expect(non_camel_case_types, clippy::upper_case_acronyms, reason = "only their numbers are used")]
        #[allow(dead_code, reason = "some are named only as part of a range")]
        enum Numbered { $($name),* }
        $($(#[$about])* #[allow(dead_code, reason = "some are named only as part of a range")] pub(crate) const $name: u8 = Numbered::$name as u8;)*
    };
}

operators! {
    /// Nothing is 0, so that empty flash is no code.
    ILLEGAL
    /// Takes the fuel of the block that begins; 24 bits.
    CHARGE
    UNREACHABLE
    /// Goes on at the distance of the next word.
    BRANCH
    /// Registers a and b are compared; c is the fuel of what follows where the branch is not taken.
    BRANCH_EQ
    BRANCH_NE
    BRANCH_LT_S
    BRANCH_LT_U
    BRANCH_GE_S
    BRANCH_GE_U
    /// The same with b as a number of 8 bits.
    BRANCH_EQ_I
    BRANCH_NE_I
    BRANCH_LT_S_I
    BRANCH_LT_U_I
    BRANCH_GE_S_I
    BRANCH_GE_U_I
    /// b and c are a number of targets, which follow; the last is for all higher values of a.
    BRANCH_TABLE
    /// Returns; results lie where parameters lay.
    RETURN
    /// Returns register a.
    RETURN_32
    RETURN_64
    /// Arguments and results begin at a; b and c are the number of the function.
    CALL
    /// b holds the element, c is the table, the next word the type.
    CALL_INDIRECT
    COPY_32
    COPY_64
    /// b and c are a number of 16 bits.
    CONST_32_SHORT
    CONST_64_SHORT
    /// The number follows in one word, or two.
    CONST_32
    CONST_64
    /// Reads or writes a local outside of the window, b and c words below it.
    FAR_GET_32
    FAR_GET_64
    FAR_SET_32
    FAR_SET_64
    GLOBAL_GET_32
    GLOBAL_GET_64
    GLOBAL_SET_32
    GLOBAL_SET_64
    /// a = register in the next word ? b : c.
    SELECT_32
    SELECT_64
    /// a = memory at b + c; with 255 in c the offset is the next word.
    LOAD_32
    LOAD_64
    LOAD_8_S
    LOAD_8_U
    LOAD_16_S
    LOAD_16_U
    LOAD_64_8_S
    LOAD_64_8_U
    LOAD_64_16_S
    LOAD_64_16_U
    LOAD_64_32_S
    LOAD_64_32_U
    /// Memory at b + c = a.
    STORE_32
    STORE_64
    STORE_8
    STORE_16
    MEMORY_SIZE
    MEMORY_GROW
    MEMORY_COPY
    MEMORY_FILL
    /// The segment follows.
    MEMORY_INIT
    DATA_DROP
    TABLE_GET
    TABLE_SET
    TABLE_SIZE
    TABLE_GROW
    TABLE_FILL
    TABLE_COPY
    TABLE_INIT
    ELEMENTS_DROP
    /// c is the WebAssembly operator, of `0xfc` ones their number with the highest bits set.
    UNARY_32_32
    UNARY_32_64
    UNARY_64_32
    UNARY_64_64
    EXTEND_32_S
    /// Comparisons and arithmetic in the order of WebAssembly's operators, registers b and c.
    I32_EQ I32_NE I32_LT_S I32_LT_U I32_GT_S I32_GT_U I32_LE_S I32_LE_U I32_GE_S I32_GE_U
    I32_ADD I32_SUB I32_MUL I32_DIV_S I32_DIV_U I32_REM_S I32_REM_U I32_AND I32_OR I32_XOR I32_SHL I32_SHR_S I32_SHR_U
    I32_ROTL I32_ROTR
    /// The same with c as a number of 8 bits with a sign.
    I32_EQ_I I32_NE_I I32_LT_S_I I32_LT_U_I I32_GT_S_I I32_GT_U_I I32_LE_S_I I32_LE_U_I I32_GE_S_I I32_GE_U_I
    I32_ADD_I I32_SUB_I I32_MUL_I I32_DIV_S_I I32_DIV_U_I I32_REM_S_I I32_REM_U_I I32_AND_I I32_OR_I I32_XOR_I I32_SHL_I
    I32_SHR_S_I I32_SHR_U_I I32_ROTL_I I32_ROTR_I
    /// Ten comparisons of 64 bits, fifteen operations.
    I64_EQ I64_NE I64_LT_S I64_LT_U I64_GT_S I64_GT_U I64_LE_S I64_LE_U I64_GE_S I64_GE_U
    I64_ADD I64_SUB I64_MUL I64_DIV_S I64_DIV_U I64_REM_S I64_REM_U I64_AND I64_OR I64_XOR I64_SHL I64_SHR_S I64_SHR_U
    I64_ROTL I64_ROTR
    /// Six comparisons, then add, sub, mul, div, min, max, copysign.
    F32_EQ F32_NE F32_LT F32_GT F32_LE F32_GE F32_ADD F32_SUB F32_MUL F32_DIV F32_MIN F32_MAX F32_COPYSIGN
    F64_EQ F64_NE F64_LT F64_GT F64_LE F64_GE F64_ADD F64_SUB F64_MUL F64_DIV F64_MIN F64_MAX F64_COPYSIGN
}

/// From a comparison or operation of 32 bits to the one whose right side is a number.
pub(crate) const I32_TO_IMMEDIATE: u8 = I32_EQ_I - I32_EQ;
/// From a branch on two registers to the one whose right side is a number.
pub(crate) const BRANCH_TO_IMMEDIATE: u8 = BRANCH_EQ_I - BRANCH_EQ;
/// In c of a load or store: the offset is the next word.
pub(crate) const OFFSET_FOLLOWS: u8 = u8::MAX;
/// Words before a function's code: type and parameters, locals and all registers, fuel of its first block and whether its
/// locals are far.
pub(crate) const FUNCTION_HEAD_WORDS: usize = 3;
/// In the third word of a head: locals lie below the window.
pub(crate) const FAR_LOCALS: u32 = 1 << 16;
/// In the table of functions: not where a head stands, but the type of an import.
pub(crate) const IMPORTED: u32 = 1 << 31;
/// Registers that an operator can name.
pub(crate) const WINDOW: usize = 256;

/// Puts a word together.
pub(crate) const fn word(operator: u8, a: u8, b: u8, c: u8) -> u32 {
    u32::from_le_bytes([operator, a, b, c])
}

/// Puts a word together whose b and c are one number.
pub(crate) const fn wide(operator: u8, a: u8, number: u16) -> u32 {
    let [b, c] = number.to_le_bytes();
    word(operator, a, b, c)
}
