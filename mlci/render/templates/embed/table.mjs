// Tables as text: read piece by piece, scored in batches, written so that no spreadsheet runs what a cell holds.

import { Refused, read, unusual } from "./embed.mjs";

const BATCH = 1000;
const MOST_TOLD = 20;
const LONG = 60;
const LONGEST = 4_000_000; // characters of a row

/** Cuts text into rows of cells as RFC 4180 has it: quotes, commas and line ends inside of them, any line end. */
export class Reader {
  constructor(delimiter = "") {
    this.delimiter = delimiter;
    this.left = "";
    this.line = 1;
  }

  /** The rows that are complete: `[{line, cells}]`. `last`: no text follows. */
  push(text, last = false) {
    const all = this.left + text;
    if (!this.delimiter && (last || /[\r\n]/.test(all))) this.delimiter = guess(all);
    const rows = [];
    let start = 0;
    while (this.delimiter && start < all.length) {
      const row = this.row(all, start, last);
      if (row === null) break;
      if (row.cells.length > 1 || row.cells[0] !== "") rows.push({ line: this.line, cells: row.cells });
      this.line += row.lines;
      start = row.end;
    }
    this.left = all.slice(start);
    if (this.left.length > LONGEST) throw new Refused(`line ${this.line}: this row does not end; is a quote not closed?`);
    return rows;
  }

  row(all, start, last) {
    const cells = [];
    let at = start;
    let lines = 1;
    for (;;) {
      const cell = all[at] === '"' ? quoted(all, at) : plain(all, at, this.delimiter);
      if (cell === null) {
        if (last) throw new Refused(`line ${this.line}: a quoted cell is never closed`);
        return null;
      }
      cells.push(cell.text);
      lines += cell.lines;
      at = cell.end;
      if (at >= all.length) return last ? { cells, lines, end: at } : null;
      if (all[at] !== this.delimiter) break;
      at += 1;
    }
    if (all[at] !== "\r" && all[at] !== "\n") throw new Refused(`line ${this.line}: text follows a closing quote`);
    // A carriage return at the end of a piece may be half a line end.
    if (all[at] === "\r" && at + 1 >= all.length && !last) return null;
    return { cells, lines, end: at + (all[at] === "\r" && all[at + 1] === "\n" ? 2 : 1) };
  }
}

function plain(all, start, delimiter) {
  let at = start;
  while (at < all.length && all[at] !== delimiter && all[at] !== "\n" && all[at] !== "\r") at += 1;
  return { text: all.slice(start, at), end: at, lines: 0 };
}

function quoted(all, start) {
  let text = "";
  let at = start + 1;
  for (;;) {
    const close = all.indexOf('"', at);
    if (close < 0) return null;
    text += all.slice(at, close);
    if (all[close + 1] !== '"') {
      return { text, end: skipped(all, close + 1), lines: text.split(/\r\n|\r|\n/).length - 1 };
    }
    text += '"';
    at = close + 2;
  }
}

/** Spaces behind a closing quote belong to nothing. */
function skipped(all, at) {
  let end = at;
  while (all[end] === " ") end += 1;
  return end;
}

/** Commas, semicolons (as some spreadsheets save) or tabs (as they copy): what the header holds most of. */
function guess(all) {
  const header = all.replace(/"[^"]*"/g, "").split(/[\r\n]/).find((line) => line !== "") ?? "";
  const counts = [",", ";", "\t"].map((one) => [header.split(one).length, one]);
  return counts.reduce((most, one) => (one[0] > most[0] ? one : most))[1];
}

/** A cell for a file: quoted where it must be, and inert where a spreadsheet would run it as a formula. */
export function written(value, delimiter) {
  let text = String(value);
  if (/^[=+\-@\t\r]/.test(text) && !(text.trim() !== "" && Number.isFinite(Number(text)))) text = `'${text}`;
  return /["\r\n]/.test(text) || text.includes(delimiter) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Scores a table. Nothing is answered if any row is at fault: every fault is counted, the first twenty are told. */
export class Scoring {
  constructor(model) {
    this.model = model;
    this.reader = new Reader();
    this.fields = model.about.fields;
    this.answers = model.about.signature.task === "regression" ? ["prediction"] : ["prediction", ...model.about.scores];
    this.header = null;
    this.rows = 0;
    this.faults = [];
    this.faulty = 0;
    this.parts = [];
    this.sample = [];
    this.counts = new Map();
    this.unusual = new Map();
  }

  /** Read a piece of the text, and score what is complete. */
  async push(text, last = false) {
    let rows = this.reader.push(text, last);
    if (this.header === null && rows.length) {
      this.begin(rows[0]);
      rows = rows.slice(1);
    }
    for (let start = 0; start < rows.length; start += BATCH) await this.batch(rows.slice(start, start + BATCH));
  }

  begin({ cells }) {
    const { fields } = this;
    const twice = fields.find((field) => cells.indexOf(field.name) !== cells.lastIndexOf(field.name));
    if (twice) throw new Refused(`the table has the column "${twice.name}" twice`);
    const missing = fields.filter((field) => !cells.includes(field.name));
    if (missing.length) {
      const told = missing.slice(0, MOST_TOLD).map((field) => {
        const near = nearest(field.name, cells);
        return { column: field.name, expected: near ? `a column of this name; is "${near}" meant?` : "a column of this name" };
      });
      throw new Refused(`the table lacks ${missing.length} of ${fields.length} columns`, told, missing.length);
    }
    this.header = cells;
    this.places = fields.map((field) => cells.indexOf(field.name));
    // What an earlier scoring added is replaced; what the model reads stays.
    this.kept = cells.map((_, at) => at).filter((at) => this.places.includes(at) || !this.answers.includes(cells[at]));
    this.parts.push(this.written([...this.kept.map((at) => cells[at]), ...this.answers]));
  }

  written(cells) {
    return `${cells.map((one) => written(one, this.reader.delimiter)).join(this.reader.delimiter)}\r\n`;
  }

  async batch(rows) {
    const columns = this.fields.map(() => []);
    for (const row of rows) this.read(row, columns);
    if (this.faulty) {
      this.parts = [];
      return;
    }
    const answers = await this.model.answer(columns);
    this.parts.push(rows.map((row, at) => this.answered(row.cells, answers[at])).join(""));
    answers.forEach((one) => {
      if (this.answers.length > 1) this.counts.set(one.prediction, (this.counts.get(one.prediction) ?? 0) + 1);
    });
    const shown = rows.slice(0, Math.max(0, MOST_TOLD / 2 - this.sample.length));
    shown.forEach((row, at) => this.sample.push([...this.kept.map((place) => row.cells[place]), ...this.values(answers[at])]));
  }

  values(answer) {
    return [answer.prediction, ...this.answers.slice(1).map((name) => answer.outputs[name])];
  }

  answered(cells, answer) {
    return this.written([...this.kept.map((at) => cells[at]), ...this.values(answer)]);
  }

  read({ line, cells }, columns) {
    this.rows += 1;
    if (cells.length !== this.header.length) {
      this.fault({ row: this.rows, line, expected: `${this.header.length} cells, and there are ${cells.length}` });
      return;
    }
    this.fields.forEach((field, at) => {
      const text = cells[this.places[at]];
      const { value, expected } = read(field, text);
      if (expected) {
        this.fault({ row: this.rows, line, column: field.name, value: text.slice(0, LONG), expected });
      } else {
        columns[at].push(value);
        if (unusual(field, value)) this.unusual.set(field.name, (this.unusual.get(field.name) ?? 0) + 1);
      }
    });
  }

  fault(one) {
    this.faulty += 1;
    if (this.faults.length < MOST_TOLD) this.faults.push(one);
  }

  /** Read what is left. Throws Refused if a row was at fault or there is none. */
  async finish() {
    await this.push("", true);
    if (this.faulty) {
      throw new Refused(`${this.faulty.toLocaleString("en")} cells or rows are not as the model takes them`, this.faults, this.faulty);
    }
    if (!this.rows) throw new Refused("the table has no rows");
  }
}

/** A fault in words: row, column, what stands there, what is expected. */
export function told(fault) {
  const where = [
    fault.row ? `row ${fault.row} (line ${fault.line})` : "",
    fault.column ? `column "${fault.column}"` : "",
  ].filter(Boolean);
  const found = fault.value === undefined ? "" : ` is ${fault.value === "" ? "empty" : JSON.stringify(fault.value)}`;
  return `${where.join(", ")}${found}; expected: ${fault.expected}`;
}

/** The nearest name, if any is near. */
function nearest(name, names) {
  const known = names.map((one) => [distance(name.toLowerCase(), one.toLowerCase()), one]).sort((a, b) => a[0] - b[0]);
  return known.length && known[0][0] <= Math.max(1, name.length / 3) ? known[0][1] : "";
}

function distance(one, other) {
  let before = Array.from({ length: other.length + 1 }, (_, at) => at);
  for (let row = 1; row <= one.length; row += 1) {
    const now = [row];
    for (let at = 1; at <= other.length; at += 1) {
      now.push(Math.min(before[at] + 1, now[at - 1] + 1, before[at - 1] + (one[row - 1] !== other[at - 1])));
    }
    before = now;
  }
  return before[other.length];
}
