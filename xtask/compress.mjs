// Puts a .br and a .gz beside every file of a folder that gets smaller by it: node compress.mjs FOLDER
// What is there already stays as old as it is: what is built from the folder is then not built again.
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const folder = process.argv[2];
const files = readdirSync(folder, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath ?? entry.path, entry.name));

const old = new Set(files.filter((name) => /\.(br|gz)$/.test(name)));

for (const file of files.filter((name) => !/\.(br|gz)$/.test(name))) {
  const plain = readFileSync(file);
  const text = /\.(html|css|js|mjs|json|svg|txt|webmanifest)$/.test(file);
  const forms = {
    br: brotliCompressSync(plain, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_LGWIN]: constants.BROTLI_MAX_WINDOW_BITS,
        [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
        [constants.BROTLI_PARAM_MODE]: text ? constants.BROTLI_MODE_TEXT : constants.BROTLI_MODE_GENERIC,
      },
    }),
    gz: gzipSync(plain, { level: 9 }),
  };
  for (const [suffix, packed] of Object.entries(forms)) {
    if (packed.length >= plain.length) continue;
    const name = `${file}.${suffix}`;
    old.delete(name);
    if (!existsSync(name) || !readFileSync(name).equals(packed)) writeFileSync(name, packed);
  }
}

for (const name of old) rmSync(name);
