// What the CRM holds, asked of the CRM itself.
const base = process.argv[2] + "/_control";
const get = async (path) => {
  const reply = await fetch(base + path);
  if (!reply.ok) throw new Error(await reply.text());
  return reply.json();
};
const counts = await get("/counts");
const repeated = (answer) => (Array.isArray(answer) ? answer : Object.values(answer).find(Array.isArray) ?? []).length;
const twice = {
  "contacts with the same callsync_key": repeated(await get("/duplicates?object=contacts&property=callsync_key")),
  "contacts with the same phone": repeated(await get("/duplicates?object=contacts&property=phone")),
  "call logs with the same callsync_key": repeated(await get("/duplicates?object=calls&property=callsync_key")),
};
console.log(`  contacts ${counts.contacts ?? 0}, call logs ${counts.calls ?? 0}, tasks ${counts.tasks ?? 0}`);
for (const [what, n] of Object.entries(twice)) console.log(`  ${what}: ${n}`);
