// Development only: a made-up run that tells its story as server-sent events, with resume by Last-Event-ID.
const WORDS = "Quillbridge Software LLC provides hosted freight planning software to Halvorsen Freight Systems, Inc. The initial term is 36 months and renews automatically for 24 months at a time. The provider\u2019s liability is capped at the fees of three months, the customer\u2019s is not capped.".split(" ");
const MODEL = "This agreement is a contract for software. The Provider will provide the software to the Customer, and the Customer will pay the fees for a period of three years.".split(" ");

function script(steps) {
  const story = [[0, { type: "run.started", text: "The analysis has started", pipeline: "contracts.analyze", steps: steps.map(([name, title]) => ({ name, title })) }]];
  const begin = { parse: [60, "Reading the PDF"], chunk: [500, "Splitting by clause"], embed: [800, "Embedding 34 clauses"], classify: [2600, "Classifying 34 clauses"], assess: [4200, "Checking 24 rules of playbook buyer v3"], summarize: [6200, "Choosing the sentences that carry the contract"] };
  const end = { parse: [450, "Read 2 pages, 4,237 characters"], chunk: [760, "Found 34 clauses under 12 headings"], embed: [2550, "34 clauses embedded"], classify: [4150, "Found 12 relevant clauses of 9 categories"], assess: [6150, "14 findings, 3 of them critical"], summarize: [11800, "5 sentences, each cited; 2 dropped"] };
  for (const [step, [at, text]] of Object.entries(begin)) story.push([at, { type: "step.started", step, text }]);
  for (let done = 1; done <= 12; done += 1) story.push([800 + done * 140, { type: "step.progress", step: "embed", text: `${Math.min(34, done * 3)} of 34 clauses`, done: Math.min(34, done * 3), total: 34 }]);
  [["critical", "Liability is capped at three months of fees"], ["critical", "Perpetual licence to train on customer data"], ["high", "Renewal runs for 24 months"], ["high", "Notice of non-renewal is 120 days"], ["medium", "Payment is due in 10 days"]].forEach(([severity, title], index) => story.push([4500 + index * 300, { type: "finding.added", step: "assess", severity, title, text: title }]));
  WORDS.forEach((word, index) => story.push([6300 + index * 70, { type: "message.delta", step: "summarize", message: "summary", delta: `${word} ` }]));
  MODEL.forEach((word, index) => story.push([6800 + index * 130, { type: "message.delta", step: "summarize", message: "model_text", delta: `${word} ` }]));
  for (const [step, [at, text]] of Object.entries(end)) story.push([at, { type: "step.finished", step, text }]);
  story.push([11900, { type: "run.finished", status: "succeeded", text: "The report is ready" }]);
  return story.sort((one, other) => one[0] - other[0]);
}

export function timeline(run, steps, pace, whenDone) {
  const began = Date.now();
  const past = [];
  const listeners = new Set();
  const tell = (body) => {
    const event = { id: `1-${past.length + 1}`, run: run.id, at: new Date().toISOString(), ...body };
    past.push(event);
    const step = run.steps.find((each) => each.name === body.step);
    if (body.type === "run.started") run.started_at = event.at;
    if (body.type === "step.started") Object.assign(step, { status: "running", started_at: event.at });
    if (body.type === "step.finished") Object.assign(step, { status: "succeeded", finished_at: event.at });
    if (body.type === "run.finished") {
      Object.assign(run, { status: body.status, finished_at: event.at });
      if (body.status === "succeeded") whenDone();
    }
    for (const listener of listeners) listener(event);
  };
  const timers = script(steps).map(([at, body]) => setTimeout(() => tell(body), Math.max(0, began + at * pace - Date.now())));
  return {
    run,
    cancel() {
      timers.forEach(clearTimeout);
      tell({ type: "run.finished", status: "cancelled", text: "Cancelled" });
    },
    follow(request, response) {
      response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
      const send = (event) => {
        response.write(`id: ${event.id}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
        if (event.type === "run.finished") response.end();
      };
      const seen = Number(request.headers["last-event-id"]?.split("-")[1] ?? 0);
      past.slice(seen).forEach(send);
      if (run.finished_at === null) listeners.add(send);
      request.on("close", () => listeners.delete(send));
    },
  };
}
