// Lines of JSON for CloudWatch, one for each decision: who asked for what, and what came of it. Never a token, a credential or a
// body.

export type Log = (line: Readonly<Record<string, unknown>>) => void;

export const logToStdout: Log = (line) => {
  process.stdout.write(`${JSON.stringify({ time: new Date().toISOString(), ...line })}\n`);
};
