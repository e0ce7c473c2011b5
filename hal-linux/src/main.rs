//! The command `skiff`; everything is in the library, so that tests reach it.

fn main() -> std::process::ExitCode {
    skiff_gateway::cli::main()
}
