// What the sandbox CRM does wrong during the demo.
const base = process.argv[2];
const faults = [
  { match: { method: "POST", path: "/calls/batch/upsert" }, after: 2, count: 3, action: "throttle", retry_after: 1 },
  { match: { method: "POST", path: "/contacts/batch/upsert" }, after: 1, count: 2, action: "status", status: 500 },
  { match: { method: "POST", path: "/calls/batch/upsert" }, after: 6, count: 1, action: "drop_after" },
  { match: { record: "c-0123" }, object: "calls", action: "drop_field", field: "hs_call_body", count: 9, echo: true },
];
const told = ["answers 429 with Retry-After three times", "answers 500 twice", "stores a call and loses the reply once",
  "answers 200 for call c-0123 but does not store its summary"];
const reply = await fetch(base + "/_control/faults", { method: "POST", body: JSON.stringify(faults) });
if (!reply.ok) throw new Error(await reply.text());
for (const line of told) console.log("  - " + line);
