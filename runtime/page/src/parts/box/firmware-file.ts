// The head of a firmware file, as `cargo xtask esp32c6` makes it: 96 bytes before the image (runtime/src/device/firmware/header.rs).
const HEADER_BYTES = 96;
const LAYOUT = 1;
const VERSION_AT = 12;
const SUM_AT = 44;
const SUM_BYTES = 32;

export interface FirmwareFile {
  readonly chip: number;
  /** Bytes of the image behind the head. */
  readonly bytes: number;
  readonly version: string;
  /** SHA-256 of the image. */
  readonly sum: string;
}

/** `GET /skiff/v1/firmware`. */
export interface Board {
  readonly version: string;
  readonly state: string;
  readonly received?: number;
  readonly total?: number;
  readonly slot_bytes: number;
  readonly chip: number;
  readonly rolled_back?: string;
}

/** Reads the head; what is wrong with the file for this board is thrown, before a byte of it is sent. */
export function read(file: Uint8Array, board: Board): FirmwareFile {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  if (file.length < HEADER_BYTES || String.fromCharCode(...file.subarray(0, 4)) !== 'SKFW') throw new Error('This is no firmware file of Skiff');
  const [layout, chip, bytes] = [view.getUint16(4, true), view.getUint16(6, true), view.getUint32(8, true)];
  if (layout !== LAYOUT) throw new Error(`This file has layout ${layout}, which this page does not know`);
  if (chip !== board.chip) throw new Error(`This file is for chip ${chip}, the board has chip ${board.chip}`);
  if (bytes > board.slot_bytes) throw new Error(`The image has ${bytes} bytes, the board has room for ${board.slot_bytes}`);
  if (file.length !== HEADER_BYTES + bytes) throw new Error(`The file has ${file.length - HEADER_BYTES} bytes of an image of ${bytes}: it is not whole`);
  const version = new TextDecoder().decode(file.subarray(VERSION_AT, SUM_AT)).replace(/\0.*$/s, '');
  return { chip, bytes, version, sum: hex(file.subarray(SUM_AT, SUM_AT + SUM_BYTES)) };
}

/** Looks whether the image is the one that the head describes. Without TLS browsers have no hashes: the board looks then. */
export async function isWhole(file: Uint8Array, head: FirmwareFile): Promise<boolean> {
  if (!globalThis.crypto?.subtle) return true;
  const sum = await crypto.subtle.digest('SHA-256', new Uint8Array(file.subarray(HEADER_BYTES)));
  return hex(new Uint8Array(sum)) === head.sum;
}

function hex(bytes: Uint8Array): string {
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
