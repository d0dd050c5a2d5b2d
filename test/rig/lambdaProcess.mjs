// Runs a bundled Lambda function (its path is the argument) as AWS would: loads it once, then calls its handler with each line of stdin,
// `{ id, event }`, several at a time, and answers each with a line `{ id, result }` or `{ id, error }` on stdout.
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const out = process.stdout.write.bind(process.stdout);
// The functions' log goes to stdout, too.
process.stdout.write = () => true;
const { handler } = await import(pathToFileURL(process.argv[2]).href);
createInterface({ input: process.stdin }).on('line', (line) => {
  const { id, event } = JSON.parse(line);
  handler(event).then(
    (result) => out(`${JSON.stringify({ id, result })}\n`),
    (error) => out(`${JSON.stringify({ id, error: String(error) })}\n`),
  );
});
