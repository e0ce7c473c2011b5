// Writes the whole flash of an ESP32-C6 over Web Serial. What is written is hashed before anything is asked.
import { ESPLoader, Transport } from "./esptool.js";

const BAUD = 921600;
const by = (id) => document.getElementById(id);

function say(text, isBad = false) {
  by("state").textContent = text;
  by("state").classList.toggle("bad", isBad);
}

const terminal = {
  clean() {},
  write(text) { by("log").textContent += text; },
  writeLine(text) { by("log").textContent += `${text}\n`; },
};

async function read(name) {
  const response = await fetch(name);
  if (!response.ok) throw new Error(`${name}: status ${response.status}`);
  return response;
}

async function sha256(bytes) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Returns the manifest and the bytes of its first file, the whole flash.
async function load() {
  const manifest = await (await read("flash.json")).json();
  for (const { name, offset, bytes, sha256 } of manifest.files) {
    const row = by("files").insertRow();
    for (const text of [name, `0x${offset.toString(16)}`, bytes, sha256]) row.insertCell().textContent = text;
  }
  const whole = manifest.files[0];
  const data = new Uint8Array(await (await read(whole.name)).arrayBuffer());
  const hash = await sha256(data);
  if (hash !== whole.sha256) throw new Error(`${whole.name} is not what the manifest names: ${hash}`);
  by("what").textContent =
    `Version ${manifest.version}: ${(data.length / 1e6).toFixed(1)} MB for a flash of 4 MB; its hash is right. ` +
    "Plugins and settings of a chip that has some stay.";
  return { manifest, whole, data };
}

async function flash({ manifest, whole, data }) {
  const port = await navigator.serial.requestPort();
  const transport = new Transport(port);
  by("flash").disabled = true;
  try {
    say("Connecting…");
    const loader = new ESPLoader({ transport, baudrate: BAUD, terminal });
    await loader.main();
    if (loader.chip.CHIP_NAME !== manifest.chip) {
      throw new Error(`this is an ${loader.chip.CHIP_NAME}, the firmware is for an ${manifest.chip}`);
    }
    say("Writing…");
    await loader.writeFlash({
      fileArray: [{ data, address: whole.offset }],
      // The image says it itself, and its hash would not hold otherwise.
      flashMode: "keep", flashFreq: "keep", flashSize: "keep",
      eraseAll: by("erase").checked,
      compress: true,
      reportProgress: (_file, written, total) => { by("progress").value = written / total; },
    });
    await loader.after();
    say("Written. The board starts now; its log tells name and password of its network.");
  } finally {
    await transport.disconnect().catch(() => {});
    by("flash").disabled = false;
  }
}

load().then(
  (loaded) => {
    if (!navigator.serial) {
      say("This browser has no Web Serial: take Chrome or Edge on a computer.", true);
      return;
    }
    by("flash").disabled = false;
    by("flash").onclick = () => flash(loaded).catch((error) => {
      by("talk").open = true;
      say(error.name === "NotFoundError" ? "No port was chosen." : `Not written: ${error.message}`, true);
    });
  },
  (error) => say(error.message, true),
);
