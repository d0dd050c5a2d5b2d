// Dies of a rejection that nothing handles, with a secret in its message.
import { reportCrashes } from '../../../main/platform/crashReports.ts';

const ignore = (): void => undefined;
const [folder = '', secret = ''] = process.argv.slice(2);
reportCrashes(
  () => folder,
  () => ({ debug: ignore, info: ignore, warn: ignore, error: ignore }),
  () => process.exit(70),
);

async function failUnexpectedly(): Promise<void> {
  await Promise.resolve();
  throw new Error(`refused with ${secret}`);
}
void failUnexpectedly();
setInterval(() => undefined, 1000);
