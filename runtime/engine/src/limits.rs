//! What a module may ask of translator and machine. Everything that input can size has a row here.

use crate::crc32::Crc32;

/// Version of image and machine: another one makes images again.
pub const ENGINE_VERSION: u32 = 1;

/// Bounds of one module. An image holds what they were; another set makes another image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Types of functions.
    pub types_max: u32,
    /// Parameters and results of all types together.
    pub type_values_max: u32,
    /// Functions, imported ones too; at most 65,535, what a call's word holds.
    pub functions_max: u32,
    /// Tables.
    pub tables_max: u32,
    /// Elements of one table when the module starts.
    pub table_elements_max: u32,
    /// Globals; at most 16,384, so that their words can be counted in 16 bits.
    pub globals_max: u32,
    /// Exports.
    pub exports_max: u32,
    /// Bytes of a name of an import or export.
    pub name_bytes_max: u32,
    /// Segments of elements.
    pub element_segments_max: u32,
    /// Segments of data.
    pub data_segments_max: u32,
    /// Bytes of linear memory; more than 32 MiB are none more, which is what the table of chunks can name.
    pub memory_bytes_max: u32,
    /// Registers of 32 bits for parameters and locals of one function.
    pub local_slots_max: u32,
    /// Values on the stack of validation at a time; those of code that can be reached take registers, of which there are 256.
    pub operands_max: u32,
    /// Blocks inside of each other in one function.
    pub blocks_max: u32,
    /// Bytes of the body of one function.
    pub body_bytes_max: u32,
    /// Words one function may become.
    pub function_words_max: u32,
    /// Words of the image.
    pub image_words_max: u32,
}

impl Limits {
    /// A gateway on Linux.
    pub const LINUX: Self = Self {
        types_max: 4096,
        type_values_max: 65_536,
        functions_max: 65_535,
        tables_max: 64,
        table_elements_max: 262_144,
        globals_max: 16_384,
        exports_max: 16_384,
        name_bytes_max: 4096,
        element_segments_max: 16_384,
        data_segments_max: 65_535,
        memory_bytes_max: 32 << 20,
        local_slots_max: 32_768,
        operands_max: 65_536,
        blocks_max: 16_384,
        body_bytes_max: 4 << 20,
        function_words_max: 4 << 20,
        image_words_max: 16 << 20,
    };

    /// A chip with 512 KiB of RAM: translating a module the size of a plugin holds 8 KiB at its peak (measured), and by these
    /// rows no module makes it hold more than some 150 KiB.
    pub const CHIP: Self = Self {
        types_max: 256,
        type_values_max: 2048,
        functions_max: 2048,
        tables_max: 4,
        table_elements_max: 1024,
        globals_max: 512,
        exports_max: 256,
        name_bytes_max: 256,
        element_segments_max: 128,
        data_segments_max: 512,
        memory_bytes_max: 1 << 20,
        local_slots_max: 1024,
        operands_max: 1024,
        blocks_max: 256,
        body_bytes_max: 64 << 10,
        function_words_max: 8192,
        image_words_max: 64 << 10,
    };

    /// Returns a number that two sets of limits share only when they are the same: part of what an image is known by.
    #[must_use]
    pub fn fingerprint(&self) -> u32 {
        let rows = [
            self.types_max,
            self.type_values_max,
            self.functions_max,
            self.tables_max,
            self.table_elements_max,
            self.globals_max,
            self.exports_max,
            self.name_bytes_max,
            self.element_segments_max,
            self.data_segments_max,
            self.memory_bytes_max,
            self.local_slots_max,
            self.operands_max,
            self.blocks_max,
            self.body_bytes_max,
            self.function_words_max,
            self.image_words_max,
        ];
        rows.iter().fold(Crc32::default(), |sum, row| sum.with(&row.to_le_bytes())).sum()
    }
}
