// What the page does: a form for one row, a place for tables. Nothing leaves it.

const PAUSE = 30; // milliseconds of work before the page may draw

const at = (id) => document.getElementById(id);
const about = JSON.parse(at("about").textContent);
const inputs = about.fields.map((_, place) => at(`field-${place}`));
let model = null;
let example = 0;
let download = "";

function element(name, text, style = "") {
  const made = document.createElement(name);
  made.textContent = text;
  if (style) made.className = style;
  return made;
}

async function unpacked(id) {
  const packed = Uint8Array.from(atob(at(id).textContent.trim()), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

function number(value) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(6))) : "no number";
}

async function start() {
  try {
    globalThis.ort.env.wasm.wasmBinary = await unpacked("wasm");
    model = await Model.open(globalThis.ort, about, await unpacked("model"));
  } catch (error) {
    say(`This page can't answer here: ${error.message}.`, "bad");
    return;
  }
  const held = about.examples.length;
  say(held ? `Ready. It gave Python's answers to its ${held} examples.` : "Ready.", "good");
  for (const one of document.querySelectorAll("[data-waits]")) one.disabled = false;
  fill();
}

function say(text, tone) {
  at("state").textContent = text;
  at("state").className = `chip ${tone}`;
  at("state").dataset.tone = tone;
}

/* One row */

function fill() {
  const row = about.examples[example]?.inputs;
  if (!row) return;
  about.fields.forEach((field, place) => {
    inputs[place].value = row[field.name] === null ? "" : String(row[field.name]);
  });
  marks();
}

/** Mark what the model doesn't take, and what the policy doesn't promise. */
function marks() {
  let wrong = null;
  const values = about.fields.map((field, place) => {
    const { value, expected } = read(field, inputs[place].value);
    const note = at(`note-${place}`);
    inputs[place].setAttribute("aria-invalid", String(Boolean(expected)));
    note.className = expected ? "note bad" : "note open";
    note.textContent = expected ? `expected: ${expected}` : unusual(field, value);
    if (expected) wrong ??= inputs[place];
    return [value];
  });
  return { wrong, values };
}

async function ask(event) {
  event.preventDefault();
  const { wrong, values } = marks();
  const answer = at("answer");
  answer.replaceChildren();
  if (wrong) {
    wrong.focus();
    answer.append(element("p", "Some fields are not as the model takes them.", "bad-text"));
    return;
  }
  try {
    const [one] = await model.answer(values);
    show(answer, one);
  } catch (error) {
    answer.append(element("p", `The model has no answer: ${error.message}`, "bad-text"));
  }
}

function show(answer, one) {
  const { task, classes } = about.signature;
  const decided = task === "regression" ? number(one.prediction) : String(one.prediction);
  const what = about.label || (task === "regression" ? "answer" : "decision");
  answer.append(element("p", what, "muted"), element("p", decided, "decision"));
  if (about.threshold !== null) {
    const score = one.scores[about.positive];
    const side = score >= about.threshold ? "reaches" : "stays under";
    const words = `The score of ${classes[about.positive]} is ${number(score)}: it ${side} the threshold of ${about.threshold}.`;
    answer.append(element("p", words));
  }
  if (task !== "regression") answer.append(bars(classes, one.scores));
  answer.append(element("p", `${about.name} ${about.version}${about.commit ? `, commit ${about.commit.slice(0, 10)}` : ""}`, "muted"));
}

function bars(classes, scores) {
  const list = element("dl", "", "bars");
  const order = classes.map((_, place) => place).sort((a, b) => scores[b] - scores[a]).slice(0, 20);
  for (const place of order) {
    const meter = element("meter", "");
    meter.value = scores[place];
    meter.setAttribute("aria-label", `score of ${classes[place]}`);
    const words = element("dd", "");
    words.append(meter, element("span", number(scores[place]), "number"));
    list.append(element("dt", String(classes[place])), words);
  }
  return list;
}

/* Tables */

async function* pieces(blob) {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = blob.stream().getReader();
  let done = 0;
  for (;;) {
    const piece = await reader.read();
    if (piece.done) break;
    done += piece.value.length;
    yield [decoder.decode(piece.value, { stream: true }), done / blob.size];
  }
  yield [decoder.decode(), 1];
}

async function score(blob, name) {
  const said = at("table-said");
  const bar = at("progress");
  begin(said, bar);
  const scoring = new Scoring(model);
  let last = performance.now();
  try {
    for await (const [text, share] of pieces(blob)) {
      await scoring.push(text);
      if (performance.now() - last < PAUSE) continue;
      bar.value = share;
      at("table-state").textContent = `${scoring.rows.toLocaleString("en")} rows`;
      await new Promise((go) => setTimeout(go));
      last = performance.now();
    }
    await scoring.finish();
    result(said, scoring, name);
  } catch (error) {
    refuse(said, error);
  } finally {
    bar.hidden = true;
    for (const one of document.querySelectorAll("[data-waits]")) one.disabled = false;
  }
}

function begin(said, bar) {
  URL.revokeObjectURL(download);
  said.replaceChildren();
  at("table-state").textContent = "reading";
  bar.value = 0;
  bar.hidden = false;
  for (const one of document.querySelectorAll("[data-waits]")) one.disabled = true;
}

function refuse(said, error) {
  at("table-state").textContent = "not scored";
  const text = error instanceof TypeError ? "the file is no text in UTF-8: save it as CSV UTF-8" : error.message;
  said.append(element("p", `Not scored: ${text}.`, "bad-text"));
  if (!error.faults?.length) return;
  const list = element("ul", "");
  for (const fault of error.faults) list.append(element("li", told(fault)));
  if (error.count > error.faults.length) list.append(element("li", `and ${(error.count - error.faults.length).toLocaleString("en")} more`));
  said.append(list);
}

function result(said, scoring, name) {
  const rows = scoring.rows.toLocaleString("en");
  at("table-state").textContent = `${rows} rows scored`;
  download = URL.createObjectURL(new Blob(scoring.parts, { type: "text/csv" }));
  const link = element("a", `Download ${rows} rows with answers`, "button");
  link.href = download;
  link.download = `${name.replace(/\.[^.]*$/, "")}-scored.csv`;
  said.append(link);
  const counts = [...scoring.counts].sort((a, b) => b[1] - a[1]).slice(0, 20);
  if (counts.length) {
    const told = counts.map(([label, count]) => `${label}: ${count.toLocaleString("en")} (${number((100 * count) / scoring.rows)} %)`);
    said.append(element("p", `Decided ${told.join("; ")}.`));
  }
  for (const [column, count] of scoring.unusual) {
    said.append(element("p", `${column}: ${count.toLocaleString("en")} values lie outside of what the data promises.`, "note open"));
  }
  said.append(preview(scoring));
}

function preview(scoring) {
  const box = element("div", "", "scroll");
  const table = element("table", "");
  table.append(element("caption", `The first ${scoring.sample.length} rows, answers first`));
  const width = scoring.answers.length;
  const turned = (cells) => [...cells.slice(-width), ...cells.slice(0, -width)];
  const head = element("tr", "");
  const names = turned([...scoring.kept.map((place) => scoring.header[place]), ...scoring.answers]);
  head.append(...names.map((name) => element("th", name)));
  head.querySelectorAll("th").forEach((one) => one.setAttribute("scope", "col"));
  table.append(element("thead", ""), element("tbody", ""));
  table.tHead.append(head);
  for (const cells of scoring.sample) {
    const row = element("tr", "");
    row.append(...turned(cells).map((one) => element("td", typeof one === "number" ? number(one) : String(one))));
    table.tBodies[0].append(row);
  }
  box.tabIndex = 0;
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", "the first rows");
  box.append(table);
  return box;
}

/* What a person does */

at("form").addEventListener("submit", ask);
at("form").addEventListener("input", marks);
at("another")?.addEventListener("click", () => {
  example = (example + 1) % about.examples.length;
  fill();
});
at("clear").addEventListener("click", () => {
  for (const input of inputs) input.value = "";
  at("answer").replaceChildren();
  marks();
});
at("file").addEventListener("change", (event) => {
  const [chosen] = event.target.files;
  if (chosen) score(chosen, chosen.name);
  event.target.value = "";
});
at("paste-score").addEventListener("click", () => score(new Blob([at("paste").value]), "pasted.csv"));

// The whole page takes a file: what is dropped beside the field must not replace the page.
addEventListener("dragover", (event) => {
  event.preventDefault();
  at("drop").classList.add("over");
});
addEventListener("dragleave", () => at("drop").classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  const [dropped] = event.dataTransfer.files;
  if (dropped && model && !at("file").disabled) score(dropped, dropped.name);
});

start();
