//! Espressif's own tool: makes images, joins what goes into flash, and checks both.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::process;

/// Version of `esptool`, from PyPI.
const VERSION: &str = "5.6.*";
/// What the boot loader is told of the flash. Its own header, as Espressif ships it, says 64 MB.
const FLASH: [&str; 6] = ["--flash-mode", "dio", "--flash-freq", "80m", "--flash-size", "4MB"];

/// `esptool`, in a folder of its own.
pub struct Esptool {
    packages: PathBuf,
}

impl Esptool {
    /// Installs it where it is missing.
    ///
    /// # Errors
    /// What pip said.
    pub fn prepare(out: &Path) -> Result<Self, String> {
        let esptool = Self { packages: out.join("esptool") };
        if process::output(esptool.command().arg("version")).is_err() {
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "install", "--quiet", "--target"]).arg(&esptool.packages);
            process::run(pip.arg(format!("esptool=={VERSION}")))?;
        }
        Ok(esptool)
    }

    /// Makes the image of a program.
    ///
    /// # Errors
    /// What esptool said of the program, or of the image it made.
    pub fn convert(&self, elf: &Path, image: &Path) -> Result<(), String> {
        let mut convert = self.command();
        convert.args(["--chip", "esp32c6", "elf2image"]).args(FLASH).arg("--output").arg(image).arg(elf);
        process::output(&mut convert)?;
        self.check(image)
    }

    /// Joins what goes into flash to one file, in the order of its places; what lies between is erased flash.
    ///
    /// # Errors
    /// That parts overlap, or what esptool says of the boot loader at the beginning.
    pub fn merge(&self, parts: &[(u32, &Path)], whole: &Path) -> Result<(), String> {
        let mut merge = self.command();
        merge.args(["--chip", "esp32c6", "merge-bin"]).args(FLASH).arg("--output").arg(whole);
        for (at, part) in parts {
            merge.arg(format!("{at:#x}")).arg(part);
        }
        process::output(&mut merge)?;
        self.check(whole)
    }

    fn check(&self, image: &Path) -> Result<(), String> {
        let info = process::output(self.command().args(["--chip", "esp32c6", "image-info"]).arg(image))?;
        read(&info).map_err(|what| format!("esptool finds {} wrong, {what}:\n{info}", image.display()))
    }

    fn command(&self) -> Command {
        let mut command = Command::new("python3");
        command.env("PYTHONPATH", &self.packages).args(["-m", "esptool"]);
        command
    }
}

/// Reads what `image-info` says: checksum and hash, and the flash that a boot loader would look for.
fn read(info: &str) -> Result<(), &'static str> {
    let valid = |name: &str| info.lines().any(|line| line.starts_with(name) && line.contains("(valid)"));
    if !valid("Checksum") || !valid("Validation hash") {
        return Err("its checksum or its hash");
    }
    if info.lines().any(|line| line.trim() == "Flash size: 4MB") { Ok(()) } else { Err("its flash size") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_has_checksum_hash_and_the_size_of_the_flash() {
        let info = "Flash size: 4MB\nFlash freq: 80m\nChecksum: 0x2c (valid)\nValidation hash: 21dc (valid)\n";
        assert_eq!(read(info), Ok(()));
        assert!(read(&info.replace("0x2c (valid)", "0x2c (invalid - calculated 0x2d)")).is_err());
        assert!(read(&info.replace("21dc (valid)", "21dc (invalid)")).is_err());
        assert_eq!(read(&info.replace("4MB", "64MB")), Err("its flash size"));
    }
}
