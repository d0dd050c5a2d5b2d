// The strict S3 stand-in as a process of its own, so that a benchmark's client does not share a core's time with it by
// taking turns. Prints its address and ends with its stdin.
import { startStrictStore } from './s3Store.ts';

const store = await startStrictStore();
process.stdout.write(`${store.endpoint}\n`);
process.stdin.on('end', () => process.exit(0)).resume();
