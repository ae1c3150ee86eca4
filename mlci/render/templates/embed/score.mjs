// node score.mjs rows.csv [--out scored.csv]     score a table
// node score.mjs --row '{"column": value, …}'    answer one row, as JSON
// import { load } from "./score.mjs"             use the model in a program of your own

import { createReadStream, readFileSync, realpathSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { Model, Refused, read } from "./embed.mjs";
import * as ort from "./ort/ort.wasm.bundle.min.mjs";
import { Scoring, told } from "./table.mjs";

const file = (name) => readFileSync(new URL(name, import.meta.url));

/** The model of this folder, ready to answer. */
export async function load() {
  ort.env.wasm.wasmBinary = file("ort/ort-wasm-simd-threaded.wasm");
  return Model.open(ort, JSON.parse(file("embed.json")), new Uint8Array(file("model.onnx")));
}

/** The answer to one row: an object by column; null or an absent column is a missing value. */
export async function answer(model, row) {
  const faults = [];
  const columns = model.about.fields.map((field) => {
    const given = row[field.name];
    const { value, expected } = read(field, given === null || given === undefined ? "" : String(given));
    if (expected) faults.push({ column: field.name, value: given === undefined ? "" : String(given), expected });
    return [value];
  });
  if (faults.length) throw new Refused("the row is not as the model takes it", faults);
  const { name, version, commit } = model.about;
  const { prediction, outputs } = (await model.answer(columns))[0];
  return { model: name, version, commit, prediction, outputs };
}

/** A table scored: the text of the CSV with the answers, and how many rows there were. */
export async function scored(model, path) {
  const scoring = new Scoring(model);
  const decoder = new TextDecoder("utf-8", { fatal: true });
  for await (const piece of createReadStream(path)) await scoring.push(decoder.decode(piece, { stream: true }));
  await scoring.push(decoder.decode());
  await scoring.finish();
  return { text: scoring.parts.join(""), rows: scoring.rows };
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { out: { type: "string" }, row: { type: "string" } },
  });
  if ((positionals.length === 1) === (values.row !== undefined)) {
    process.stderr.write("usage: node score.mjs rows.csv [--out scored.csv], or node score.mjs --row JSON\n");
    return 2;
  }
  const model = await load();
  if (values.row !== undefined) {
    process.stdout.write(`${JSON.stringify(await answer(model, JSON.parse(values.row)))}\n`);
    return 0;
  }
  const { text, rows } = await scored(model, positionals[0]);
  if (values.out) writeFileSync(values.out, text);
  else process.stdout.write(text);
  process.stderr.write(`${model.about.name} ${model.about.version}: ${rows} rows\n`);
  return 0;
}

function why(error) {
  if (!(error instanceof Refused)) {
    const text = error.code === "ERR_ENCODING_INVALID_ENCODED_DATA" ? "the file is no text in UTF-8" : error.message;
    return `${text}\n`;
  }
  const more = error.count - error.faults.length;
  const lines = [error.message, ...error.faults.map(told), ...(more > 0 ? [`and ${more} more`] : [])];
  return `${lines.join("\n  ")}\n`;
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    process.exitCode = await main();
  } catch (error) {
    process.stderr.write(why(error));
    process.exitCode = 1;
  }
}
