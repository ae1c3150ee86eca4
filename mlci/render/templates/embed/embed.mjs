// Runs a model with ONNX Runtime Web: rows in, answers out, by the same rules as Python. In a page and in Node.

const ARRAYS = {
  float32: Float32Array, float64: Float64Array, int32: Int32Array, int64: BigInt64Array, bool: Uint8Array,
};
const WORDS = { float: "a number", integer: "a whole number", string: "a text", boolean: "true or false" };
const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const WHOLE = /^[+-]?\d+(\.0*)?$/;
const BOOLEANS = { true: true, false: false, 1: true, 0: false };
const LARGEST_FLOAT = 3.4e38; // what fits in 32 bits
const BITS = { int32: 32, int64: 64 };

/** Why rows can't be answered. `faults` is a list of {row, line, column, value, expected}. */
export class Refused extends Error {
  constructor(message, faults = [], count = faults.length) {
    super(message);
    this.name = "Refused";
    this.faults = faults;
    this.count = count;
  }
}

/** What a field takes, in words. */
export function expectation(field) {
  return WORDS[field.type] + (field.missing ? ", or nothing" : "");
}

/** The value of a text in a field: `{value}`, where null is a missing one, or `{expected}`. */
export function read(field, text) {
  const expected = { expected: expectation(field) };
  if (text === "" || text === null || text === undefined) {
    return field.missing ? { value: null } : expected;
  }
  if (field.type === "string") return { value: text };
  const plain = text.trim();
  if (field.type === "boolean") {
    const value = BOOLEANS[plain.toLowerCase()];
    return value === undefined ? expected : { value };
  }
  if (/^nan$/i.test(plain)) return field.missing ? { value: null } : expected;
  return field.type === "integer" ? readWhole(field, plain, expected) : readNumber(field, plain, expected);
}

function readNumber(field, plain, expected) {
  const value = NUMBER.test(plain) ? Number(plain) : NaN;
  const largest = field.element === "float32" ? LARGEST_FLOAT : Number.MAX_VALUE;
  return Math.abs(value) <= largest ? { value } : expected;
}

function readWhole(field, plain, expected) {
  if (!WHOLE.test(plain)) return expected;
  const whole = BigInt(plain.replace(/\..*$/, "").replace(/^\+/, ""));
  const bits = BITS[field.element];
  if (bits && whole !== BigInt.asIntN(bits, whole)) return expected;
  return { value: field.element === "int64" ? whole : Number(whole) };
}

/** Whether a value lies outside of what the policy promises of the data: no fault, but worth a word. */
export function unusual(field, value) {
  if (value === null) return "";
  if (field.allowed.length && !field.allowed.includes(String(value))) return `not one of ${field.allowed.join(", ")}`;
  if (field.low !== null && value < field.low) return `less than ${field.low}`;
  if (field.high !== null && value > field.high) return `more than ${field.high}`;
  return "";
}

function cell(field, value) {
  if (value === null) return field.element === "string" ? "" : NaN;
  if (field.element === "int64") return BigInt(value);
  return field.element === "string" ? value : Number(value);
}

/** A model that is ready to answer. */
export class Model {
  constructor(ort, session, about) {
    this.ort = ort;
    this.session = session;
    this.about = about;
  }

  /** Load a model, and replay its examples: one that answers otherwise than Python is refused. */
  static async open(ort, about, content) {
    ort.env.wasm.numThreads = 1; // more would need a server that isolates the page
    ort.env.wasm.proxy = false;
    ort.env.logLevel = "error";
    const session = await ort.InferenceSession.create(content, { executionProviders: ["wasm"] });
    const model = new Model(ort, session, about);
    await model.replay();
    return model;
  }

  async replay() {
    const { examples, fields, tolerance } = this.about;
    if (!examples.length) return;
    const columns = fields.map((field) => examples.map((one) => one.inputs[field.name]));
    const answers = await this.answer(columns);
    examples.forEach((one, place) => {
      for (const [name, wanted] of Object.entries(one.outputs)) {
        if (!close(answers[place].outputs[name], wanted, tolerance)) {
          throw new Refused(`example ${place + 1} of ${examples.length} is answered otherwise than by Python`);
        }
      }
    });
  }

  /** Answers to rows: columns of values in the order of the fields; null is a missing value. */
  async answer(columns) {
    const feeds = this.feeds(columns, columns[0].length);
    const outputs = await this.session.run(feeds);
    try {
      return this.answers(outputs, columns[0].length);
    } finally {
      for (const one of [...Object.values(feeds), ...Object.values(outputs)]) one.dispose?.();
    }
  }

  feeds(columns, rows) {
    const { fields, matrix } = this.about;
    if (matrix) {
      const { element } = fields[0];
      const flat = [];
      for (let row = 0; row < rows; row += 1) fields.forEach((field, at) => flat.push(cell(field, columns[at][row])));
      return { [matrix]: this.tensor(element, flat, [rows, fields.length]) };
    }
    return Object.fromEntries(
      fields.map((field, at) => {
        const values = columns[at].map((value) => cell(field, value));
        return [field.name, this.tensor(field.element, values, [rows, 1])];
      }),
    );
  }

  tensor(element, values, shape) {
    return new this.ort.Tensor(element, element === "string" ? values : ARRAYS[element].from(values), shape);
  }

  answers(outputs, rows) {
    let scores;
    let labels;
    for (const name of this.session.outputNames) {
      const tensor = outputs[name];
      if (!tensor.type.startsWith("float")) labels = tensor.data;
      else if (name === "score" || scores === undefined) scores = tensor.data;
    }
    const width = scores.length / rows;
    return Array.from({ length: rows }, (_, row) => this.one(scores, row * width, width, labels?.[row]));
  }

  one(scores, start, width, label) {
    const { signature, positive, scores: names, threshold } = this.about;
    if (signature.task === "regression") {
      return { prediction: scores[start], outputs: { prediction: scores[start] }, scores: [] };
    }
    let all = Array.from(scores.slice(start, start + width));
    if (width === 1 && signature.classes.length === 2) all = [1 - all[0], all[0]];
    const given = signature.task === "binary" ? [all[positive]] : all;
    return {
      prediction: this.decided(all, label, positive, threshold),
      outputs: Object.fromEntries(names.map((name, at) => [name, given[at]])),
      scores: all,
    };
  }

  decided(all, label, positive, threshold) {
    const { classes } = this.about.signature;
    if (threshold !== null) return classes[all[positive] >= threshold ? positive : 1 - positive];
    if (label === undefined) return classes[all.indexOf(Math.max(...all))];
    if (typeof classes[0] === "boolean") return Boolean(label);
    return typeof label === "bigint" ? Number(label) : label;
  }
}

function close(value, wanted, tolerance) {
  if (Number.isNaN(value) || wanted === null) return Number.isNaN(value) && wanted === null;
  return Math.abs(value - wanted) <= Math.max(tolerance, tolerance * Math.max(Math.abs(value), Math.abs(wanted)));
}
