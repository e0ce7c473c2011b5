/** The runtime for `--runtime`: beside its own file, so that a module exports of it what hosts call, and no more. */
import './memory'
