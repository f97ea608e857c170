// The TypeScript SDK's client: connects as it was told, calls what it was told, and prints what it saw as JSON.
// The one argument is JSON: {sdk, era, url, key} or {sdk, era, command, args, env}, with {app, calls: [[name, arguments]]}.
const asked = JSON.parse(process.argv[2]);
const { Client, StreamableHTTPClientTransport } = await import(`${asked.sdk}/dist/index.mjs`);
const { StdioClientTransport } = await import(`${asked.sdk}/dist/stdio.mjs`);

const transport = asked.url
  ? new StreamableHTTPClientTransport(new URL(asked.url), { requestInit: { headers: { Authorization: `Bearer ${asked.key}` } } })
  : new StdioClientTransport({ command: asked.command, args: asked.args, env: asked.env, stderr: 'ignore' });
const mode = asked.era === 'modern' ? { pin: '2026-07-28' } : 'legacy';
const client = new Client(
  { name: 'typescript-sdk', version: '1' },
  { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode } },
);
let questions = 0;
client.setRequestHandler('elicitation/create', async () => {
  questions += 1;
  return { action: 'accept', content: { app: asked.app } };
});

await client.connect(transport);
const tools = (await client.listTools()).tools.map((tool) => tool.name);
const answers = [];
for (const [name, given] of asked.calls) {
  try {
    const answer = await client.callTool({ name, arguments: given });
    const text = answer.content.map((piece) => piece.text ?? piece.uri ?? '').join('\n');
    answers.push({ name, isError: answer.isError === true, text, structured: answer.structuredContent ?? null });
  } catch (error) {
    answers.push({ name, thrown: String(error) });
  }
}
console.log(JSON.stringify({ version: client.getNegotiatedProtocolVersion(), tools, answers, questions }));
await client.close();
